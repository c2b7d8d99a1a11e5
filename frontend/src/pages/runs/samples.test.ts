import { expect, test } from "vitest";
import type { Sample } from "../../api/models";
import { bySteps } from "./samples";

const sample = (place: number, step: number | null) => ({ place, step }) as Sample;
const places = (samples: Sample[]) =>
  bySteps(samples).map(({ step, samples }) => [step, samples.map(({ place }) => place)]);

test("groups by step, the newest first", () => {
  const samples = [sample(1, 1), sample(2, 1), sample(3, 5), sample(4, 5)];
  expect(places(samples)).toEqual([
    [5, [3, 4]],
    [1, [1, 2]],
  ]);
});

test("what a resumed run writes again replaces what it wrote beyond its checkpoint", () => {
  const samples = [sample(1, 10), sample(2, 15), sample(3, 20), sample(4, 15), sample(5, 20)];
  expect(places(samples)).toEqual([
    [20, [5]],
    [15, [4]],
    [10, [1]],
  ]);
});

test("a run without steps is read in groups", () => {
  const samples = Array.from({ length: 45 }, (_, i) => sample(i + 1, null));
  expect(bySteps(samples).map(({ samples }) => samples.length)).toEqual([5, 20, 20]);
});

test("nothing written is nothing to show", () => expect(bySteps([])).toEqual([]));
