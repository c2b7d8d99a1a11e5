import { describe, expect, test } from "vitest";
import type { ArenaCurve, ArenaPoint, Standing } from "../../api/models";
import { layOut, measured } from "./chart";

const FRAME = { width: 600, height: 300, left: 50, right: 50, top: 20, bottom: 40 };
const standing = (value: number | null): Standing => ({
  n: value === null ? 0 : 20,
  wins: 0,
  ties: 0,
  losses: 0,
  identical: 0,
  open: value === null ? 20 : 0,
  value,
  low: value === null ? null : value - 0.1,
  high: value === null ? null : value + 0.1,
  wanted: null,
});
const point = (
  step: number | null,
  kl: number | null,
  proxy: number | null,
  value: number | null,
): ArenaPoint => ({
  version: { id: 100 + (step ?? 0), number: 1, step },
  run: 7,
  written: 8,
  kl,
  proxy,
  win_rate: standing(value),
  verdict: null,
  rating: null,
});
const curve = (changes: Partial<ArenaCurve>): ArenaCurve => ({
  run: 7,
  policy: { id: 100, number: 1, step: null },
  leads: null,
  confirmed: false,
  steps: [
    { step: 1, kl: 0, proxy: 0 },
    { step: 2, kl: 9, proxy: 2 },
  ],
  stop: null,
  fit: null,
  ...changes,
});

describe("layOut", () => {
  const points = [point(null, 16, 3, 0.4), point(20, 4, 1.5, 0.8)];
  const layout = layOut(points, curve({ stop: { kl: 4, sentence: "Too far." } }), FRAME);

  test("goes by the root of the KL: four times as far is twice as far out", () => {
    const [near, far] = layout.points;
    expect((far?.x ?? 0) - FRAME.left).toBeCloseTo(2 * ((near?.x ?? 0) - FRAME.left));
  });

  test("draws a better rate higher, within its interval", () => {
    const [good, bad] = layout.points.map(({ rate }) => rate);
    expect(good?.y).toBeLessThan(bad?.y ?? 0);
    expect(good?.high).toBeLessThan(good?.y ?? 0);
    expect(good?.low).toBeGreaterThan(good?.y ?? 0);
  });

  test("draws the proxy of every step, from the reference on", () => {
    const zero = layout.proxyTicks.find(({ label }) => label === 0);
    expect(layout.proxyLine.startsWith(`M${FRAME.left} ${zero?.at}L`)).toBe(true);
    expect(layout.proxyLine.split("L")).toHaveLength(3);
  });

  test("sets the guard's stop where the run was", () => {
    expect(layout.stop).toBeCloseTo(layout.points[0]?.x ?? 0);
    expect(layOut(points, curve({}), FRAME).stop).toBeNull();
  });

  test("keeps everything inside the frame", () => {
    for (const { x, proxy } of layout.points) {
      expect(x).toBeLessThanOrEqual(FRAME.width - FRAME.right);
      expect(proxy).toBeGreaterThanOrEqual(FRAME.top);
    }
  });

  test("draws no rate where nobody has answered, and no line without a run", () => {
    const empty = layOut([point(20, 4, null, null)], null, FRAME);
    expect(empty.points[0]?.rate).toBeNull();
    expect(empty.proxyLine).toBe("");
    expect(empty.fitLine).toBe("");
  });

  test("draws the fit from one half at the reference, up and down again past its peak", () => {
    const fit = { alpha: 1, beta: 1, peak: 1 };
    const { fitLine, coin } = layOut(points, curve({ fit }), FRAME);
    const heights = fitLine
      .slice(1)
      .split("L")
      .map((place) => Number(place.split(" ")[1]));
    expect(heights[0]).toBeCloseTo(coin);
    const highest = heights.indexOf(Math.min(...heights));
    expect(highest).toBeGreaterThan(0);
    expect(highest).toBeLessThan(heights.length - 1);
    expect(heights.at(-1)).toBeGreaterThan(coin);
  });
});

test("a state that has not met the reference has no place yet", () => {
  expect(measured([point(20, null, null, null), point(30, 3, 1, 0.6)])).toHaveLength(1);
});
