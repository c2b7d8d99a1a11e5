import { Link, useParams } from "wouter-preact";
import type { BatchDetail } from "../../api/models";
import { useResource } from "../../api/resource";
import { dateTime, integer } from "../../format";
import { t, tIn } from "../../i18n";
import { useTitle } from "../../parts/Shell";
import { Loaded } from "../../parts/States";
import { Table } from "../../parts/Table";
import { useProject } from "../../project";
import "../models/models.css";
import { StageTag } from "../models/Stage";
import { nameOf } from "../models/words";
import "./batches.css";
import { Preferences } from "./Preferences";

export default function BatchPage() {
  const { id = "" } = useParams();
  const batch = useResource<BatchDetail>(`batches/${id}/`);
  useTitle(batch.data ? t("batch.name", { number: batch.data.number }) : t("nav.batch"));
  return (
    <div class="page">
      <Loaded resource={batch}>{(data) => <Batch batch={data} />}</Loaded>
    </div>
  );
}

function Batch({ batch }: { batch: BatchDetail }) {
  useProject(batch.project);
  return (
    <>
      <header class="page-head">
        <h1>{t("batch.name", { number: batch.number })}</h1>
        {batch.simulated && <span class="tag">{t("shell.simulated")}</span>}
      </header>
      <Facts batch={batch} />
      <div class="batch-columns">
        <Counts
          title={t("batch.outcomes")}
          rows={Object.entries(batch.outcomes).map(([name, count]) => ({
            name: tIn("batch.outcome", name),
            count,
          }))}
          total={batch.size}
        />
        <Counts
          id="labelers"
          title={t("batch.labelers")}
          rows={batch.labelers.map(({ username, count }) => ({ name: username, count }))}
          total={batch.size}
        />
      </div>
      <Preferences key={batch.id} batch={batch.id} />
    </>
  );
}

function Facts({ batch }: { batch: BatchDetail }) {
  const { reward_model: model, run } = batch;
  return (
    <dl class="facts">
      <div>
        <dt>{t("batch.size")}</dt>
        <dd>
          {t("batch.holds", {
            count: batch.size,
            shown: integer(batch.size),
            fresh: integer(batch.fresh),
          })}
        </dd>
      </div>
      <div>
        <dt>{t("batch.sha256")}</dt>
        <dd>
          <code class="hash">{batch.sha256}</code>
        </dd>
      </div>
      <div>
        <dt>{t("batch.frozen")}</dt>
        <dd>
          {dateTime(batch.created_at)},{" "}
          {batch.created_by ? t("story.by", { name: batch.created_by }) : t("story.by_loop")}
        </dd>
      </div>
      <div>
        <dt>{t("batch.became")}</dt>
        <dd>
          {model ? (
            <>
              <Link href={`/models/${model.id}`}>{nameOf("reward", model)}</Link>{" "}
              <StageTag stage={model.stage} />
            </>
          ) : (
            <span class="quiet">{t("batch.no_model")}</span>
          )}
          {run && (
            <>
              {" · "}
              <Link href={`/runs/${run.id}`}>{t("run.name", { id: run.id })}</Link>{" "}
              <span class="quiet">{t(`run.state.${run.state}`)}</span>
            </>
          )}
        </dd>
      </div>
    </dl>
  );
}

interface CountsProps {
  id?: string;
  title: string;
  rows: { name: string; count: number }[];
  total: number;
}

/** How often each came, with a bar of its share. */
function Counts({ id, title, rows, total }: CountsProps) {
  const sorted = [...rows].sort((a, b) => b.count - a.count);
  return (
    <section id={id}>
      <h2>{title}</h2>
      <Table
        caption={title}
        columns={[
          { head: t("batch.name_of"), cell: ({ name }) => name },
          { head: t("batch.count"), number: true, cell: ({ count }) => integer(count) },
          {
            head: t("batch.share"),
            cell: ({ count }) => (
              <svg class="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
                <rect width={(100 * count) / total} height="6" />
              </svg>
            ),
          },
        ]}
        rows={sorted}
        rowKey={({ name }) => name}
      />
    </section>
  );
}
