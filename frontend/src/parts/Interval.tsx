import { integer, percent } from "../format";
import { t } from "../i18n";

interface Props {
  /** Shares from 0 to 1 with the ends of their 95 % interval; n is the number they rest on. */
  figure: { value: number; low: number; high: number; n: number } | null;
}

/** "63 % (55–70, n 140)", or that there are not enough labels yet. */
export function Interval({ figure }: Props) {
  if (!figure || figure.n === 0) return <span class="quiet">{t("figure.none")}</span>;
  const words = {
    value: percent(figure.value),
    low: percent(figure.low),
    high: percent(figure.high),
    n: integer(figure.n),
  };
  return (
    <span class="interval" title={t("figure.interval_title", words)}>
      <strong>{t("figure.share", words)}</strong>{" "}
      <span class="quiet">{t("figure.interval", words)}</span>
    </span>
  );
}
