/** The outbox of whoever is signed in: what a closed tab left is sent when they come back. */

import { effect, signal } from "@preact/signals";
import { farewells, loadSession, session } from "../account";
import { ApiError, post } from "../api/client";
import { Outbox } from "./outbox";

export const outbox = signal<Outbox | null>(null);

/** Follows the session from now on. */
export function keepOutbox(): void {
  farewells.add(async () => outbox.peek()?.flushNow());
  effect(() => {
    const user = session.value?.user?.username ?? null;
    const current = outbox.peek();
    if (current?.user === user) {
      current?.flushNow();
      return;
    }
    current?.close();
    outbox.value = null;
    if (user === null) return;
    Outbox.open(user, (path, body) => sendAs(user, path, body)).then((opened) => {
      if (session.peek()?.user?.username === user) outbox.value = opened;
      else opened.close();
    });
  });
}

/**
 * Sends in the name of `user`. Where another tab has signed in somebody else since, what is not
 * theirs is not found: that is no answer about it, and it waits for its owner to come back.
 */
async function sendAs(user: string, path: string, body: object): Promise<unknown> {
  try {
    return await post(path, body);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    await loadSession();
    if (session.peek()?.user?.username === user) throw error;
    throw new ApiError(401, "not_signed_in", error.message);
  }
}
