import { type Signal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Guard } from "../api/models";
import { t } from "../i18n";
import { HEIGHT, optionsOf, pointAt, said } from "./drawing";
import { type Ink, onSchemeChange, readInks } from "./ink";
import { levelWords } from "./levels";
import { lineName, type Plot } from "./plots";
import { columns, latest, type MetricLine } from "./series";

interface Props {
  plot: Plot;
  lines: readonly MetricLine[];
  /** Steps at which something new begins, drawn as upright lines. */
  bounds: readonly number[];
  /** The levels of a fine-tuning's guard, where it has measured them. */
  guard: Guard | null;
  /** Which of `lines` the shared cursor is on; null: nobody points. */
  at: Signal<number | null>;
  group: string;
}

/** One chart of a run, with the values under the shared cursor in its head. */
export function Curve({ plot, lines, bounds, guard, at, group }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const marks = useRef(bounds);
  marks.current = bounds;
  const watch = useRef(guard);
  const data = useMemo(() => {
    const names = plot.lines.map(({ name }) => name);
    return { steps: lines.map(({ step }) => step), values: columns(lines, names) };
  }, [lines, plot]);

  useEffect(() => {
    const box = place.current;
    if (!box) return;
    let inks = readInks(box);
    const ink = (name: Ink) => inks[name];
    const options = optionsOf({ plot, ink, bounds: marks, guard: watch, at, group });
    const drawn = new uPlot({ ...options, width: box.clientWidth || 320 }, [[]], box);
    chart.current = drawn;
    const size = new ResizeObserver(() =>
      drawn.setSize({ width: box.clientWidth, height: HEIGHT }),
    );
    size.observe(box);
    const stop = onSchemeChange(() => {
      inks = readInks(box);
      drawn.redraw();
    });
    return () => {
      stop();
      size.disconnect();
      drawn.destroy();
    };
  }, [plot, group, at]);

  useEffect(() => {
    chart.current?.setData([data.steps, ...data.values] as uPlot.AlignedData);
  }, [data]);
  useEffect(() => {
    watch.current = guard;
    // Not the curves: that would pin the scale to what it was before the steps that come with it.
    chart.current?.redraw(false);
  }, [guard]);
  useSignalEffect(() => {
    const index = at.value;
    if (chart.current) pointAt(chart.current, index);
  });

  return (
    <figure class="curve">
      <figcaption>
        <h3>{t(`chart.${plot.name}.title`)}</h3>
        <p class="curve-values">
          {plot.lines.map((line, i) => (
            <span key={line.name} class="curve-value">
              <svg viewBox="0 0 16 4" aria-hidden="true" class={`curve-sign ${line.ink}`}>
                <path d="M0 2h16" stroke-dasharray={line.dash?.join(" ")} />
              </svg>
              <span class="quiet">{lineName(line)}</span>
              <output>{said(line, pointed(data.values[i] ?? [], at.value))}</output>
            </span>
          ))}
        </p>
      </figcaption>
      <div ref={place} class="curve-plot" role="img" aria-label={summary(plot, data)} />
      <p class="curve-unit">{t(`chart.${plot.name}.unit`)}</p>
      {guard &&
        levelWords(plot, guard).map((words) => (
          <p key={words} class="curve-unit">
            {words}
          </p>
        ))}
    </figure>
  );
}

type Column = readonly (number | null)[];

const pointed = (column: Column, at: number | null) => (at === null ? latest(column) : column[at]);

/** What the chart shows, in a sentence for those who cannot see it. */
function summary(plot: Plot, { steps, values }: { steps: number[]; values: Column[] }): string {
  return plot.lines
    .map((line, i) => {
      const name = lineName(line);
      const known = (values[i] ?? []).filter((value) => value !== null);
      if (known.length === 0) return t("chart.no_values", { name });
      return t("chart.summary", {
        name,
        first: said(line, known[0]),
        last: said(line, known.at(-1)),
        low: said(line, Math.min(...known)),
        high: said(line, Math.max(...known)),
        step: steps.at(-1),
      });
    })
    .join(" ");
}
