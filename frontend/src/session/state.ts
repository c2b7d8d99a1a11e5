/** The label page's state: plain data, and what each event makes of it. */

import type {
  Answer,
  Assignment,
  AssignmentsAnswer,
  Choice,
  Draft,
  Finished,
  Progress,
} from "../api/types";

export interface LabelState {
  /** False until the server has answered for the first time. */
  loaded: boolean;
  /** Leased to this labeler and not answered, in the order to answer them; the first is shown. */
  held: readonly Assignment[];
  /** An earlier answer of one's own that is open instead. */
  looking: { assignment: Assignment; place: number } | null;
  draft: Draft;
  /** The choice that stands for what is shown, after an undo or in an earlier answer. */
  standing: Choice | null;
  /** Answered or skipped here, on its way to the server: never shown again, unless undone. */
  gone: readonly string[];
  /** What undo takes back. */
  last: Done | null;
  /** Whether somebody else holds what is shown by now. */
  lost: boolean;
  progress: Progress | null;
  finished: Finished | null;
  error: Error | null;
}

/** What was answered, or without an answer skipped, with all that was entered. */
export interface Done {
  assignment: Assignment;
  answer: Answer | null;
  draft: Draft;
}

export type LabelEvent =
  | { type: "served"; served: AssignmentsAnswer }
  | { type: "drafted"; draft: Partial<Draft> }
  | { type: "answered"; answer: Answer }
  | { type: "skipped" }
  | ({ type: "undone" } & Done)
  | { type: "written"; assignment: Assignment }
  | { type: "opened"; assignment: Assignment; place: number }
  | { type: "closed" }
  | { type: "renewed"; key: string; token: string; expires_at: string }
  | { type: "lost"; key: string; untouched: boolean }
  | { type: "released" }
  | { type: "progressed"; progress: Progress }
  | { type: "failed"; error: Error };

const NO_DRAFT: Draft = {
  rationale: "",
  flags: {},
  ratings: {},
  spans: [],
  rewrites: {},
  tiers: [],
  choice: null,
  written: "",
};

export const START: LabelState = {
  loaded: false,
  held: [],
  looking: null,
  draft: NO_DRAFT,
  standing: null,
  gone: [],
  last: null,
  lost: false,
  progress: null,
  finished: null,
  error: null,
};

/** What is on the page: the earlier answer that was opened, or the first one held. */
export function shownIn(state: LabelState): Assignment | null {
  return state.looking?.assignment ?? state.held[0] ?? null;
}

export function reduce(state: LabelState, event: LabelEvent): LabelState {
  switch (event.type) {
    case "served":
      return served(state, event.served);
    case "drafted":
      return { ...state, draft: { ...state.draft, ...event.draft } };
    case "answered":
      return answered(state, event.answer);
    case "skipped":
      return advance(state, null);
    case "undone":
      return undone(state, event);
    case "written":
      return written(state, event.assignment);
    case "opened":
      return show({
        ...putAside(state),
        looking: { assignment: event.assignment, place: event.place },
      });
    case "closed":
      return show({ ...state, looking: null });
    case "renewed":
      return { ...state, held: state.held.map((held) => renewed(held, event)) };
    case "lost":
      return lost(state, event.key, event.untouched);
    case "released":
      return { ...START, gone: state.gone, progress: state.progress };
    case "progressed":
      return { ...state, progress: event.progress };
    case "failed":
      return { ...state, error: event.error };
  }
}

/** What the server holds for me; what is shown stays, and what is already answered stays away. */
function served(state: LabelState, { assignments, progress, finished }: AssignmentsAnswer) {
  const front = state.held[0];
  const fresh = assignments.filter(({ key }) => !state.gone.includes(key) && key !== front?.key);
  const held = front ? [front, ...fresh] : fresh;
  const next = { ...state, held, progress, finished, loaded: true, error: null };
  return front || state.looking ? next : show(next);
}

function answered(state: LabelState, answer: Answer): LabelState {
  if (state.looking) return show({ ...state, looking: null });
  return advance(state, answer);
}

function advance(state: LabelState, answer: Answer | null): LabelState {
  const [front, ...held] = state.held;
  if (!front) return state;
  const last = { assignment: front, answer, draft: { ...state.draft, choice: null } };
  return show({ ...state, held, last, gone: [...state.gone, front.key] });
}

function undone(state: LabelState, { assignment, answer, draft }: Done): LabelState {
  const held = [assignment, ...putAside(state).held.filter(({ key }) => key !== assignment.key)];
  const gone = state.gone.filter((key) => key !== assignment.key);
  return {
    ...show({ ...state, held, gone, last: null, looking: null, finished: null }),
    draft,
    standing: answer,
  };
}

/** The responses have come: what they were withheld for is stored. */
function written(state: LabelState, assignment: Assignment): LabelState {
  const held = state.held.map((old) => (old.key === assignment.key ? assignment : old));
  return { ...state, held, draft: { ...state.draft, written: "" } };
}

/** A pair that passed to somebody else before it was touched goes; one in work stays. */
function lost(state: LabelState, key: string, untouched: boolean): LabelState {
  const shown = shownIn(state);
  if (shown?.key === key && !untouched) return { ...state, lost: true };
  const next = { ...state, held: state.held.filter((held) => held.key !== key) };
  return shown?.key === key ? show(next) : next;
}

function renewed(held: Assignment, event: { key: string; token: string; expires_at: string }) {
  return held.key === event.key
    ? { ...held, token: event.token, expires_at: event.expires_at }
    : held;
}

/** What was entered for the front one waits with it. */
function putAside(state: LabelState): LabelState {
  const [front, ...held] = state.held;
  if (!front || state.looking) return state;
  return { ...state, held: [{ ...front, draft: state.draft }, ...held] };
}

/** Something else is on the page: its own draft and standing choice come with it. */
function show(state: LabelState): LabelState {
  const shown = shownIn(state);
  return {
    ...state,
    lost: false,
    draft: { ...NO_DRAFT, ...(shown?.answer && draftOf(shown.answer)), ...shown?.draft },
    standing: shown?.answer ?? null,
  };
}

function draftOf({ outcome, strength: _, tiers, ...remarks }: Answer): Partial<Draft> {
  return { ...remarks, tiers: outcome === "prefer" ? tiers : [] };
}
