import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError, NetworkError } from "../api/client";
import { Outbox } from "./outbox";
import { memoryStore, type Store } from "./store";

const send = vi.fn<(path: string, body: object) => Promise<unknown>>();
const opened: Outbox[] = [];

async function open(user = "lena", store?: Store) {
  const outbox = await Outbox.open(user, send, store);
  opened.push(outbox);
  return outbox;
}

/** What was sent so far, by path. */
const sent = () => send.mock.calls.map(([path]) => path);

beforeEach(() => {
  globalThis.indexedDB = new IDBFactory();
  send.mockReset().mockResolvedValue({ counted: true });
});
afterEach(() => {
  for (const outbox of opened.splice(0)) outbox.close();
  vi.useRealTimers();
});

describe("Outbox", () => {
  it("sends what it is given, in order, and tells who listens", async () => {
    const outbox = await open();
    const told = vi.fn();
    outbox.onSent((entry, receipt) => told(entry.key, receipt));
    await outbox.add("a", "a/", { n: 1 });
    await outbox.add("b", "b/", { n: 2 });
    await outbox.flushNow();
    await vi.waitFor(() => expect(sent()).toEqual(["a/", "b/"]));
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    expect(told.mock.calls).toEqual([
      ["a", { counted: true }],
      ["b", { counted: true }],
    ]);
  });

  it("keeps the order and the same body through a lost network", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    send.mockRejectedValueOnce(new NetworkError());
    const outbox = await open("lena", memoryStore());
    await outbox.add("a", "a/", { idempotency_key: "one" });
    await outbox.flushNow();
    await outbox.add("b", "b/", { idempotency_key: "two" });
    expect(outbox.waiting.value.map(({ key }) => key)).toContain("b");
    await vi.advanceTimersByTimeAsync(60_000);
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    expect(sent().filter((path) => path === "b/")).toHaveLength(1);
    expect(sent().indexOf("b/")).toBeGreaterThan(sent().lastIndexOf("a/"));
    const bodies = send.mock.calls.filter(([path]) => path === "a/").map(([, body]) => body);
    expect(new Set(bodies.map((body) => JSON.stringify(body)))).toEqual(
      new Set(['{"idempotency_key":"one"}']),
    );
  });

  it("waits longer each time that nothing answers", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    send.mockRejectedValue(new NetworkError());
    const outbox = await open("lena", memoryStore());
    await outbox.add("a", "a/", {});
    await outbox.flushNow();
    const before = send.mock.calls.length;
    await vi.advanceTimersByTimeAsync(60_000);
    const tries = send.mock.calls.length - before;
    expect(tries).toBeGreaterThanOrEqual(3);
    expect(tries).toBeLessThanOrEqual(8);
    expect(outbox.stuck.value).toBeInstanceOf(NetworkError);
  });

  it("sends at the next open what a closed tab left", async () => {
    send.mockRejectedValue(new NetworkError());
    const first = await open();
    await first.add("a", "a/", {});
    await first.flushNow();
    first.close();
    send.mockReset().mockResolvedValue({});
    const second = await open();
    await second.flushNow();
    expect(sent()).toEqual(["a/"]);
    expect(second.waiting.value).toEqual([]);
  });

  it("never sends one person's answers as another's", async () => {
    send.mockRejectedValue(new NetworkError());
    const lena = await open("lena");
    await lena.add("a", "a/", {});
    await lena.flushNow();
    lena.close();
    send.mockReset().mockResolvedValue({});
    const luis = await open("luis");
    await luis.flushNow();
    expect(send).not.toHaveBeenCalled();
    expect(luis.waiting.value).toEqual([]);
  });

  it.each([401, 403, 429, 500, 503])("keeps an answer through status %i", async (status) => {
    send.mockRejectedValue(new ApiError(status, "", "not now"));
    const outbox = await open();
    await outbox.add("a", "a/", {});
    await outbox.flushNow();
    expect(outbox.waiting.value).toHaveLength(1);
    expect(outbox.refused.value).toEqual([]);
  });

  it.each([400, 404, 409])("sets an answer aside at status %i and goes on", async (status) => {
    send.mockRejectedValueOnce(new ApiError(status, "", "It does not fit."));
    const outbox = await open();
    await outbox.add("a", "a/", {});
    await outbox.flushNow();
    await outbox.add("b", "b/", {});
    await outbox.flushNow();
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    expect(sent()).toEqual(["a/", "b/"]);
    expect(outbox.refused.value.map(({ refused }) => refused)).toEqual(["It does not fit."]);
    const [entry] = outbox.refused.value;
    if (entry) await outbox.forget(entry);
    expect(outbox.refused.value).toEqual([]);
  });

  it("gives back an answer that was never sent, and only such a one", async () => {
    let arrive: (receipt: unknown) => void = () => undefined;
    send.mockImplementationOnce(() => new Promise((resolve) => (arrive = resolve)));
    const outbox = await open();
    await outbox.add("a", "a/", {});
    await vi.waitFor(() => expect(send).toHaveBeenCalled());
    await outbox.add("b", "b/", {});
    expect(await outbox.take("a")).toBe(false);
    expect(await outbox.take("b")).toBe(true);
    arrive({});
    await outbox.flushNow();
    expect(sent()).toEqual(["a/"]);
  });

  it("does not give back an answer that may have arrived", async () => {
    send.mockRejectedValue(new NetworkError());
    const outbox = await open();
    await outbox.add("a", "a/", {});
    await outbox.flushNow();
    expect(await outbox.take("a")).toBe(false);
    expect(await outbox.settle("a")).toBe(false);
  });

  it("holds answers in the tab where the browser keeps nothing", async () => {
    const full = memoryStore();
    full.add = () => Promise.reject(new Error("QuotaExceededError"));
    const outbox = await open("lena", full);
    await outbox.add("a", "a/", {});
    await outbox.flushNow();
    expect(sent()).toEqual(["a/"]);
  });
});
