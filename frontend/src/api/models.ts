/** What the server sends about models: the loop's half of the HTTP schema. */

import type { Reward } from "../rewards";
import type { Message, Outcome, ProjectState } from "./types";

export type RunKind = "generate" | "reward" | "policy" | "evaluate" | "select";
export type RunPurpose =
  | "ask"
  | "pool"
  | "arena"
  | "confirm"
  | "suspect"
  | "watch"
  | "train"
  | "measure";
export type RunState = "queued" | "running" | "cancelling" | "succeeded" | "failed" | "cancelled";
export type Stage = "candidate" | "provisional" | "promoted" | "archived";
export type VersionKind = "reward" | "policy";

/** A share from 0 to 1 of n, with the ends of its 95 % interval. */
export interface Share {
  n: number;
  value: number;
  low: number;
  high: number;
}

/** Accuracy on decided pairs: of the held-out split, or of all labels by cross-validation. */
export interface Accuracy extends Share {
  source: "heldout" | "folds";
}

/** How a policy stands in blind comparisons; a tie is half a win. null where none is answered. */
export interface Standing {
  n: number;
  wins: number;
  ties: number;
  losses: number;
  /** Of the ties, those where both wrote the same text, so nobody was asked. */
  identical: number;
  /** Comparisons that still wait for an answer; they count nowhere. */
  open: number;
  value: number | null;
  low: number | null;
  high: number | null;
  /** Labels that a verdict likely still takes; 0: none, null: too even to say. */
  wanted: number | null;
}

/** A version or a batch as others refer to it. */
export interface Numbered {
  id: number;
  number: number;
}

/** A version; `step` is that of a checkpoint, null for what a run left in the end. */
export interface VersionLink extends Numbered {
  step: number | null;
}

export interface Run {
  id: number;
  project: string;
  kind: RunKind;
  purpose: RunPurpose;
  state: RunState;
  /** What it is doing, in the script's words. */
  stage: string;
  step: number;
  steps: number;
  seconds_left: number | null;
  device: string;
  attempt: number;
  error: string;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  /** How many runs of its queue end before it starts; null once it runs. */
  queue_position: number | null;
  /** null: the loop. */
  requested_by: string | null;
  batch: Numbered | null;
  policy: VersionLink | null;
  reference: VersionLink | null;
  reward_model: VersionLink | null;
  /** What it left. */
  version: VersionLink | null;
  /** Of a fine-tuning, once its guard has measured its levels. */
  guard_standing: GuardStanding | null;
}

export type GuardStanding = "quiet" | "warning" | "stopped";

/** What a fine-tuning's guard watches, and why it stopped the run if it did. */
export interface Guard {
  standing: GuardStanding;
  /** By signal; `null` is the mean of the reference's samples, the others are low and high. */
  levels: Record<string, { null: number; warning: Ends; stop: Ends }>;
  stop: GuardStop | null;
  /** The step whose checkpoint the run left; null until then. */
  kept: number | null;
}

type Ends = (number | null)[];

export interface GuardStop {
  step: number;
  since: number;
  sentence: string;
  signals: string[];
  samples: {
    prompt: string;
    text: string;
    tokens: number;
    truncated: boolean;
    reward: number;
    kl: number;
    repetition: number;
  }[];
}

export interface RunDetail extends Run {
  guard: Guard | null;
  configuration: Record<string, unknown>;
  report: Record<string, unknown> | null;
  /** To the reference, in nats; the last one measured. */
  kl: number | null;
  lineage: Link[];
}

/** One step of a lineage; `href` is a page of ours. */
export interface Link {
  type: "policy" | "run" | "reward_model" | "batch" | "preferences" | "labelers";
  id: string;
  label: string;
  href: string;
}

export interface Sample {
  /** From 1, in the order of writing. */
  place: number;
  prompt: string;
  text: string;
  tokens: number;
  truncated: boolean;
  kl: number | null;
  reward: number | null;
  step: number | null;
  by_reference: boolean;
}

export interface Version extends VersionLink {
  project: string;
  kind: VersionKind;
  stage: Stage;
  is_reference: boolean;
  source: string;
  created_at: string;
  accuracy: Accuracy | null;
  win_rate: Standing | null;
}

export interface VersionDetail extends Version {
  metrics: Record<string, unknown>;
  hashes: { weights: string; data: string; config: string };
  run: Run | null;
  decisions: Decision[];
  ancestors: Link[];
  descendants: Link[];
}

/** A line of the story. */
export interface Decision {
  id: number;
  created_at: string;
  what: string;
  reason: string;
  figures: Record<string, unknown>;
  run: number | null;
  version: number | null;
  /** null: the loop. */
  actor: string | null;
  round: number | null;
}

/** Somebody says that something is broken. */
export interface Alarm {
  id: number;
  labeler: string;
  note: string;
  created_at: string;
}

export interface BatchRow extends Numbered {
  size: number;
  /** Preferences that no earlier batch holds. */
  fresh: number;
  sha256: string;
  simulated: boolean;
  created_at: string;
}

export interface BatchDetail extends BatchRow {
  project: string;
  created_by: string | null;
  labelers: { username: string; count: number }[];
  outcomes: Partial<Record<Outcome, number>>;
  reward_model: Version | null;
  run: Run | null;
}

