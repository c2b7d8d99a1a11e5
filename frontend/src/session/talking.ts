/** One sitting at the talk page: a talk with the policy, whose pairs are answered like any other. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { ApiError, get, NetworkError, post, put } from "../api/client";
import type { Answer, Assignment, Message, Talk } from "../api/types";
import { prepare } from "../render/markdown";
import { Labeling } from "./labeling";
import type { LabelState } from "./state";

const DRAFT_AFTER = 800;

export class Talking extends Labeling {
  readonly talk: Signal<Talk | null> = signal(null);
  /** What is typed and not yet said; kept in this browser and on the server. */
  readonly text: Signal<string> = signal("");
  /** On which reply the talk goes on: by the server, or by an answer that is on its way there. */
  readonly reply: ReadonlySignal<string | null> = computed(() => {
    if (this.shown.value) return null;
    const last = this.undoable.value;
    return (last && chosenIn(last.assignment, last.answer)) ?? this.talk.value?.turn?.reply ?? null;
  });
  /** The answer about this very turn, which can be taken back while nothing was said after it. */
  readonly undoable: ReadonlySignal<LabelState["last"]> = computed(() => {
    const last = this.state.value.last;
    return last && last.assignment.key === this.talk.value?.turn?.assignment?.key ? last : null;
  });

  private textTimer: ReturnType<typeof setTimeout> | undefined;
  private looks = 0;

  override start(): () => void {
    const leave = super.start();
    return () => {
      this.saveText();
      leave();
    };
  }

  /** Looks how the talk stands; takes it up where its last pair was given back. */
  override async serve(): Promise<void> {
    this.looks += 1;
    const mine = this.looks;
    try {
      const known = this.talk.value;
      let talk = known ? await get<Talk>(`talks/${known.key}/`) : await this.takeUp();
      if (talk.turn?.state === "ready" && !talk.turn.assignment && !talk.turn.settled) {
        talk = await this.takeUp();
      }
      if (mine === this.looks) await this.take(talk);
    } catch (error) {
      if (mine === this.looks) this.apply({ type: "failed", error: error as Error });
    }
  }

  type(text: string): void {
    this.text.value = text;
    keep(this.shelf, text);
    clearTimeout(this.textTimer);
    this.textTimer = setTimeout(() => this.saveText(), DRAFT_AFTER);
  }

  /** Says what is typed, once the answer before it is stored. */
  async say(): Promise<void> {
    const talk = this.talk.value;
    const message = this.text.value.trim();
    if (!talk || !message) return;
    const pair = talk.turn?.assignment;
    if (pair && !(await this.outbox.settle(pair.key))) throw new NetworkError();
    const number = (talk.turn?.number ?? 0) + 1;
    clearTimeout(this.textTimer);
    const next = await post<Talk>(`talks/${talk.key}/turns/`, { number, message });
    this.text.value = "";
    keep(this.shelf, "");
    await this.change(next);
  }

  /** Lets the policy write anew, where it failed, is late or wrote nothing good. */
  async again(): Promise<void> {
    const talk = this.talk.value;
    if (!talk?.turn) return;
    const pair = talk.turn.assignment;
    if (pair && !(await this.outbox.settle(pair.key))) throw new NetworkError();
    const { number, attempt } = talk.turn;
    await this.change(await post<Talk>(`talks/${talk.key}/again/`, { number, attempt }));
  }

  async begin(): Promise<void> {
    await this.outbox.flushNow();
    await this.change(await post<Talk>(`projects/${this.slug}/talks/`, { new: true }));
  }

  /** Takes the last answer back, while nothing was said after it. */
  override async undo(): Promise<void> {
    if (this.undoable.value) await super.undo();
  }

  private get shelf(): string {
    return `vibecheck-talk-${this.outbox.user}-${this.slug}`;
  }

  private async takeUp(): Promise<Talk> {
    const talk = await post<Talk>(`projects/${this.slug}/talks/`, {});
    if (!this.talk.value) this.text.value = kept(this.shelf) || talk.draft;
    return talk;
  }

  /** The talk as the server has just changed it; looks that began before it are void. */
  private async change(talk: Talk): Promise<void> {
    this.looks += 1;
    await this.take(talk);
  }

  private async take(talk: Talk): Promise<void> {
    const turn = talk.turn;
    await prepare([...talk.messages.map(({ content }) => content), ...(turn?.texts ?? [])]);
    if (turn?.number !== this.talk.value?.turn?.number || talk.key !== this.talk.value?.key) {
      this.apply({ type: "released" });
    }
    this.talk.value = talk;
    const open = turn?.assignment && !turn.assignment.answer && !this.isSent(turn.assignment);
    this.apply({
      type: "served",
      served: {
        assignments: open && turn?.assignment ? [turn.assignment] : [],
        progress: talk.progress,
        finished: null,
      },
    });
  }

  private isSent({ key }: Assignment): boolean {
    return this.outbox.waiting.value.some((entry) => entry.key === key);
  }

  private saveText(): void {
    const talk = this.talk.value;
    if (this.textTimer === undefined || !talk) return;
    clearTimeout(this.textTimer);
    this.textTimer = undefined;
    put(`talks/${talk.key}/draft/`, { draft: this.text.value }, { keepalive: true }).catch(
      (error) => {
        // Out of reach, the browser's copy is enough.
        if (error instanceof ApiError) this.trouble.value = error;
      },
    );
  }
}

/** The reply that an answer goes on from: the best, and of equal ones that shown first. */
export function chosenIn(assignment: Assignment, answer: Answer | null): string | null {
  if (!answer || ["both_bad", "all_bad", "unanswerable"].includes(answer.outcome)) return null;
  const best = assignment.responses[Math.min(...(answer.tiers[0] ?? [0]))];
  return best?.messages.at(-1)?.content ?? null;
}

/** The talk with the reply on which it goes on, as far as that is known. */
export function saidSoFar(talk: Talk | null, reply: string | null): Message[] {
  const messages = talk?.messages ?? [];
  return reply === null ? messages : [...messages, { role: "assistant", content: reply }];
}

function kept(shelf: string): string {
  try {
    return localStorage.getItem(shelf) ?? "";
  } catch {
    return "";
  }
}

function keep(shelf: string, text: string): void {
  try {
    if (text) localStorage.setItem(shelf, text);
    else localStorage.removeItem(shelf);
  } catch {
    // A browser that keeps nothing: the server's copy is enough.
  }
}
