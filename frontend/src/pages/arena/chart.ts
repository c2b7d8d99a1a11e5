/** Where the arena's points lie: proxy reward and human win rate against the root of the KL. */

import type { ArenaCurve, ArenaPoint } from "../../api/models";
import { rateOf } from "../../charts/figures";
import { linear, type Span, spanOf, ticks } from "../../charts/scale";

export interface Frame {
  width: number;
  height: number;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface PlacedPoint {
  id: number;
  x: number;
  /** The height of the proxy reward; null where it is not measured. */
  proxy: number | null;
  /** Of the win rate and the ends of its interval; null without labels. */
  rate: { y: number; low: number; high: number } | null;
}

export interface Tick {
  at: number;
  label: number;
}

export interface Layout {
  points: PlacedPoint[];
  /** The proxy reward while the run trained, from the reference on. */
  proxyLine: string;
  /** What people prefer, as the fit has it. */
  fitLine: string;
  /** Where the guard stopped the run. */
  stop: number | null;
  xTicks: Tick[];
  rateTicks: Tick[];
  proxyTicks: Tick[];
  coin: number;
}

/** The points whose distance is known, by distance. */
export function measured(points: readonly ArenaPoint[]): (ArenaPoint & { kl: number })[] {
  return points
    .filter((point): point is ArenaPoint & { kl: number } => point.kl !== null)
    .sort((a, b) => a.kl - b.kl);
}

const rootOf = (kl: number) => Math.sqrt(Math.max(0, kl));
const FIT_STEPS = 60;
const SMOOTHED = 5;

/** Each step with the mean of itself and those just before it: single steps jump to and fro. */
function smooth(steps: ArenaCurve["steps"]): ArenaCurve["steps"] {
  return steps.map(({ step }, place) => {
    const last = steps.slice(Math.max(0, place - SMOOTHED + 1), place + 1);
    const mean = (of: "kl" | "proxy") => last.reduce((sum, s) => sum + s[of], 0) / last.length;
    return { step, kl: mean("kl"), proxy: mean("proxy") };
  });
}

export function layOut(
  points: readonly ArenaPoint[],
  curve: ArenaCurve | null,
  frame: Frame,
): Layout {
  const drawn = measured(points);
  const steps = smooth(curve?.steps ?? []);
  const [, far] = spanOf(
    [...drawn, ...steps].map(({ kl }) => rootOf(kl)),
    [0],
  );
  const gains = spanOf(
    [...drawn, ...steps].map(({ proxy }) => proxy),
    [0],
  );
  const x = linear([0, far], [frame.left, frame.width - frame.right]);
  const heights: Span = [frame.height - frame.bottom, frame.top];
  const y = linear([0, 1], heights);
  const gain = linear(gains, heights);
  const line = steps.map(({ kl, proxy }) => `L${x(rootOf(kl))} ${gain(proxy)}`);
  const at = (scale: (value: number) => number) => (label: number) => ({ at: scale(label), label });
  return {
    points: drawn.map((point) => {
      const rate = rateOf(point.win_rate);
      return {
        id: point.version.id,
        x: x(rootOf(point.kl)),
        proxy: point.proxy === null ? null : gain(point.proxy),
        rate: rate && { y: y(rate.value), low: y(rate.low), high: y(rate.high) },
      };
    }),
    proxyLine: line.length > 0 ? `M${x(0)} ${gain(0)}${line.join("")}` : "",
    fitLine: curve?.fit ? fitted(curve.fit, far, x, y) : "",
    stop: curve?.stop ? x(rootOf(curve.stop.kl)) : null,
    xTicks: ticks(0, far).map(at(x)),
    rateTicks: [0, 0.25, 0.5, 0.75, 1].map(at(y)),
    proxyTicks: ticks(...gains).map(at(gain)),
    coin: y(0.5),
  };
}

/** The win rate of rating(d) = d (alpha - beta log d), from the reference to the farthest point. */
function fitted(
  { alpha, beta }: { alpha: number; beta: number },
  far: number,
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  const places = Array.from({ length: FIT_STEPS }, (_, i) => (far * (i + 1)) / FIT_STEPS);
  const rate = (d: number) => 1 / (1 + Math.exp(-d * (alpha - beta * Math.log(d))));
  return `M${x(0)} ${y(0.5)}${places.map((d) => `L${x(d)} ${y(rate(d))}`).join("")}`;
}
