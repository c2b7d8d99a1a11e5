/** What an answer is worth in a fine-tuning: weighted parts that add up. */

import type { Project } from "./api/types";
import { t } from "./i18n";

export const KINDS = [
  "model",
  "lower",
  "minimum",
  "attribute",
  "flag",
  "length",
  "repetition",
  "checks",
] as const;
export type RewardKind = (typeof KINDS)[number];

export interface Reward {
  kind: RewardKind;
  weight: number;
  /** The flag or attribute; empty with the other kinds. */
  name: string;
  /** By how many spreads of the ensemble the lower bound is lowered. */
  spreads: number;
}

/** What a project's labelers may say of a response beside which is better. */
export interface Remarks {
  flag: readonly string[];
  attribute: readonly string[];
}

const PENALTIES: readonly RewardKind[] = ["flag", "length", "repetition"];

/** Each part that is not among the rewards yet, as it would be added: a penalty begins small beside
 * a score whose spread is 1. */
export function addable(rewards: readonly Reward[], remarks: Remarks): Reward[] {
  const used = new Set(rewards.map(({ kind, name }) => `${kind} ${name}`));
  return KINDS.flatMap((kind) =>
    (kind === "flag" || kind === "attribute" ? remarks[kind] : [""]).map((name) => ({
      kind,
      name,
      weight: PENALTIES.includes(kind) ? 0.5 : 1,
      spreads: 1,
    })),
  ).filter(({ kind, name }) => !used.has(`${kind} ${name}`));
}

/** The project's usual rewards. */
export function rewardsOf(rules: { policy_configuration: Record<string, unknown> }): Reward[] {
  return rules.policy_configuration.rewards as Reward[];
}

export function remarksOf({ flags, attributes }: Pick<Project, "flags" | "attributes">): Remarks {
  return { flag: flags, attribute: attributes };
}

/** "Penalty: repetition", "Penalty: flag hallucination". */
export function titleOf({ kind, name }: Pick<Reward, "kind" | "name">): string {
  return t(`reward.${kind}`, { name });
}

/** The same of what metrics call a part: "part_flag:hallucination". */
export function titleOfPart(metric: string): string {
  const [kind, ...name] = metric.replace("part_", "").split(":");
  return titleOf({ kind: kind as RewardKind, name: name.join(":") });
}
