import { describe, expect, it } from "vitest";
import { match } from "../keymap/keymap";
import { type Effect, FORMS, type FormName, formFor } from "./forms";

/** What pressing these keys one after the other gives, tiers carried along. */
function press(form: FormName, count: number, levels: number, ...keys: string[]): Effect {
  let tiers: number[][] = [];
  let effect: Effect = null;
  const keymap = FORMS[form].keymap(count, levels);
  for (const name of keys) {
    const shiftKey = name.startsWith("shift+");
    const key = name.replace("shift+", "");
    const code = /^\d$/.test(key) ? `Digit${key}` : "";
    const found = match(keymap, new KeyboardEvent("keydown", { key, code, shiftKey }));
    effect = found ? FORMS[form].press(found.action, tiers, count) : null;
    if (effect && "tiers" in effect) tiers = effect.tiers;
  }
  return effect;
}

const prefer = (tiers: number[][], strength: number | null) => ({
  choice: { outcome: "prefer", tiers, strength },
});

describe("a pair", () => {
  it.each([
    [1, "1", 0, 1],
    [1, "2", 1, 1],
    [3, "1", 0, 3],
    [3, "3", 0, 1],
    [3, "4", 1, 1],
    [3, "6", 1, 3],
    [4, "1", 0, 4],
    [4, "4", 0, 1],
    [4, "5", 1, 1],
    [4, "8", 1, 4],
  ])("of %i levels: key %s prefers side %i with strength %i", (levels, key, side, strength) => {
    expect(press("pairwise", 2, levels, key)).toEqual(prefer([[side], [1 - side]], strength));
  });

  it.each([
    ["t", "tie"],
    ["y", "both_good"],
    ["n", "both_bad"],
    ["x", "unanswerable"],
  ])("key %s says %s of both, without a strength", (key, outcome) => {
    expect(press("pairwise", 2, 3, key)).toEqual({
      choice: { outcome, tiers: [[0, 1]], strength: null },
    });
  });

  it("has no key beyond its scale", () => {
    expect(press("pairwise", 2, 3, "7")).toBeNull();
  });
});

describe("best of K", () => {
  it("takes one key: the best, then all the others", () => {
    expect(press("best_of_k", 4, 3, "3")).toEqual(prefer([[2], [0, 1, 3]], null));
  });

  it("can say that all are bad", () => {
    expect(press("best_of_k", 3, 3, "n")).toEqual({
      choice: { outcome: "all_bad", tiers: [[0, 1, 2]], strength: null },
    });
  });
});

describe("a ranking", () => {
  it("is pressed from the best down, and the last place fills itself", () => {
    expect(press("ranking", 3, 3, "2", "3", "Enter")).toEqual(prefer([[1], [2], [0]], null));
  });

  it("puts equals on one tier with shift", () => {
    expect(press("ranking", 3, 3, "2", "shift+1", "Enter")).toEqual(prefer([[1, 0], [2]], null));
  });

  it("goes one step back", () => {
    expect(press("ranking", 3, 3, "2", "shift+1", "Backspace")).toEqual({ tiers: [[1]] });
  });

  it("moves a response that is pressed again", () => {
    expect(press("ranking", 3, 3, "1", "2", "1")).toEqual({ tiers: [[1], [0]] });
  });

  it("is a tie when all are on one tier", () => {
    expect(press("ranking", 3, 3, "1", "shift+2", "shift+3", "Enter")).toEqual({
      choice: { outcome: "tie", tiers: [[0, 1, 2]], strength: null },
    });
  });

  it("is not sent before at most one place is open", () => {
    expect(press("ranking", 4, 3, "1", "2", "Enter")).toBeNull();
  });
});

describe("which form", () => {
  it("is a pair for two, whatever the project asks of more", () => {
    expect(formFor({ response_form: "ranking" }, 2)).toBe("pairwise");
    expect(formFor({ response_form: "best_of_k" }, 4)).toBe("best_of_k");
    expect(formFor({ response_form: "pairwise" }, 3)).toBe("ranking");
  });
});
