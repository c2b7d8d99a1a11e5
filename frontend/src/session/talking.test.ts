import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Choice } from "../api/types";
import { Outbox } from "./outbox";
import { saidSoFar, Talking } from "./talking";

const PROGRESS = { labels: 1, freeze_after: 40, mine_today: 1, mine: 1 };
const LEFT: Choice = { outcome: "prefer", tiers: [[0], [1]], strength: 2 };
const RIGHT: Choice = { outcome: "prefer", tiers: [[1], [0]], strength: 2 };

/** A server with one talk; the policy has always written two replies by the second look. */
class Server {
  messages: { role: string; content: string }[] = [];
  number = 0;
  looks = 0;
  answered = false;
  givenBack = false;
  draft = "";
  calls: string[] = [];
  reachable = true;

  fetch = async (url: string, init: RequestInit) => {
    if (!this.reachable) throw new TypeError("Failed to fetch");
    const body = init.body ? JSON.parse(String(init.body)) : {};
    const verb = /(\w+)\/$/.exec(url)?.[1] as string;
    this.calls.push(verb);
    return new Response(JSON.stringify(this.answer(verb, body)), { status: 200 });
  };

  private answer(verb: string, body: { message: string; number: number }): unknown {
    if (verb === "preference") {
      this.answered = true;
      return { key: this.pair, counted: true, revision: 1, progress: PROGRESS };
    }
    if (verb === "talks") this.givenBack = false;
    if (verb === "turns") {
      const before = this.number ? [{ role: "assistant", content: "what the server chose" }] : [];
      this.messages = [...this.messages, ...before, { role: "user", content: body.message }];
      [this.number, this.answered, this.looks] = [body.number, false, 0];
    }
    this.looks += 1;
    return this.talk();
  }

  private get pair(): string {
    return `pair${this.number}`;
  }

  private talk() {
    const ready = this.looks > 1;
    const responses = ["Left.", "Right."].map((content) => ({
      messages: [{ role: "assistant", content }],
    }));
    const assignment = {
      ...{ key: this.pair, token: "t", expires_at: "2030-01-01T00:00:00Z", draft: null, responses },
      ...{ prompt: { messages: this.messages }, guidelines_version: null, answer: null },
    };
    const turn = {
      ...{ number: this.number, attempt: 1, late: false, texts: ["Le", "Ri"], reply: null },
      ...{ state: ready ? "ready" : "writing", settled: this.answered },
      assignment: ready && !this.givenBack ? assignment : null,
    };
    return {
      ...{ key: "talk", draft: this.draft, messages: this.messages, progress: PROGRESS },
      turn: this.number ? turn : null,
    };
  }
}

let server: Server;
let outbox: Outbox;
let leave: () => void;

async function sit(): Promise<Talking> {
  outbox = await Outbox.open("lena");
  const talking = new Talking("tales", outbox);
  leave = talking.start();
  await vi.waitFor(() => expect(talking.talk.value).not.toBeNull());
  return talking;
}

/** A sitting in which something was said, and two replies stand to be compared. */
async function withPair(): Promise<Talking> {
  const talking = await sit();
  talking.type("Tell a tale.");
  await talking.say();
  await talking.serve();
  expect(talking.shown.value?.key).toBe("pair1");
  // A key pressed sooner after a pair appeared was meant for something else.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return talking;
}

beforeEach(() => {
  vi.stubGlobal("indexedDB", new IDBFactory());
  localStorage.clear();
  server = new Server();
  vi.stubGlobal("fetch", server.fetch);
});

afterEach(() => {
  leave();
  outbox.close();
  vi.unstubAllGlobals();
});

it("goes on from the reply that was preferred before the server has said so", async () => {
  const talking = await withPair();
  server.reachable = false;
  expect(talking.answer(RIGHT)).toBe(true);
  expect(talking.reply.value).toBe("Right.");
  expect(saidSoFar(talking.talk.value, talking.reply.value).at(-1)?.content).toBe("Right.");
});

it("says nothing before the answer is stored, and keeps what was typed", async () => {
  const talking = await withPair();
  server.reachable = false;
  talking.answer(LEFT);
  talking.type("And then?");
  await expect(talking.say()).rejects.toThrow();
  expect(talking.text.value).toBe("And then?");
  server.reachable = true;
  await talking.say();
  expect(server.calls.indexOf("preference")).toBeLessThan(server.calls.lastIndexOf("turns"));
  expect([server.number, talking.text.value]).toEqual([2, ""]);
});

it("finds what was typed in this browser again, or else what the server kept", async () => {
  const talking = await sit();
  talking.type("Once upon");
  leave();
  outbox.close();
  server.draft = "an older one";
  expect((await sit()).text.value).toBe("Once upon");
  leave();
  outbox.close();
  localStorage.clear();
  expect((await sit()).text.value).toBe("an older one");
});

it("takes the last answer back only while nothing was said after it", async () => {
  const talking = await withPair();
  server.reachable = false;
  talking.answer(LEFT);
  expect(talking.undoable.value).not.toBeNull();
  server.reachable = true;
  talking.type("And then?");
  await talking.say();
  expect(talking.undoable.value).toBeNull();
  await talking.undo();
  expect(server.calls).not.toContain("retract");
});

it("leases a pair anew that was given back", async () => {
  const talking = await withPair();
  server.givenBack = true;
  await talking.serve();
  expect(server.calls.at(-1)).toBe("talks");
  expect(talking.talk.value?.turn?.assignment?.key).toBe("pair1");
});
