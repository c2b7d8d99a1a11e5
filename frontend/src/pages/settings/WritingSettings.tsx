import type { ComponentChildren } from "preact";
import { useResource } from "../../api/resource";
import type { Gap, Median } from "../../api/types";
import { clock, decimal, integer } from "../../format";
import { t } from "../../i18n";
import { Interval } from "../../parts/Interval";
import { Section } from "../../parts/Section";
import { Loaded } from "../../parts/States";
import type { SettingsProps } from ".";

const TIMES = ["write", "choose_after", "choose_without"] as const;
const AGREEMENT = ["agree_after", "agree_without", "wrote_own", "wrote_other"] as const;

/** Writing an answer against choosing one: how long each takes, and how well each agrees. */
export function WritingSettings({ project }: SettingsProps) {
  const gap = useResource<Gap>(`projects/${project.slug}/gap/`);
  return (
    <Loaded resource={gap}>
      {(figures) => (
        <>
          <Section title={t("gap.time")} about={t("gap.time_about")}>
            <dl class="figures">
              {TIMES.map((name) => (
                <Row key={name} name={name}>
                  <Value figure={figures[name]} format={clock} />
                </Row>
              ))}
              <Row name="ratio">
                <Value figure={figures.ratio} format={decimal} />
              </Row>
            </dl>
          </Section>
          <Section title={t("gap.agreement")} about={t("gap.agreement_about")}>
            <dl class="figures">
              {AGREEMENT.map((name) => (
                <Row key={name} name={name}>
                  <Interval figure={figures[name]} />
                </Row>
              ))}
            </dl>
          </Section>
        </>
      )}
    </Loaded>
  );
}

type Name = (typeof TIMES)[number] | (typeof AGREEMENT)[number] | "ratio";

function Row({ name, children }: { name: Name; children: ComponentChildren }) {
  return (
    <>
      <dt>{t(`gap.${name}`)}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** A median with its interval, where there are enough for one. */
function Value({ figure, format }: { figure: Median | null; format: (value: number) => string }) {
  if (!figure) return <span class="quiet">{t("figure.none")}</span>;
  const { value, low, high, n } = figure;
  return (
    <span class="interval">
      <strong>{format(value)}</strong>{" "}
      <span class="quiet">
        {low === null || high === null
          ? t("gap.too_few", { n: integer(n) })
          : t("figure.interval", { low: format(low), high: format(high), n: integer(n) })}
      </span>
    </span>
  );
}
