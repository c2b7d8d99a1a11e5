import { expect, test } from "vitest";
import { costWords, curvePoints, expectation, shares, trendWords } from "./knowledge";

const point = { labels: 400, n: 100, accuracy: 0.7, low: 0.6, high: 0.78 };
const expected = { more: 2000, gain: 0.011, low: 0.002, high: 0.0193 };

test("more labels are said in points with their interval", () => {
  expect(expectation({ points: [point], expected })).toBe(
    "2,000 more labels are expected to bring +1.1 points (0.2 to 1.9).",
  );
  expect(expectation({ points: [point], expected: null })).toMatch(/too few/i);
});

test("the expected point stands beyond the last measured one and never above all", () => {
  const [measured, hoped] = curvePoints({ points: [point], expected });
  expect(measured).toEqual({ x: 400, value: 0.7, low: 0.6, high: 0.78 });
  expect(hoped).toMatchObject({ x: 2400, expected: true, value: 0.711, low: 0.602 });
  const high = { ...point, accuracy: 0.995, high: 0.999 };
  expect(curvePoints({ points: [high], expected }).at(-1)?.high).toBe(1);
});

test("a chart of shares keeps the coin in sight", () => {
  expect(shares([{ x: 1, value: 0.8, low: 0.72, high: 0.9 }])).toEqual([0.5, 1]);
  expect(shares([{ x: 1, value: 0.5, low: 0.31, high: 0.7 }])).toEqual([0.3, 1]);
});

test("a trend is said with its probability", () => {
  expect(trendWords({ z: 3.9, p: 0.00002 })).toContain("p < 0.001");
  expect(trendWords({ z: -2.5, p: 0.012 })).toContain("p 0.012");
  expect(trendWords({ z: 0.4, p: 0.69 })).toContain("p 0.690");
  expect(trendWords(null)).not.toContain("p ");
});

test("what halving the labels costs is a loss turned round, with its interval", () => {
  expect(costWords({ n: 140, difference: -0.021, low: -0.047, high: 0.005 })).toContain(
    "costs 2.1 points of accuracy (95 % interval -0.5 to 4.7, n 140)",
  );
  expect(costWords({ n: 140, difference: 0, low: -0.01, high: 0.01 })).toContain(
    "costs 0.0 points",
  );
  expect(costWords({ n: 0, difference: 0, low: 0, high: 0 })).toContain("not known");
});
