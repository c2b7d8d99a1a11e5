import { expect, test } from "vitest";
import type { Sample } from "../../api/models";
import { pairsOf } from "./meeting";

const sample = (prompt: string, by_reference: boolean, kl: number | null) =>
  ({ prompt, by_reference, kl, text: `${prompt} ${by_reference}` }) as Sample;

test("pairs the two sides of each prompt, the farthest first", () => {
  const pairs = pairsOf([
    sample("fox", false, 4),
    sample("owl", false, 19),
    sample("fox", true, null),
    sample("owl", true, null),
  ]);
  expect(pairs.map(({ prompt }) => prompt)).toEqual(["owl", "fox"]);
  expect(pairs[0]?.policy.text).toBe("owl false");
  expect(pairs[0]?.reference.text).toBe("owl true");
});

test("leaves out a prompt that only one side has answered yet", () => {
  expect(pairsOf([sample("fox", false, 4)])).toEqual([]);
});
