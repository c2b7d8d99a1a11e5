import { useState } from "preact/hooks";
import { t } from "../../i18n";
import { isTyping, match } from "../../keymap/keymap";
import { Button, KeyHint } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";

const REASONS = ["unclear", "offensive", "too_long", "language", "broken", "other"] as const;
type Reason = (typeof REASONS)[number];

interface Props {
  onClose: () => void;
  onSkip: (reason: Reason, note: string) => void;
}

/** Why this pair is passed over; what was written about it is kept. */
export function SkipDialog({ onClose, onSkip }: Props) {
  const [reason, setReason] = useState<Reason | null>(null);
  const [note, setNote] = useState("");
  const keys = REASONS.map((action, place) => ({
    action,
    keys: [String(place + 1)],
    label: t(`skip.${action}`),
    group: "",
  }));

  return (
    <Dialog title={t("skip.title")} onClose={onClose}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (reason) onSkip(reason, note);
        }}
        onKeyDown={(event) => {
          const pressed = isTyping(event.target) ? null : match(keys, event);
          if (!pressed) return;
          event.preventDefault();
          setReason(pressed.action);
        }}
      >
        <fieldset class="skip-reasons">
          <legend class="visually-hidden">{t("skip.title")}</legend>
          {REASONS.map((name, place) => (
            <label key={name}>
              <input
                type="radio"
                name="reason"
                required
                autofocus={place === 0}
                checked={reason === name}
                onChange={() => setReason(name)}
              />
              <span>{t(`skip.${name}`)}</span>
              <KeyHint>{place + 1}</KeyHint>
            </label>
          ))}
        </fieldset>
        <Field label={t("skip.note")} help={t("skip.kept")}>
          {(control) => (
            <textarea
              {...control}
              rows={2}
              maxLength={2000}
              value={note}
              onInput={(event) => setNote(event.currentTarget.value)}
            />
          )}
        </Field>
        <div class="actions">
          <Button type="submit" kind="primary" hint="↵" disabled={!reason}>
            {t("skip.skip")}
          </Button>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
        </div>
      </form>
    </Dialog>
  );
}
