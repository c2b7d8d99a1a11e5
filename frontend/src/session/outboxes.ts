/** The outbox of whoever is signed in: what a closed tab left is sent when they come back. */

import { effect, signal } from "@preact/signals";
import { farewells, session } from "../account";
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
    Outbox.open(user).then((opened) => {
      if (session.peek()?.user?.username === user) outbox.value = opened;
      else opened.close();
    });
  });
}
