/** The keys that a person has given to actions, kept in this browser for them alone. */

import { effect, signal } from "@preact/signals";
import { session } from "../account";
import { type Keymap, keysOf } from "./keymap";

export const ownKeys = signal<Readonly<Record<string, string>>>({});

const shelf = (user: string) => `vibecheck.keys.${user}`;
const username = () => session.peek()?.user?.username;

effect(() => {
  const user = session.value?.user?.username;
  ownKeys.value = user ? stored(user) : {};
});

/** `null` gives the action its first key back. */
export function setOwnKey(action: string, key: string | null): void {
  const { [action]: _before, ...rest } = ownKeys.peek();
  keep(key === null ? rest : { ...rest, [action]: key });
}

export function forgetOwnKeys(): void {
  keep({});
}

export type Refusal = { why: "digit" | "browser" | "own" } | { why: "taken"; by: string };

/** Why `action` cannot have `key`: another binding of these keymaps has it, or it is spoken for. */
export function refusalOf(action: string, key: string, keymaps: readonly Keymap[]): Refusal | null {
  const first = keymaps.flat().find((binding) => binding.action === action)?.keys;
  if (
    !first?.includes(key) &&
    ["Tab", "Enter", " ", "Escape", "Unidentified", "Dead"].includes(key)
  ) {
    return { why: "browser" };
  }
  if (/\d$/.test(key) && !/^(?:prefer|best|rank|join):/.test(action)) return { why: "digit" };
  const other = keymaps
    .flat()
    .find((binding) => binding.action !== action && keysOf(binding).includes(key));
  if (other) return { why: "taken", by: other.label };
  const elsewhere = Object.entries(ownKeys.peek()).some(
    ([name, own]) => name !== action && own === key,
  );
  return elsewhere ? { why: "own" } : null;
}

function keep(keys: Record<string, string>): void {
  ownKeys.value = keys;
  const user = username();
  if (user) localStorage.setItem(shelf(user), JSON.stringify(keys));
}

function stored(user: string): Record<string, string> {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(shelf(user)) ?? "{}");
    const pairs = Object.entries(kept ?? {}).filter(([, key]) => typeof key === "string");
    return Object.fromEntries(pairs) as Record<string, string>;
  } catch {
    return {};
  }
}
