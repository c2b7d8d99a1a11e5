import { useState } from "preact/hooks";
import { get } from "../../api/client";
import { useResource } from "../../api/resource";
import type { Event, Results } from "../../api/types";
import { dateTime } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Loaded } from "../../parts/States";
import { Table } from "../../parts/Table";
import { useAction } from "../../parts/useAction";
import type { SettingsProps } from ".";

/** Who changed what, when. */
export function TrailSettings({ project }: SettingsProps) {
  const path = `projects/${project.slug}/events/`;
  const events = useResource<Results<Event>>(path);
  const [older, setOlder] = useState<Results<Event> | null>(null);
  const next = (older ?? events.data)?.next;
  const more = useAction(async () => {
    const page = await get<Results<Event>>(`${path}?before=${next}`);
    setOlder({ results: [...(older?.results ?? []), ...page.results], next: page.next });
  });
  return (
    <Section title={t("settings.trail.title")} about={t("settings.trail.about")}>
      <Loaded resource={events}>
        {({ results }) => (
          <Table
            caption={t("settings.trail.title")}
            rows={[...results, ...(older?.results ?? [])]}
            rowKey={(event) => event.id}
            columns={[
              {
                head: t("settings.trail.when"),
                cell: (event) => <span class="nowrap">{dateTime(event.created_at)}</span>,
              },
              {
                head: t("settings.trail.who"),
                cell: (event) => event.actor ?? t("settings.trail.command"),
              },
              { head: t("settings.trail.what"), cell: (event) => event.verb },
              {
                head: t("settings.trail.on"),
                cell: (event) => (
                  <>
                    {event.subject} <span class="quiet">{changeIn(event)}</span>
                  </>
                ),
              },
            ]}
          />
        )}
      </Loaded>
      {next && (
        <div class="actions">
          <Button busy={more.busy} onClick={() => more.run()}>
            {t("common.more")}
          </Button>
        </div>
      )}
      <ErrorNotice error={more.error} />
    </Section>
  );
}

/** "state: open → paused"; a long value is cut. */
export function changeIn({ before, after }: Pick<Event, "before" | "after">): string {
  const [old, fresh] = [fieldsOf(before), fieldsOf(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(fresh)])];
  return names
    .map((name) => {
      const change = [old[name], fresh[name]].filter((value) => value !== undefined);
      const words = change.map((value) =>
        cut(typeof value === "string" ? value : JSON.stringify(value)),
      );
      return [name, words.join(" → ")].filter(Boolean).join(": ");
    })
    .join(", ");
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (value === null || value === undefined) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  return { "": value };
}

const cut = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
