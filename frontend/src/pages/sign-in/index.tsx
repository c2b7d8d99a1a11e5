import { useState } from "preact/hooks";
import { Redirect, useSearch } from "wouter-preact";
import { session, signIn } from "../../account";
import { post } from "../../api/client";
import type { DemoAccount } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { useAction } from "../../parts/useAction";
import "../gate.css";

export default function SignIn() {
  useTitle(t("sign_in.title"));
  const search = useSearch();
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [forgot, setForgot] = useState(false);
  const enter = useAction(signIn);
  const refused = new URLSearchParams(search).get("sso");

  if (session.value?.user) return <Redirect to={safeNext(search)} replace />;
  const { demo_accounts: accounts = [], mail, sso = [] } = session.value ?? {};

  const fill = (account: DemoAccount) => {
    setUsername(account.username);
    setPassword(account.password);
    enter.run(account.username, account.password);
  };

  return (
    <div class="gate">
      <h1>{t("sign_in.title")}</h1>
      {refused === "not-invited" && <Notice kind="warn">{t("sign_in.sso_not_invited")}</Notice>}
      {refused === "failed" && <Notice kind="warn">{t("sign_in.sso_failed")}</Notice>}
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          enter.run(username, password);
        }}
      >
        <Field label={t("sign_in.username")} error={enter.errorOf("username")}>
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
        <Field label={t("sign_in.password")} error={enter.errorOf("password")}>
          {(control) => (
            <input
              {...control}
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          )}
        </Field>
        {!enter.errorOf("password") && <ErrorNotice error={enter.error} />}
        <Button type="submit" kind="primary" busy={enter.busy}>
          {t("sign_in.enter")}
        </Button>
      </form>
      {sso.map(({ name, url }) => (
        <a key={url} class="button" href={`${url}?next=${encodeURIComponent(safeNext(search))}`}>
          {t("sign_in.sso", { name })}
        </a>
      ))}
      {accounts.length > 0 && <DemoAccounts accounts={accounts} fill={fill} />}
      {mail && forgot ? (
        <AskReset />
      ) : (
        <div>
          <Button kind="quiet" onClick={() => setForgot(true)} disabled={forgot}>
            {t("sign_in.forgot")}
          </Button>
          {forgot && <Notice>{t("sign_in.forgot_ask")}</Notice>}
        </div>
      )}
    </div>
  );
}

function DemoAccounts(props: { accounts: DemoAccount[]; fill: (account: DemoAccount) => void }) {
  return (
    <section class="demo-accounts">
      <h2>{t("sign_in.demo")}</h2>
      <ul>
        {props.accounts.map((account) => (
          <li key={account.username}>
            <button type="button" class="demo-account" onClick={() => props.fill(account)}>
              <span>{account.username}</span>
              <span class="quiet">{account.role}</span>
              <code>{account.password}</code>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function AskReset() {
  const [email, setEmail] = useState("");
  const ask = useAction(() => post("session/reset/", { email }));
  if (ask.done) return <Notice>{t("sign_in.reset_sent")}</Notice>;
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        ask.run();
      }}
    >
      <Field label={t("sign_in.email")} error={ask.errorOf("email")}>
        {(control) => (
          <input
            {...control}
            type="email"
            required
            value={email}
            onInput={(event) => setEmail(event.currentTarget.value)}
          />
        )}
      </Field>
      {!ask.errorOf("email") && <ErrorNotice error={ask.error} />}
      <Button type="submit" busy={ask.busy}>
        {t("sign_in.send_reset")}
      </Button>
    </form>
  );
}

/** Where to go once signed in: only ever an address of this site. */
export function safeNext(search: string): string {
  const next = new URLSearchParams(search).get("next") ?? "/";
  return /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : "/";
}
