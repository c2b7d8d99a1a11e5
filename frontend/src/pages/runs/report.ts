/** A finished run's figures in plain words, each with its interval and its n. */

import type { RunKind } from "../../api/models";
import { alike, decimal, type Mean, meanText, shareText } from "../../charts/figures";
import { integer, percent } from "../../format";
import { t } from "../../i18n";
import { duration } from "./time";

/** A line of the report; `before` is the same figure of the policy that the run started from. */
export interface Fact {
  label: string;
  text: string;
  before?: string;
}

interface Order {
  n: number;
  accuracy: number | null;
  low: number | null;
  high: number | null;
  nll?: number | null;
}

interface Difference {
  n: number;
  difference: number | null;
  low: number | null;
  high: number | null;
}

interface Behaviour {
  reward: Mean;
  /** Where the prompts have checks. */
  passed?: Mean;
  kl: Mean;
  entropy: number;
  length: number;
  truncated: number;
  repetition: number;
  distinct: number;
}

interface RewardReport {
  counts: Record<string, number>;
  heldout: Order;
  folds: Order | null;
  longer: { heldout: Order; folds: Order };
  champion: (Order & { accuracy_difference: Difference; nll_difference: Difference }) | null;
}

interface PolicyReport {
  before: Behaviour;
  after: Behaviour;
  prompts: number;
  shortened: number;
  left_out: number;
}

interface GenerateReport {
  samples: number;
  truncated: number;
  kl: Mean;
  asked?: number;
}

interface SelectReport {
  drawn: { probability: number }[];
  prompts: number;
  candidates: number;
  known: number;
}

export function factsOf(kind: RunKind, report: Record<string, unknown>): Fact[] {
  const facts = {
    reward: () => rewardFacts(report as unknown as RewardReport),
    policy: () => policyFacts(report as unknown as PolicyReport),
    generate: () => generateFacts(report as unknown as GenerateReport),
    evaluate: () => [],
    select: () => selectFacts(report as unknown as SelectReport),
  }[kind]();
  return typeof report.seconds === "number"
    ? [...facts, fact("seconds", duration(report.seconds))]
    : facts;
}

function selectFacts({ drawn, prompts, candidates, known }: SelectReport): Fact[] {
  const chances = drawn.map(({ probability }) => probability);
  return [
    fact(
      "drawn",
      t("report.drawn_of", {
        drawn: integer(drawn.length),
        candidates: integer(candidates),
        prompts: integer(prompts),
      }),
    ),
    ...(chances.length > 0
      ? [
          fact(
            "chances",
            t("report.chances_between", {
              low: percent(Math.min(...chances)),
              high: percent(Math.max(...chances)),
            }),
          ),
        ]
      : []),
    fact("known", integer(known)),
  ];
}

function rewardFacts({ counts, heldout, folds, longer, champion }: RewardReport): Fact[] {
  const facts = [
    fact("learnt_from", counted(counts)),
    ...(counts.steered ? [fact("steered", integer(counts.steered))] : []),
    fact("heldout", orderText(heldout)),
    ...(folds ? [fact("folds", orderText(folds))] : []),
    fact("longer", orderText(folds ? longer.folds : longer.heldout)),
  ];
  if (!champion) return facts;
  const { accuracy_difference: accuracy, nll_difference: nll } = champion;
  return [
    ...facts,
    fact("champion_accuracy", differenceText(accuracy, 100, t("report.points"))),
    fact("champion_nll", differenceText(nll, 1, t("report.nats"))),
  ];
}

function counted(counts: Record<string, number>): string {
  return t("report.counts", {
    count: counts.preferences ?? 0,
    shown: integer(counts.preferences ?? 0),
    train: integer(counts.train ?? 0),
    heldout: integer(counts.heldout ?? 0),
    decided: integer(counts.decided ?? 0),
  });
}

function policyFacts({ before, after, prompts, shortened, left_out }: PolicyReport): Fact[] {
  const both = (label: string, say: (of: Behaviour) => string) => ({
    ...fact(label, say(after)),
    before: say(before),
  });
  const facts: Fact[] = [
    both("reward", ({ reward }) => meanText(reward)),
    ...(after.passed ? [both("passed", passedText)] : []),
    both("kl", ({ kl }) => meanText(kl)),
    both("entropy", ({ entropy }) => decimal(entropy)),
    both("length", ({ length }) => decimal(length)),
    both("truncated", ({ truncated }) => t("report.percent", { value: percent(truncated) })),
    both("repetition", ({ repetition }) => t("report.percent", { value: percent(repetition) })),
    both("distinct", ({ distinct }) => t("report.percent", { value: percent(distinct) })),
    fact("prompts", integer(prompts)),
  ];
  if (shortened > 0) facts.push(fact("shortened", integer(shortened)));
  if (left_out > 0) facts.push(fact("left_out", integer(left_out)));
  return facts;
}

function passedText({ passed }: Behaviour): string {
  const { n = 0, mean, low, high } = passed ?? {};
  return shareText({ n, value: mean ?? 0, low: low ?? 0, high: high ?? 1 });
}

function generateFacts({ samples, truncated, kl, asked }: GenerateReport): Fact[] {
  const facts = [
    fact("samples", integer(samples)),
    fact("cut", t("report.of", { part: integer(truncated), whole: integer(samples) })),
  ];
  if (kl?.n) facts.push(fact("kl", meanText(kl)));
  if (asked !== undefined) facts.push(fact("asked", integer(asked)));
  return facts;
}

function fact(label: string, text: string): Fact {
  return { label: t(`report.${label}` as "report.reward"), text };
}

/** "71 % (63–78, n 140), NLL 0.58 nats", or that there are not enough labels yet. */
export function orderText({ n, accuracy, low, high, nll }: Order): string {
  if (accuracy === null || low === null || high === null) return t("figure.none");
  const share = shareText({ n, value: accuracy, low, high });
  if (nll === undefined || nll === null) return share;
  return t("report.with_nll", { share, nll: decimal(nll) });
}

/** "+3.10 points (−0.50 to +6.70, n 140)", in the unit that `scale` leads to. */
export function differenceText(
  { n, difference, low, high }: Difference,
  scale: number,
  unit: string,
): string {
  if (difference === null || low === null || high === null) return t("figure.none");
  const numbers = [difference, low, high].map((number) => scale * number);
  const [value, from, to] = alike(numbers).map((text, i) => plus(text, numbers[i] ?? 0));
  return t("report.difference", { value, unit, low: from, high: to, n: integer(n) });
}

const plus = (text: string, value: number) => (value > 0 ? `+${text}` : text);
