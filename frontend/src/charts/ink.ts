/** The colours of tokens.css as a canvas needs them: resolved for the scheme that is shown. */

import { effect } from "@preact/signals";
import { theme } from "../theme";

export const INKS = ["ink", "ink-2", "line", "accent", "warn", "stop"] as const;
export type Ink = (typeof INKS)[number];

/** Reads the tokens where `element` stands. */
export function readInks(element: Element): Record<Ink, string> {
  const probe = document.createElement("span");
  element.append(probe);
  const inks = Object.fromEntries(
    INKS.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }),
  );
  probe.remove();
  return inks as Record<Ink, string>;
}

/** Calls `listener` whenever light turns dark or back. */
export function onSchemeChange(listener: () => void): () => void {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", listener);
  let first = true;
  const stop = effect(() => {
    theme.value;
    if (!first) listener();
    first = false;
  });
  return () => {
    dark.removeEventListener("change", listener);
    stop();
  };
}
