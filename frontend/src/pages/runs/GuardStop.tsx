import type { RunDetail } from "../../api/models";
import { decimal, percentage, signed } from "../../charts/figures";
import { t } from "../../i18n";
import { Notice } from "../../parts/Notice";

/** Why the guard stopped a run, what was kept, and samples that show it; a warning that stands. */
export function GuardStop({ run }: { run: RunDetail }) {
  const { guard } = run;
  if (guard?.standing === "warning") return <Notice kind="warn">{t("guard.warns")}</Notice>;
  if (!guard?.stop) return null;
  const { stop, kept } = guard;
  return (
    <section class="samples">
      <h2>{t("guard.title")}</h2>
      <Notice kind="stop">
        {stop.sentence} {kept !== null && keptWords(run, kept)}
      </Notice>
      <p class="quiet">{t("guard.samples")}</p>
      <ol class="samples-list">
        {stop.samples.map((sample, i) => (
          <li key={i} class="sample">
            <p class="sample-head">
              <span class="sample-prompt">{sample.prompt}</span>
              <span class="quiet">
                {[
                  t("samples.reward", { value: signed(sample.reward) }),
                  t("samples.kl", { value: decimal(sample.kl) }),
                  t("guard.repetition", { value: percentage(sample.repetition, 0) }),
                  t("samples.tokens", { count: sample.tokens }),
                ].join(" · ")}
              </span>
            </p>
            <p class="sample-text">{sample.text}</p>
          </li>
        ))}
      </ol>
    </section>
  );
}

function keptWords(run: RunDetail, kept: number): string {
  if (run.configuration.guard !== "stop") return t("guard.watched");
  return kept > 0 ? t("guard.kept", { step: kept }) : t("guard.kept_none");
}
