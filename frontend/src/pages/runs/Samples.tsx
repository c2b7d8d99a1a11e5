import { useCallback, useMemo, useState } from "preact/hooks";
import type { Run, Sample } from "../../api/models";
import { decimal, signed } from "../../charts/figures";
import { integer } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import { isActive } from "../circle/state";
import { bySteps } from "./samples";
import { useGrowing } from "./useGrowing";

const EVERY_SECONDS = 3;
const SHOWN = 1;

/** What the policy wrote: the newest step first, as it comes. */
export function Samples({ run }: { run: Run }) {
  if (run.kind !== "policy" && run.kind !== "generate") return null;
  return <GrowingSamples key={run.id} run={run} />;
}

function GrowingSamples({ run }: { run: Run }) {
  const path = useCallback(
    (last: Sample | null) => `runs/${run.id}/samples/?after=${last?.place ?? 0}`,
    [run.id],
  );
  const { rows, known, error } = useGrowing(path, append, isActive(run) ? EVERY_SECONDS : 0);
  const steps = useMemo(() => bySteps(rows), [rows]);
  const [shown, setShown] = useState(SHOWN);
  const blind = run.kind === "generate";

  return (
    <section class="samples">
      <h2>{t("samples.title")}</h2>
      {blind && <p class="quiet">{t("samples.blind")}</p>}
      {!known && <ErrorNotice error={error} />}
      {known && rows.length === 0 && <p class="quiet">{t("samples.none")}</p>}
      {steps.slice(0, shown).map(({ step, samples }) => (
        <section key={step} class="samples-step">
          {step !== null && <h3>{t("samples.step", { step: integer(step) })}</h3>}
          <ol class="samples-list">
            {samples.map((sample) => (
              <li key={sample.place} class="sample">
                <SampleHead sample={sample} blind={blind} />
                <p class="sample-text">{sample.text}</p>
              </li>
            ))}
          </ol>
        </section>
      ))}
      {steps.length > shown && (
        <Button onClick={() => setShown(shown + 3)}>{t("samples.more")}</Button>
      )}
    </section>
  );
}

/** Where people compare what was written, its figures would tell who wrote it. */
function SampleHead({ sample, blind }: { sample: Sample; blind: boolean }) {
  const figures = [
    !blind && sample.reward !== null && t("samples.reward", { value: signed(sample.reward) }),
    !blind && sample.kl !== null && t("samples.kl", { value: decimal(sample.kl) }),
    t("samples.tokens", { count: sample.tokens }),
    sample.truncated && t("samples.truncated"),
  ];
  return (
    <p class="sample-head">
      <span class="sample-prompt">{sample.prompt}</span>
      <span class="quiet">{figures.filter(Boolean).join(" · ")}</span>
    </p>
  );
}

const append = (known: Sample[], fresh: Sample[]) => [...known, ...fresh];
