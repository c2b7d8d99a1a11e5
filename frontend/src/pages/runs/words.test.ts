import { describe, expect, test } from "vitest";
import type { Run } from "../../api/models";
import { kindWords, stepWords } from "./words";

const run = (changes: Partial<Run>) =>
  ({
    state: "running",
    stage: "training",
    step: 84,
    steps: 500,
    seconds_left: 250,
    queue_position: null,
    ...changes,
  }) as Run;

describe("stepWords", () => {
  test("says the step and an estimate of the rest", () => {
    expect(stepWords(run({}))).toBe("step 84 of 500 · about 4 min left");
  });

  test("guesses no time that is not known, nor once the steps are done", () => {
    expect(stepWords(run({ seconds_left: null }))).toBe("step 84 of 500");
    expect(stepWords(run({ step: 500, seconds_left: 0 }))).toBe("step 500 of 500");
  });

  test("says what it does before it has steps", () => {
    expect(stepWords(run({ step: 0, steps: 0, stage: "loading models" }))).toBe("loading models");
  });

  test("says its place in the queue", () => {
    const queued = (queue_position: number) => stepWords(run({ state: "queued", queue_position }));
    expect(queued(0)).toBe("queued: next in line");
    expect(queued(1)).toBe("queued: 1 run before it");
    expect(queued(3)).toBe("queued: 3 runs before it");
  });
});

test("kinds say what they are for only where that differs", () => {
  expect(kindWords({ kind: "policy", purpose: "train" })).toBe("Fine-tuning");
  expect(kindWords({ kind: "generate", purpose: "ask" })).toBe("Generation for people to compare");
});
