import { describe, expect, test } from "vitest";
import type { ArenaPoint, Standing } from "../../api/models";
import { layOut, measured, peak } from "./chart";

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
});
const point = (
  number: number,
  kl: number | null,
  proxy: number | null,
  value: number | null,
): ArenaPoint => ({
  version: { id: 100 + number, number },
  kl,
  proxy,
  win_rate: standing(value),
});

describe("layOut", () => {
  const layout = layOut([point(2, 16, 3, 0.4), point(1, 4, 1.5, 0.8)], FRAME);

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

  test("starts the proxy's line at the reference", () => {
    const zero = layout.proxyTicks.find(({ label }) => label === 0);
    expect(layout.proxyLine.startsWith(`M${FRAME.left} ${zero?.at}`)).toBe(true);
  });

  test("keeps everything inside the frame", () => {
    for (const { x, proxy } of layout.points) {
      expect(x).toBeLessThanOrEqual(FRAME.width - FRAME.right);
      expect(proxy).toBeGreaterThanOrEqual(FRAME.top);
    }
  });

  test("draws no rate where nobody has answered, and no line without a proxy", () => {
    const empty = layOut([point(1, 4, null, null)], FRAME);
    expect(empty.points[0]?.rate).toBeNull();
    expect(empty.proxyLine).toBe("");
  });
});

test("a policy that has not met the reference has no place yet", () => {
  expect(measured([point(1, null, null, null), point(2, 3, 1, 0.6)])).toHaveLength(1);
});

describe("the peak", () => {
  test("is what people prefer, not what the proxy likes", () => {
    expect(peak([point(1, 4, 1, 0.8), point(2, 16, 3, 0.4)])?.version.number).toBe(1);
  });

  test("is nowhere before anybody has answered", () => {
    expect(peak([point(1, 4, 1, null)])).toBeNull();
    expect(peak([])).toBeNull();
  });
});
