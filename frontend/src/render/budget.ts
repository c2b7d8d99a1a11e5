/**
 * How much work one text may cost to draw.
 *
 * Markdown has inputs of a few kilobytes whose reading takes minutes or whose tables fill the
 * memory. Steps are counted, not milliseconds, so that everybody is shown the same.
 */

const MOST_STEPS = 20_000;

let left = MOST_STEPS;

export class TooMuch extends Error {}

export function newBudget(): void {
  left = MOST_STEPS;
}

/** Throws TooMuch once a text has cost all that it may. */
export function spend(steps: number): void {
  left -= steps;
  if (left < 0) throw new TooMuch();
}
