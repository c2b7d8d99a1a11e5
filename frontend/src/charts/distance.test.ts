import { expect, test } from "vitest";
import { shared, traceOf } from "./distance";

const lines = (...values: Record<string, number>[]) =>
  values.map((of, i) => ({ step: i + 1, time: "", values: of }));

test("two runs are held against each other in what both measured", () => {
  const verifiable = lines({ reward: 0.5, passed: 0.5, kl: 0 });
  expect(shared([verifiable, lines({ reward: 1, kl: 0 })])).toEqual(["reward"]);
  expect(shared([verifiable, lines({ reward: 1, kl: 0 }, { passed: 0.2 })])).toEqual([
    "passed",
    "reward",
  ]);
  expect(shared([verifiable, []])).toEqual([]);
});

test("a trace lies over the root of the KL, smoothed where that is known", () => {
  const run = lines({ reward: 1, kl: 4 }, { reward: 2, reward_smooth: 1.3, kl: 16, kl_smooth: 9 });
  const { places } = traceOf("Run 1", [...run, ...lines({ kl: 1 })], "reward");
  expect(places).toEqual([
    { x: 2, y: 1 },
    { x: 3, y: 1.3 },
  ]);
});
