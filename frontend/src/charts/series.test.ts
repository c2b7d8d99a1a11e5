import { describe, expect, test } from "vitest";
import { changes, columns, latest, type MetricLine, merge } from "./series";

const line = (step: number, values: Record<string, number> = {}): MetricLine => ({
  step,
  time: "2026-01-01T00:00:00Z",
  values,
});

describe("merge", () => {
  test("appends what is new", () => {
    const steps = merge([line(1), line(2)], [line(3)]).map(({ step }) => step);
    expect(steps).toEqual([1, 2, 3]);
  });

  test("lets a later attempt replace a step and keeps the order", () => {
    const merged = merge([line(1), line(2, { loss: 9 }), line(3)], [line(2, { loss: 1 })]);
    expect(merged.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(merged[1]?.values.loss).toBe(1);
  });

  test("of nothing new is what was known", () => {
    expect(merge([line(4)], [])).toEqual([line(4)]);
  });
});

test("columns leave a hole where a line lacks a value", () => {
  const lines = [line(1, { loss: 0.7, accuracy: 0.5 }), line(2, { loss: 0.6 })];
  expect(columns(lines, ["loss", "accuracy"])).toEqual([
    [0.7, 0.6],
    [0.5, null],
  ]);
});

test("changes tell where each fit begins", () => {
  const lines = [
    line(1, { fit: 1 }),
    line(2, { fit: 1 }),
    line(3, { fit: 2 }),
    line(4, { fit: 2 }),
  ];
  expect(changes(lines, "fit")).toEqual([
    { step: 1, value: 1 },
    { step: 3, value: 2 },
  ]);
});

test("latest passes over holes at the end", () => {
  expect(latest([1, 2, null])).toBe(2);
  expect(latest([null])).toBeNull();
});
