/** What the server sends and takes: the people's half of the HTTP schema. */

export type Role = "labeler" | "reviewer" | "manager";
export type ProjectState = "draft" | "open" | "paused" | "closed";
export type ResponseForm = "pairwise" | "ranking" | "best_of_k";

export interface Session {
  user: User | null;
  demo: boolean;
  demo_accounts?: DemoAccount[];
  mail: boolean;
  sso: { name: string; url: string }[];
}

export interface User {
  username: string;
  name: string;
  can_create_projects: boolean;
  is_staff: boolean;
}

export interface DemoAccount {
  username: string;
  password: string;
  role: string;
}

export interface Token {
  key: string;
  name: string;
  created: string;
  expiry: string | null;
}

export interface InvitationOffer {
  project: { slug: string; name: string };
  role: Role;
  expires_at: string;
  seats_left: number;
}

export interface ProjectSummary {
  slug: string;
  name: string;
  state: ProjectState;
  role: Role;
  response_form: ResponseForm;
  simulated: boolean;
  open: number;
  labels: number;
  mine: number;
}

export interface Guidelines {
  version: number;
  text: string;
  created_at: string;
}

export interface Project {
  slug: string;
  name: string;
  state: ProjectState;
  role: Role;
  modality: string;
  response_form: ResponseForm;
  levels_per_side: 1 | 3 | 4;
  flags: string[];
  attributes: string[];
  overlap: number;
  heldout_share: number;
  freeze_after: number;
  grace_seconds: number;
  simulated: boolean;
  created_at: string;
  guidelines: Guidelines | null;
}

export interface Results<T> {
  results: T[];
  next?: string | null;
}

export interface Message {
  role: string;
  content: string;
}

export type Outcome =
  | "prefer"
  | "tie"
  | "both_good"
  | "both_bad"
  | "unanswerable"
  | "all_good"
  | "all_bad";

/** What a labeler enters beside the choice itself; responses by their position as shown. */
export interface Remarks {
  rationale: string;
  flags: Record<string, string[]>;
  ratings: Record<string, Record<string, number>>;
}

/** What is entered and not yet answered. */
export interface Draft extends Remarks {
  /** A ranking that is being made, best first. */
  tiers: number[][];
}

/** The choice: which of the responses as shown, and how much better. */
export interface Choice {
  outcome: Outcome;
  /** Positions as shown, best tier first; one tier unless the outcome is prefer. */
  tiers: number[][];
  /** 1 to the project's levels, between two that are not tied; else null. */
  strength: number | null;
}

export interface Answer extends Choice, Remarks {}

export interface Assignment {
  key: string;
  token: string;
  expires_at: string;
  prompt: { messages: Message[] };
  responses: { messages: Message[] }[];
  draft: Partial<Draft> | null;
  guidelines_version: number | null;
  /** My answer that stands, when this was answered. */
  answer: Answer | null;
}

export interface PreferenceBody extends Answer {
  token: string;
  idempotency_key: string;
  active_ms: number;
  guidelines_version: number | null;
}

export interface Receipt {
  key: string;
  counted: boolean;
  revision: number;
  progress: Progress;
}

export interface OwnAnswer {
  key: string;
  answer: Answer;
  revision: number;
  answered_at: string;
  prompt_excerpt: string;
}

export interface Progress {
  labels: number;
  freeze_after: number;
  mine_today: number;
}

export interface Finished {
  reason: "nothing_left" | "paused" | "closed" | "draft";
  next: string;
}

export interface AssignmentsAnswer {
  assignments: Assignment[];
  progress: Progress;
  finished: Finished | null;
}

export interface GuidelinesVersion extends Guidelines {
  author: string | null;
  acknowledged: boolean;
}

export interface Member {
  id: number;
  username: string;
  name: string;
  role: Role;
  simulated: boolean;
  labels: number;
}

export interface Invitation {
  id: number;
  role: Role;
  seats: number;
  used: number;
  expires_at: string;
  revoked: boolean;
  created_by: string | null;
}

/** What an import did, line by line where a line could not be read. */
export interface ImportReport {
  created: number;
  existing: number;
  preferences?: number;
  errors: { line: number; reason: string }[];
}

export interface Event {
  id: number;
  created_at: string;
  actor: string | null;
  verb: string;
  subject: string;
  /** Only what changed, each as it was recorded. */
  before: unknown;
  after: unknown;
}

/** Which models a project turns its circle with. */
export interface Loop {
  reward_backbone: string;
  policy: string;
  autopilot: boolean;
}

export interface ModelCheck {
  id: number;
  source: string;
  state: "waiting" | "loadable" | "refused";
  reason: string;
}
