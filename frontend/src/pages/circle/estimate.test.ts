import { expect, test } from "vitest";
import type { Run } from "../../api/models";
import { estimate } from "./estimate";

const tuned = (changes: Partial<Run> = {}) =>
  ({
    id: 7,
    kind: "policy",
    state: "succeeded",
    attempt: 1,
    steps: 60,
    started_at: "2026-01-01T10:00:00Z",
    finished_at: "2026-01-01T10:01:30Z",
    ...changes,
  }) as Run;

test("steps cost what they cost in the last run that went through at once", () => {
  expect(estimate([tuned()], 120)).toMatchObject({ seconds: 180, secondsAStep: 1.5 });
});

test("a run that failed, was tried twice or is of another kind tells no pace", () => {
  const others = [tuned({ state: "failed" }), tuned({ attempt: 2 }), tuned({ kind: "reward" })];
  expect(estimate(others, 120)).toBeNull();
  expect(estimate([...others, tuned({ id: 3 })], 120)?.run.id).toBe(3);
});

test("without a number of steps there is no estimate", () => {
  expect(estimate([tuned()], Number.NaN)).toBeNull();
});
