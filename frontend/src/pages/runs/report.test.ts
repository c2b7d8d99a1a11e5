import { describe, expect, test } from "vitest";
import { differenceText, factsOf, orderText } from "./report";

const order = { n: 140, accuracy: 0.714, low: 0.634, high: 0.783 };
const mean = (value: number) => ({ n: 128, mean: value, low: value - 0.1, high: value + 0.1 });

describe("orderText", () => {
  test("gives the share, its interval, its n and the NLL", () => {
    expect(orderText({ ...order, nll: 0.581 })).toBe("71 % (63–78, n 140), NLL 0.58 nats");
  });

  test("of nothing is not zero", () => {
    const none = { n: 0, accuracy: null, low: null, high: null, nll: null };
    expect(orderText(none)).toBe("not enough labels yet");
  });
});

test("a difference carries its sign at both ends", () => {
  const difference = { n: 140, difference: 0.031, low: -0.005, high: 0.067 };
  expect(differenceText(difference, 100, "points")).toBe("+3.10 points (−0.50 to +6.70, n 140)");
});

describe("factsOf", () => {
  test("a fine-tuning says before and after", () => {
    const behaviour = (reward: number, kl: number) => ({
      reward: mean(reward),
      kl: mean(kl),
      entropy: 1.2,
      length: 48,
      truncated: 0.02,
      repetition: 0.01,
      distinct: 0.31,
    });
    const report = {
      before: behaviour(0.02, 0),
      after: behaviour(1.42, 8.31),
      prompts: 60,
      shortened: 0,
      left_out: 2,
      seconds: 94,
    };
    const facts = factsOf("policy", report);
    expect(facts[0]).toEqual({
      label: "Proxy reward",
      before: "0.02 (−0.08 to 0.12, n 128)",
      text: "1.42 (1.32 to 1.52, n 128)",
    });
    const labels = facts.map(({ label }) => label);
    expect(labels).toContain("Prompts left out: no room for a response");
    expect(labels.join()).not.toContain("cut to fit");
    expect(facts.at(-1)).toEqual({ label: "Time", text: "1 min 34 s" });
  });

  test("a first reward model is not compared with another", () => {
    const report = {
      counts: { preferences: 48, train: 38, heldout: 10, decided: 41 },
      heldout: { ...order, nll: 0.6 },
      folds: null,
      longer: { heldout: order, folds: order },
      champion: null,
    };
    const labels = factsOf("reward", report).map(({ label }) => label);
    expect(labels).toHaveLength(3);
  });

  test("a generation says how many comparisons came of it", () => {
    const report = {
      samples: 120,
      truncated: 3,
      kl: { n: 0, mean: null, low: null, high: null },
      asked: 58,
    };
    expect(factsOf("generate", report).map(({ text }) => text)).toEqual(["120", "3 of 120", "58"]);
  });
});
