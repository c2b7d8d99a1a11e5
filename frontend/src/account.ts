/** Who is signed in, on every page. */

import { signal } from "@preact/signals";
import { get, onSignedOut, post, remove } from "./api/client";
import type { Session } from "./api/types";

/** null until the server has answered for the first time. */
export const session = signal<Session | null>(null);

export async function loadSession(): Promise<void> {
  session.value = await get<Session>("session/");
}

export async function signIn(username: string, password: string): Promise<void> {
  session.value = await post<Session>("session/", { username, password });
}

/** What must reach the server while one is still signed in. */
export const farewells = new Set<() => Promise<unknown>>();

export async function signOut(): Promise<void> {
  await Promise.allSettled([...farewells].map((farewell) => farewell()));
  await remove("session/");
  await loadSession();
}

onSignedOut(() => {
  if (session.value?.user) session.value = { ...session.value, user: null };
});
