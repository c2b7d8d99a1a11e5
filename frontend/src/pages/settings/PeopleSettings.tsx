import { useState } from "preact/hooks";
import { patch, post, remove } from "../../api/client";
import { type Resource, useResource } from "../../api/resource";
import type { Member, Results, Role } from "../../api/types";
import { integer } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { CopyLink } from "../../parts/CopyLink";
import { Dialog } from "../../parts/Dialog";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Loaded } from "../../parts/States";
import { Table } from "../../parts/Table";
import { useAction } from "../../parts/useAction";
import type { SettingsProps } from ".";
import { Invitations } from "./Invitations";

export const ROLES: Role[] = ["labeler", "reviewer", "manager"];

export function PeopleSettings({ project }: SettingsProps) {
  const base = `projects/${project.slug}/members/`;
  const members = useResource<Results<Member>>(base);
  return (
    <>
      <Invitations project={project} />
      <Section title={t("members.title")}>
        <Loaded resource={members}>
          {({ results }) => <Members base={base} members={results} reload={members.reload} />}
        </Loaded>
      </Section>
    </>
  );
}

interface MembersProps {
  base: string;
  members: Member[];
  reload: Resource<unknown>["reload"];
}

function Members({ base, members, reload }: MembersProps) {
  const [leaving, setLeaving] = useState<Member | null>(null);
  const [link, setLink] = useState<{ name: string; link: string } | null>(null);
  const setRole = useAction(async (member: Member, role: Role) => {
    try {
      await patch(`${base}${member.id}/`, { role });
    } finally {
      await reload();
    }
  });
  const reset = useAction(async (member: Member) => {
    const made = await post<{ link: string }>(`${base}${member.id}/reset/`);
    setLink({ name: member.username, link: made.link });
  });
  const dismiss = useAction(async (member: Member) => {
    setLeaving(null);
    await remove(`${base}${member.id}/`);
    await reload();
  });

  return (
    <>
      <Table
        caption={t("members.title")}
        rows={members}
        rowKey={(member) => member.id}
        columns={[
          {
            head: t("members.who"),
            cell: (member) => (
              <>
                {member.username}{" "}
                {member.simulated && <span class="tag">{t("shell.simulated")}</span>}
                {differs(member) && <span class="quiet">{member.name}</span>}
              </>
            ),
          },
          {
            head: t("members.role"),
            cell: (member) => (
              <select
                aria-label={t("members.role_of", { name: member.username })}
                value={member.role}
                disabled={setRole.busy}
                onChange={(event) => setRole.run(member, event.currentTarget.value as Role)}
              >
                {ROLES.map((role) => (
                  <option key={role} value={role}>
                    {t(`role.${role}`)}
                  </option>
                ))}
              </select>
            ),
          },
          { head: t("members.labels"), number: true, cell: (member) => integer(member.labels) },
          {
            head: t("common.actions"),
            cell: (member) => (
              <span class="actions">
                <Button disabled={reset.busy} onClick={() => reset.run(member)}>
                  {t("members.reset")}
                </Button>
                <Button kind="stop" disabled={dismiss.busy} onClick={() => setLeaving(member)}>
                  {t("members.remove")}
                </Button>
              </span>
            ),
          },
        ]}
      />
      <ErrorNotice error={setRole.error ?? reset.error ?? dismiss.error} />
      {link && (
        <Notice kind="warn">
          <p>{t("members.reset_link", { name: link.name })}</p>
          <CopyLink label={t("members.reset_link", { name: link.name })} link={link.link} />
        </Notice>
      )}
      {leaving && (
        <Dialog
          title={t("members.remove_title", { name: leaving.username })}
          onClose={() => setLeaving(null)}
        >
          <p>{t("members.remove_about", { count: leaving.labels })}</p>
          <div class="actions">
            <Button kind="stop" onClick={() => dismiss.run(leaving)}>
              {t("members.remove")}
            </Button>
            <Button onClick={() => setLeaving(null)}>{t("common.cancel")}</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** A full name says something only when it is not the user name again. */
function differs({ name, username }: Member): boolean {
  return name !== "" && name.toLowerCase() !== username.toLowerCase();
}
