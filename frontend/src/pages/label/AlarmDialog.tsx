import { useState } from "preact/hooks";
import { post } from "../../api/client";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { ErrorNotice } from "../../parts/Notice";
import { useAction } from "../../parts/useAction";

interface Props {
  slug: string;
  onClose: () => void;
  /** Once the managers know. */
  onRung: () => void;
}

/** Something is broken here: the managers are told, and no model goes into service meanwhile. */
export function AlarmDialog({ slug, onClose, onRung }: Props) {
  const [note, setNote] = useState("");
  const ring = useAction(async () => {
    await post(`projects/${slug}/alarms/`, { note });
    onRung();
  });
  return (
    <Dialog title={t("alarm.title")} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          ring.run();
        }}
      >
        <p>{t("alarm.about")}</p>
        <Field label={t("alarm.note")} error={ring.errorOf("note")}>
          {(control) => (
            <textarea
              {...control}
              rows={3}
              maxLength={2000}
              value={note}
              onInput={(event) => setNote(event.currentTarget.value)}
            />
          )}
        </Field>
        {!ring.errorOf("note") && <ErrorNotice error={ring.error} />}
        <div class="actions">
          <Button type="submit" kind="primary" busy={ring.busy}>
            {t("alarm.ring")}
          </Button>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
        </div>
      </form>
    </Dialog>
  );
}
