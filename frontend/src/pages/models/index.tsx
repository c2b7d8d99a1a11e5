import { Link, useParams } from "wouter-preact";
import type { Version, VersionKind } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Results } from "../../api/types";
import { rateOf } from "../../charts/figures";
import { dateTime, relative } from "../../format";
import { t } from "../../i18n";
import { Interval } from "../../parts/Interval";
import { useTitle } from "../../parts/Shell";
import { Empty, Loaded } from "../../parts/States";
import { type Column, Table } from "../../parts/Table";
import { useProject } from "../../project";
import "./models.css";
import { StageTag } from "./Stage";
import { versionName } from "./words";

const EVERY_SECONDS = 5;

export default function Models() {
  const { slug = "" } = useParams();
  const project = useProject(slug)?.data;
  const models = useResource<Results<Version>>(`projects/${slug}/models/`, EVERY_SECONDS);
  useTitle(t("nav.models"), project?.name);
  return (
    <div class="page">
      <h1>{t("nav.models")}</h1>
      <Loaded resource={models}>
        {({ results }) => (
          <>
            <Versions kind="policy" versions={results} />
            <Versions kind="reward" versions={results} />
          </>
        )}
      </Loaded>
    </div>
  );
}

function Versions({ kind, versions }: { kind: VersionKind; versions: readonly Version[] }) {
  const rows = versions.filter((version) => version.kind === kind);
  return (
    <section class="models-kind">
      <h2>{t(`models.${kind}.title`)}</h2>
      <p class="quiet">{t(`models.${kind}.about`)}</p>
      {rows.length === 0 ? (
        <Empty title={t(`models.${kind}.none`)}>
          <p class="quiet">{t(`models.${kind}.none_help`)}</p>
        </Empty>
      ) : (
        <Table
          caption={t(`models.${kind}.title`)}
          columns={columnsOf(kind)}
          rows={rows}
          rowKey={({ id }) => id}
        />
      )}
    </section>
  );
}

function columnsOf(kind: VersionKind): Column<Version>[] {
  return [
    {
      head: t("models.name"),
      cell: (version) => <Link href={`/models/${version.id}`}>{versionName(version)}</Link>,
    },
    { head: t("models.stage"), cell: ({ stage }) => <StageTag stage={stage} /> },
    kind === "reward"
      ? { head: t("models.accuracy"), cell: ({ accuracy }) => <Interval figure={accuracy} /> }
      : { head: t("models.win_rate"), cell: (version) => <WinRate version={version} /> },
    { head: t("models.source"), cell: ({ source }) => <code class="source">{source}</code> },
    {
      head: t("models.made"),
      cell: ({ created_at }) => (
        <time dateTime={created_at} title={dateTime(created_at)}>
          {relative(created_at)}
        </time>
      ),
    },
  ];
}

function WinRate({ version }: { version: Version }) {
  if (version.is_reference) return <span class="quiet">{t("models.is_reference")}</span>;
  return <Interval figure={rateOf(version.win_rate)} />;
}
