import { describe, expect, it } from "vitest";
import { asWritten, piecesOf } from "./asWritten";

describe("a text as written", () => {
  it.each([
    ["one word of 5 MB", "a".repeat(5_000_000)],
    ["emoji without a space", "🦊".repeat(10_000)],
    ["lines", "a line of words\n".repeat(5_000)],
    ["nothing", ""],
  ])("holds every character: %s", (_, text) => {
    const fragment = asWritten(text);
    expect(fragment.textContent === text).toBe(true);
    for (const block of fragment.children) {
      expect(block.textContent?.length).toBeLessThanOrEqual(8_000);
    }
  });

  it("is cut at the end of a line where there is one, never through a character", () => {
    const pieces = piecesOf("a line of words\n".repeat(1_000));
    expect(pieces.slice(0, -1).every((piece) => piece.endsWith("\n"))).toBe(true);
    for (const piece of piecesOf(`a${"🦊".repeat(10_000)}`))
      expect(piece).not.toMatch(/[\ud800-\udbff]$/);
  });
});
