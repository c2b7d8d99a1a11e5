import { useState } from "preact/hooks";
import { Link, useParams } from "wouter-preact";
import { post } from "../../api/client";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { useAction } from "../../parts/useAction";
import { NewPasswordField } from "../PasswordField";
import "../gate.css";

export default function Reset() {
  useTitle(t("reset.title"));
  const { uid, token } = useParams();
  const [password, setPassword] = useState("");
  const confirm = useAction(() =>
    post("session/reset/confirm/", { uid, token, new_password: password }),
  );

  if (confirm.done) {
    return (
      <div class="gate">
        <h1>{t("reset.title")}</h1>
        <Notice>{t("reset.done")}</Notice>
        <Link class="button primary" href="/sign-in">
          {t("sign_in.title")}
        </Link>
      </div>
    );
  }
  return (
    <form
      class="gate"
      onSubmit={(event) => {
        event.preventDefault();
        confirm.run();
      }}
    >
      <h1>{t("reset.title")}</h1>
      <NewPasswordField
        label={t("password.new")}
        value={password}
        set={setPassword}
        error={confirm.errorOf("new_password")}
      />
      {!confirm.errorOf("new_password") && <ErrorNotice error={confirm.error} />}
      <Button type="submit" kind="primary" busy={confirm.busy}>
        {t("password.set")}
      </Button>
    </form>
  );
}
