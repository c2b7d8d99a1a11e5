import { useSignal } from "@preact/signals";
import { useId, useMemo } from "preact/hooks";
import type { Guard, RunKind } from "../api/models";
import { integer } from "../format";
import { t } from "../i18n";
import { Curve } from "./Curve";
import "./curves.css";
import { measured, PLOTS } from "./plots";
import { changes, type MetricLine } from "./series";

interface Props {
  kind: RunKind;
  lines: readonly MetricLine[];
  guard: Guard | null;
  /** Whether more steps may come. */
  grows: boolean;
}

/** The charts of a run on one shared x, with one cursor that the pointer or the arrow keys move. */
export function Curves({ kind, lines, guard, grows }: Props) {
  const at = useSignal<number | null>(null);
  const group = useId();
  const fits = useMemo(() => changes(lines, "fit"), [lines]);
  const bounds = useMemo(() => fits.slice(1).map(({ step }) => step - 0.5), [fits]);
  const plots = useMemo(() => measured(PLOTS[kind], lines), [kind, lines]);
  if (plots.length === 0) return null;

  const shown = lines[at.value ?? lines.length - 1];
  const fit = fits.findLast(({ step }) => shown && step <= shown.step)?.value;
  const onKeyDown = (event: KeyboardEvent) => {
    const next = moved(event.key, at.value, lines.length);
    if (next === undefined) return;
    event.preventDefault();
    at.value = next;
  };

  return (
    <div
      class="curves"
      role="group"
      aria-label={t("chart.group")}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys move the cursor.
      tabIndex={0}
      onKeyDown={onKeyDown}
      onBlur={() => {
        at.value = null;
      }}
    >
      <p class="curves-at quiet" aria-live="polite">
        {shown
          ? t(at.value === null ? "chart.latest" : "chart.at", { step: integer(shown.step) })
          : t(grows ? "chart.waiting" : "chart.never")}
        {fit !== undefined && ` · ${t("chart.fit", { number: fit })}`}
      </p>
      <div class={plots.length === 3 ? "curves-grid three" : "curves-grid"}>
        {plots.map((plot) => (
          <Curve
            key={plot.name}
            plot={plot}
            lines={lines}
            bounds={bounds}
            guard={guard}
            at={at}
            group={group}
          />
        ))}
      </div>
    </div>
  );
}

/** Where a key moves the cursor; undefined where it does nothing. */
export function moved(key: string, at: number | null, count: number): number | null | undefined {
  const last = count - 1;
  if (last < 0) return undefined;
  if (key === "ArrowLeft") return Math.max(0, (at ?? last + 1) - 1);
  if (key === "ArrowRight") return Math.min(last, (at ?? last) + 1);
  if (key === "Home") return 0;
  if (key === "End") return last;
  if (key === "Escape") return null;
  return undefined;
}
