import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Choice } from "../api/types";
import { Labeling } from "./labeling";
import { Outbox } from "./outbox";

const CHOICE: Choice = { outcome: "prefer", tiers: [[0], [1]], strength: 2 };
const PROGRESS = { labels: 1, freeze_after: 40, mine_today: 1, mine: 1 };

/** A server that holds these keys for the labeler and remembers what it is told. */
class Server {
  held: string[] = [];
  answered: string[] = [];
  calls: { call: string; body: Record<string, unknown> }[] = [];
  refusal: Record<string, { status: number; code: string }> = {};
  reachable = true;

  fetch = async (url: string, init: RequestInit) => {
    if (!this.reachable) throw new TypeError("Failed to fetch");
    const [, kind, key = "", verb = ""] = /^\/api\/(\w+)\/([^/]+)\/(\w*)/.exec(url) ?? [];
    const body = init.body ? JSON.parse(String(init.body)) : {};
    this.calls.push({ call: verb ? `${verb} ${key}` : String(kind), body });
    const refusal = this.refusal[`${verb} ${key}`];
    if (refusal) {
      const error = { code: refusal.code, message: "No.", field: "", fix: "" };
      return new Response(JSON.stringify({ error }), { status: refusal.status });
    }
    return new Response(JSON.stringify(this.answerTo(verb, key)), { status: 200 });
  };

  private answerTo(verb: string, key: string): unknown {
    switch (verb) {
      case "assignments": {
        const finished = this.held.length ? null : { reason: "nothing_left", next: "Wait." };
        const assignments = this.held.slice(0, 3).map((held) => this.assignment(held));
        return { assignments, progress: PROGRESS, finished };
      }
      case "renew":
        return { token: `renewed-${key}`, expires_at: "2030-01-01T00:00:00Z" };
      case "preference":
      case "skip":
        this.held = this.held.filter((held) => held !== key);
        this.answered.unshift(key);
        return { key, counted: true, revision: 1, progress: PROGRESS };
      case "retract":
        this.held.unshift(key);
        return { progress: PROGRESS, assignment: this.assignment(key) };
      case "answers":
        return { results: this.answered.map((answered) => ({ key: answered })), next: null };
      case "":
        return {
          ...this.assignment(key),
          answer: { ...CHOICE, rationale: "", flags: {}, ratings: {} },
        };
      default:
        return {};
    }
  }

  private assignment(key: string) {
    return {
      key,
      token: `token-${key}`,
      expires_at: "2030-01-01T00:00:00Z",
      prompt: { messages: [{ role: "user", content: key }] },
      responses: [{ messages: [] }, { messages: [] }],
      draft: null,
      guidelines_version: 1,
      answer: null,
    };
  }

  told(verb: string): string[] {
    return this.calls.map(({ call }) => call).filter((call) => call.startsWith(`${verb} `));
  }
}

let server: Server;
let outbox: Outbox;
let labeling: Labeling;
let leave: () => void;
let clock = 0;

const shown = () => labeling.shown.value?.key;
const showing = (key: string) => vi.waitFor(() => expect(shown()).toBe(key));
/** Nobody answers within the first moment; the tests do not wait for it. */
const look = () => {
  clock += 5_000;
};

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  clock = 0;
  vi.spyOn(performance, "now").mockImplementation(() => clock);
  server = new Server();
  server.held = ["a", "b", "c", "d"];
  vi.stubGlobal("fetch", server.fetch);
  outbox = await Outbox.open("lena");
  labeling = new Labeling("tales", outbox);
  leave = labeling.start();
  await showing("a");
  look();
});
afterEach(() => {
  leave();
  outbox.close();
  vi.unstubAllGlobals();
});

