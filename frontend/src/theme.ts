/** Light, dark, or as the machine says. Every colour is a light-dark() pair in tokens.css. */

import { effect, signal } from "@preact/signals";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "vibecheck.theme";
const stored = localStorage.getItem(KEY);

export const theme = signal<Theme>(stored === "light" || stored === "dark" ? stored : "system");

export function setTheme(name: Theme): void {
  theme.value = name;
  localStorage.setItem(KEY, name);
}

effect(() => {
  document.documentElement.style.colorScheme = theme.value === "system" ? "" : theme.value;
});
