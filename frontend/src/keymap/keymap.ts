/** A keymap is one table: what handles a key, the hint in the button and the help all read it. */

import { ownKeys } from "./own";

export interface Binding<Action extends string = string> {
  action: Action;
  /** As in KeyboardEvent.key, letters in lower case; "shift+h" for a shifted letter. */
  keys: readonly string[];
  /** What it does, in the reader's language. */
  label: string;
  /** A selector: the key counts only while something inside it has the focus. */
  within?: string;
  /** The heading under which the help lists it. */
  group: string;
}

export type Keymap<Action extends string = string> = readonly Binding<Action>[];

type KeyPress = Pick<
  KeyboardEvent,
  | "key"
  | "code"
  | "ctrlKey"
  | "metaKey"
  | "altKey"
  | "shiftKey"
  | "isComposing"
  | "repeat"
  | "target"
>;

/** The keys of a binding: the person's own where they chose one. */
export function keysOf({ action, keys }: Binding): readonly string[] {
  const own = ownKeys.value[action];
  return own === undefined ? keys : [own];
}

/** The binding that a key press means, or null. A chord of the browser's is never taken. */
export function match<A extends string>(keymap: Keymap<A>, press: KeyPress): Binding<A> | null {
  if (press.ctrlKey || press.metaKey || press.altKey || press.isComposing || press.repeat) {
    return null;
  }
  const names = namesOf(press);
  for (const name of names) {
    const found = keymap.find(
      (binding) => keysOf(binding).includes(name) && isThere(binding, press.target),
    );
    if (found) return found;
  }
  return null;
}

/** The name under which a press is kept as somebody's own key. */
export function nameOf(press: KeyPress): string {
  return namesOf(press).at(-1) ?? press.key;
}

function isThere({ within }: Binding, target: EventTarget | null): boolean {
  return within === undefined || (target instanceof Element && target.closest(within) !== null);
}

/** What a press may be called, likeliest first: a digit row that types signs still has digits. */
function namesOf(press: KeyPress): string[] {
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(press.code)?.[1];
  if (press.shiftKey) {
    const letter = /^[a-z]$/.test(key);
    return [`shift+${digit ?? key}`, ...(letter || digit ? [] : [key])];
  }
  return digit && digit !== key ? [key, digit] : [key];
}

/** True where a key press belongs to a field and to nothing else. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  const field = target.closest("input, textarea, select, [contenteditable]");
  if (!field || field.getAttribute("contenteditable") === "false") return false;
  const type = field.tagName === "INPUT" ? (field as HTMLInputElement).type : "";
  return !["checkbox", "radio", "button", "submit", "reset", "range"].includes(type);
}

const SIGNS: Record<string, string> = {
  Enter: "↵",
  Escape: "esc",
  Backspace: "⌫",
  ArrowLeft: "←",
  ArrowRight: "→",
  ArrowUp: "↑",
  ArrowDown: "↓",
  " ": "space",
};

/** How a key is written in a button. */
export function keySign(key: string): string {
  const [, shift, name = key] = /^(shift\+)?(.+)$/s.exec(key) ?? [];
  return (shift ? "⇧" : "") + (SIGNS[name] ?? name);
}

/** The key that a button of this action shows. */
export function hintFor<A extends string>(keymap: Keymap<A>, action: A): string | undefined {
  const binding = keymap.find((binding) => binding.action === action);
  const key = binding && keysOf(binding)[0];
  return key === undefined ? undefined : keySign(key);
}
