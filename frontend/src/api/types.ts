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
  created_at: string;
  expires_at: string | null;
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
  acknowledged?: boolean;
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

export interface Assignment {
  key: string;
  token: string;
  expires_at: string;
  prompt: { messages: Message[] };
  responses: { messages: Message[] }[];
  draft: Draft | null;
  guidelines_version: number | null;
}

export type Outcome =
  | "prefer"
  | "tie"
  | "both_good"
  | "both_bad"
  | "unanswerable"
  | "all_good"
  | "all_bad";

/** What a labeler has entered beside the choice itself; responses by their position as shown. */
export interface Draft {
  rationale: string;
  flags: Record<string, string[]>;
  ratings: Record<string, Record<string, number>>;
}

export interface Answer extends Draft {
  outcome: Outcome;
  tiers: number[][];
  strength: number | null;
}

export interface PreferenceBody extends Answer {
  token: string;
  idempotency_key: string;
  active_ms: number;
  guidelines_version: number | null;
}

export interface Progress {
  labels: number;
  freeze_after: number;
  mine_today: number;
  mine: number;
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
