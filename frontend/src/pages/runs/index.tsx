import { useState } from "preact/hooks";
import { Link, useParams } from "wouter-preact";
import { get } from "../../api/client";
import type { Run } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Results } from "../../api/types";
import { dateTime, relative } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { Empty, Loaded } from "../../parts/States";
import { type Column, Table } from "../../parts/Table";
import { useAction } from "../../parts/useAction";
import { useProject } from "../../project";
import { isActive } from "../circle/state";
import { nameOf } from "../models/words";
import { Progress } from "./Progress";
import "./runs.css";
import { Spare } from "./Spare";
import { StateTag } from "./StateTag";
import { duration, elapsed } from "./time";
import { kindWords, stepWords } from "./words";

const EVERY_SECONDS = 3;

export default function Runs() {
  const { slug = "" } = useParams();
  const project = useProject(slug)?.data;
  const runs = useResource<Results<Run>>(`projects/${slug}/runs/`, EVERY_SECONDS);
  useTitle(t("nav.runs"), project?.name);
  return (
    <div class="page">
      <h1>{t("nav.runs")}</h1>
      <Loaded resource={runs}>
        {(newest) =>
          newest.results.length === 0 ? (
            <Empty title={t("runs.none")}>
              <p class="quiet">{t("runs.none_help")}</p>
              <p>
                <Link href={`/p/${slug}/circle`}>{t("runs.to_circle")}</Link>
              </p>
            </Empty>
          ) : (
            <RunTable key={slug} slug={slug} newest={newest} />
          )
        }
      </Loaded>
      {project?.role === "manager" && <Spare slug={slug} />}
    </div>
  );
}

/** The newest runs, kept up to date, and older ones as they are asked for. */
function RunTable({ slug, newest }: { slug: string; newest: Results<Run> }) {
  const [older, setOlder] = useState<Results<Run> | null>(null);
  const next = older ? older.next : newest.next;
  const more = useAction(async () => {
    const page = await get<Results<Run>>(`projects/${slug}/runs/?before=${next}`);
    setOlder({ ...page, results: [...(older?.results ?? []), ...page.results] });
  });
  const shown = new Set(newest.results.map(({ id }) => id));
  const rows = [...newest.results, ...(older?.results ?? []).filter(({ id }) => !shown.has(id))];
  return (
    <>
      <div class="runs-table">
        <Table caption={t("nav.runs")} columns={COLUMNS} rows={rows} rowKey={({ id }) => id} />
      </div>
      <ErrorNotice error={more.error} />
      {next && (
        <Button busy={more.busy} onClick={more.run}>
          {t("common.more")}
        </Button>
      )}
    </>
  );
}

const COLUMNS: Column<Run>[] = [
  {
    head: t("runs.run"),
    cell: (run) => <Link href={`/runs/${run.id}`}>{t("run.name", { id: run.id })}</Link>,
  },
  { head: t("runs.what"), cell: kindWords },
  { head: t("runs.state"), cell: (run) => <StateTag run={run} /> },
  { head: t("runs.progress"), cell: (run) => <Standing run={run} /> },
  { head: t("runs.left"), cell: (run) => <Left run={run} /> },
  {
    head: t("runs.took"),
    number: true,
    cell: (run) => {
      const seconds = elapsed(run);
      return seconds === null ? "–" : duration(seconds);
    },
  },
  {
    head: t("runs.asked"),
    cell: ({ created_at, requested_by }) => (
      <>
        <time dateTime={created_at} title={dateTime(created_at)}>
          {relative(created_at)}
        </time>{" "}
        <span class="quiet">
          {requested_by ? t("run.by_short", { name: requested_by }) : t("run.by_loop_short")}
        </span>
      </>
    ),
  },
];

function Standing({ run }: { run: Run }) {
  if (run.state === "failed") return <span class="run-error">{run.error}</span>;
  if (!isActive(run)) return <span class="quiet">{run.steps > 0 ? stepWords(run) : "–"}</span>;
  return (
    <div class="run-standing">
      <span>{stepWords(run)}</span>
      <Progress share={run.steps > 0 ? run.step / run.steps : 0} />
    </div>
  );
}

/** The model that the run left. */
function Left({ run: { kind, version } }: { run: Run }) {
  if (!version) return <span class="quiet">–</span>;
  return (
    <Link href={`/models/${version.id}`}>
      {nameOf(kind === "reward" ? "reward" : "policy", version)}
    </Link>
  );
}
