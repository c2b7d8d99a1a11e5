/** A run in words. */

import type { Run } from "../../api/models";
import { integer } from "../../format";
import { t } from "../../i18n";
import { timeLeft } from "./time";

/** "step 84 of 500 · about 4 min left", or its place in the queue. */
export function stepWords(run: Run): string {
  return [stepOf(run), leftOf(run)].filter(Boolean).join(" · ");
}

/** "step 84 of 500"; before it has steps what it does, before it runs its place in the queue. */
export function stepOf(run: Run): string {
  if (run.state === "queued") return queueWords(run);
  if (run.steps === 0) return run.stage || t(`run.state.${run.state}`);
  return t("run.step", { step: integer(run.step), steps: integer(run.steps) });
}

/** "about 4 min left", where that is known. */
export function leftOf(run: Run): string | null {
  const known = run.state === "running" && run.seconds_left !== null && run.step < run.steps;
  return known ? timeLeft(run.seconds_left ?? 0) : null;
}

/** "queued: next in the queue", "queued: 2 runs before it". */
export function queueWords(run: Run): string {
  const before = run.queue_position ?? 0;
  const place = before === 0 ? t("run.next_in_queue") : t("run.queue", { count: before });
  return t("run.queued_at", { place });
}

/** "Fine-tuning", "Generation for people to compare". */
export function kindWords(run: Pick<Run, "kind" | "purpose">): string {
  return [t(`run.kind.${run.kind}`), t(`run.purpose.${run.purpose}`)].filter(Boolean).join(" ");
}
