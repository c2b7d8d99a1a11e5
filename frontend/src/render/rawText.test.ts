import { beforeAll, describe, expect, it } from "vitest";
import { asWritten } from "./asWritten";
import { prepare, renderMarkdown } from "./markdown";
import { codePointsBefore, offsetOf, RawText } from "./rawText";

function shown(raw: string, plain = false): { root: Element; text: RawText } {
  const root = document.createElement("div");
  root.append(plain ? asWritten(raw) : renderMarkdown(raw));
  document.body.replaceChildren(root);
  return { root, text: new RawText(root, raw) };
}

/** Selects the `nth` place where the page shows `words`, within one text node. */
function select(root: Element, words: string, nth = 0): Range {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
    for (let at = node.data.indexOf(words); at >= 0; at = node.data.indexOf(words, at + 1)) {
      if (nth === 0) {
        const range = document.createRange();
        range.setStart(node, at);
        range.setEnd(node, at + words.length);
        return range;
      }
      nth -= 1;
    }
  }
  throw new Error(`${words} is not shown`);
}

beforeAll(() => prepare(["$x$", "```python\nx\n```"]));

describe("a selection", () => {
  it.each<[string, string, string, number, string]>([
    ["plain words", "The owl flew home.", "owl flew", 4, "owl flew"],
    ["bold words", "The **owl** flew", "owl", 6, "owl"],
    ["after bold", "**owl** and owl", "owl", 12, "owl"],
    ["an escaped sign", "1 \\* 2 \\* 3 stars", "2 * 3", 5, "2 \\* 3"],
    ["an entity", "salt &amp; pepper", "salt & pepper", 0, "salt &amp; pepper"],
    ["a heading", "# Owls\n\ntext", "Owls", 2, "Owls"],
    ["an item", "- one\n- two", "two", 8, "two"],
    ["after a link", "[here](http://h.org/hello) hello", "hello", 27, "hello"],
    ["a link's words", "see [the owl](http://owl.org)", "the owl", 5, "the owl"],
    ["code", "```python\npython = 1\n```", "python", 10, "python"],
    ["an indented line of code", "```\nif x:\n    y\n```", "y", 14, "y"],
    ["inline code", "call `f(x)` twice", "f(x)", 6, "f(x)"],
    ["a quoted line", "> one\n> two", "two", 8, "two"],
    ["a cell", "| a | b |\n|---|---|\n| - | c |", "-", 22, "-"],
    ["after emoji", "👩‍👩‍👧 fox", "fox", 9, "fox"],
    ["Arabic", "قال **الثعلب** شيئا", "الثعلب", 6, "الثعلب"],
    ["Chinese", "狐狸**找到**灯笼", "找到", 4, "找到"],
    ["HTML as text", "a <b>c</b> d", "<b>c", 2, "<b>c"],
    ["a ticked item", "- [x] feed owl", "owl", 11, "owl"],
  ])("of %s is found in the raw text", (_, raw, words, start, quote) => {
    const { root, text } = shown(raw);
    const last = raw.startsWith("**owl**") ? 1 : 0;
    const place = text.placeOf(select(root, words, last));
    expect(place).toEqual({ start, end: start + quote.length });
    expect(raw.slice(place?.start, place?.end)).toBe(quote);
  });

  it("is exact in the text as written", () => {
    const raw = "a  **b**\n\n\tc \\* d";
    const { root, text } = shown(raw, true);
    expect(text.placeOf(select(root, "**b**"))).toEqual({ start: 3, end: 8 });
    expect(text.placeOf(select(root, "c \\* d"))).toEqual({ start: 11, end: 17 });
  });

  it("goes over markup and paragraphs, and holds what lies between", () => {
    const raw = "The **owl** flew.\n\nIt was *late*.";
    const { root, text } = shown(raw);
    const range = document.createRange();
    range.setStart(select(root, "owl").startContainer, 0);
    range.setEnd(select(root, "late").endContainer, 4);
    const place = text.placeOf(range);
    expect(raw.slice(place?.start, place?.end)).toBe("owl** flew.\n\nIt was *late");
  });

  it("of a whole element is the whole text", () => {
    const raw = "one\n\ntwo";
    const { root, text } = shown(raw);
    const range = document.createRange();
    range.selectNodeContents(root);
    expect(text.placeOf(range)).toEqual({ start: 0, end: raw.length });
  });

  it("takes a formula whole", () => {
    const raw = "so $a^2 + b$ holds";
    const { root, text } = shown(raw);
    const place = text.placeOf(select(root, "a"));
    expect(raw.slice(place?.start, place?.end)).toBe("$a^2 + b$");
  });

  it("cuts no accent from its letter, and no emoji in two", () => {
    const raw = "cafe\u0301 👩‍👩‍👧!";
    const { root, text } = shown(raw);
    const letter = select(root, "e");
    expect(text.placeOf(letter)).toEqual({ start: 3, end: 5 });
    const half = select(root, "👩");
    expect(text.placeOf(half)).toEqual({ start: 6, end: 14 });
  });

  it("leaves the blanks at its ends, and is nothing without words", () => {
    const { root, text } = shown("an owl at home");
    expect(text.placeOf(select(root, " owl "))).toEqual({ start: 3, end: 6 });
    expect(text.placeOf(select(root, " "))).toBeNull();
  });
});

describe("a place", () => {
  it.each([
    ["The **owl** flew", 4, 11, ["owl"]],
    ["The **owl** flew", 6, 16, ["owl", "flew"]],
    ["salt &amp; pepper", 5, 10, ["&"]],
    ["one\n\ntwo", 0, 8, ["one", "two"]],
    ["x **👩‍👩‍👧** y", 4, 12, ["👩‍👩‍👧"]],
  ])("of %j from %i to %i is drawn over its words", (raw, start, end, words) => {
    const ranges = shown(raw).text.rangesOf({ start, end });
    expect(ranges.map(String)).toEqual(words);
  });

  it("comes back from what it is drawn over", () => {
    const raw =
      "# On **owls**\n\n- `hoo` &lt; *who*\n- a [link](http://x.y)\n\n| a | b |\n|--|--|\n| 1 | 2 |";
    const { text } = shown(raw);
    for (const word of text.words()) {
      const [range] = text.rangesOf(word);
      expect(text.placeOf(range as Range)).toEqual(word);
    }
  });
});

describe("words", () => {
  const wordsOf = (raw: string) =>
    shown(raw)
      .text.words()
      .map(({ start, end }) => raw.slice(start, end));

  it("are those that are shown, in every script", () => {
    expect(wordsOf("The **owl**, 2 [links](http://a.b) 🦉")).toEqual([
      "The",
      "owl",
      "2",
      "links",
      "🦉",
    ]);
    expect(wordsOf("狐狸找到灯笼").length).toBeGreaterThan(1);
    expect(wordsOf("Let $x^2$ be")).toEqual(["Let", "$x^2$", "be"]);
  });
});

describe("code points", () => {
  it("count an emoji's parts and not its halves", () => {
    const text = "a👩‍👩‍👧b";
    expect(codePointsBefore(text, text.indexOf("b"))).toBe(6);
    expect(offsetOf(text, 6)).toBe(text.indexOf("b"));
    expect(codePointsBefore("e\u0301x", 2)).toBe(2);
  });
});
