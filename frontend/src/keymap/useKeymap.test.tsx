import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Keymap } from "./keymap";
import { activeKeymaps, useKeymap } from "./useKeymap";

const KEYS: Keymap<"tie" | "submit"> = [
  { action: "tie", keys: ["t"], label: "tie", group: "" },
  { action: "submit", keys: ["Enter"], label: "submit", group: "" },
];
const handle = vi.fn();

function Page({ enabled = true }: { enabled?: boolean }) {
  useKeymap(KEYS, handle, enabled);
  return (
    <div>
      <input />
      <button type="button">press</button>
      <dialog />
    </div>
  );
}

function press(target: EventTarget, key: string) {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  target.dispatchEvent(event);
  return event;
}

const find = (selector: string) => document.querySelector(selector) as HTMLElement;

beforeEach(() => act(() => render(<Page />, document.body)));
afterEach(() => {
  act(() => render(null, document.body));
  handle.mockReset();
});

describe("useKeymap", () => {
  it("fires on a key anywhere on the page and keeps it from the browser", () => {
    const event = press(document.body, "t");
    expect(handle).toHaveBeenCalledWith("tie", "t");
    expect(event.defaultPrevented).toBe(true);
  });

  it("does not fire while somebody types", () => {
    const event = press(find("input"), "t");
    expect(handle).not.toHaveBeenCalled();
    expect(event.defaultPrevented).toBe(false);
  });

  it("fires with the focus on a button, save for the keys that press it", () => {
    press(find("button"), "Enter");
    expect(handle).not.toHaveBeenCalled();
    press(find("button"), "t");
    expect(handle).toHaveBeenCalledWith("tie", "t");
  });

  it("does not fire behind an open dialog", () => {
    find("dialog").setAttribute("open", "");
    press(document.body, "t");
    expect(handle).not.toHaveBeenCalled();
  });

  it("fires on a key that comes before the page is painted", () => {
    act(() => render(null, document.body));
    render(<Page />, document.body);
    press(document.body, "t");
    expect(handle).toHaveBeenCalledWith("tie", "t");
    render(<Page enabled={false} />, document.body);
    press(document.body, "t");
    expect(handle).toHaveBeenCalledTimes(1);
  });

  it("is what the help lists, for as long as the page is there", () => {
    expect(activeKeymaps.value).toEqual([KEYS]);
    act(() => render(<Page enabled={false} />, document.body));
    expect(activeKeymaps.value).toEqual([]);
    press(document.body, "t");
    expect(handle).not.toHaveBeenCalled();
  });
});
