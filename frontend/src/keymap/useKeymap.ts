import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { isTyping, type Keymap, match } from "./keymap";

/** The keymaps of what is on the page now; the help is made of them. */
export const activeKeymaps = signal<readonly Keymap[]>([]);

/**
 * Lets `keymap` drive `handle` while the component is there and `enabled`.
 *
 * Nothing fires while somebody types in a field, holds a key down, or has a dialog open.
 */
export function useKeymap<A extends string>(
  keymap: Keymap<A>,
  handle: (action: A, key: string) => void,
  enabled = true,
): void {
  const latest = useRef(handle);
  latest.current = handle;

  // Before the next key, which may come sooner than the page is painted.
  useLayoutEffect(() => {
    if (!enabled) return;
    activeKeymaps.value = [...activeKeymaps.value, keymap];
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      const binding = match(keymap, event);
      if (!binding) return;
      if (pressesButton(event)) return;
      event.preventDefault();
      latest.current(binding.action, event.key);
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
      activeKeymaps.value = activeKeymaps.value.filter((other) => other !== keymap);
    };
  }, [keymap, enabled]);
}

/** Enter and space on a focused control press that control. */
function pressesButton(event: KeyboardEvent): boolean {
  if (event.key !== "Enter" && event.key !== " ") return false;
  return event.target instanceof Element && event.target.closest("button, a, summary") !== null;
}
