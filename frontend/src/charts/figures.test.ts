import { describe, expect, test } from "vitest";
import {
  compact,
  decimal,
  isClear,
  meanText,
  percentage,
  rateOf,
  shareText,
  signed,
} from "./figures";

describe("decimal", () => {
  test.each([
    [0, "0.00"],
    [1.4182, "1.42"],
    [0.0123, "0.0123"],
    [0.05, "0.05"],
    [84.23, "84.2"],
    [1204.4, "1,204"],
    [-0.5, "−0.50"],
    [0.000001, "1e−6"],
    [0.00015, "1.5e−4"],
  ])("writes %d as %s", (value, text) => expect(decimal(value)).toBe(text));
});

test("a share never stands without its interval and its n", () => {
  expect(shareText({ n: 140, value: 0.63, low: 0.55, high: 0.7 })).toBe("63 % (55–70, n 140)");
});

test("a share of nothing is no zero", () => {
  expect(shareText(null)).toBe("not enough labels yet");
  expect(shareText({ n: 0, value: 0, low: 0, high: 1 })).toBe("not enough labels yet");
});

describe("meanText", () => {
  test("gives the interval where there is one", () => {
    const figure = { n: 128, mean: 8.31, low: 7.6, high: 9.02 };
    expect(meanText(figure)).toBe("8.31 (7.60 to 9.02, n 128)");
  });

  test("gives all three the same digits", () => {
    const around = (mean: number, half: number) =>
      meanText({ n: 128, mean, low: mean - half, high: mean + half });
    expect(around(0.0153, 0.134)).toBe("0.02 (−0.12 to 0.15, n 128)");
    expect(around(9.43, 1.97)).toBe("9.4 (7.5 to 11.4, n 128)");
    expect(around(0, 0.002)).toBe("0.0000 (−0.0020 to 0.0020, n 128)");
  });

  test("says so where one value has none, or nothing was measured", () => {
    expect(meanText({ n: 1, mean: 2, low: null, high: null })).toBe("2.00 (n 1)");
    expect(meanText({ n: 0, mean: null, low: null, high: null })).toBe("nothing measured yet");
  });
});

describe("a standing", () => {
  const standing = { wins: 1, ties: 0, losses: 0, identical: 0, open: 3, wanted: null };

  test("has a rate only once somebody has answered", () => {
    expect(rateOf({ ...standing, n: 0, value: null, low: null, high: null })).toBeNull();
    const rate = { n: 1, value: 1, low: 0.2, high: 1 };
    expect(rateOf({ ...standing, ...rate })).toEqual(rate);
  });

  test("is clear when the whole interval is above one half", () => {
    expect(isClear({ n: 140, value: 0.63, low: 0.55, high: 0.7 })).toBe(true);
    expect(isClear({ n: 20, value: 0.7, low: 0.48, high: 0.85 })).toBe(false);
    expect(isClear(null)).toBe(false);
  });
});

test("axes say numbers shortly", () => {
  expect([0, 0.25, 1500, -2, 0.0005].map(compact)).toEqual(["0", "0.25", "1.5K", "−2", "5e−4"]);
  expect(percentage(0.00125, 1)).toBe("0.1 %");
});

test("a difference shows its sign", () => {
  expect([signed(3.1), signed(-0.42), signed(0)]).toEqual(["+3.10", "−0.42", "0.00"]);
});
