import { describe, expect, it } from "vitest";
import { dropped, moved, placed, type Tiers, toggled, withoutLast } from "./ranking";

describe("placing", () => {
  it("goes from the best down, and with join level with the last", () => {
    expect(placed([[1]], 2, false)).toEqual([[1], [2]]);
    expect(placed([[1]], 2, true)).toEqual([[1, 2]]);
    expect(placed([], 2, true)).toEqual([[2]]);
  });

  it("takes back one at a time", () => {
    expect(withoutLast([[1], [2, 0]])).toEqual([[1], [2]]);
    expect(withoutLast([[1]])).toEqual([]);
    expect(withoutLast([])).toEqual([]);
  });
});

describe("moving by a step", () => {
  it.each<[string, Tiers, number, -1 | 1, Tiers]>([
    ["joins the tier above", [[0], [1], [2]], 1, -1, [[0, 1], [2]]],
    ["joins the tier below", [[0], [1], [2]], 1, 1, [[0], [2, 1]]],
    ["leaves a tie upwards", [[0, 1], [2]], 1, -1, [[1], [0], [2]]],
    ["leaves a tie downwards", [[0, 1], [2]], 0, 1, [[1], [0], [2]]],
    ["stops at the best", [[0], [1]], 0, -1, [[0], [1]]],
    ["stops at the worst", [[0], [1]], 1, 1, [[0], [1]]],
    ["leaves an unplaced one alone", [[0]], 1, -1, [[0]]],
  ])("%s", (_, before, position, step, after) => {
    expect(moved(before, position, step)).toEqual(after);
  });

  it("reaches every place and every tie on the way down", () => {
    let tiers: Tiers = [[0], [1], [2]];
    const seen = [];
    for (let press = 0; press < 4; press += 1) {
      tiers = moved(tiers, 0, 1);
      seen.push(tiers);
    }
    expect(seen).toEqual([
      [[1, 0], [2]],
      [[1], [0], [2]],
      [[1], [2, 0]],
      [[1], [2], [0]],
    ]);
  });
});

describe("dropping", () => {
  it.each<[string, Tiers, number, number, Tiers]>([
    ["the first to the end", [[0], [1], [2]], 0, 2, [[1], [2], [0]]],
    ["the last to the front", [[0], [1], [2]], 2, 0, [[2], [0], [1]]],
    ["between two tiers", [[0], [1], [2]], 0, 1, [[1], [0], [2]]],
    ["inside a tie", [[0], [1, 2]], 0, 1, [[1, 0, 2]]],
    ["above a tie", [[0], [1, 2]], 0, 0, [[0], [1, 2]]],
    ["out of a tie", [[0], [1, 2]], 1, 0, [[1], [0], [2]]],
    ["nowhere else", [[0], [1]], 1, 1, [[0], [1]]],
  ])("%s", (_, before, from, to, after) => {
    expect(dropped(before, from, to)).toEqual(after);
  });
});

describe("toggling", () => {
  it("makes equals, and parts them again", () => {
    const equal = toggled([[0], [1], [2]], 1);
    expect(equal).toEqual([[0, 1], [2]]);
    expect(toggled(equal, 2)).toEqual([[0, 1, 2]]);
    expect(toggled(equal, 1)).toEqual([[0], [1], [2]]);
  });

  it("says nothing of a place that is not between two", () => {
    expect(toggled([[0], [1]], 2)).toEqual([[0], [1]]);
  });
});

it("never loses or doubles a response, whatever is done", () => {
  let tiers: Tiers = [[3], [0, 4], [1], [2]];
  const draw = (n: number, seed: number) => (seed * 7919 + 13) % n;
  for (let turn = 1; turn < 400; turn += 1) {
    const [a, b] = [draw(5, turn), draw(5, turn * 3)];
    const steps = [
      () => moved(tiers, a, turn % 2 ? 1 : -1),
      () => dropped(tiers, a, b),
      () => toggled(tiers, 1 + draw(4, turn)),
      () => placed(tiers, a, turn % 3 === 0),
    ];
    tiers = (steps[turn % 4] as () => Tiers)();
    expect(tiers.flat().toSorted()).toEqual([0, 1, 2, 3, 4]);
    expect(tiers.every((members) => members.length > 0)).toBe(true);
  }
});
