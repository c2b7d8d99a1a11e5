import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { session } from "../account";
import type { Session } from "../api/types";
import { hintFor, type Keymap, match, nameOf } from "./keymap";
import { refusalOf, setOwnKey } from "./own";

const KEYS: Keymap<"tie" | "skip" | "prefer:0:1"> = [
  { action: "tie", keys: ["t"], label: "tie", group: "" },
  { action: "skip", keys: ["k"], label: "skip", group: "" },
  { action: "prefer:0:1", keys: ["1"], label: "A", group: "" },
];
const press = (key: string, more: KeyboardEventInit = {}) =>
  new KeyboardEvent("keydown", { key, ...more });
const signIn = (username: string, keys = {}) => {
  session.value = { user: { username, keys } } as Session;
};
const fetched = vi.fn(
  async (_path: string, _init: RequestInit) => new Response(null, { status: 204 }),
);

beforeEach(() => {
  vi.stubGlobal("fetch", fetched);
  signIn("lena");
});
afterEach(() => {
  vi.unstubAllGlobals();
  fetched.mockClear();
  session.value = null;
});

describe("own keys", () => {
  it("drive the handler and the hint in place of the first ones", () => {
    setOwnKey("tie", "q");
    expect(match(KEYS, press("q"))?.action).toBe("tie");
    expect(match(KEYS, press("t"))).toBeNull();
    expect(hintFor(KEYS, "tie")).toBe("q");
  });

  it("belong to one person, and come with their account", async () => {
    await setOwnKey("tie", "q");
    const [path, init] = fetched.mock.calls[0] ?? [];
    expect([path, init?.method, init?.body]).toEqual([
      "/api/session/keys/",
      "PUT",
      '{"keys":{"tie":"q"}}',
    ]);
    signIn("luis");
    expect(hintFor(KEYS, "tie")).toBe("t");
    signIn("lena", { tie: "q" });
    expect(hintFor(KEYS, "tie")).toBe("q");
    await setOwnKey("tie", null);
    expect(fetched.mock.lastCall?.[1].body).toBe('{"keys":{}}');
  });

  it("are as before where they could not be kept", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const kept = setOwnKey("tie", "q");
    expect(hintFor(KEYS, "tie")).toBe("q");
    await expect(kept).rejects.toThrow();
    expect(hintFor(KEYS, "tie")).toBe("t");
  });

  it("are refused where another action has them, with its name", () => {
    expect(refusalOf("skip", "t", [KEYS])).toEqual({ why: "taken", by: "tie" });
    expect(refusalOf("skip", "b", [KEYS])).toBeNull();
    setOwnKey("tie", "q");
    expect(refusalOf("skip", "t", [KEYS])).toBeNull();
    expect(refusalOf("skip", "q", [KEYS])).toEqual({ why: "taken", by: "tie" });
    expect(refusalOf("skip", "q", [])).toEqual({ why: "own" });
  });

  it("leave the digits to the answers, and to the browser what is its own", () => {
    expect(refusalOf("skip", "9", [KEYS])).toEqual({ why: "digit" });
    expect(refusalOf("prefer:0:1", "9", [KEYS])).toBeNull();
    expect(refusalOf("tie", "Tab", [KEYS])).toEqual({ why: "browser" });
  });

  it.each([
    ["h", { shiftKey: true }, "shift+h"],
    ["?", { code: "Slash", shiftKey: true }, "?"],
    ["&", { code: "Digit1" }, "1"],
    ["b", {}, "b"],
  ])("are named as the keymap names them: %s", (key, more, name) => {
    expect(nameOf(press(key, more))).toBe(name);
  });
});
