/** The talk page's keys beside those that answer. */

import type { Project } from "../../api/types";
import { t } from "../../i18n";
import type { Binding, Keymap } from "../../keymap/keymap";
import { type LabelAction, labelKeymap, type PageAction } from "../label/keys";

export type TalkAction = "write" | "again" | "new";

const key = (action: TalkAction, name: string): Binding<TalkAction> => ({
  action,
  keys: [name],
  label: t(`talk.act.${action}`),
  group: t("keys.talk"),
});

export const TALK_KEYS: Keymap<TalkAction> = [
  key("write", "w"),
  key("again", "o"),
  key("new", "shift+n"),
];

const ELSEWHERE: readonly LabelAction[] = ["earlier", "later", "collapse"] satisfies PageAction[];

/** The label page's keys, without those for what this page does not have. */
export function pairKeymap(project: Project, count: number): Keymap<LabelAction> {
  return labelKeymap(project, count).filter(({ action }) => !ELSEWHERE.includes(action));
}
