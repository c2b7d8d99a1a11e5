/** One sitting at the label page: what it asks of the server, and when. */

import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { farewells } from "../account";
import { ApiError, get, NetworkError, post, put } from "../api/client";
import type {
  Answer,
  Assignment,
  AssignmentsAnswer,
  Choice,
  Draft,
  OwnAnswer,
  PreferenceBody,
  Receipt,
  Results,
  Retraction,
} from "../api/types";
import { prepare } from "../render/markdown";
import { Drafts } from "./drafts";
import type { Outbox } from "./outbox";
import { type LabelEvent, type LabelState, reduce, START, shownIn } from "./state";
import { ActiveTimer } from "./timer";
import { uuid } from "./uuid";

const WANT = 3;
const RENEW_EVERY = 150_000;
const DRAFT_AFTER = 800;
const OUTLIVES = 20_000;
/** A key pressed sooner after a pair appeared was meant for the one before. */
const SHORTEST_LOOK = 150;
/** A pair lost sooner after it appeared was not read yet. */
const UNTOUCHED = 1_500;

export class Labeling {
  readonly state: Signal<LabelState> = signal(START);
  readonly shown: ReadonlySignal<Assignment | null> = computed(() => shownIn(this.state.value));
  readonly timer = new ActiveTimer();
  /** How many comparisons were answered in this sitting. */
  readonly given: Signal<number> = signal(0);
  /** Why the last undo or step back could not be done. */
  readonly trouble: Signal<Error | null> = signal(null);

  private shownKey: string | null = null;
  private shownAt = 0;
  private drafting: ReturnType<typeof setTimeout> | undefined;
  private answers: OwnAnswer[] = [];
  private next: Results<OwnAnswer>["next"] = null;
  private asked = 0;
  private busy = false;
  private readonly stops: (() => void)[] = [];

  private readonly drafts: Drafts;

  constructor(
    readonly slug: string,
    protected readonly outbox: Outbox,
  ) {
    this.drafts = new Drafts(outbox.user);
  }

  /** Starts serving; returns how to leave, which gives back what is held. */
  start(): () => void {
    const renewal = setInterval(() => this.renewWhileUsed(), RENEW_EVERY);
    const onHide = () => this.release();
    const onShow = (event: PageTransitionEvent) => event.persisted && this.serve();
    const onVisibility = () => !document.hidden && this.renewShown();
    window.addEventListener("pagehide", onHide);
    window.addEventListener("pageshow", onShow);
    document.addEventListener("visibilitychange", onVisibility);
    farewells.add(onHide);
    this.stops.push(
      () => farewells.delete(onHide),
      this.timer.watch(),
      this.outbox.onSent((entry, receipt) => this.onSent(entry.key, receipt)),
      () => clearInterval(renewal),
      () => window.removeEventListener("pagehide", onHide),
      () => window.removeEventListener("pageshow", onShow),
      () => document.removeEventListener("visibilitychange", onVisibility),
    );
    this.serve();
    return () => {
      for (const stop of this.stops.splice(0)) stop();
      this.release();
    };
  }

  /** Asks for what is held and, as far as it takes, for more. */
  async serve(): Promise<void> {
    const path = `projects/${this.slug}/assignments/`;
    this.asked += 1;
    const mine = this.asked;
    try {
      const served = await post<AssignmentsAnswer>(path, { want: WANT });
      await prepare(served.assignments.flatMap(textsOf));
      if (mine !== this.asked) return;
      const sent = new Set(this.outbox.waiting.value.map((entry) => entry.key));
      const assignments = served.assignments
        .filter(({ key }) => !sent.has(key))
        .map((assignment) => this.withDraft(assignment));
      this.apply({ type: "served", served: { ...served, assignments } });
    } catch (error) {
      if (mine === this.asked) this.apply({ type: "failed", error: error as Error });
    }
  }

  draft(part: Partial<Draft>): void {
    this.apply({ type: "drafted", draft: { ...part, at: Date.now() } });
    if (this.shownKey) this.drafts.keep(this.shownKey, this.state.value.draft);
    clearTimeout(this.drafting);
    this.drafting = setTimeout(() => this.saveDraft(), DRAFT_AFTER);
  }