export interface BatchPreference {
  id: number;
  labeler: string | null;
  outcome: Outcome;
  strength: number | null;
  created_at: string;
  guidelines_version: number | null;
  split: "train" | "heldout";
  prompt: Message[];
  /** Best tier first. */
  responses: { messages: Message[]; tier: number }[];
}

export type WaitsFor =
  | "alarm"
  | "labels"
  | "generate"
  | "reward_run"
  | "gate"
  | "start_policy"
  | "policy_run"
  | "arena_labels"
  | "promotion";

export interface Round {
  number: number;
  started_at: string;
  finished_at: string | null;
  steps: { what: "labels" | "reward_model" | "policy" | "arena" | "promotion"; done: boolean }[];
}

export interface Circle {
  project: { slug: string; name: string; state: ProjectState; simulated: boolean };
  waits_for: WaitsFor;
  waits_sentence: string;
  labels: {
    /** Countable ones that no batch holds. */
    new: number;
    countable: number;
    freeze_after: number;
    /** Labels that can still be given. */
    open: number;
  };
  batch: BatchRow | null;
  reward_model: (Numbered & { stage: Stage; accuracy: Accuracy | null }) | null;
  policy: (Numbered & { stage: Stage; is_reference: boolean }) | null;
  candidate: VersionLink | null;
  /** Whether there is a reward model in service, or a prompt with checks, to fine-tune against. */
  tunable: boolean;
  win_rate: (Standing & { policy: VersionLink; against: VersionLink }) | null;
  /** What is at work or waits, oldest first, then what ended last. */
  runs: Run[];
  /** Newest first. */
  rounds: Round[];
  story: Decision[];
  workers: { train: boolean; infer: boolean; live: boolean; default: boolean; device: string };
}

export interface Arena {
  matches: (Standing & { policy: VersionLink; opponent: VersionLink })[];
  points: ArenaPoint[];
  curves: ArenaCurve[];
  exploits: Exploit[];
}

/** What the guard held for an exploit, and whether it still pays. */
export interface Exploit {
  run: number;
  policy: VersionLink | null;
  suspects: number;
  /** By people, to the reference's answers. */
  preferred: Standing;
  /** By the reward model that was fooled. */
  before: Paid | null;
  /** In service now; null where it is the one that was fooled. */
  reward_model: VersionLink | null;
  /** By that one. */
  after: Paid | null;
  after_heldout: Paid | null;
}

/** Above the reference's answers, in spreads of the reward model's scores. */
export interface Paid {
  n: number;
  mean: number;
  low: number;
  high: number;
}

export interface ArenaPoint {
  version: VersionLink;
  /** In which it was trained; its curve is among `curves`. */
  run: number | null;
  /** The run whose samples met the reference's. */
  written: number | null;
  /** Mean KL of a response to the reference, in nats. */
  kl: number | null;
  /** By how many spreads of its scores the reward model puts it above the reference. */
  proxy: number | null;
  /** Against the reference, by all answers. */
  win_rate: Standing | null;
  /** By the answers on which it was not chosen: those are to be believed. */
  verdict: Standing | null;
  /** Bradley-Terry, in nats above the reference. */
  rating: number | null;
}

/** What a policy and the reference wrote to a prompt on which they met. */
export interface MatchTexts {
  prompt: string;
  policy: string;
  reference: string;
  kl: number | null;
  /** Of the policy's proxy reward over the reference's, in spreads. */
  gain: number | null;
  result: "win" | "tie" | "loss" | null;
}

/** What is drawn of a policy run. */
export interface ArenaCurve {
  run: number;
  policy: VersionLink;
  /** The state that people prefer most so far. */
  leads: VersionLink | null;
  /** Whether fresh answers say that it is better than the reference. */
  confirmed: boolean;
  steps: { step: number; kl: number; proxy: number }[];
  stop: { kl: number; sentence: string } | null;
  /** Gao et al. 2022: rating(d) = d (alpha - beta log d), d = sqrt(KL). */
  fit: { alpha: number; beta: number; peak: number | null } | null;
}

/** How a policy may be fine-tuned. */
export type Method = "rloo" | "grpo" | "rejection_sampling" | "dpo" | "sft";

/** What the fine-tuning dialog needs of a project's rules. */
export interface LoopRules {
  policy_configuration: {
    method: Method;
    steps: number;
    beta: number;
    learning_rate: number;
    rewards: Reward[];
  };
  /** What the demo's run with hardly any anchor changes in it; null where it is not offered. */
  hackable: { steps: number; beta: number; learning_rate: number } | null;
}

/** Texts that somebody had scored; `responses` is empty until it is done. */
export interface Scoring {
  id: number;
  version: number;
  state: "waiting" | "done" | "failed";
  error: string;
  responses: Scored[];
}

export interface Scored {
  text: string;
  /** In spreads of the model's scores, like the members' `spread`. */
  score: number;
  spread: number;
  remarks: { name: string; value: number }[];
  /** The comparisons that taught the model, the most alike first. */
  nearest: {
    likeness: number;
    prompt: string;
    preferred: string | null;
    others: string[];
    outcome: string;
  }[];
}