describe("Labeling", () => {
  it("shows the next within the same turn, and tops up once the answer is stored", async () => {
    expect(labeling.answer(CHOICE)).toBe(true);
    expect(shown()).toBe("b");
    await vi.waitFor(() =>
      expect(labeling.state.value.held.map(({ key }) => key)).toEqual(["b", "c", "d"]),
    );
    expect(server.told("preference")).toEqual(["preference a"]);
  });

  it("sends what was entered with the answer", async () => {
    labeling.draft({ rationale: "clearer", flags: { 1: ["wrong"] } });
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(server.told("preference")).toHaveLength(1));
    const sent = server.calls.find(({ call }) => call === "preference a")?.body;
    expect(sent).toMatchObject({
      ...CHOICE,
      rationale: "clearer",
      flags: { 1: ["wrong"] },
      token: "renewed-a",
      active_ms: 5_000,
      guidelines_version: 1,
    });
    expect(sent?.idempotency_key).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab]/);
  });

  it("does not take a key that was meant for the pair before", () => {
    labeling.answer(CHOICE);
    expect(labeling.answer(CHOICE)).toBe(false);
    expect(shown()).toBe("b");
  });

  it("undoes a stored answer by retracting it", async () => {
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    await labeling.undo();
    expect(shown()).toBe("a");
    expect(labeling.state.value.standing?.strength).toBe(2);
    expect(server.told("retract")).toEqual(["retract a"]);
  });

  it("says that a sent answer cannot be undone without a connection, and keeps it", async () => {
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    server.reachable = false;
    await labeling.undo();
    expect(shown()).toBe("b");
    expect(labeling.trouble.value).not.toBeNull();
  });

  it("goes on offline with what it holds, and sends all in order when back", async () => {
    server.reachable = false;
    labeling.answer(CHOICE);
    look();
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(outbox.waiting.value).toHaveLength(2));
    expect(shown()).toBe("c");
    server.reachable = true;
    await outbox.flushNow();
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    expect(server.told("preference")).toEqual(["preference a", "preference b"]);
  });

  it("saves a draft a moment after it was entered", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    labeling.draft({ rationale: "half" });
    labeling.draft({ rationale: "half a thought" });
    await vi.advanceTimersByTimeAsync(1_000);
    vi.useRealTimers();
    expect(server.told("draft")).toEqual(["draft a"]);
    expect(server.calls.find(({ call }) => call === "draft a")?.body).toMatchObject({
      draft: { rationale: "half a thought" },
    });
  });

  it("keeps the text of a pair that is skipped", async () => {
    labeling.draft({ rationale: "unreadable" });
    labeling.skip("broken", "no line breaks");
    expect(shown()).toBe("b");
    await vi.waitFor(() => expect(server.told("skip")).toEqual(["skip a"]));
    expect(server.told("draft")).toEqual(["draft a"]);
    expect(server.calls.find(({ call }) => call === "skip a")?.body).toMatchObject({
      reason: "broken",
      note: "no line breaks",
    });
  });

  it("says that it shows a pair, and gives back on leaving what it did not answer", async () => {
    expect(server.told("renew")).toEqual(["renew a"]);
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(labeling.state.value.held).toHaveLength(3));
    leave();
    await vi.waitFor(() =>
      expect(server.told("release")).toEqual(["release b", "release c", "release d"]),
    );
  });

  it("passes over a pair that somebody else took before it was read", async () => {
    server.refusal["renew b"] = { status: 409, code: "lease_lost" };
    labeling.answer(CHOICE);
    expect(shown()).toBe("b");
    await showing("c");
    expect(labeling.state.value.lost).toBe(false);
  });

  it("walks through own answers and back to the present", async () => {
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    await labeling.look(1);
    expect(shown()).toBe("a");
    expect(labeling.state.value.standing?.outcome).toBe("prefer");
    await labeling.look(1);
    expect(shown()).toBe("a");
    await labeling.look(-1);
    expect(shown()).toBe("b");
  });

  it("replaces an earlier answer by a new one and returns", async () => {
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    await labeling.look(1);
    look();
    labeling.answer({ outcome: "tie", tiers: [[0, 1]], strength: null });
    expect(shown()).toBe("b");
    await vi.waitFor(() => expect(server.told("preference")).toHaveLength(2));
    expect(server.calls.filter(({ call }) => call === "preference a")[1]?.body).toMatchObject({
      outcome: "tie",
    });
  });

  it("says what happens next when nothing is left", async () => {
    server.held = ["a"];
    await labeling.serve();
    labeling.answer(CHOICE);
    expect(shown()).toBeUndefined();
    await vi.waitFor(() => expect(labeling.state.value.finished?.next).toBe("Wait."));
  });
});
