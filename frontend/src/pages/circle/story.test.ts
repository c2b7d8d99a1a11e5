import { expect, test } from "vitest";
import type { Decision } from "../../api/models";
import { chapters, mood } from "./story";

const line = (id: number, round: number | null) => ({ id, round, what: "asked" }) as Decision;

test("chapters hold each round's lines, the newest of both first", () => {
  const told = chapters([line(5, 1), line(9, 2), line(4, 1), line(7, 2)]);
  expect(told.map(({ round }) => round)).toEqual([2, 1]);
  expect(told.map(({ lines }) => lines.map(({ id }) => id))).toEqual([
    [9, 7],
    [5, 4],
  ]);
});

test("a late line of an old round stays in its round", () => {
  const told = chapters([line(11, 1), line(9, 2)]);
  expect(told[1]?.lines.map(({ id }) => id)).toEqual([11]);
});

test("an empty story has no chapter", () => expect(chapters([])).toEqual([]));

test("refusals and failures look unlike promotions", () => {
  expect([mood("promoted"), mood("refused"), mood("failed"), mood("judged")]).toEqual([
    "good",
    "bad",
    "bad",
    "plain",
  ]);
});
