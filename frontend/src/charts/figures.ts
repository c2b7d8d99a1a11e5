/** Figures as a person reads them: never a rate without its interval and its n. */

import type { Share, Standing } from "../api/models";
import { integer, percent } from "../format";
import { t } from "../i18n";

/** A mean with the ends of its 95 % interval, which one value alone does not have. */
export interface Mean {
  n: number;
  mean: number | null;
  low: number | null;
  high: number | null;
}

/** "63 % (55–70, n 140)", or that there are not enough labels yet. */
export function shareText(figure: Share | null): string {
  if (!figure || figure.n === 0) return t("figure.none");
  const words = {
    value: percent(figure.value),
    low: percent(figure.low),
    high: percent(figure.high),
    n: integer(figure.n),
  };
  return `${t("figure.share", words)} ${t("figure.interval", words)}`;
}

/** "1.42 (1.31 to 1.53, n 128)". */
export function meanText(figure: Mean): string {
  if (figure.mean === null) return t("figures.nothing");
  if (figure.low === null || figure.high === null) {
    return t("figures.mean_alone", { value: decimal(figure.mean), n: integer(figure.n) });
  }
  const [value, low, high] = alike([figure.mean, figure.low, figure.high]);
  return t("figures.mean", { value, low, high, n: integer(figure.n) });
}

/** Numbers that belong together, with as many digits as the largest of them needs. */
export function alike(values: readonly number[]): string[] {
  const digits = digitsFor(Math.max(...values.map(Math.abs)));
  const format = new Intl.NumberFormat(document.documentElement.lang || "en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return values.map((value) =>
    format
      .format(value)
      .replace(/^-/, "−")
      .replace(/^−(0[.0]*)$/, "$1"),
  );
}

/** The rate of a standing, or null while nobody has answered. */
export function rateOf(standing: Standing | null): Share | null {
  if (!standing || standing.value === null || standing.low === null || standing.high === null) {
    return null;
  }
  return { n: standing.n, value: standing.value, low: standing.low, high: standing.high };
}

/** Whether people's answers alone say that it is better: the whole interval is above one half.
 * Its ends are ruled out themselves. */
export function isClear(figure: Share | null): boolean {
  return figure !== null && figure.n > 0 && figure.low >= 0.5;
}

/** About three digits that matter, such as 0.0123, 1.42, 84.2, 1,204. */
export function decimal(value: number): string {
  const language = document.documentElement.lang || "en";
  const size = Math.abs(value);
  if (size !== 0 && size < 0.001) return value.toExponential(1).replace(".0", "").replace("-", "−");
  const digits = digitsFor(size);
  const text = new Intl.NumberFormat(language, {
    minimumFractionDigits: Math.min(digits, 2),
    maximumFractionDigits: digits,
  }).format(value);
  return text.replace("-", "−");
}

function digitsFor(size: number): number {
  if (size >= 100) return 0;
  if (size >= 10) return 1;
  return size >= 0.1 || size === 0 ? 2 : 4;
}

/** A difference with its sign: "+3.10", "−0.42". */
export function signed(value: number): string {
  return value > 0 ? `+${decimal(value)}` : decimal(value);
}

/** A share from 0 to 1 with its sign: "0.1 %". */
export function percentage(share: number, digits: number): string {
  const format = new Intl.NumberFormat(document.documentElement.lang || "en", {
    maximumFractionDigits: digits,
  });
  return `${format.format(100 * share)} %`;
}

/** As short as an axis needs it: 0, 0.4, 1.5K. */
export function compact(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return decimal(value);
  return new Intl.NumberFormat(document.documentElement.lang || "en", {
    notation: "compact",
    maximumSignificantDigits: 3,
  })
    .format(value)
    .replace("-", "−");
}