  /** Answers what is shown; the next is there at once. False when it came too soon to be meant. */
  answer(choice: Choice): boolean {
    const assignment = this.shown.value;
    if (!assignment || assignment.write_first || this.tooSoon()) return false;
    const { rationale, flags, ratings, spans, rewrites } = this.state.value.draft;
    const remarks = { rationale, flags, ratings, spans, rewrites: changed(rewrites, assignment) };
    const answer: Answer = { ...choice, ...remarks };
    const active_ms = Math.round(this.timer.lap);
    this.dropDraftTimer();
    const body: PreferenceBody = {
      ...answer,
      token: assignment.token,
      idempotency_key: uuid(),
      active_ms,
      guidelines_version: assignment.guidelines_version,
    };
    this.outbox
      .add(assignment.key, `assignments/${assignment.key}/preference/`, body)
      .then(() => this.drafts.drop(assignment.key));
    if (!this.state.value.looking) this.given.value += 1;
    this.apply({ type: "answered", answer });
    if (!this.shown.value) this.serve();
    return true;
  }

  /** Keeps a choice until its reason is written. False when it came too soon to be meant. */
  hold(choice: Choice): boolean {
    if (this.tooSoon()) return false;
    this.draft({ choice });
    return true;
  }

  /**
   * Stores the labeler's own answer, which brings the responses. A blank one is not sent.
   *
   * @throws ApiError, NetworkError: nothing was stored, and all that was typed is still there.
   */
  async write(): Promise<void> {
    const assignment = this.shown.value;
    const { written } = this.state.value.draft;
    if (!assignment?.write_first || written.trim() === "") return;
    const path = `assignments/${assignment.key}/demonstration/`;
    const active_ms = Math.round(this.timer.lap);
    const revealed = await post<Assignment>(path, { text: written, active_ms });
    await prepare(textsOf(revealed));
    this.dropDraftTimer();
    this.drafts.drop(revealed.key);
    this.apply({ type: "written", assignment: revealed });
    if (this.shown.value?.key !== revealed.key) return;
    this.timer.newLap();
    this.shownAt = performance.now();
    // What was prefetched may ask for an answer to the same prompt, which is written now.
    this.serve();
  }

  skip(reason: string, note: string): void {
    const assignment = this.shown.value;
    if (!assignment || this.state.value.looking) return;
    // The text that was written stays on the server with the assignment.
    this.saveDraft();
    this.outbox.add(assignment.key, `assignments/${assignment.key}/skip/`, {
      token: assignment.token,
      reason,
      note,
    });
    this.apply({ type: "skipped" });
    if (!this.shown.value) this.serve();
  }

  /** Takes the last answer or skip back: from the outbox, or where it is stored already, there. */
  undo(): Promise<void> {
    return this.alone(async () => {
      const last = this.state.value.last;
      if (!last) return;
      this.saveDraft();
      const { key } = last.assignment;
      if (await this.outbox.take(key)) {
        this.takeBack(last);
        return;
      }
      if (!(await this.outbox.settle(key))) throw new NetworkError();
      if (last.answer === null) {
        const assignment = await post<Assignment>(`assignments/${key}/resume/`);
        this.takeBack({ ...last, assignment });
        return;
      }
      const { assignment, progress } = await post<Retraction>(`assignments/${key}/retract/`, {
        idempotency_key: uuid(),
      });
      this.takeBack({ ...last, assignment: { ...assignment, answer: null } });
      this.apply({ type: "progressed", progress });
    });
  }

  private takeBack(last: NonNullable<LabelState["last"]>): void {
    if (last.answer) this.given.value -= 1;
    this.apply({ type: "undone", ...last });
  }

  /** One step through one's own answers: 1 is earlier, -1 is later, and at last the present. */
  look(step: 1 | -1): Promise<void> {
    return this.alone(async () => {
      const now = this.state.value.looking?.place ?? -1;
      const place = now + step;
      if (place < 0) {
        if (now >= 0) this.close();
        return;
      }
      if (now < 0) {
        await this.outbox.drain();
        this.answers = [];
      }
      const own = await this.ownAnswer(place);
      if (!own) return;
      const assignment = await get<Assignment>(`assignments/${own.key}/`);
      await prepare(textsOf(assignment));
      this.saveDraft();
      this.apply({ type: "opened", assignment: this.withDraft(assignment), place });
    });
  }

  close(): void {
    this.saveDraft();
    this.apply({ type: "closed" });
  }

