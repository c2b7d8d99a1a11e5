import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Choice } from "../api/types";
import { Labeling } from "./labeling";
import { Outbox } from "./outbox";

const CHOICE: Choice = { outcome: "prefer", tiers: [[0], [1]], strength: 2 };
const RESPONSES = ["One.", "Two."].map((content) => ({
  messages: [{ role: "assistant", content }],
}));
const PROGRESS = { labels: 1, freeze_after: 40, mine_today: 1, mine: 1 };

/** A server that holds these keys for the labeler and remembers what it is told. */
class Server {
  held: string[] = [];
  answered: string[] = [];
  withheld: string[] = [];
  drafts: Record<string, object> = {};
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
      case "resume":
        this.held.unshift(key);
        return this.assignment(key);
      case "demonstration":
        this.withheld = this.withheld.filter((other) => other !== key);
        return this.assignment(key);
      case "answers":
        return { results: this.answered.map((answered) => ({ key: answered })), next: null };
      case "":
        return {
          ...this.assignment(key),
          answer: { ...CHOICE, rationale: "", flags: {}, ratings: {}, spans: [], rewrites: {} },
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
      write_first: this.withheld.includes(key),
      responses: this.withheld.includes(key) ? [] : RESPONSES,
      draft: this.drafts[key] ?? null,
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
const drafts = () => Object.keys(localStorage).filter((name) => name.includes(".draft."));
/** Nobody answers within the first moment; the tests do not wait for it. */
const look = () => {
  clock += 5_000;
};

beforeEach(async () => {
  globalThis.indexedDB = new IDBFactory();
  localStorage.clear();
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
    await vi.waitFor(() => expect(server.told("preference")).toEqual(["preference a"]));
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    await labeling.undo();
    expect(shown()).toBe("a");
    expect(labeling.state.value.standing?.strength).toBe(2);
    expect(server.told("retract")).toEqual(["retract a"]);
  });

  it("says that a sent answer cannot be undone without a connection, and keeps it", async () => {
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(server.told("preference")).toEqual(["preference a"]));
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

  it("keeps a draft in the browser until the server has it, for whoever comes back", async () => {
    server.reachable = false;
    labeling.draft({ rationale: "half a thought" });
    leave();
    server.reachable = true;
    const again = new Labeling("tales", outbox);
    const leaveAgain = again.start();
    await vi.waitFor(() => expect(again.state.value.draft.rationale).toBe("half a thought"));
    again.draft({ rationale: "a whole thought" });
    leaveAgain();
    await vi.waitFor(() => expect(server.told("draft")).toEqual(["draft a"]));
    await vi.waitFor(() => expect(drafts()).toEqual([]));
  });

  it("takes what was written later elsewhere before what this browser kept", async () => {
    server.reachable = false;
    labeling.draft({ rationale: "here" });
    leave();
    server.reachable = true;
    server.drafts = { a: { rationale: "later, elsewhere", at: Date.now() + 1000 } };
    const again = new Labeling("tales", outbox);
    leave = again.start();
    await vi.waitFor(() => expect(again.state.value.draft.rationale).toBe("later, elsewhere"));
    server.drafts = { a: { rationale: "earlier", at: 1 } };
    leave();
    const third = new Labeling("tales", outbox);
    leave = third.start();
    await vi.waitFor(() => expect(third.state.value.draft.rationale).toBe("here"));
  });

  it("leaves no draft behind an answer", async () => {
    labeling.draft({ rationale: "clearer" });
    expect(drafts()).toHaveLength(1);
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(drafts()).toEqual([]));
  });

  it("renews what is shown while the page is visible and used, and only then", async () => {
    leave();
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const sitting = new Labeling("tales", outbox);
    const stop = sitting.start();
    await vi.waitFor(() => expect(sitting.shown.value?.key).toBe("a"));
    const renewals = () => server.told("renew").length;
    let before = renewals();
    const pass = async (seconds: number) => {
      clock += seconds * 1_000;
      await vi.advanceTimersByTimeAsync(seconds * 1_000);
    };
    document.dispatchEvent(new Event("keydown"));
    await pass(150);
    expect(renewals()).toBe(before + 1);
    await pass(600);
    expect(renewals()).toBe(before + 1);
    before = renewals();
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    document.dispatchEvent(new Event("keydown"));
    await pass(150);
    expect(renewals()).toBe(before);
    hidden.mockRestore();
    vi.useRealTimers();
    stop();
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

  it("takes a skip back, with the text", async () => {
    labeling.draft({ rationale: "an hour of writing" });
    labeling.skip("unclear", "");
    await vi.waitFor(() => expect(server.told("skip")).toEqual(["skip a"]));
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    await labeling.undo();
    expect(server.told("resume")).toEqual(["resume a"]);
    expect([shown(), labeling.state.value.draft.rationale]).toEqual(["a", "an hour of writing"]);
    expect(labeling.state.value.standing).toBeNull();
  });

  it("sends only rewrites that say something new", async () => {
    labeling.draft({
      rewrites: {
        0: { text: " \n", active_ms: 1 },
        1: { text: "Two.", active_ms: 1 },
      },
    });
    labeling.answer(CHOICE);
    look();
    labeling.draft({ rewrites: { 1: { text: "Two, but better.", active_ms: 4_000 } } });
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(server.told("preference")).toHaveLength(2));
    const sent = server.calls.filter(({ call }) => call.startsWith("preference "));
    expect(sent.map(({ body }) => body.rewrites)).toEqual([
      {},
      { 1: { text: "Two, but better.", active_ms: 4_000 } },
    ]);
  });

  it("saves what is changed in an earlier answer, before the present comes back", async () => {
    labeling.answer(CHOICE);
    await vi.waitFor(() => expect(outbox.waiting.value).toEqual([]));
    await labeling.look(1);
    labeling.draft({ rationale: "on second thoughts" });
    labeling.close();
    expect(shown()).toBe("b");
    await vi.waitFor(() => expect(server.told("draft")).toEqual(["draft a"]));
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

describe("writing first", () => {
  beforeEach(async () => {
    server.withheld = ["b", "c"];
    await labeling.serve();
    labeling.answer(CHOICE);
    await showing("b");
    look();
  });

  it("takes no answer before, and sends no blank text", async () => {
    labeling.draft({ written: " \n\t" });
    await labeling.write();
    expect(labeling.answer(CHOICE)).toBe(false);
    expect(server.told("demonstration")).toEqual([]);
    expect(shown()).toBe("b");
  });

  it("brings the responses, and times the writing and the choosing apart", async () => {
    labeling.draft({ written: "My own." });
    await labeling.write();
    expect(labeling.shown.value?.responses).toEqual(RESPONSES);
    look();
    look();
    expect(labeling.answer(CHOICE)).toBe(true);
    await vi.waitFor(() => expect(server.told("preference")).toContain("preference b"));
    const sent = (call: string) => server.calls.find((made) => made.call === call)?.body;
    expect(sent("demonstration b")).toEqual({ text: "My own.", active_ms: 5_000 });
    expect(sent("preference b")).toMatchObject({ active_ms: 10_000 });
  });

  it("keeps what was typed when the server cannot be reached", async () => {
    labeling.draft({ written: "My own." });
    server.reachable = false;
    await expect(labeling.write()).rejects.toThrow();
    expect(labeling.shown.value?.write_first).toBe(true);
    expect(labeling.state.value.draft.written).toBe("My own.");
  });
});
