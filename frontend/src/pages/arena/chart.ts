/** Where the arena's points lie: proxy reward and human win rate against the root of the KL. */

import type { ArenaPoint } from "../../api/models";
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
  number: number;
  x: number;
  /** The height of the proxy reward; null where it is not measured. */
  proxy: number | null;
  /** Of the win rate and the ends of its interval; null without labels. */
  rate: { y: number; low: number; high: number } | null;
}

export interface Layout {
  points: PlacedPoint[];
  /** Through the reference, whose distance and gain are 0, and every proxy reward. */
  proxyLine: string;
  xTicks: { at: number; label: number }[];
  rateTicks: { at: number; label: number }[];
  proxyTicks: { at: number; label: number }[];
  coin: number;
}

/** The points whose distance is known, by distance. */
export function measured(points: readonly ArenaPoint[]): (ArenaPoint & { kl: number })[] {
  return points
    .filter((point): point is ArenaPoint & { kl: number } => point.kl !== null)
    .sort((a, b) => a.kl - b.kl);
}

/** The policy that people prefer most; null where nobody has compared any. */
export function peak(points: readonly ArenaPoint[]): ArenaPoint | null {
  const judged = points.filter(({ win_rate }) => rateOf(win_rate));
  return judged.reduce<ArenaPoint | null>(
    (best, point) => (best && rateAt(best) >= rateAt(point) ? best : point),
    null,
  );
}

const rateAt = ({ win_rate }: ArenaPoint) => win_rate?.value ?? 0;
const rootOf = (kl: number) => Math.sqrt(Math.max(0, kl));

export function layOut(points: readonly ArenaPoint[], frame: Frame): Layout {
  const drawn = measured(points);
  const [, far] = spanOf(
    drawn.map(({ kl }) => rootOf(kl)),
    [0],
  );
  const gains = spanOf(
    drawn.map(({ proxy }) => proxy),
    [0],
  );
  const x = linear([0, far], [frame.left, frame.width - frame.right]);
  const heights: Span = [frame.height - frame.bottom, frame.top];
  const y = linear([0, 1], heights);
  const gain = linear(gains, heights);
  const placed = drawn.map((point): PlacedPoint => {
    const rate = rateOf(point.win_rate);
    return {
      ...point.version,
      x: x(rootOf(point.kl)),
      proxy: point.proxy === null ? null : gain(point.proxy),
      rate: rate && { y: y(rate.value), low: y(rate.low), high: y(rate.high) },
    };
  });
  const line = placed
    .filter(({ proxy }) => proxy !== null)
    .map((point) => `L${point.x} ${point.proxy}`);
  const at = (scale: (value: number) => number) => (label: number) => ({ at: scale(label), label });
  return {
    points: placed,
    proxyLine: line.length > 0 ? `M${x(0)} ${gain(0)}${line.join("")}` : "",
    xTicks: ticks(0, far).map(at(x)),
    rateTicks: [0, 0.25, 0.5, 0.75, 1].map(at(y)),
    proxyTicks: ticks(...gains).map(at(gain)),
    coin: y(0.5),
  };
}
