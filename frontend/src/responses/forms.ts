/** The forms an answer can take: which keys choose, and what they mean. One literal dict. */

import type { Choice, Project } from "../api/types";
import { t } from "../i18n";
import type { Binding } from "../keymap/keymap";
import { placed, withoutLast } from "./ranking";

export type ChoiceAction =
  | `prefer:${number}:${number}`
  | `best:${number}`
  | `rank:${number}`
  | `join:${number}`
  | "rank_up"
  | "rank_down"
  | "unrank"
  | "submit"
  | "tie"
  | "both_good"
  | "both_bad"
  | "all_good"
  | "all_bad"
  | "unanswerable";

/** What a key does: an answer, or one more step of a ranking that is being made. */
export type Effect = { choice: Choice } | { tiers: number[][] } | null;

export interface Form {
  keymap: (count: number, levels: number) => Binding<ChoiceAction>[];
  press: (action: ChoiceAction, tiers: number[][], count: number) => Effect;
}

export type FormName = "pairwise" | "ranking" | "best_of_k";

/** Two responses are always compared as a pair, whatever the project asks of more. */
export function formFor(project: Pick<Project, "response_form">, count: number): FormName {
  if (count === 2) return "pairwise";
  return project.response_form === "best_of_k" ? "best_of_k" : "ranking";
}

/** The name of a response by its place on the page. */
export function letter(position: number): string {
  return String.fromCharCode(65 + position);
}

const everyone = (count: number) => [Array.from({ length: count }, (_, position) => position)];
const others = (count: number, not: number) => everyone(count)[0]?.filter((p) => p !== not) ?? [];
const group = () => t("keys.answer");

function whole(action: ChoiceAction, key: string): Binding<ChoiceAction> {
  const label = t(`choice.${action as "tie"}`);
  return { action, keys: [key], label, group: group() };
}

/** Arrows scroll, until a response of the ranking has the focus. */
const onChip = () => ({ group: group(), within: ".rank-chip" });

/** Outcomes that say the same of every response. */
function pressWhole(action: ChoiceAction, count: number): Effect {
  switch (action) {
    case "tie":
    case "both_good":
    case "both_bad":
    case "all_good":
    case "all_bad":
    case "unanswerable":
      return { choice: { outcome: action, tiers: everyone(count), strength: null } };
    default:
      return null;
  }
}

const pairwise: Form = {
  keymap(_count, levels) {
    const left = Array.from({ length: levels }, (_, step) => ({
      side: 0,
      strength: levels - step,
    }));
    const right = Array.from({ length: levels }, (_, step) => ({ side: 1, strength: step + 1 }));
    const scale = [...left, ...right].map(
      ({ side, strength }, place): Binding<ChoiceAction> => ({
        action: `prefer:${side}:${strength}`,
        keys: [String(place + 1)],
        label: betterLabel(side, strength, levels),
        group: group(),
      }),
    );
    return [
      ...scale,
      whole("tie", "t"),
      whole("both_good", "y"),
      whole("both_bad", "n"),
      whole("unanswerable", "x"),
    ];
  },
  press(action, _tiers, count) {
    const [, side, strength] = /^prefer:(\d):(\d)$/.exec(action) ?? [];
    if (side === undefined) return pressWhole(action, count);
    const winner = Number(side);
    return {
      choice: { outcome: "prefer", tiers: [[winner], [1 - winner]], strength: Number(strength) },
    };
  },
};

const best_of_k: Form = {
  keymap(count) {
    const best = everyone(count)
      .flat()
      .map(
        (position): Binding<ChoiceAction> => ({
          action: `best:${position}`,
          keys: [String(position + 1)],
          label: t("choice.best", { letter: letter(position) }),
          group: group(),
        }),
      );
    return [...best, ...wholeSet()];
  },
  press(action, _tiers, count) {
    const [, position] = /^best:(\d)$/.exec(action) ?? [];
    if (position === undefined) return pressWhole(action, count);
    const best = Number(position);
    return { choice: { outcome: "prefer", tiers: [[best], others(count, best)], strength: null } };
  },
};

const ranking: Form = {
  keymap(count) {
    const places = everyone(count).flat();
    return [
      ...places.map(
        (position): Binding<ChoiceAction> => ({
          action: `rank:${position}`,
          keys: [String(position + 1)],
          label: t("choice.rank", { letter: letter(position) }),
          group: group(),
        }),
      ),
      ...places.map(
        (position): Binding<ChoiceAction> => ({
          action: `join:${position}`,
          keys: [`shift+${position + 1}`],
          label: t("choice.join", { letter: letter(position) }),
          group: group(),
        }),
      ),
      { action: "rank_up", keys: ["ArrowUp"], label: t("choice.rank_up"), ...onChip() },
      { action: "rank_down", keys: ["ArrowDown"], label: t("choice.rank_down"), ...onChip() },
      { action: "unrank", keys: ["Backspace"], label: t("choice.unrank"), group: group() },
      { action: "submit", keys: ["Enter"], label: t("choice.submit"), group: group() },
      ...wholeSet(),
    ];
  },
  press(action, tiers, count) {
    const [, what, position] = /^(rank|join):(\d)$/.exec(action) ?? [];
    if (position !== undefined) {
      return { tiers: placed(tiers, Number(position), what === "join") };
    }
    if (action === "unrank") return { tiers: withoutLast(tiers) };
    if (action !== "submit") return pressWhole(action, count);
    const left = everyone(count)
      .flat()
      .filter((p) => !tiers.flat().includes(p));
    if (left.length > 1) return null;
    const full = left.length === 1 ? [...tiers, left] : tiers;
    if (full.length < 2) return pressWhole("tie", count);
    return { choice: { outcome: "prefer", tiers: full, strength: null } };
  },
};

export const FORMS: Record<FormName, Form> = { pairwise, ranking, best_of_k };

const wholeSet = () => [
  whole("tie", "t"),
  whole("all_good", "y"),
  whole("all_bad", "n"),
  whole("unanswerable", "x"),
];

function betterLabel(side: number, strength: number, levels: number): string {
  const words = { letter: letter(side) };
  if (levels === 1) return t("choice.better.one.1", words);
  if (levels === 3) return t(`choice.better.three.${strength as 1 | 2 | 3}`, words);
  return t(`choice.better.four.${strength as 1 | 2 | 3 | 4}`, words);
}

/** How much better in one word; on a scale of one step, nothing. */
export function strengthWord(strength: number, levels: number): string {
  if (levels === 1) return "";
  if (levels === 3) return t(`strength.three.${strength as 1 | 2 | 3}`);
  return t(`strength.four.${strength as 1 | 2 | 3 | 4}`);
}
