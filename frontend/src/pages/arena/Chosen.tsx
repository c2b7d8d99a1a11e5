import { Link } from "wouter-preact";
import type { ArenaPoint, Standing } from "../../api/models";
import { decimal, rateOf, signed } from "../../charts/figures";
import { t } from "../../i18n";
import { Interval } from "../../parts/Interval";
import { nameOf } from "../models/words";

/** The point under the cursor, in figures. */
export function Chosen({ point }: { point: ArenaPoint }) {
  const { version, kl, proxy, win_rate, verdict, rating } = point;
  const afresh = verdict !== null && verdict.n !== win_rate?.n;
  return (
    <>
      <h2>
        <Link href={`/models/${version.id}`}>{nameOf("policy", version)}</Link>
      </h2>
      <dl class="facts">
        <div>
          <dt>{t("arena.win_rate")}</dt>
          <dd>
            <Interval figure={rateOf(win_rate)} />
          </dd>
        </div>
        {afresh && (
          <div>
            <dt>{t("arena.verdict")}</dt>
            <dd>
              <Interval figure={rateOf(verdict)} />
            </dd>
          </div>
        )}
        {rating !== null && (
          <div>
            <dt>{t("arena.rating_head")}</dt>
            <dd>
              {signed(rating)} <span class="quiet">{t("arena.rating_help")}</span>
            </dd>
          </div>
        )}
        <div>
          <dt>{t("arena.kl_head")}</dt>
          <dd>{kl === null ? t("arena.not_measured") : decimal(kl)}</dd>
        </div>
        <div>
          <dt>{t("arena.proxy_head")}</dt>
          <dd>{proxy === null ? t("arena.not_measured") : signed(proxy)}</dd>
        </div>
      </dl>
      {win_rate !== null && win_rate.n > 0 && (
        <p class="quiet">{wantedWords(afresh ? verdict : win_rate)}</p>
      )}
    </>
  );
}

/** How many more labels it takes to tell the policy from the reference. */
function wantedWords({ wanted }: Standing): string {
  if (wanted === null) return t("arena.wanted_never");
  return wanted === 0 ? t("arena.wanted_enough") : t("arena.wanted", { count: wanted });
}
