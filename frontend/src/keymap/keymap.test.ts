import { describe, expect, it } from "vitest";
import { hintFor, isTyping, type Keymap, keySign, match } from "./keymap";

const KEYS: Keymap<"first" | "tie" | "join" | "help" | "back"> = [
  { action: "first", keys: ["1"], label: "", group: "" },
  { action: "tie", keys: ["t"], label: "", group: "" },
  { action: "join", keys: ["shift+1"], label: "", group: "" },
  { action: "help", keys: ["?"], label: "", group: "" },
  { action: "back", keys: ["Backspace"], label: "", group: "" },
];

function press(key: string, more: Partial<KeyboardEventInit & { code: string }> = {}) {
  const event = new KeyboardEvent("keydown", { key, ...more });
  return match(KEYS, event)?.action ?? null;
}

describe("match", () => {
  it("finds a digit and a letter, whatever the case", () => {
    expect(press("1", { code: "Digit1" })).toBe("first");
    expect(press("t")).toBe("tie");
    expect(press("T")).toBe("tie");
  });

  it("finds a digit on a row that types signs without shift", () => {
    expect(press("&", { code: "Digit1" })).toBe("first");
  });

  it("finds a digit on the number pad", () => {
    expect(press("1", { code: "Numpad1" })).toBe("first");
  });

  it("keeps a shifted digit apart, whatever sign it types", () => {
    expect(press("!", { code: "Digit1", shiftKey: true })).toBe("join");
    expect(press("1", { code: "Digit1", shiftKey: true })).toBe("join");
  });

  it("finds a sign that needs shift on this keyboard", () => {
    expect(press("?", { code: "Slash", shiftKey: true })).toBe("help");
    expect(press("?", { code: "Minus", shiftKey: true })).toBe("help");
  });

  it("does not take a shifted letter for the letter", () => {
    expect(press("T", { shiftKey: true })).toBeNull();
  });

  it.each(["ctrlKey", "metaKey", "altKey", "repeat", "isComposing"])("leaves %s alone", (flag) => {
    expect(press("t", { [flag]: true })).toBeNull();
  });

  it("says nothing to an unknown key", () => {
    expect(press("q")).toBeNull();
    expect(press("F1")).toBeNull();
  });
});

describe("a key of one place", () => {
  const CHIP: Keymap<"up"> = [
    { action: "up", keys: ["ArrowUp"], within: ".chip", label: "", group: "" },
  ];
  const pressedIn = (selector: string) => {
    document.body.innerHTML = "<p><b class=chip><i></i></b></p>";
    const event = new KeyboardEvent("keydown", { key: "ArrowUp", bubbles: true });
    document.querySelector(selector)?.dispatchEvent(event);
    return match(CHIP, event)?.action ?? null;
  };

  it("counts there, and nowhere else", () => {
    expect([pressedIn("i"), pressedIn("p")]).toEqual(["up", null]);
    expect(match(CHIP, new KeyboardEvent("keydown", { key: "ArrowUp" }))).toBeNull();
  });
});

describe("isTyping", () => {
  it.each(["<input>", "<input type=search>", "<textarea></textarea>", "<select></select>"])(
    "is true in %s",
    (html) => {
      document.body.innerHTML = html;
      expect(isTyping(document.body.firstElementChild)).toBe(true);
    },
  );

  it("is true inside editable text", () => {
    document.body.innerHTML = "<div contenteditable><b>x</b></div>";
    expect(isTyping(document.querySelector("b"))).toBe(true);
  });

  it.each(["<button>x</button>", "<input type=checkbox>", "<input type=radio>", "<p>x</p>"])(
    "is false in %s",
    (html) => {
      document.body.innerHTML = html;
      expect(isTyping(document.body.firstElementChild)).toBe(false);
    },
  );

  it("is false for no element", () => {
    expect(isTyping(null)).toBe(false);
    expect(isTyping(document)).toBe(false);
  });
});

describe("hints", () => {
  it("show the first key as it is drawn on keyboards", () => {
    expect(hintFor(KEYS, "first")).toBe("1");
    expect(hintFor(KEYS, "back")).toBe("⌫");
    expect(keySign("shift+3")).toBe("⇧3");
    expect(keySign("ArrowLeft")).toBe("←");
  });
});
