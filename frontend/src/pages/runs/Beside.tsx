import { useCallback, useState } from "preact/hooks";
import type { Run, RunDetail } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Results } from "../../api/types";
import { type Measure, SHARES, shared, traceOf } from "../../charts/distance";
import { type MetricLine, merge } from "../../charts/series";
import { Traces } from "../../charts/Traces";
import { t, tIn } from "../../i18n";
import { Field } from "../../parts/Field";
import { ErrorNotice } from "../../parts/Notice";
import { useGrowing } from "./useGrowing";
import "./beside.css";

interface Props {
  run: RunDetail;
  lines: readonly MetricLine[];
}

/** This fine-tuning and another of the same policy, on the same axes. */
export function Beside({ run, lines }: Props) {
  const runs = useResource<Results<Run>>(`projects/${run.project}/runs/`);
  const [other, setOther] = useState<number | null>(null);
  const others = (runs.data?.results ?? []).filter(
    ({ id, kind, policy, step }) =>
      kind === "policy" && id !== run.id && policy?.id === run.policy?.id && step > 0,
  );
  if (others.length === 0) return null;
  return (
    <section class="beside">
      <h2>{t("beside.title")}</h2>
      <Field label={t("beside.run")} help={t("beside.help")}>
        {(control) => (
          <select
            {...control}
            value={other ?? ""}
            onChange={({ currentTarget: { value } }) => setOther(value ? Number(value) : null)}
          >
            <option value="">{t("beside.none")}</option>
            {others.map(({ id }) => (
              <option key={id} value={id}>
                {t("run.name", { id })}
              </option>
            ))}
          </select>
        )}
      </Field>
      {other !== null && <Both key={other} run={run.id} lines={lines} other={other} />}
    </section>
  );
}

function Both({ run, lines, other }: { run: number; lines: Props["lines"]; other: number }) {
  const path = useCallback(
    (last: MetricLine | null) => `runs/${other}/metrics/?after=${last?.step ?? -1}`,
    [other],
  );
  const theirs = useGrowing(path, merge, 0);
  const [chosen, setChosen] = useState<Measure | null>(null);
  const measures = shared([lines, theirs.rows]);
  const measure = chosen ?? measures[0];
  if (!theirs.known) return <ErrorNotice error={theirs.error} />;
  if (!measure) return <p class="quiet">{t("beside.nothing")}</p>;
  const traces = [
    traceOf(t("run.name", { id: run }), lines, measure),
    traceOf(t("run.name", { id: other }), theirs.rows, measure),
  ];
  const words = { measure: tIn("metric", measure), run, other };
  return (
    <>
      <Field label={t("beside.measure")}>
        {(control) => (
          <select
            {...control}
            value={measure}
            onChange={({ currentTarget }) => setChosen(currentTarget.value as Measure)}
          >
            {measures.map((name) => (
              <option key={name} value={name}>
                {tIn("metric", name)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <p class="beside-legend">
        {traces.map(({ name }) => (
          <span key={name}>
            <svg viewBox="0 0 24 4" aria-hidden="true">
              <path d="M0 2h24" />
            </svg>
            {name}
          </span>
        ))}
      </p>
      <Traces
        axis={t("beside.axis")}
        summary={t("beside.summary", words)}
        traces={traces}
        share={SHARES.includes(measure)}
      />
    </>
  );
}
