/** The keys that a person has given to actions, kept with their account. */

import { computed } from "@preact/signals";
import { session } from "../account";
import { put } from "../api/client";
import { type Keymap, keysOf } from "./keymap";

type Keys = Record<string, string>;

export const ownKeys = computed<Keys>(() => session.value?.user?.keys ?? {});

/**
 * `null` gives the action its first key back. It holds at once.
 *
 * @throws ApiError, NetworkError: it could not be kept, and is as before.
 */
export function setOwnKey(action: string, key: string | null): Promise<void> {
  const { [action]: _before, ...rest } = ownKeys.peek();
  return keep(key === null ? rest : { ...rest, [action]: key });
}

export function forgetOwnKeys(): Promise<void> {
  return keep({});
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

async function keep(keys: Keys): Promise<void> {
  const before = ownKeys.peek();
  show(keys);
  try {
    await put("session/keys/", { keys });
  } catch (error) {
    if (ownKeys.peek() === keys) show(before);
    throw error;
  }
}

function show(keys: Keys): void {
  const { value } = session;
  if (value?.user) session.value = { ...value, user: { ...value.user, keys } };
}
