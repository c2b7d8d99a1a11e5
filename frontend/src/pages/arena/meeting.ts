import type { Sample } from "../../api/models";

/** What a policy and the reference wrote to one prompt. */
export interface Pair {
  prompt: string;
  policy: Sample;
  reference: Sample;
}

/** The pairs of an arena run, the policy's farthest from the reference first. */
export function pairsOf(samples: readonly Sample[]): Pair[] {
  const sides = new Map<string, { policy?: Sample; reference?: Sample }>();
  for (const sample of samples) {
    const side = sample.by_reference ? "reference" : "policy";
    sides.set(sample.prompt, { ...sides.get(sample.prompt), [side]: sample });
  }
  return [...sides]
    .flatMap(([prompt, { policy, reference }]) =>
      policy && reference ? [{ prompt, policy, reference }] : [],
    )
    .sort((a, b) => (b.policy.kl ?? 0) - (a.policy.kl ?? 0));
}
