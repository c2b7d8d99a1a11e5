import { describe, expect, it } from "vitest";
import { namesIn } from "./ProjectFields";
import { changeIn } from "./TrailSettings";

describe("changeIn", () => {
  it.each([
    [{ state: "open" }, { state: "paused" }, "state: open → paused"],
    ["open", "paused", "open → paused"],
    [null, { role: "labeler", seats: 5 }, "role: labeler, seats: 5"],
    [{ flags: [] }, { flags: ["wrong"] }, 'flags: [] → ["wrong"]'],
    [null, null, ""],
  ])("of %j and %j is %s", (before, after, words) => {
    expect(changeIn({ before, after })).toBe(words);
  });

  it("cuts what is long", () => {
    expect(changeIn({ before: null, after: { text: "x".repeat(99) } })).toHaveLength(67);
  });
});

describe("namesIn", () => {
  it("takes each name once, without the blanks around it", () => {
    expect(namesIn(" wrong, unsafe ,, wrong,off topic")).toEqual(["wrong", "unsafe", "off topic"]);
  });
});
