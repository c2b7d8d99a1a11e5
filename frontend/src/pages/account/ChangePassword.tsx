import { useState } from "preact/hooks";
import { post } from "../../api/client";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { useAction } from "../../parts/useAction";
import { NewPasswordField } from "../PasswordField";

export function ChangePassword() {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const change = useAction(async () => {
    await post("session/password/", { old_password: old, new_password: fresh });
    setOld("");
    setFresh("");
  });
  const named = change.errorOf("old_password") || change.errorOf("new_password");
  return (
    <Section title={t("password.title")}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          change.run();
        }}
      >
        <Field label={t("password.old")} error={change.errorOf("old_password")}>
          {(control) => (
            <input
              {...control}
              type="password"
              autoComplete="current-password"
              required
              value={old}
              onInput={(event) => setOld(event.currentTarget.value)}
            />
          )}
        </Field>
        <NewPasswordField
          label={t("password.new")}
          value={fresh}
          set={setFresh}
          error={change.errorOf("new_password")}
        />
        {!named && <ErrorNotice error={change.error} />}
        {change.done && <Notice>{t("password.changed")}</Notice>}
        <div class="actions">
          <Button type="submit" busy={change.busy}>
            {t("password.set")}
          </Button>
        </div>
      </form>
    </Section>
  );
}
