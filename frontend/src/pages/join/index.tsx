import { useState } from "preact/hooks";
import { useLocation, useParams } from "wouter-preact";
import { loadSession, session } from "../../account";
import { ApiError, post } from "../../api/client";
import { useResource } from "../../api/resource";
import type { InvitationOffer } from "../../api/types";
import { relative } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { Broken, Empty, Loading } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import { NewPasswordField } from "../PasswordField";
import "../gate.css";

export default function Join() {
  useTitle(t("join.title"));
  const { key = "" } = useParams();
  const offer = useResource<InvitationOffer>(`invitations/${encodeURIComponent(key)}/`);
  if (offer.error instanceof ApiError && offer.error.status === 404) {
    return (
      <Empty whole title={t("join.gone_title")}>
        <p class="quiet">{t("join.gone")}</p>
      </Empty>
    );
  }
  if (offer.error) return <Broken whole error={offer.error} retry={offer.reload} />;
  if (!offer.data) return <Loading />;
  return <Offer invitationKey={key} offer={offer.data} />;
}

function Offer({ invitationKey, offer }: { invitationKey: string; offer: InvitationOffer }) {
  const [, navigate] = useLocation();
  const join = useAction(async (account: object) => {
    const { slug } = await post<{ slug: string }>(
      `invitations/${encodeURIComponent(invitationKey)}/`,
      account,
    );
    await loadSession();
    navigate(`/p/${slug}/label`);
  });
  const user = session.value?.user;

  return (
    <div class="gate">
      <div>
        <h1>{t("join.heading", { name: offer.project.name })}</h1>
        <p class="quiet">
          {t("join.terms", {
            role: t(`role.${offer.role}`),
            when: relative(offer.expires_at),
          })}
        </p>
      </div>
      {user ? (
        <>
          <Button kind="primary" busy={join.busy} onClick={() => join.run({})}>
            {t("join.as", { name: user.username })}
          </Button>
          <ErrorNotice error={join.error} />
        </>
      ) : (
        <NewAccount
          busy={join.busy}
          error={join.error}
          errorOf={join.errorOf}
          submit={(account) => join.run(account)}
        />
      )}
      {!user && (
        <p class="quiet">
          {t("join.have_account")}{" "}
          <a href={`/sign-in?next=${encodeURIComponent(`/join/${invitationKey}`)}`}>
            {t("join.sign_in_first")}
          </a>
        </p>
      )}
    </div>
  );
}

interface NewAccountProps {
  busy: boolean;
  error: Error | null;
  errorOf: (field: string) => string | undefined;
  submit: (account: { username: string; password: string; name: string }) => void;
}

function NewAccount({ busy, error, errorOf, submit }: NewAccountProps) {
  const [username, setUsername] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const named = ["username", "name", "password"].some(errorOf);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        submit({ username, password, name });
      }}
    >
      <Field
        label={t("sign_in.username")}
        help={t("join.username_help")}
        error={errorOf("username")}
      >
        {(control) => (
          <input
            {...control}
            autoComplete="username"
            autoCapitalize="none"
            required
            value={username}
            onInput={(event) => setUsername(event.currentTarget.value)}
          />
        )}
      </Field>
      <Field label={t("join.name")} help={t("join.name_help")} error={errorOf("name")}>
        {(control) => (
          <input
            {...control}
            autoComplete="name"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        )}
      </Field>
      <NewPasswordField
        label={t("sign_in.password")}
        value={password}
        set={setPassword}
        error={errorOf("password")}
      />
      {!named && <ErrorNotice error={error} />}
      <Button type="submit" kind="primary" busy={busy}>
        {t("join.make_account")}
      </Button>
    </form>
  );
}
