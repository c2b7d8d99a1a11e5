/** How long a fine-tuning will take, by the pace of the last one. */

import type { Run } from "../../api/models";
import { elapsed } from "../runs/time";

export interface Estimate {
  seconds: number;
  secondsAStep: number;
  run: Run;
}

/** null where no fine-tuning of the project has succeeded in one attempt, so no pace is known. */
export function estimate(runs: readonly Run[], steps: number): Estimate | null {
  const run = runs.find(
    ({ kind, state, attempt, steps }) =>
      kind === "policy" && state === "succeeded" && attempt === 1 && steps > 0,
  );
  const took = run && elapsed(run);
  if (!run || !took || !Number.isFinite(steps)) return null;
  const secondsAStep = took / run.steps;
  return { seconds: secondsAStep * steps, secondsAStep, run };
}
