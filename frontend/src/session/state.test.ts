import { describe, expect, it } from "vitest";
import type { Answer, Assignment, AssignmentsAnswer, Draft } from "../api/types";
import { type LabelEvent, type LabelState, reduce, START, shownIn } from "./state";

const pair = (key: string, more: Partial<Assignment> = {}): Assignment => ({
  key,
  token: `token-${key}`,
  expires_at: "2030-01-01T00:00:00Z",
  prompt: { messages: [{ role: "user", content: key }] },
  write_first: false,
  responses: [{ messages: [] }, { messages: [] }],
  draft: null,
  guidelines_version: 1,
  answer: null,
  ...more,
});
const serving = (keys: string[], finished: AssignmentsAnswer["finished"] = null): LabelEvent => ({
  type: "served",
  served: {
    assignments: keys.map((key) => pair(key)),
    progress: { labels: 0, freeze_after: 40, mine_today: 0, mine: 0 },
    finished,
  },
});
const ANSWER: Answer = {
  outcome: "prefer",
  tiers: [[0], [1]],
  strength: 2,
  rationale: "clearer",
  flags: {},
  ratings: {},
  spans: [],
  rewrites: {},
};
const DRAFT: Draft = {
  rationale: "clearer",
  flags: {},
  ratings: {},
  spans: [],
  rewrites: {},
  tiers: [],
  choice: null,
  written: "",
};
const play = (...events: LabelEvent[]): LabelState => events.reduce(reduce, START);
const keys = (state: LabelState) => state.held.map(({ key }) => key);
const answered: LabelEvent = { type: "answered", answer: ANSWER };

describe("serving", () => {
  it("shows the first that is held", () => {
    expect(shownIn(play(serving(["a", "b", "c"])))?.key).toBe("a");
  });

  it("leaves what is shown in place when more is served", () => {
    const state = play(serving(["b", "c"]), serving(["a", "b"]));
    expect(shownIn(state)?.key).toBe("b");
    expect(keys(state)).toEqual(["b", "a"]);
  });

  it("keeps what is shown even when the server holds it no more", () => {
    expect(keys(play(serving(["a"]), serving(["b"])))).toEqual(["a", "b"]);
  });

  it("never shows again what was answered, though the server still holds it", () => {
    const state = play(serving(["a", "b"]), answered, serving(["a", "b", "c"]));
    expect(keys(state)).toEqual(["b", "c"]);
  });

  it("takes up the draft that was saved", () => {
    const event = serving([]) as Extract<LabelEvent, { type: "served" }>;
    event.served.assignments = [pair("a", { draft: { rationale: "half a thought" } })];
    expect(play(event).draft).toEqual({ ...DRAFT, rationale: "half a thought" });
  });

  it("says why nothing is left", () => {
    const finished = { reason: "nothing_left", next: "Wait." } as const;
    const state = play(serving([], finished));
    expect([shownIn(state), state.finished, state.loaded]).toEqual([null, finished, true]);
  });

  it("keeps what is held when a request fails, and forgets the failure at the next", () => {
    const failed = play(serving(["a"]), { type: "failed", error: new Error("x") });
    expect(shownIn(failed)?.key).toBe("a");
    expect(failed.error).not.toBeNull();
    expect(reduce(failed, serving(["a"])).error).toBeNull();
  });
});

describe("answering", () => {
  it("puts the next in place at once, with a fresh draft", () => {
    const state = play(
      serving(["a", "b"]),
      { type: "drafted", draft: { rationale: "about a" } },
      answered,
    );
    expect(shownIn(state)?.key).toBe("b");
    expect(state.draft.rationale).toBe("");
    expect(state.last?.assignment.key).toBe("a");
  });

  it("does nothing when nothing is shown", () => {
    expect(play(serving([]), answered).last).toBeNull();
  });

  it("keeps all that was entered when a pair is skipped", () => {
    const entered = { rationale: "an hour", rewrites: { 0: { text: "anew", active_ms: 9 } } };
    const state = play(
      serving(["a", "b"]),
      { type: "drafted", draft: entered },
      { type: "skipped" },
    );
    expect(shownIn(state)?.key).toBe("b");
    expect(state.last).toMatchObject({ assignment: { key: "a" }, answer: null, draft: entered });
  });
});

