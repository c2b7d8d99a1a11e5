import { integer } from "../../format";
import { t } from "../../i18n";
import { Interval } from "../../parts/Interval";
import { costWords, type Halves, share } from "./knowledge";

/** The model that learnt from the other half of the threads, and what the halving costs. */
export function SecondOpinion({ halves }: { halves: Halves | null }) {
  if (!halves) return null;
  const { second, whole, cost, labels } = halves;
  return (
    <section class="second-opinion">
      <h2>{t("second.title")}</h2>
      <p class="quiet">
        {t("second.about", { ours: integer(labels.final), others: integer(labels.second) })}
      </p>
      <dl class="facts">
        <div>
          <dt>{t("second.accuracy")}</dt>
          <dd>
            <Interval figure={share(second)} />
          </dd>
        </div>
        <div>
          <dt>{t("second.whole", { labels: integer(labels.whole) })}</dt>
          <dd>
            <Interval figure={share(whole)} />
          </dd>
        </div>
      </dl>
      <p>{costWords(cost)}</p>
    </section>
  );
}
