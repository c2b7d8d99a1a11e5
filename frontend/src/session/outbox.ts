/**
 * Answers on their way to the server, one person's, in order.
 *
 * An answer is kept from the key press until the server has said that it is stored. It is sent
 * again, with the same idempotency key, for as long as nothing settles it: a lost network, a closed
 * tab and a restart of the server all end the same way, with one answer stored.
 */

import { type Signal, signal } from "@preact/signals";
import { ApiError, post } from "../api/client";
import { type Entry, memoryStore, openStore, type Store } from "./store";

type Sender = (path: string, body: object) => Promise<unknown>;
type SentListener = (entry: Entry, receipt: unknown) => void;

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

export class Outbox {
  /** Written and not yet settled. */
  readonly waiting: Signal<readonly Entry[]> = signal([]);
  /** Never to be taken by the server; kept until the person has seen why. */
  readonly refused: Signal<readonly Entry[]> = signal([]);
  /** Why the last try settled nothing; null while all goes well. */
  readonly stuck: Signal<Error | null> = signal(null);

  private pause = FIRST_PAUSE;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private sending: Promise<void> | null = null;
  private inFlight: number | null = null;
  /** Resolves once every answer given until now is kept. */
  private keeping: Promise<unknown> = Promise.resolve();
  private stopped = false;
  private readonly sentListeners = new Set<SentListener>();

  private constructor(
    readonly user: string,
    private store: Store,
    private readonly send: Sender,
  ) {}

  static async open(user: string, send: Sender = post, store?: Store): Promise<Outbox> {
    const shelf = store ?? (await openStore().catch(memoryStore));
    const outbox = new Outbox(user, shelf, send);
    await outbox.read();
    window.addEventListener("online", outbox.flushNow);
    outbox.flushNow();
    return outbox;
  }

  close(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    window.removeEventListener("online", this.flushNow);
  }

  onSent(listener: SentListener): () => void {
    this.sentListeners.add(listener);
    return () => this.sentListeners.delete(listener);
  }

  /** Keeps an answer, then sends it. Resolves once it is kept. */
  async add(key: string, path: string, body: object): Promise<void> {
    const written_at = new Date().toISOString();
    const kept = this.keep({ user: this.user, key, path, body, written_at, tries: 0 });
    this.keeping = Promise.allSettled([this.keeping, kept]);
    await kept;
    await this.read();
    this.flushNow();
  }

  /** Takes back what is kept about `key`, if it was never sent; false when it may have arrived. */
  async take(key: string): Promise<boolean> {
    await this.keeping;
    await this.read();
    const entry = this.waiting.value.find((waiting) => waiting.key === key);
    if (!entry || entry.tries > 0 || entry.id === this.inFlight) return false;
    await this.store.remove(entry.id as number);
    await this.read();
    return true;
  }

  /** Resolves when nothing about `key` is waiting: true if so within one round of sending. */
  async settle(key: string): Promise<boolean> {
    await this.drain();
    return !this.waiting.value.some((entry) => entry.key === key);
  }

  /** Sends all that was given until now, as far as the server takes it. */
  async drain(): Promise<void> {
    await this.keeping;
    await this.flushNow();
    // A round that was at its end already has not seen what came last.
    if (this.waiting.value.length > 0 && !this.stuck.value) await this.flushNow();
  }

  async forget(entry: Entry): Promise<void> {
    await this.store.remove(entry.id as number);
    await this.read();
  }

  /** Sends what is waiting; one round at a time, however many tabs are open. */
  flushNow = (): Promise<void> => {
    clearTimeout(this.timer);
    this.sending ??= alone(`vibecheck-outbox-${this.user}`, () => this.flush()).finally(() => {
      this.sending = null;
      if (!this.stopped && this.waiting.value.length > 0) this.later();
    });
    return this.sending;
  };

  private later(): void {
    this.timer = setTimeout(this.flushNow, this.stuck.value ? this.pause : 0);
  }

  private async flush(): Promise<void> {
    await this.read();
    for (let entry = this.waiting.value[0]; entry && !this.stopped; entry = this.waiting.value[0]) {
      if (!(await this.sendOne(entry))) return;
    }
  }

  /** Sends one answer; false when the round must stop to wait. */
  private async sendOne(entry: Entry): Promise<boolean> {
    this.inFlight = entry.id as number;
    // Counted before it leaves: from here on it may have arrived.
    const tried = { ...entry, tries: entry.tries + 1 };
    await this.store.put(tried);
    try {
      const receipt = await this.send(entry.path, entry.body);
      await this.store.remove(entry.id as number);
      this.pause = FIRST_PAUSE;
      this.stuck.value = null;
      await this.read();
      for (const listener of this.sentListeners) listener(entry, receipt);
      return true;
    } catch (error) {
      if (isFinal(error)) {
        await this.store.put({ ...tried, refused: error.message });
        await this.read();
        return true;
      }
      if (this.stuck.value) this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
      this.stuck.value = error as Error;
      await this.read();
      return false;
    } finally {
      this.inFlight = null;
    }
  }

  /** A shelf that takes no more (a full disk) is left for the tab's own memory. */
  private async keep(entry: Entry): Promise<void> {
    try {
      await this.store.add(entry);
    } catch {
      const memory = memoryStore();
      for (const waiting of this.waiting.value) await memory.add(waiting);
      await memory.add(entry);
      this.store = memory;
    }
  }

  private async read(): Promise<void> {
    const entries = await this.store.of(this.user);
    this.waiting.value = entries.filter((entry) => entry.refused === undefined);
    this.refused.value = entries.filter((entry) => entry.refused !== undefined);
  }
}

/** An answer of the server that no repetition changes. Signed out and locked out are not final. */
function isFinal(error: unknown): error is ApiError {
  return (
    error instanceof ApiError && error.status < 500 && ![401, 403, 408, 429].includes(error.status)
  );
}

/** Runs `task` while no other tab runs one of this name. */
function alone(name: string, task: () => Promise<void>): Promise<void> {
  return navigator.locks ? Promise.resolve(navigator.locks.request(name, task)) : task();
}
