/** Which curves a run of each kind shows: names are those of its metrics. */

import type { RunKind } from "../api/models";
import { tIn } from "../i18n";
import { titleOfPart } from "../rewards";
import type { Ink } from "./ink";
import type { MetricLine } from "./series";

export interface Line {
  name: string;
  ink: Ink;
  dash?: number[];
  axis?: "left" | "right";
  /** What it is called, where the words of metrics have no name for it. */
  title?: string;
  /** It goes from 0 to 1 and is said in per cent. */
  share?: true;
}

export interface Plot {
  name:
    | "reward"
    | "parts"
    | "passed"
    | "kl"
    | "surprise"
    | "entropy"
    | "variety"
    | "length"
    | "spread"
    | "flat"
    | "loss"
    | "accuracy"
    | "learning_rate";
  lines: Line[];
  /** What each axis must show, whatever the values are. */
  left?: readonly number[];
  right?: readonly number[];
  /** Leaves the room of a right axis that it lacks, so that the steps of all charts align. */
  aligned?: true;
  /** A level that means something, drawn across. */
  guide?: number;
}

const POLICY: Plot[] = [
  {
    name: "reward",
    lines: [
      { name: "reward", ink: "accent" },
      { name: "second", ink: "ink-2", dash: [5, 3] },
      { name: "gap", ink: "warn", dash: [2, 3] },
    ],
    left: [0],
    guide: 0,
    aligned: true,
  },
  { name: "parts", lines: [], left: [0], guide: 0, aligned: true },
  {
    name: "passed",
    lines: [{ name: "passed", ink: "accent", share: true }],
    left: [0, 1],
    aligned: true,
  },
  { name: "kl", lines: [{ name: "kl", ink: "accent" }], left: [0], aligned: true },
  { name: "surprise", lines: [{ name: "surprise", ink: "accent" }], left: [0], aligned: true },
  { name: "entropy", lines: [{ name: "entropy", ink: "accent" }], left: [0], aligned: true },
  {
    name: "variety",
    lines: [
      { name: "distinct", ink: "accent", share: true },
      { name: "repetition", ink: "warn", dash: [5, 3], axis: "right", share: true },
    ],
    left: [0, 1],
    right: [0, 1],
  },
  {
    name: "length",
    lines: [
      { name: "length", ink: "accent" },
      { name: "truncated", ink: "warn", dash: [5, 3], axis: "right", share: true },
    ],
    left: [0],
    right: [0, 1],
  },
  { name: "spread", lines: [{ name: "spread", ink: "accent" }], left: [0], aligned: true },
  {
    name: "flat",
    lines: [{ name: "flat", ink: "accent", share: true }],
    left: [0, 1],
    aligned: true,
  },
];

const REWARD: Plot[] = [
  { name: "loss", lines: [{ name: "loss", ink: "accent" }], left: [0] },
  {
    name: "accuracy",
    lines: [{ name: "accuracy", ink: "accent", share: true }],
    left: [0, 1],
    guide: 0.5,
  },
  { name: "learning_rate", lines: [{ name: "learning_rate", ink: "ink-2" }], left: [0] },
];

/** Generate and evaluate runs have nothing to draw. */
export const PLOTS: Record<RunKind, Plot[]> = {
  policy: POLICY,
  reward: REWARD,
  generate: [],
  evaluate: [],
  select: [],
};

export function lineName({ name, title }: Line): string {
  return title ?? tIn("metric", name);
}

/** The plots as a run measures them: not every run has a second opinion, and each has parts of the
 * reward of its own. */
export function measured(plots: readonly Plot[], lines: readonly MetricLine[]): Plot[] {
  const names = Object.keys(lines.at(-1)?.values ?? {});
  const isKnown = ({ name }: Line) => names.length === 0 || names.includes(name);
  return plots
    .map((plot) => ({
      ...plot,
      lines: plot.name === "parts" ? partsOf(names) : plot.lines.filter(isKnown),
    }))
    .filter((plot) => plot.lines.length > 0);
}

const STROKES: readonly Pick<Line, "ink" | "dash">[] = [
  { ink: "accent" },
  { ink: "ink-2", dash: [5, 3] },
  { ink: "warn", dash: [2, 3] },
  { ink: "accent", dash: [8, 3, 2, 3] },
  { ink: "ink-2" },
  { ink: "warn", dash: [8, 3] },
];

function partsOf(names: readonly string[]): Line[] {
  return names
    .filter((name) => name.startsWith("part_"))
    .map((name, i) => ({
      name,
      title: titleOfPart(name),
      ink: "ink",
      ...STROKES[i % STROKES.length],
    }));
}
