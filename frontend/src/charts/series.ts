/** The lines of a run's metrics, kept by step and turned into columns for drawing. */

export interface MetricLine {
  step: number;
  time: string;
  values: Record<string, number>;
}

/** Lines by ascending step; of two at one step the fresh one counts. */
export function merge(known: readonly MetricLine[], fresh: readonly MetricLine[]): MetricLine[] {
  const last = known.at(-1)?.step ?? Number.NEGATIVE_INFINITY;
  const first = fresh[0]?.step;
  if (first === undefined) return [...known];
  if (first > last) return [...known, ...fresh];
  const byStep = new Map([...known, ...fresh].map((line) => [line.step, line]));
  return [...byStep.values()].sort((a, b) => a.step - b.step);
}

/** One column of values for each name; null where a line does not have it. */
export function columns(
  lines: readonly MetricLine[],
  names: readonly string[],
): (number | null)[][] {
  return names.map((name) => lines.map((line) => line.values[name] ?? null));
}

/** Where `name` takes another value, as where one fit of a reward run ends and the next begins. */
export function changes(
  lines: readonly MetricLine[],
  name: string,
): { step: number; value: number }[] {
  const found: { step: number; value: number }[] = [];
  for (const line of lines) {
    const value = line.values[name];
    if (value !== undefined && value !== found.at(-1)?.value)
      found.push({ step: line.step, value });
  }
  return found;
}

/** The last value of a column that is one, and null in an empty column. */
export function latest(column: readonly (number | null)[]): number | null {
  return column.findLast((value) => value !== null) ?? null;
}
