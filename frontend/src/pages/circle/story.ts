/** The story's lines, gathered under their rounds. */

import type { Decision } from "../../api/models";

export interface Chapter {
  /** null: what belongs to no round. */
  round: number | null;
  lines: Decision[];
}

/** Newest first, rounds and lines alike. */
export function chapters(story: readonly Decision[]): Chapter[] {
  const byRound = new Map<number | null, Decision[]>();
  for (const line of story) byRound.set(line.round, [...(byRound.get(line.round) ?? []), line]);
  return [...byRound]
    .map(([round, lines]) => ({ round, lines: lines.sort((a, b) => b.id - a.id) }))
    .sort((a, b) => (b.round ?? 0) - (a.round ?? 0));
}

const BAD = ["refused", "failed", "guard"];

/** How a line looks: what went well, what did not, and the rest. */
export function mood(what: string): "good" | "bad" | "plain" {
  return what === "promoted" ? "good" : BAD.includes(what) ? "bad" : "plain";
}
