/** What was taken out and what was put in between two texts, word by word in any script. */

import { diffArrays } from "diff";

export interface Change {
  what: "same" | "removed" | "added";
  text: string;
}

/** Two texts beyond this many characters together are not compared: nobody reads such a diff. */
const LONGEST = 60_000;
/** Texts that have little in common take long to compare, and the page must answer meanwhile. */
const MOST_MILLISECONDS = 250;

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });

/** The changes from `before` to `after` in reading order; null where they are too much to show. */
export function wordDiff(before: string, after: string): Change[] | null {
  if (before.length + after.length > LONGEST) return null;
  const changes = diffArrays(wordsOf(before), wordsOf(after), { timeout: MOST_MILLISECONDS });
  return (
    changes?.map(({ added, removed, value }) => ({
      what: added ? "added" : removed ? "removed" : "same",
      text: value.join(""),
    })) ?? null
  );
}

/** Words, spaces and signs, each by itself; joined they are the text again. */
function wordsOf(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
