/** The levels of a run's guard, in words. */

import type { Guard } from "../api/models";
import { t } from "../i18n";
import { said } from "./drawing";
import { type Line, lineName, type Plot } from "./plots";

type Ends = readonly (number | null)[];

/** "KL: warns above 17.2, stops above 86.0", for each line that is watched. */
export function levelWords(plot: Plot, guard: Guard): string[] {
  return plot.lines.flatMap((line) => {
    const level = guard.levels[line.name];
    if (!level) return [];
    const words = { warning: ends(line, level.warning), stop: ends(line, level.stop) };
    if (!words.warning) return [];
    const said = words.stop ? "guard.level" : "guard.level_warns";
    return [t(said, { name: lineName(line), ...words })];
  });
}

/** "below 0.23 or above 0.57"; empty where no value can lie so: a share never exceeds 1. */
function ends(line: Line, [low, high]: Ends): string {
  const below = typeof low === "number" && t("guard.below", { value: said(line, low) });
  const above =
    typeof high === "number" &&
    !(line.share && high >= 1) &&
    t("guard.above", { value: said(line, high) });
  if (below && above) return t("guard.either", { below, above });
  return below || above || "";
}
