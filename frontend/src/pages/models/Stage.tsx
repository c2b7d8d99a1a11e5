import type { Stage } from "../../api/models";
import { t } from "../../i18n";

const LOOK: Record<Stage, string> = {
  candidate: "",
  provisional: "accent",
  promoted: "accent",
  archived: "",
};

export function StageTag({ stage }: { stage: Stage }) {
  return <span class={`tag ${LOOK[stage]}`}>{t(`model.stage.${stage}`)}</span>;
}
