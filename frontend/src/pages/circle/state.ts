/** What the circle waits for, whom it waits for, and what a manager may do about it. */

import type { Circle, Run, RunKind, RunPurpose, WaitsFor } from "../../api/models";
import type { Role } from "../../api/types";
import type { Place } from "./ring";

export type Deed = "label" | "policy" | "promote" | "reward" | "ask" | "arena";

const ACTIVE = ["queued", "running", "cancelling"];

const WAITS: Record<WaitsFor, { place: Place | null; deed: Deed | null }> = {
  // Said above the ring and along its line, at no node.
  alarm: { place: null, deed: null },
  labels: { place: "labels", deed: "label" },
  arena_labels: { place: "labels", deed: "label" },
  gate: { place: "reward", deed: null },
  start_policy: { place: "run", deed: "policy" },
  promotion: { place: "policy", deed: "promote" },
  // A machine is at work: nobody needs to do anything.
  generate: { place: "policy", deed: null },
  reward_run: { place: "reward", deed: null },
  policy_run: { place: "run", deed: null },
};
const BY_MACHINE: readonly WaitsFor[] = ["generate", "reward_run", "policy_run"];

/** The node that waits for a person; null while a machine is at work, the project rests or an alarm
 * is open. */
export function waitsForPerson(circle: Circle): Place | null {
  if (circle.project.state !== "open" || BY_MACHINE.includes(circle.waits_for)) return null;
  return WAITS[circle.waits_for].place;
}

/** What somebody of this role may do now, first what the circle waits for. */
export function deeds(circle: Circle, role: Role): Deed[] {
  const { project, labels, tunable, policy, candidate, win_rate } = circle;
  const answered = win_rate?.policy.id !== candidate?.id || win_rate?.open === 0;
  const may: Record<Deed, boolean> = {
    label: project.state === "open" && WAITS[circle.waits_for].deed === "label",
    policy: tunable && policy !== null && !activeRun(circle, "policy"),
    promote: candidate !== null && circle.waits_for !== "alarm",
    reward: labels.new > 0 && !activeRun(circle, "reward"),
    ask: policy !== null && !activeRun(circle, "generate", "ask"),
    arena: candidate !== null && answered && !activeRun(circle, "generate", "arena"),
  };
  const first = WAITS[circle.waits_for].deed;
  return (Object.keys(may) as Deed[])
    .filter((deed) => may[deed] && (deed === "label" || role === "manager"))
    .sort((a, b) => Number(b === first) - Number(a === first));
}

/** The one that the circle waits for, if it is among what may be done. */
export function mainDeed(circle: Circle): Deed | null {
  return WAITS[circle.waits_for].deed;
}

export function isActive(run: Run): boolean {
  return ACTIVE.includes(run.state);
}

export function activeRun(circle: Circle, kind: RunKind, purpose?: RunPurpose): Run | undefined {
  return circle.runs.find((run) => isActive(run) && matches(run, kind, purpose));
}

/** The run at work, else the one that ended last. */
export function lastRun(circle: Circle, kind: RunKind): Run | undefined {
  return activeRun(circle, kind) ?? circle.runs.find((run) => matches(run, kind));
}

function matches(run: Run, kind: RunKind, purpose?: RunPurpose): boolean {
  return run.kind === kind && (purpose === undefined || run.purpose === purpose);
}

/** What the gate says while an alarm is open, else what it said last: the stage it gave, or a refusal newer than what is in service. */
export function gateSaid(circle: Circle): "held" | "refused" | "provisional" | "promoted" | null {
  if (circle.waits_for === "alarm") return "held";
  const inService = circle.reward_model?.id ?? 0;
  const refused = circle.story.some(
    ({ what, version }) => what === "refused" && version !== null && version > inService,
  );
  if (refused) return "refused";
  const stage = circle.reward_model?.stage;
  return stage === "provisional" || stage === "promoted" ? stage : null;
}

/** Queues on which nobody listens, of those that something waits for now or will. */
export function deafQueues(circle: Circle): ("train" | "infer" | "live" | "default")[] {
  return (["train", "infer", "live", "default"] as const).filter((queue) => !circle.workers[queue]);
}
