/** The server's types by their short names: the people's half of the HTTP schema. */

import type { components } from "./schema";

type Schemas = components["schemas"];

export type Role = Schemas["MemberRole"];
export type ProjectState = Schemas["ProjectState"];
export type ResponseForm = Schemas["ResponseFormEnum"];
export type Outcome = Schemas["OutcomeEnum"];

export type Session = Schemas["Session"];
export type User = Schemas["Person"];
export type DemoAccount = Schemas["DemoAccount"];
export type Token = Schemas["Token"];
export type InvitationOffer = Schemas["InvitedTo"];

export type ProjectSummary = Schemas["ProjectRow"];
export type Project = Schemas["Project"];
export type GuidelinesVersion = Schemas["GuidelinesVersion"];
export type Member = Schemas["Member"];
export type Invitation = Schemas["Invitation"];
export type ImportReport = Schemas["Report"];
export type Median = Schemas["Median"];
export type Gap = Schemas["Gap"];
export type Event = Schemas["Event"];
export type Loop = Schemas["Loop"];
export type ModelCheck = Schemas["ModelCheck"];

export interface Results<T> {
  results: T[];
  /** What `?before=` takes for the page after this one. */
  next?: string | number | null;
}

export type Message = Schemas["Message"];
export type Progress = Schemas["Progress"];
export type Finished = Schemas["Finished"];
export type Learnt = Schemas["Learnt"];
export type Receipt = Schemas["Receipt"];

/** What a labeler says; the server sends every field of it. */
export type Answer = Omit<Required<Schemas["Answer"]>, "active_ms" | "guidelines_version">;
/** The choice alone: which of the responses as shown, and how much better. */
export type Choice = Pick<Answer, "outcome" | "tiers" | "strength">;
export type Span = Schemas["Span"];
export type Rewrite = Schemas["Rewrite"];
/** What is entered and not yet answered. */
export type Draft = Omit<Answer, "outcome" | "strength"> & {
  /** When it was entered, in milliseconds; of two copies the later one stands. */
  at?: number;
  /** A choice that waits for its reason; `tiers` is a ranking that is being made. */
  choice: Choice | null;
  /** The labeler's own answer, where that comes before the responses. */
  written: string;
};

/** What a labeler sees of a comparison. The draft is the one that this front end saved. */
export type Assignment = Omit<Schemas["Assignment"], "draft" | "answer"> & {
  draft: Partial<Draft> | null;
  answer: Answer | null;
};
export type AssignmentsAnswer = Omit<Schemas["Served"], "assignments"> & {
  assignments: Assignment[];
};
export type Retraction = Omit<Schemas["RetractOutput"], "assignment"> & { assignment: Assignment };
/** A labeler's conversation with the policy. */
export type Turn = Omit<Schemas["TalkTurn"], "assignment"> & { assignment: Assignment | null };
export type Talk = Omit<Schemas["Talk"], "turn"> & { turn: Turn | null };
export type OwnAnswer = Schemas["AnswersOutputRow"];
export type PreferenceBody = Required<Schemas["SubmitPreferenceInputRequest"]>;