  private async ownAnswer(place: number): Promise<OwnAnswer | undefined> {
    if (place >= this.answers.length && (this.answers.length === 0 || this.next !== null)) {
      const before = this.answers.length === 0 ? "" : `?before=${this.next}`;
      const page = await get<Results<OwnAnswer>>(`projects/${this.slug}/answers/${before}`);
      this.answers = [...this.answers, ...page.results];
      this.next = page.next;
    }
    return this.answers[place];
  }

  private onSent(key: string, receipt: unknown): void {
    const progress = (receipt as Receipt | null)?.progress;
    if (progress) this.apply({ type: "progressed", progress });
    if (this.state.value.held.length < WANT && this.state.value.gone.includes(key)) this.serve();
  }

  protected apply(event: LabelEvent): void {
    this.state.value = reduce(this.state.value, event);
    const key = this.shown.value?.key ?? null;
    if (key === this.shownKey) return;
    this.shownKey = key;
    this.shownAt = performance.now();
    this.timer.newLap();
    this.dropDraftTimer();
    this.renewShown();
  }

  private tooSoon(): boolean {
    return performance.now() - this.shownAt < SHORTEST_LOOK;
  }

  private renewWhileUsed(): void {
    if (!document.hidden && this.timer.usedWithin(RENEW_EVERY)) this.renewShown();
  }

  /** Says that the labeler sees the front one now, which keeps it from being passed on. */
  private async renewShown(): Promise<void> {
    const front = this.state.value.held[0];
    if (!front || front.key !== this.shownKey || document.hidden) return;
    try {
      const lease = await post<{ token: string; expires_at: string }>(
        `assignments/${front.key}/renew/`,
        { token: front.token, shown: true },
      );
      this.apply({ type: "renewed", key: front.key, ...lease });
    } catch (error) {
      // Out of reach, the lease runs on by itself; only a refusal says that it is lost.
      if (!(error instanceof ApiError) || error.code !== "lease_lost") return;
      if (this.state.value.gone.includes(front.key)) return;
      const untouched = performance.now() - this.shownAt < UNTOUCHED;
      this.apply({ type: "lost", key: front.key, untouched });
      if (untouched) this.serve();
    }
  }

  /** Gives back all that is held, even while the page goes away. */
  private release(): Promise<unknown> {
    this.saveDraft();
    const { held } = this.state.value;
    this.apply({ type: "released" });
    return Promise.allSettled(
      held.map(({ key, token }) =>
        post(`assignments/${key}/release/`, { token }, { keepalive: true }),
      ),
    );
  }

  private dropDraftTimer(): void {
    clearTimeout(this.drafting);
    this.drafting = undefined;
  }

  /** Saves what was entered since the last time; an answer carries it all anyway. */
  private saveDraft(): void {
    const assignment = this.shown.value;
    if (this.drafting === undefined || !assignment) return;
    this.dropDraftTimer();
    const { key } = assignment;
    const { draft } = this.state.value;
    // A request that outlives the page may carry 64 KB; the browser's own copy holds more.
    const keepalive = JSON.stringify(draft).length < OUTLIVES;
    put(`assignments/${key}/draft/`, { draft }, { keepalive })
      .then(() => this.drafts.stored(key, draft))
      .catch((error) => {
        // Out of reach of the server, the browser keeps it.
        if (!(error instanceof NetworkError)) this.trouble.value = error;
      });
  }

  /** What this browser kept, for the server never got it; not where later was written elsewhere. */
  private withDraft(assignment: Assignment): Assignment {
    const draft = this.drafts.of(assignment.key);
    const later = (assignment.draft?.at ?? 0) > (draft?.at ?? 0);
    return draft && !later ? { ...assignment, draft } : assignment;
  }

  private async alone(task: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.trouble.value = null;
    try {
      await task();
    } catch (error) {
      this.trouble.value = error as Error;
    } finally {
      this.busy = false;
    }
  }
}

/** The rewrites that say something else than their responses. */
function changed(rewrites: Draft["rewrites"], { responses }: Assignment): Draft["rewrites"] {
  return Object.fromEntries(
    Object.entries(rewrites).filter(
      ([place, { text }]) =>
        text.trim() !== "" && text !== responses[Number(place)]?.messages.at(-1)?.content,
    ),
  );
}

function textsOf({ prompt, responses }: Assignment): string[] {
  return [prompt, ...responses].flatMap(({ messages }) => messages.map(({ content }) => content));
}
