import type { ComponentChildren } from "preact";
import { useId, useRef, useState } from "preact/hooks";

interface Props {
  label: ComponentChildren;
  /** Said by screen readers in place of the visible label, whose words it holds. */
  name?: string;
  align?: "start" | "end";
  children: (close: () => void) => ComponentChildren;
}

/** A button that opens a native popover below it; Escape or a click elsewhere closes it. */
export function Menu({ label, name, align = "start", children }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);

  const place = () => {
    if (!button.current || !panel.current) return;
    const box = button.current.getBoundingClientRect();
    const { style } = panel.current;
    style.top = `${box.bottom + 4}px`;
    // A popover is placed against the window, which has its sides turned for scripts from the right.
    const width = document.documentElement.clientWidth;
    const toRight = (align === "end") !== (document.documentElement.dir === "rtl");
    style.right = toRight ? `${width - box.right}px` : "auto";
    style.left = toRight ? "auto" : `${box.left}px`;
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        class="menu-button"
        popovertarget={id}
        aria-expanded={open}
        aria-label={name}
      >
        {label}
        <svg class="caret" viewBox="0 0 8 8" aria-hidden="true">
          <path d="m1.5 3 2.5 2.5L6.5 3" />
        </svg>
      </button>
      <div
        ref={panel}
        id={id}
        popover="auto"
        class="menu"
        onBeforeToggle={place}
        onToggle={(event) => setOpen(event.newState === "open")}
      >
        {open && children(() => panel.current?.hidePopover())}
      </div>
    </>
  );
}
