import { t } from "../../i18n";
import { hintFor, type Keymap } from "../../keymap/keymap";
import { Button } from "../../parts/Button";
import { Notice, sentence } from "../../parts/Notice";
import type { Labeling } from "../../session/labeling";
import type { Outbox } from "../../session/outbox";
import type { LabelAction } from "./keys";

interface Props {
  labeling: Labeling;
  outbox: Outbox;
  keymap: Keymap<LabelAction>;
  act: (action: LabelAction) => void;
}

/** What a labeler needs to know about this very pair or answer, and nothing else. */
export function Notices({ labeling, outbox, keymap, act }: Props) {
  const { looking, lost, standing } = labeling.state.value;
  const trouble = labeling.trouble.value;
  const refused = outbox.refused.value;
  return (
    <div class="label-notices">
      {looking && (
        <Notice>
          <span>{t("label.looking")}</span>
          <Button kind="quiet" hint={hintFor(keymap, "present")} onClick={() => act("present")}>
            {t("label.to_present")}
          </Button>
        </Notice>
      )}
      {!looking && standing && <Notice>{t("label.undone")}</Notice>}
      {lost && <Notice kind="warn">{t("label.lost")}</Notice>}
      {trouble && <Notice kind="warn">{sentence(trouble)}</Notice>}
      {refused.map((entry) => (
        <Notice key={entry.id} kind="stop">
          <span>{t("label.refused", { why: entry.refused })}</span>
          <Button kind="quiet" onClick={() => outbox.forget(entry)}>
            {t("common.dismiss")}
          </Button>
        </Notice>
      ))}
    </div>
  );
}
