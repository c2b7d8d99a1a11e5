/** The label page's keys beside those that answer. */

import type { Project } from "../../api/types";
import { t } from "../../i18n";
import type { Binding, Keymap } from "../../keymap/keymap";
import { type ChoiceAction, FORMS, formFor } from "../../responses/forms";

export type PageAction =
  | "skip"
  | "alarm"
  | "undo"
  | "earlier"
  | "later"
  | "note"
  | "spans"
  | "rewrite"
  | "flags"
  | "ratings"
  | "guidelines"
  | "collapse"
  | "plain"
  | "compare"
  | "present";
export type LabelAction = ChoiceAction | PageAction;

/** Without responses, which are withheld until one's own answer is written, there are few. */
export function labelKeymap(project: Project, count: number): Keymap<LabelAction> {
  const answer = t("keys.answer");
  const pair = t("keys.pair");
  const page = t("keys.page");
  const own = t("keys.own");
  const key = (action: PageAction, name: string, group: string): Binding<LabelAction> => ({
    action,
    keys: [name],
    label: t(`action.${action}`),
    group,
  });
  const always = [
    key("skip", "k", answer),
    key("undo", "u", own),
    key("earlier", "ArrowLeft", own),
    key("later", "ArrowRight", own),
    key("present", "Escape", own),
    key("guidelines", "g", page),
    key("collapse", "c", page),
    key("plain", "p", page),
    key("alarm", "!", page),
  ];
  if (count === 0) return always;
  return [
    ...FORMS[formFor(project, count)].keymap(count, project.levels_per_side),
    key("note", "i", pair),
    ...(project.flags.length > 0 ? [key("flags", "h", pair)] : []),
    ...(project.attributes.length > 0 ? [key("ratings", "r", pair)] : []),
    ...(project.span_categories.length > 0 ? [key("spans", "s", pair)] : []),
    ...(project.rewrites ? [key("rewrite", "e", pair)] : []),
    ...always,
    key("compare", "d", page),
  ];
}
