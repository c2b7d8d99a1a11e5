/** How long things take, in words. */

import { t } from "../../i18n";

/** "47 s", "3 min 5 s", "2 h 10 min". */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("time.seconds", { s: whole });
  const m = Math.floor(whole / 60);
  if (m < 60) return t("time.minutes", { m, s: whole % 60 });
  return t("time.hours", { h: Math.floor(m / 60), m: m % 60 });
}

/** An estimate, no finer than it can be: "about 40 s left", "about 4 min left". */
export function timeLeft(seconds: number): string {
  if (seconds < 10) return t("time.left_moment");
  if (seconds < 55) return t("time.left_seconds", { s: Math.ceil(seconds / 10) * 10 });
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return t("time.left_minutes", { m: minutes });
  return t("time.left_hours", { h: Math.floor(minutes / 60), m: minutes % 60 });
}

/** From start to end, or until now; null before the start. */
export function elapsed(
  run: { started_at: string | null; finished_at: string | null },
  now = Date.now(),
): number | null {
  if (!run.started_at) return null;
  const end = run.finished_at ? Date.parse(run.finished_at) : now;
  return Math.max(0, (end - Date.parse(run.started_at)) / 1000);
}