describe("undo", () => {
  const undo: LabelEvent = {
    type: "undone",
    assignment: pair("a", { token: "new" }),
    answer: ANSWER,
    draft: DRAFT,
  };

  it("brings the pair back with the choice and the note that were given", () => {
    const state = play(serving(["a", "b"]), answered, undo);
    expect(keys(state)).toEqual(["a", "b"]);
    expect(shownIn(state)?.token).toBe("new");
    expect(state.standing?.strength).toBe(2);
    expect(state.draft.rationale).toBe("clearer");
    expect(state.gone).toEqual([]);
  });

  it("keeps what was begun on the pair that has to wait", () => {
    const begun: LabelEvent = { type: "drafted", draft: { rationale: "about b" } };
    const state = play(serving(["a", "b"]), answered, begun, undo, answered);
    expect(shownIn(state)?.key).toBe("b");
    expect(state.draft.rationale).toBe("about b");
  });

  it("brings a skipped pair back with its text, and without a choice", () => {
    const skipped = { assignment: pair("a"), answer: null, draft: DRAFT };
    const state = play(serving(["a", "b"]), { type: "skipped" }, { type: "undone", ...skipped });
    expect([shownIn(state)?.key, state.draft, state.standing]).toEqual(["a", DRAFT, null]);
  });

  it("ends the finished state", () => {
    const finished = { reason: "nothing_left", next: "" } as const;
    const state = play(serving(["a"]), answered, serving([], finished), undo);
    expect(state.finished).toBeNull();
    expect(shownIn(state)?.key).toBe("a");
  });
});

describe("looking at an earlier answer", () => {
  const open: LabelEvent = {
    type: "opened",
    assignment: pair("old", { answer: ANSWER }),
    place: 0,
  };

  it("shows it with what was said, and comes back to what was begun", () => {
    const begun: LabelEvent = { type: "drafted", draft: { rationale: "about a" } };
    const looking = play(serving(["a"]), begun, open);
    expect(shownIn(looking)?.key).toBe("old");
    expect(looking.standing?.outcome).toBe("prefer");
    expect(looking.draft.rationale).toBe("clearer");
    const back = reduce(looking, { type: "closed" });
    expect(shownIn(back)?.key).toBe("a");
    expect(back.draft.rationale).toBe("about a");
    expect(back.standing).toBeNull();
  });

  it("returns to the present once it is answered anew, and takes nothing off the queue", () => {
    const state = play(serving(["a"]), open, answered);
    expect(keys(state)).toEqual(["a"]);
    expect(state.gone).toEqual([]);
    expect(state.looking).toBeNull();
  });

  it("stays open while more is served", () => {
    expect(shownIn(play(serving([]), open, serving(["a", "b"])))?.key).toBe("old");
  });
});

describe("leases", () => {
  it("that are given back leave nothing to show, and nothing that was answered comes again", () => {
    const state = play(serving(["a", "b"]), answered, { type: "released" });
    expect([shownIn(state), state.loaded]).toEqual([null, false]);
    expect(keys(reduce(state, serving(["a", "b"])))).toEqual(["b"]);
  });

  it("carry their new token", () => {
    const renewal = { type: "renewed", key: "a", token: "t2", expires_at: "later" } as const;
    expect(play(serving(["a", "b"]), renewal).held.map(({ token }) => token)).toEqual([
      "t2",
      "token-b",
    ]);
  });

  it("that are lost in work keep the pair on the page and say so", () => {
    const state = play(serving(["a", "b"]), { type: "lost", key: "a", untouched: false });
    expect(shownIn(state)?.key).toBe("a");
    expect(state.lost).toBe(true);
    expect(reduce(state, answered).lost).toBe(false);
  });

  it("that are lost before anything was read give way to the next", () => {
    const state = play(serving(["a", "b"]), { type: "lost", key: "a", untouched: true });
    expect(keys(state)).toEqual(["b"]);
    expect(state.lost).toBe(false);
  });
});

describe("writing first", () => {
  it("puts the responses in place, and leaves the rest as it is", () => {
    const shown = [{ messages: [{ role: "assistant" as const, content: "x" }] }];
    const state = play(
      serving(["a", "b"]),
      { type: "drafted", draft: { written: "mine", rationale: "so far" } },
      { type: "written", assignment: pair("a", { responses: shown }) },
    );
    expect(shownIn(state)?.responses).toEqual(shown);
    expect(state.draft).toMatchObject({ written: "", rationale: "so far" });
    expect(keys(state)).toEqual(["a", "b"]);
  });
});
