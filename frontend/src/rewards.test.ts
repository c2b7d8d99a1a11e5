import { describe, expect, test } from "vitest";
import { measured, PLOTS } from "./charts/plots";
import { addable, type Reward, titleOf, titleOfPart } from "./rewards";

const MODEL: Reward = { kind: "model", weight: 1, name: "", spreads: 1 };
const REMARKS = { flag: ["unsafe", "made up"], attribute: [] };

describe("addable", () => {
  test("is each kind that is not there yet, and each flag of the project", () => {
    const kinds = addable([MODEL], REMARKS).map(({ kind, name }) => `${kind} ${name}`.trim());
    const flags = ["flag unsafe", "flag made up"];
    expect(kinds).toEqual(["lower", "minimum", ...flags, "length", "repetition", "checks"]);
    const left = addable([MODEL, { ...MODEL, kind: "flag", name: "unsafe" }], REMARKS);
    expect(left.map(({ name }) => name)).not.toContain("unsafe");
  });

  test("begins a penalty small", () => {
    const weights = Object.fromEntries(addable([], REMARKS).map((r) => [r.kind, r.weight]));
    expect(weights).toMatchObject({ model: 1, checks: 1, length: 0.5, flag: 0.5 });
  });
});

test("a part is called by its kind, and by its flag where it has one", () => {
  expect(titleOf(MODEL)).toBe("Reward model’s score");
  expect(titleOfPart("part_flag:made up: dates")).toBe("Penalty: flag made up: dates");
});

test("the chart of the parts has a line for each that a run measures", () => {
  const line = (values: Record<string, number>) => [{ step: 1, time: "", values }];
  const plotsOf = (values: Record<string, number>) => measured(PLOTS.policy, line(values));
  const parts = plotsOf({ reward: 1, part_model: 0.9, part_checks: 0.1 })[1];
  expect(parts?.name).toBe("parts");
  expect(parts?.lines.map(({ title }) => title)).toEqual(["Reward model’s score", "Checks"]);
  expect(plotsOf({ reward: 1, kl: 0 }).map(({ name }) => name)).toEqual(["reward", "kl"]);
});
