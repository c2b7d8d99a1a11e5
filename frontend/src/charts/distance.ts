/** What two runs measured of the same things, over the distance they went. */

import type { MetricLine } from "./series";
import type { Trace } from "./Traces";

/** What may be held against what, the most telling first. */
const MEASURES = ["passed", "reward", "entropy", "length", "distinct", "repetition"] as const;
export type Measure = (typeof MEASURES)[number];
export const SHARES: readonly Measure[] = ["passed", "distinct", "repetition"];

/** The measures that every run has. */
export function shared(runs: readonly (readonly MetricLine[])[]): Measure[] {
  return MEASURES.filter((name) =>
    runs.every((lines) => lines.some(({ values }) => name in values)),
  );
}

/** A measure over sqrt(KL), both smoothed where the guard does that. */
export function traceOf(name: string, lines: readonly MetricLine[], measure: Measure): Trace {
  const places = lines.flatMap(({ values }) => {
    const kl = values.kl_smooth ?? values.kl;
    const y = values[`${measure}_smooth`] ?? values[measure];
    return kl === undefined || y === undefined ? [] : [{ x: Math.sqrt(Math.max(0, kl)), y }];
  });
  return { name, places };
}
