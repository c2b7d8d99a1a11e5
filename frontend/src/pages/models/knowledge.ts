/** What a reward model knows: the part of its report about comparisons that it did not see. */

import type { Point } from "../../charts/PointChart";
import type { Span } from "../../charts/scale";
import { integer } from "../../format";
import { t } from "../../i18n";

export interface Share {
  n: number;
  accuracy: number;
  low: number;
  high: number;
}

interface Calibration {
  error: number;
  perfect: number;
  perfect_high: number;
  nll: number;
}

export interface Knowledge {
  source: "heldout" | "folds";
  calibration:
    | (Calibration & {
        temperature: number;
        scaled: Calibration;
        bins: { n: number; confidence: number; right: number; low: number; high: number }[];
      })
    | null;
  strength: {
    levels: number;
    rows: (Share & { name: string })[];
    trend: { z: number; p: number } | null;
  } | null;
  length: (Share & { from: number; to: number; longer: Omit<Share, "n"> })[];
  labelers: (Share & { name: string })[];
  sources: (Share & { name: string })[];
  kinds: (Share & { name: string })[];
}

export interface LearningCurve {
  points: (Share & { labels: number })[];
  expected: { more: number; gain: number; low: number; high: number } | null;
}

interface Difference {
  n: number;
  difference: number;
  low: number;
  high: number;
}

/** A reward model that learnt from half of the labels, beside what watches it and its like. */
export interface Halves {
  second: Share;
  whole: Share;
  /** Accuracy of the one that learnt from half, less that of the whole one. */
  cost: Difference;
  labels: { final: number; second: number; whole: number };
}

export const share = ({ n, accuracy, low, high }: Share) => ({ n, value: accuracy, low, high });

/** A learning curve's points, and where it is expected to be with more labels. */
export function curvePoints({ points, expected }: LearningCurve): Point[] {
  const measured = points.map(({ labels, accuracy, low, high }) => ({
    x: labels,
    value: accuracy,
    low,
    high,
  }));
  const last = measured.at(-1);
  if (!last || !expected) return measured;
  // What is not known of the last point is not known of the next one either.
  const to = (from: number, gain: number) => Math.min(1, from + gain);
  return [
    ...measured,
    {
      x: last.x + expected.more,
      value: to(last.value, expected.gain),
      low: to(last.low, expected.low),
      high: to(last.high, expected.high),
      expected: true,
    },
  ];
}

/** From the lowest end of an interval to 1, with the coin's 50 % in sight. */
export function shares(points: readonly Point[]): Span {
  const lowest = Math.min(0.5, ...points.map(({ low }) => low));
  return [Math.floor(lowest * 10) / 10, 1];
}

const points = (gain: number) =>
  (100 * gain).toLocaleString(document.documentElement.lang || "en", {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  });

/** "2,000 more labels are expected to bring +1.1 points (0.2 to 1.9)." */
export function expectation({ expected }: LearningCurve): string {
  if (!expected) return t("knowledge.curve.short");
  return t("knowledge.curve.expected", {
    more: integer(expected.more),
    gain: points(expected.gain),
    low: points(expected.low),
    high: points(expected.high),
  });
}

/** "Learning from half costs 2.1 points of accuracy (-0.5 to 4.7, n 140)." */
export function costWords({ n, difference, low, high }: Difference): string {
  if (n === 0) return t("second.unknown");
  return t("second.cost", {
    cost: points(0 - difference),
    low: points(0 - high),
    high: points(0 - low),
    n: integer(n),
  });
}

/** How surely accuracy rises with strength. */
export function trendWords(trend: { z: number; p: number } | null): string {
  if (!trend) return t("knowledge.strength.no_trend");
  const p = trend.p < 0.001 ? "< 0.001" : trend.p.toFixed(3);
  if (trend.p >= 0.05) return t("knowledge.strength.unclear", { p });
  return t(trend.z > 0 ? "knowledge.strength.rises" : "knowledge.strength.falls", { p });
}
