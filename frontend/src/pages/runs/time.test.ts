import { describe, expect, test } from "vitest";
import { duration, elapsed, timeLeft } from "./time";

describe("duration", () => {
  test.each([
    [0.4, "0 s"],
    [59.4, "59 s"],
    [60, "1 min 0 s"],
    [185, "3 min 5 s"],
    [7800, "2 h 10 min"],
  ])("of %d s is %s", (seconds, words) => expect(duration(seconds)).toBe(words));
});

describe("timeLeft", () => {
  test.each([
    [0, "less than 10 s left"],
    [31, "about 40 s left"],
    [58, "about 1 min left"],
    [89, "about 1 min left"],
    [250, "about 4 min left"],
    [7500, "about 2 h 5 min left"],
  ])("of %d s says %s", (seconds, words) => expect(timeLeft(seconds)).toBe(words));
});

describe("elapsed", () => {
  const started_at = "2026-01-01T10:00:00Z";

  test("runs until the end, or until now", () => {
    expect(elapsed({ started_at, finished_at: "2026-01-01T10:01:30Z" })).toBe(90);
    expect(elapsed({ started_at, finished_at: null }, Date.parse("2026-01-01T10:00:20Z"))).toBe(20);
  });

  test("is unknown before the start", () => {
    expect(elapsed({ started_at: null, finished_at: null })).toBeNull();
  });
});
