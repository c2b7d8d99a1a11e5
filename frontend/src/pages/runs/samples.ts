import type { Sample } from "../../api/models";

export interface StepSamples {
  /** null where the run does not go by steps. */
  step: number | null;
  samples: Sample[];
}

/** How many samples of a run without steps make one group to look at. */
const GROUP = 20;

/** Samples by step, the newest first. What a resumed run writes again replaces what it wrote. */
export function bySteps(samples: readonly Sample[]): StepSamples[] {
  const groups: StepSamples[] = [];
  samples.forEach((sample, i) => {
    const { step } = sample;
    const resumed = step !== null && (groups.at(-1)?.step ?? step) > step;
    while (resumed && (groups.at(-1)?.step ?? -1) >= step) groups.pop();
    const last = groups.at(-1);
    const begins = step === null ? i % GROUP === 0 : last?.step !== step;
    if (begins || !last) groups.push({ step, samples: [sample] });
    else last.samples.push(sample);
  });
  return groups.reverse();
}
