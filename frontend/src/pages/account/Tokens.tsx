import { useState } from "preact/hooks";
import { post, remove } from "../../api/client";
import { useResource } from "../../api/resource";
import type { Results, Token } from "../../api/types";
import { dateTime } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { CopyLink } from "../../parts/CopyLink";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Loaded } from "../../parts/States";
import { Table } from "../../parts/Table";
import { useAction } from "../../parts/useAction";

export function Tokens() {
  const tokens = useResource<Results<Token>>("tokens/");
  const [name, setName] = useState("");
  const [made, setMade] = useState<string | null>(null);
  const make = useAction(async () => {
    setMade((await post<{ token: string }>("tokens/", { name })).token);
    setName("");
    await tokens.reload();
  });
  const revoke = useAction(async (key: string) => {
    await remove(`tokens/${encodeURIComponent(key)}/`);
    await tokens.reload();
  });

  return (
    <Section title={t("tokens.title")} about={t("tokens.about")}>
      <Loaded resource={tokens}>
        {({ results }) =>
          results.length > 0 && (
            <Table
              caption={t("tokens.title")}
              rows={results}
              rowKey={(token) => token.key}
              columns={[
                { head: t("tokens.name"), cell: (token) => token.name || t("tokens.unnamed") },
                { head: t("tokens.starts"), cell: (token) => <code>{token.key}…</code> },
                { head: t("tokens.made"), cell: (token) => dateTime(token.created) },
                {
                  head: t("tokens.expires"),
                  cell: (token) => (token.expiry ? dateTime(token.expiry) : t("tokens.never")),
                },
                {
                  head: t("common.actions"),
                  cell: (token) => (
                    <Button
                      kind="stop"
                      disabled={revoke.busy}
                      onClick={() => revoke.run(token.key)}
                    >
                      {t("tokens.revoke")}
                    </Button>
                  ),
                },
              ]}
            />
          )
        }
      </Loaded>
      <ErrorNotice error={revoke.error} />
      {made && (
        <Notice kind="warn">
          <p>{t("tokens.once")}</p>
          <CopyLink label={t("tokens.token")} link={made} />
        </Notice>
      )}
      <form
        class="form-row"
        onSubmit={(event) => {
          event.preventDefault();
          make.run();
        }}
      >
        <Field label={t("tokens.name")} error={make.errorOf("name")}>
          {(control) => (
            <input
              {...control}
              maxLength={60}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <Button type="submit" busy={make.busy}>
          {t("tokens.make")}
        </Button>
      </form>
      {!make.errorOf("name") && <ErrorNotice error={make.error} />}
    </Section>
  );
}
