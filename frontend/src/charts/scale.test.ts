import { describe, expect, test } from "vitest";
import { linear, spanOf, ticks } from "./scale";

describe("linear", () => {
  test("maps ends to ends, also upside down", () => {
    const y = linear([0, 10], [200, 0]);
    expect([y(0), y(5), y(10)]).toEqual([200, 100, 0]);
  });

  test("puts everything at the start of the range where the domain is one point", () => {
    expect(linear([3, 3], [0, 100])(3)).toBe(0);
  });
});

describe("ticks", () => {
  test("are round and lie inside", () => {
    expect(ticks(0, 1)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(ticks(0.13, 2.9)).toEqual([1, 2]);
    expect(ticks(-3, 12)).toEqual([0, 5, 10]);
  });

  test("do not drift by rounding", () => {
    expect(ticks(0, 0.3, 3)).toEqual([0, 0.1, 0.2, 0.3]);
  });

  test("of one point are that point", () => {
    expect(ticks(4, 4)).toEqual([4]);
  });
});

describe("spanOf", () => {
  test("leaves air above and below, but not beyond an end that must be there", () => {
    expect(spanOf([5, 10], [0], 0.1)).toEqual([0, 11]);
    expect(spanOf([-2, 2], [], 0.25)).toEqual([-3, 3]);
  });

  test("skips what is missing or not a number", () => {
    expect(spanOf([null, undefined, Number.NaN, 1, 3], [], 0)).toEqual([1, 3]);
  });

  test("of nothing is a unit", () => {
    expect(spanOf([])).toEqual([0, 1]);
  });

  test("of one value is not empty", () => {
    const [low, high] = spanOf([7]);
    expect(high).toBeGreaterThan(low);
  });
});
