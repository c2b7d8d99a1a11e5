import { Link } from "wouter-preact";
import { useResource } from "../../api/resource";
import type { Results } from "../../api/types";
import { size } from "../../format";
import { t, tIn } from "../../i18n";
import { Section } from "../../parts/Section";
import { Loaded } from "../../parts/States";
import { Table } from "../../parts/Table";

interface SpareCheckpoint {
  run: number;
  name: string;
  bytes: number;
  why: "finished" | "half_written" | "newer";
}

/** What lies on the disk that no run and no model needs any more. */
export function Spare({ slug }: { slug: string }) {
  const spare = useResource<Results<SpareCheckpoint>>(`projects/${slug}/spare/`);
  return (
    <Loaded resource={spare}>
      {({ results }) => {
        if (results.length === 0) return null;
        const whole = results.reduce((sum, { bytes }) => sum + bytes, 0);
        return (
          <Section
            title={t("spare.title")}
            about={
              <>
                {t("spare.about", { size: size(whole) })}{" "}
                <code>bin/manage prune_runs --delete</code>
              </>
            }
          >
            <Table
              caption={t("spare.title")}
              columns={[
                {
                  head: t("runs.run"),
                  cell: ({ run }: SpareCheckpoint) => (
                    <Link href={`/runs/${run}`}>{t("run.name", { id: run })}</Link>
                  ),
                },
                { head: t("spare.checkpoint"), cell: ({ name }) => name },
                { head: t("spare.why"), cell: ({ why }) => tIn("spare.reasons", why) },
                { head: t("spare.size"), number: true, cell: ({ bytes }) => size(bytes) },
              ]}
              rows={results}
              rowKey={({ run, name }) => `${run} ${name}`}
            />
          </Section>
        );
      }}
    </Loaded>
  );
}
