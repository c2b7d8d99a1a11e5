import { useState } from "preact/hooks";
import { post, remove } from "../../api/client";
import { useResource } from "../../api/resource";
import type { Invitation, Results, Role } from "../../api/types";
import { relative } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { CopyLink } from "../../parts/CopyLink";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Loaded } from "../../parts/States";
import { Table } from "../../parts/Table";
import { useAction } from "../../parts/useAction";
import type { SettingsProps } from ".";
import { ROLES } from "./PeopleSettings";

export function Invitations({ project }: SettingsProps) {
  const base = `projects/${project.slug}/invitations/`;
  const invitations = useResource<Results<Invitation>>(base);
  const [role, setRole] = useState<Role>("labeler");
  const [seats, setSeats] = useState(5);
  const [days, setDays] = useState(7);
  const [link, setLink] = useState<string | null>(null);
  const invite = useAction(async () => {
    setLink((await post<{ link: string }>(base, { role, seats, days })).link);
    await invitations.reload();
  });
  const revoke = useAction(async (id: number) => {
    await remove(`${base}${id}/`);
    await invitations.reload();
  });

  return (
    <Section title={t("invitations.title")} about={t("invitations.about")}>
      <form
        class="form-row"
        onSubmit={(event) => {
          event.preventDefault();
          invite.run();
        }}
      >
        <Field label={t("members.role")} error={invite.errorOf("role")}>
          {(control) => (
            <select
              {...control}
              value={role}
              onChange={(event) => setRole(event.currentTarget.value as Role)}
            >
              {ROLES.map((name) => (
                <option key={name} value={name}>
                  {t(`role.${name}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label={t("invitations.seats")} error={invite.errorOf("seats")}>
          {(control) => (
            <input
              {...control}
              type="number"
              required
              min={1}
              max={1000}
              value={seats}
              onInput={(event) => setSeats(event.currentTarget.valueAsNumber)}
            />
          )}
        </Field>
        <Field label={t("invitations.days")} error={invite.errorOf("days")}>
          {(control) => (
            <input
              {...control}
              type="number"
              required
              min={1}
              max={90}
              value={days}
              onInput={(event) => setDays(event.currentTarget.valueAsNumber)}
            />
          )}
        </Field>
        <Button type="submit" kind="primary" busy={invite.busy}>
          {t("invitations.make")}
        </Button>
      </form>
      <ErrorNotice error={invite.error} />
      {link && (
        <Notice kind="warn">
          <p>{t("invitations.once")}</p>
          <CopyLink label={t("invitations.link")} link={link} />
        </Notice>
      )}
      <Loaded resource={invitations}>
        {({ results }) =>
          results.length > 0 && (
            <Table
              caption={t("invitations.title")}
              rows={results}
              rowKey={(row) => row.id}
              columns={[
                { head: t("members.role"), cell: (row) => t(`role.${row.role}`) },
                {
                  head: t("invitations.used"),
                  number: true,
                  cell: (row) => t("invitations.used_of", { used: row.used, seats: row.seats }),
                },
                { head: t("invitations.state"), cell: stateOf },
                { head: t("invitations.by"), cell: (row) => row.created_by ?? "" },
                {
                  head: t("common.actions"),
                  cell: (row) =>
                    isOpen(row) && (
                      <Button kind="stop" disabled={revoke.busy} onClick={() => revoke.run(row.id)}>
                        {t("invitations.revoke")}
                      </Button>
                    ),
                },
              ]}
            />
          )
        }
      </Loaded>
      <ErrorNotice error={revoke.error} />
    </Section>
  );
}

function isOpen({ revoked, used, seats, expires_at }: Invitation): boolean {
  return !revoked && used < seats && new Date(expires_at).getTime() > Date.now();
}

function stateOf(row: Invitation): string {
  if (row.revoked) return t("invitations.revoked");
  if (row.used >= row.seats) return t("invitations.used_up");
  const when = relative(row.expires_at);
  return isOpen(row) ? t("invitations.expires", { when }) : t("invitations.expired", { when });
}
