import { useCallback } from "preact/hooks";
import type { RunDetail } from "../../api/models";
import { Curves } from "../../charts/Curves";
import { PLOTS } from "../../charts/plots";
import { type MetricLine, merge } from "../../charts/series";
import { ErrorNotice } from "../../parts/Notice";
import { isActive } from "../circle/state";
import { Beside } from "./Beside";
import { useGrowing } from "./useGrowing";

const EVERY_SECONDS = 2;

/** The run's curves as they grow; a later attempt, which may replace steps, is read anew. */
export function Metrics({ run }: { run: RunDetail }) {
  return PLOTS[run.kind].length > 0 ? (
    <GrowingCurves key={`${run.id} ${run.attempt}`} run={run} />
  ) : null;
}

function GrowingCurves({ run }: { run: RunDetail }) {
  const path = useCallback(
    (last: MetricLine | null) => `runs/${run.id}/metrics/?after=${last?.step ?? -1}`,
    [run.id],
  );
  const metrics = useGrowing(path, merge, isActive(run) ? EVERY_SECONDS : 0);
  return (
    <>
      {!metrics.known && <ErrorNotice error={metrics.error} />}
      {metrics.known && (
        <Curves kind={run.kind} lines={metrics.rows} guard={run.guard} grows={isActive(run)} />
      )}
      {run.kind === "policy" && metrics.rows.length > 0 && (
        <Beside run={run} lines={metrics.rows} />
      )}
    </>
  );
}
