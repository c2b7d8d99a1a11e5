import { describe, expect, it } from "vitest";
import { type Change, wordDiff } from "./wordDiff";

const written = (changes: Change[] | null) =>
  changes?.map(
    ({ what, text }) => ({ same: text, added: `+${text}+`, removed: `-${text}-` })[what],
  );
const without = (what: Change["what"], changes: Change[] | null) =>
  changes
    ?.filter((change) => change.what !== what)
    .map(({ text }) => text)
    .join("");

describe("wordDiff", () => {
  it("marks whole words, and leaves what stayed", () => {
    expect(written(wordDiff("The owl flew home.", "The owl walked home."))).toEqual([
      "The owl ",
      "-flew-",
      "+walked+",
      " home.",
    ]);
  });

  it("finds the words of a script that has no spaces", () => {
    expect(written(wordDiff("狐狸找到了灯笼。", "狐狸打破了灯笼。"))).toEqual([
      "狐狸",
      "-找到-",
      "+打破+",
      "了灯笼。",
    ]);
  });

  it("takes an emoji of several signs, and a letter with its accent, as one", () => {
    expect(written(wordDiff("👩‍👩‍👧 cafe\u0301", "👩‍👩‍👦 cafe\u0301"))).toEqual([
      "-👩‍👩‍👧-",
      "+👩‍👩‍👦+",
      " cafe\u0301",
    ]);
  });

  it.each([
    ["", "words\n\nand lines"],
    ["a  b\tc\r\n", "a b c"],
    ["**bold** and `code`", "bold and `code` \u202eרק\u202c"],
  ])("holds every character of both texts", (before, after) => {
    const changes = wordDiff(before, after);
    expect(without("added", changes)).toBe(before);
    expect(without("removed", changes)).toBe(after);
  });

  it("says nothing of texts that are too long, or have nothing in common", () => {
    expect(wordDiff("a ".repeat(20_000), "b ".repeat(20_000))).toBeNull();
    const numbers = (from: number) => Array.from({ length: 4_900 }, (_, n) => from + n).join(" ");
    expect(wordDiff(numbers(10_000), numbers(50_000))).toBeNull();
  });
});
