/** How uPlot draws one chart of a run: axes, lines, guides, and the cursor that charts share. */

import type { Signal } from "@preact/signals";
import type uPlot from "uplot";
import type { Guard } from "../api/models";
import { compact, decimal, percentage } from "./figures";
import type { Ink } from "./ink";
import type { Line, Plot } from "./plots";
import { spanOf } from "./scale";

export const HEIGHT = 168;
const RIGHT_AXIS = 46;
const WHOLE_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000];

export interface Drawing {
  plot: Plot;
  ink: (name: Ink) => string;
  /** Steps at which something new begins, read at every draw. */
  bounds: { current: readonly number[] };
  /** What the guard compares the lines with, read at every draw. */
  guard: { current: Guard | null };
  /** The place of the shared cursor; null: nobody points. */
  at: Signal<number | null>;
  /** Charts of one group share their cursor. */
  group: string;
}

export function optionsOf(drawing: Drawing): Omit<uPlot.Options, "width"> {
  const { plot, ink, at, group } = drawing;
  const right = plot.lines.some((line) => line.axis === "right");
  return {
    height: HEIGHT,
    legend: { show: false },
    padding: [8, right ? 0 : plot.aligned ? RIGHT_AXIS : 10, 0, 0],
    scales: {
      x: {
        time: false,
        range: (_, low, high) => (low === null ? [0, 1] : [low, Math.max(high, low + 1)]),
      },
      left: { range: reaching(plot.left) },
      right: { range: reaching(plot.right) },
    },
    axes: axesOf(plot, ink),
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
    cursor: {
      sync: { key: group, setSeries: false, scales: ["x", null] },
      y: false,
      drag: { x: false, y: false },
      points: { size: 7 },
      bind: { dblclick: () => null },
    },
    hooks: {
      drawAxes: [(u) => drawMarks(u, drawing)],
      setCursor: [
        (u) => {
          at.value = u.cursor.idx ?? null;
        },
      ],
    },
  };
}

/** The span of what a scale shows, and of what it must show. */
function reaching(include: readonly number[] | undefined) {
  return (u: uPlot, _low: number, _high: number, scale: string): [number, number] => {
    const shown = u.data.filter((_, i) => i > 0 && u.series[i]?.scale === scale);
    const [low, high] = spanOf(shown.flat() as (number | null)[], include);
    return [low, high];
  };
}

function axesOf(plot: Plot, ink: (name: Ink) => string): uPlot.Axis[] {
  const lineOf = (side: "left" | "right") =>
    plot.lines.find((line) => (line.axis ?? "left") === side);
  const numbers = (line: Line | undefined) => (_: uPlot, splits: number[]) =>
    splits.map((value) => (line?.share ? percentage(value, 0) : compact(value)));
  const axis: uPlot.Axis = {
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    stroke: () => ink("ink-2"),
    grid: { stroke: () => ink("line"), width: 1 },
    ticks: { show: false },
    gap: 4,
  };
  const sideways = { ...axis, space: 32 };
  return [
    { ...axis, size: 22, space: 48, incrs: WHOLE_STEPS, grid: { show: false } },
    { ...sideways, scale: "left", size: 46, values: numbers(lineOf("left")) },
    {
      ...sideways,
      scale: "right",
      side: 1,
      size: RIGHT_AXIS,
      gap: 8,
      show: lineOf("right") !== undefined,
      values: numbers(lineOf("right")),
      grid: { show: false },
    },
  ];
}

/** A guide and the guard's levels across, the bounds and its stop upright, under the curves. */
function drawMarks(u: uPlot, { plot, ink, bounds, guard }: Drawing): void {
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
  for (const step of bounds.current) {
    const x = Math.round(u.valToPos(step, "x", true));
    drawLine(x, bbox.top, x, bbox.top + bbox.height);
  }
  const drawLevels = (line: Line, kind: "warning" | "stop") => {
    const axis = line.axis ?? "left";
    const { min, max } = u.scales[axis] ?? {};
    ctx.strokeStyle = ink(kind === "stop" ? "stop" : "warn");
    for (const level of guard.current?.levels[line.name]?.[kind] ?? []) {
      if (level === null || level < (min ?? level) || level > (max ?? level)) continue;
      const y = Math.round(u.valToPos(level, axis, true));
      drawLine(bbox.left, y, bbox.left + bbox.width, y);
    }
  };
  for (const line of plot.lines) {
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    drawLevels(line, "warning");
    ctx.setLineDash([]);
    drawLevels(line, "stop");
  }
  const stopped = guard.current?.stop?.step;
  if (stopped !== undefined && u.data[0].length) {
    const x = Math.round(u.valToPos(stopped, "x", true));
    drawLine(x, bbox.top, x, bbox.top + bbox.height);
  }
  ctx.restore();
}

/** Moves a chart's cursor to where the keys have put it. */
export function pointAt(chart: uPlot, at: number | null): void {
  if ((chart.cursor.idx ?? null) === at) return;
  const step = at === null ? undefined : chart.data[0][at];
  const left = step === undefined ? -10 : chart.valToPos(step, "x");
  chart.setCursor({ left, top: step === undefined ? -10 : 1 }, false);
}

/** A value of a line as its chart says it. */
export function said(line: Line, value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return line.share ? percentage(value, 1) : decimal(value);
}
