import { describe, expect, test } from "vitest";
import type { Circle, Decision, Run, Standing } from "../../api/models";
import { activeRun, deafQueues, deeds, gateSaid, lastRun, waitsForPerson } from "./state";

const STANDING: Standing = {
  n: 20,
  wins: 12,
  ties: 2,
  losses: 6,
  identical: 1,
  open: 0,
  value: 0.65,
  low: 0.43,
  high: 0.82,
  wanted: 12,
};

function circleOf(changes: Partial<Circle> = {}): Circle {
  return {
    project: { slug: "tales", name: "Tales", state: "open", simulated: false },
    waits_for: "labels",
    waits_sentence: "",
    labels: { new: 0, countable: 0, freeze_after: 40, open: 60 },
    batch: null,
    reward_model: null,
    policy: { id: 1, number: 0, stage: "promoted", is_reference: true },
    candidate: null,
    tunable: false,
    win_rate: null,
    runs: [],
    rounds: [],
    story: [],
    workers: { train: true, infer: true, live: true, default: true, device: "" },
    ...changes,
  };
}

const run = (changes: Partial<Run>) =>
  ({ id: 1, kind: "policy", purpose: "train", state: "running", ...changes }) as Run;
const MODEL = { id: 5, number: 1, stage: "provisional", accuracy: null } as const;
const CANDIDATE = { id: 9, number: 1, step: null };

describe("who is waited for", () => {
  test("labelers, where labels are missing", () => {
    expect(waitsForPerson(circleOf())).toBe("labels");
    expect(waitsForPerson(circleOf({ waits_for: "arena_labels" }))).toBe("labels");
  });

  test("a manager, at the run to start and the policy to promote", () => {
    expect(waitsForPerson(circleOf({ waits_for: "start_policy" }))).toBe("run");
    expect(waitsForPerson(circleOf({ waits_for: "promotion" }))).toBe("policy");
  });

  test("nobody at any node while an alarm is open, and nothing can be promoted", () => {
    const alarmed = circleOf({ waits_for: "alarm", candidate: CANDIDATE, reward_model: MODEL });
    expect(waitsForPerson(alarmed)).toBeNull();
    expect(gateSaid(alarmed)).toBe("held");
    expect(deeds(alarmed, "manager")).not.toContain("promote");
    expect(deeds(circleOf({ candidate: CANDIDATE }), "manager")).toContain("promote");
  });

  test("nobody, while a machine works or the project rests", () => {
    expect(waitsForPerson(circleOf({ waits_for: "policy_run" }))).toBeNull();
    const paused = { ...circleOf().project, state: "paused" as const };
    expect(waitsForPerson(circleOf({ project: paused }))).toBeNull();
  });
});

describe("what may be done", () => {
  test("at the start: label, and ask for more to compare", () => {
    expect(deeds(circleOf(), "manager")).toEqual(["label", "ask"]);
  });

  test("a reward model is trained only on new labels, and once at a time", () => {
    const labels = { new: 3, countable: 3, freeze_after: 40, open: 5 };
    expect(deeds(circleOf({ labels }), "manager")).toContain("reward");
    const training = circleOf({ labels, runs: [run({ kind: "reward" })] });
    expect(deeds(training, "manager")).not.toContain("reward");
  });

  test("a policy is tuned only against a reward model, and once at a time", () => {
    expect(deeds(circleOf(), "manager")).not.toContain("policy");
    const ready = circleOf({ reward_model: MODEL, tunable: true, waits_for: "start_policy" });
    expect(deeds(ready, "manager")[0]).toBe("policy");
    expect(deeds({ ...ready, runs: [run({})] }, "manager")).not.toContain("policy");
  });

  test("a candidate may be promoted, and compared again once all is answered", () => {
    const win_rate = { ...STANDING, policy: CANDIDATE, against: { id: 1, number: 0, step: null } };
    const judged = circleOf({ waits_for: "promotion", candidate: CANDIDATE, win_rate });
    expect(deeds(judged, "manager")[0]).toBe("promote");
    expect(deeds(judged, "manager")).toContain("arena");
    const open = { ...judged, win_rate: { ...win_rate, open: 4 } };
    expect(deeds(open, "manager")).not.toContain("arena");
  });

  test("a reviewer may label and look", () => {
    const full = circleOf({ reward_model: MODEL, tunable: true, candidate: CANDIDATE });
    expect(deeds(full, "reviewer")).toEqual(["label"]);
  });
});

test("the last run of a kind is the one at work, else the newest that ended", () => {
  const ended = [run({ id: 8, state: "failed" }), run({ id: 4, state: "succeeded" })];
  expect(lastRun(circleOf({ runs: ended }), "policy")?.id).toBe(8);
  expect(activeRun(circleOf({ runs: ended }), "policy")).toBeUndefined();
  expect(lastRun(circleOf({ runs: [run({ id: 9 }), ...ended] }), "policy")?.id).toBe(9);
  expect(lastRun(circleOf({ runs: ended }), "reward")).toBeUndefined();
});

describe("the gate", () => {
  const refusal = { what: "refused", version: 7 } as Decision;

  test("refused what is newer than the model in service", () => {
    expect(gateSaid(circleOf({ reward_model: MODEL, tunable: true, story: [refusal] }))).toBe(
      "refused",
    );
  });

  test("has let the model in service pass, whatever it refused before", () => {
    const later = { ...MODEL, id: 8, stage: "promoted" as const };
    expect(gateSaid(circleOf({ reward_model: later, story: [refusal] }))).toBe("promoted");
  });

  test("has said nothing at the start", () => expect(gateSaid(circleOf())).toBeNull());
});

test("queues without a worker are named", () => {
  const workers = { train: false, infer: true, live: true, default: false, device: "" };
  expect(deafQueues(circleOf({ workers }))).toEqual(["train", "default"]);
});
