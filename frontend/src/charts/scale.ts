/** From values to places on a chart, and the round numbers that its axis shows. */

export type Span = readonly [number, number];

/** Maps the ends of `domain` to the ends of `range`, and all between in proportion. */
export function linear([d0, d1]: Span, [r0, r1]: Span): (value: number) => number {
  const width = d1 - d0 || 1;
  return (value) => r0 + ((value - d0) / width) * (r1 - r0);
}

/** Round numbers within [low, high], about `count` of them, a step of 1, 2 or 5 times 10^k apart. */
export function ticks(low: number, high: number, count = 5): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const times = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10;
  const step = times * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)),
  );
}

/** The span of all finite `values` and of what it must `include`, with a margin at open ends. */
export function spanOf(
  values: Iterable<number | null | undefined>,
  include: readonly number[] = [],
  margin = 0.06,
): Span {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of [...values, ...include]) {
    if (value === null || value === undefined || !Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  const air = (high - low || Math.abs(high) || 1) * margin;
  return [include.includes(low) ? low : low - air, include.includes(high) ? high : high + air];
}
