import { Link, useParams } from "wouter-preact";
import { post } from "../../api/client";
import type { Run, RunDetail } from "../../api/models";
import { useResource } from "../../api/resource";
import { dateTime } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { Loaded } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import { useProject } from "../../project";
import { isActive } from "../circle/state";
import { Lineage } from "../models/Lineage";
import { Configuration } from "./Configuration";
import { GuardStop } from "./GuardStop";
import { Log } from "./Log";
import { Metrics } from "./Metrics";
import { Progress } from "./Progress";
import { Report } from "./Report";
import "../models/models.css";
import "./runs.css";
import { Samples } from "./Samples";
import { StateTag } from "./StateTag";
import { duration, elapsed } from "./time";
import { kindWords, stepWords } from "./words";

const EVERY_SECONDS = 2;

export default function RunPage() {
  const { id = "" } = useParams();
  const run = useResource<RunDetail>(`runs/${id}/`, EVERY_SECONDS);
  useTitle(t("run.name", { id }), run.data ? kindWords(run.data) : undefined);
  return (
    <div class="page run-page">
      <Loaded resource={run}>{(data) => <Body run={data} reload={run.reload} />}</Loaded>
    </div>
  );
}

function Body({ run, reload }: { run: RunDetail; reload: () => Promise<void> }) {
  const role = useProject(run.project)?.data?.role;
  return (
    <>
      <header class="page-head">
        <h1>
          {t("run.name", { id: run.id })} <span class="quiet">{kindWords(run)}</span>
        </h1>
        <StateTag run={run} />
        {role === "manager" && <Steering run={run} reload={reload} />}
      </header>
      <StandingLine run={run} />
      <div class="run-columns">
        <div class="run-main">
          <GuardStop run={run} />
          {run.report && <Report kind={run.kind} report={run.report} />}
          <Metrics run={run} />
          <Samples run={run} />
          <Log run={run} />
        </div>
        <aside class="run-side">
          <Lineage title={t("run.lineage")} links={run.lineage} empty={t("run.no_lineage")} />
          <Configuration run={run} />
        </aside>
      </div>
    </>
  );
}

function Steering({ run, reload }: { run: Run; reload: () => Promise<void> }) {
  const steer = useAction(async (verb: "cancel" | "retry") => {
    await post<Run>(`runs/${run.id}/${verb}/`);
    await reload();
  });
  const mayCancel = run.state === "queued" || run.state === "running";
  const mayRetry = run.state === "failed" || run.state === "cancelled";
  if (!mayCancel && !mayRetry) return null;
  return (
    <div class="actions">
      <ErrorNotice error={steer.error} />
      {mayCancel && (
        <Button kind="stop" busy={steer.busy} onClick={() => steer.run("cancel")}>
          {t("run.cancel")}
        </Button>
      )}
      {mayRetry && (
        <Button busy={steer.busy} onClick={() => steer.run("retry")}>
          {t("run.retry")}
        </Button>
      )}
    </div>
  );
}

/** Where it stands, in one line and a bar; what went wrong, if anything did. */
function StandingLine({ run }: { run: Run }) {
  const took = elapsed(run);
  const active = isActive(run);
  const words = [
    (active || run.steps > 0) && stepWords(run),
    run.state === "running" && run.steps > 0 && run.stage,
    took !== null && t(active ? "run.since" : "run.took", { time: duration(took) }),
    run.device && t("run.on", { device: run.device }),
    run.attempt > 1 && t("run.attempt", { attempt: run.attempt }),
    run.requested_by ? t("run.by", { name: run.requested_by }) : t("run.by_loop"),
    run.finished_at && dateTime(run.finished_at),
  ];
  const share = run.steps > 0 ? run.step / run.steps : 0;
  return (
    <div class="run-line">
      <p class="quiet">{words.filter(Boolean).join(" · ")}</p>
      {active && <Progress share={share} label={t("run.progress")} />}
      {run.state === "failed" && <Notice kind="stop">{run.error}</Notice>}
      {run.state === "cancelling" && <Notice>{t("run.cancelling")}</Notice>}
      {run.version && (
        <p>
          <Link href={`/models/${run.version.id}`}>
            {t(run.kind === "reward" ? "run.left_reward" : "run.left_policy", {
              number: run.version.number,
            })}
          </Link>
        </p>
      )}
    </div>
  );
}
