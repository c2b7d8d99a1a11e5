import type { ComponentChildren, JSX } from "preact";

interface Props extends Omit<JSX.HTMLAttributes<HTMLButtonElement>, "icon"> {
  children: ComponentChildren;
  /** The key that does the same, as `hintFor` writes it. */
  hint?: string;
  kind?: "plain" | "primary" | "quiet" | "stop";
  busy?: boolean;
  disabled?: boolean;
  type?: "button" | "submit";
}

/** A verb, and the key that does the same. */
export function Button({ children, hint, kind = "plain", busy, type, ...rest }: Props) {
  return (
    <button
      {...rest}
      type={type ?? "button"}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
      aria-keyshortcuts={hint}
      class={`button ${kind} ${rest.class ?? ""}`}
    >
      {children}
      {hint && <KeyHint>{hint}</KeyHint>}
    </button>
  );
}

export function KeyHint({ children }: { children: ComponentChildren }) {
  return (
    <span class="key" aria-hidden="true">
      {children}
    </span>
  );
}
