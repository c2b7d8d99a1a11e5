import { type Signal, useSignalEffect } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { t, tIn } from "../i18n";
import { decimal } from "./figures";
import { type Ink, onSchemeChange, readInks } from "./ink";
import type { Plot } from "./plots";
import { spanOf } from "./scale";
import { columns, latest, type MetricLine } from "./series";

const HEIGHT = 168;

interface Props {
  plot: Plot;
  lines: readonly MetricLine[];
  /** Steps at which something new begins, drawn as upright lines. */
  bounds: readonly number[];
  /** Which of `lines` the shared cursor is on; null: nobody points. */
  at: Signal<number | null>;
  group: string;
}

/** One chart of a run, with the values under the shared cursor in its head. */
export function Curve({ plot, lines, bounds, at, group }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const inks = useRef<Record<Ink, string> | null>(null);
  const marks = useRef(bounds);
  marks.current = bounds;
  const data = useMemo(() => {
    const values = columns(lines, namesOf(plot));
    return { steps: lines.map(({ step }) => step), values };
  }, [lines, plot]);
  const { values } = data;

  useEffect(() => {
    const box = place.current;
    if (!box) return;
    inks.current = readInks(box);
    const ink = (name: Ink) => inks.current?.[name] ?? "";
    const drawn = new uPlot(
      {
        ...optionsOf(plot, ink, marks, at),
        width: box.clientWidth || 320,
        cursor: cursorOf(group),
      },
      [[]],
      box,
    );
    chart.current = drawn;
    const size = new ResizeObserver(() =>
      drawn.setSize({ width: box.clientWidth, height: HEIGHT }),
    );
    size.observe(box);
    const stop = onSchemeChange(() => {
      inks.current = readInks(box);
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
  useSignalEffect(() => {
    const index = at.value;
    if (chart.current) pointAt(chart.current, index);
  });

  return (
    <figure class="curve">
      <figcaption class="curve-head">
        <h3>{t(`chart.${plot.name}.title`)}</h3>
        {plot.lines.map((line, i) => (
          <span key={line.name} class="curve-value">
            <svg viewBox="0 0 16 4" aria-hidden="true" class={`curve-sign ${line.ink}`}>
              <path d="M0 2h16" stroke-dasharray={line.dash?.join(" ")} />
            </svg>
            {plot.lines.length > 1 && <span class="quiet">{tIn("metric", line.name)}</span>}
            <output>
              {said(at.value === null ? latest(values[i] ?? []) : values[i]?.[at.value])}
            </output>
          </span>
        ))}
      </figcaption>
      <div ref={place} class="curve-plot" role="img" aria-label={summary(plot, lines, values)} />
      <p class="curve-unit">{t(`chart.${plot.name}.unit`)}</p>
    </figure>
  );
}

const namesOf = (plot: Plot) => plot.lines.map((line) => line.name);

const said = (value: number | null | undefined) =>
  value === null || value === undefined ? "–" : decimal(value);

/** What the chart shows, in a sentence for those who cannot see it. */
function summary(plot: Plot, lines: readonly MetricLine[], values: (number | null)[][]): string {
  return plot.lines
    .map((line, i) => {
      const known = (values[i] ?? []).filter((value) => value !== null);
      if (known.length === 0) return t("chart.no_values", { name: tIn("metric", line.name) });
      return t("chart.summary", {
        name: tIn("metric", line.name),
        first: said(known[0]),
        last: said(known.at(-1)),
        low: said(Math.min(...known)),
        high: said(Math.max(...known)),
        step: lines.at(-1)?.step,
      });
    })
    .join(" ");
}

function cursorOf(group: string): uPlot.Cursor {
  return {
    sync: { key: group, setSeries: false, scales: ["x", null] },
    y: false,
    drag: { x: false, y: false },
    points: { size: 7 },
    bind: { dblclick: () => null },
  };
}

/** Moves a chart's cursor to where the keys have put it. */
function pointAt(chart: uPlot, at: number | null): void {
  if ((chart.cursor.idx ?? null) === at) return;
  const step = at === null ? undefined : chart.data[0][at];
  const left = step === undefined ? -10 : chart.valToPos(step, "x");
  chart.setCursor({ left, top: step === undefined ? -10 : 1 }, false);
}

type Marks = { current: readonly number[] };

function optionsOf(
  plot: Plot,
  ink: (name: Ink) => string,
  bounds: Marks,
  at: Signal<number | null>,
): Omit<uPlot.Options, "width" | "cursor"> {
  const font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const axis: uPlot.Axis = {
    font,
    stroke: () => ink("ink-2"),
    grid: { stroke: () => ink("line"), width: 1 },
    ticks: { show: false },
    gap: 4,
  };
  const range =
    (include: readonly number[] | undefined) =>
    (u: uPlot, _low: number, _high: number, scale: string) => {
      const shown = u.data.filter((_, i) => i > 0 && u.series[i]?.scale === scale);
      return [
        ...spanOf(
          shown.flatMap((column) => [...column]),
          include,
        ),
      ] as [number, number];
    };
  const numbers = (_: uPlot, splits: number[]) => splits.map(shortNumber);
  const right = plot.lines.some((line) => line.axis === "right");
  return {
    height: HEIGHT,
    legend: { show: false },
    padding: [8, right ? 0 : 10, 0, 0],
    scales: {
      x: {
        time: false,
        range: (_, low, high) => (low === null ? [0, 1] : [low, Math.max(high, low + 1)]),
      },
      left: { range: range(plot.left) },
      right: { range: range(plot.right) },
    },
    axes: [
      { ...axis, size: 22, space: 48, incrs: WHOLE_STEPS, grid: { show: false } },
      { ...axis, scale: "left", size: 44, space: 32, values: numbers },
      {
        ...axis,
        scale: "right",
        side: 1,
        size: 34,
        space: 32,
        show: right,
        values: numbers,
        grid: { show: false },
      },
    ],
    series: [
      {},
      ...plot.lines.map(
        (line): uPlot.Series => ({
          scale: line.axis ?? "left",
          stroke: () => ink(line.ink),
          width: 1.6,
          dash: line.dash,
          points: { show: (u) => u.data[0].length === 1, size: 5 },
          spanGaps: true,
        }),
      ),
    ],
    hooks: {
      drawAxes: [(u) => drawMarks(u, plot, ink, bounds.current)],
      setCursor: [
        (u) => {
          at.value = u.cursor.idx ?? null;
        },
      ],
    },
  };
}

const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000];

/** A guide across and a bound upright, under the curves. */
function drawMarks(
  u: uPlot,
  plot: Plot,
  ink: (name: Ink) => string,
  bounds: readonly number[],
): void {
  const { ctx, bbox } = u;
  const drawLine = (x0: number, y0: number, x1: number, y1: number) => {
    ctx.beginPath();
    ctx.moveTo(x0, y0);
    ctx.lineTo(x1, y1);
    ctx.stroke();
  };
  ctx.save();
  ctx.strokeStyle = ink("ink-2");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  if (plot.guide !== undefined && u.data[0].length) {
    const y = Math.round(u.valToPos(plot.guide, "left", true));
    drawLine(bbox.left, y, bbox.left + bbox.width, y);
  }
  for (const step of bounds) {
    const x = Math.round(u.valToPos(step, "x", true));
    drawLine(x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}

function shortNumber(value: number): string {
  if (value === 0) return "0";
  if (Math.abs(value) < 0.001) return decimal(value);
  return new Intl.NumberFormat(document.documentElement.lang || "en", {
    notation: "compact",
    maximumSignificantDigits: 3,
  })
    .format(value)
    .replace("-", "−");
}
