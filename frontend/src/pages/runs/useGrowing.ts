/** Lists that grow while a run is at work: only what is new is asked for. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "../../api/client";
import { usePoll } from "../../api/resource";

export interface Growing<T> {
  rows: T[];
  error: Error | null;
  /** False until the server has answered for the first time. */
  known: boolean;
}

/** As many as a full answer holds; a shorter one is the last for now. */
const PAGE = 200;

/**
 * Reads what comes after the last row that is known, every `everySeconds`, and once more when that
 * turns 0, since the end of a run writes too.
 *
 * @param path the address of what comes after a row, null: of all; another function starts over.
 * @param add puts fresh rows to the known ones.
 */
export function useGrowing<T>(
  path: (last: T | null) => string,
  add: (known: T[], fresh: T[]) => T[],
  everySeconds: number,
): Growing<T> {
  const [state, setState] = useState<Growing<T>>({ rows: [], error: null, known: false });
  const rows = useRef<T[]>([]);
  const newest = useRef<typeof path | null>(null);
  const reading = useRef<Promise<void> | null>(null);

  const readAll = useCallback(async () => {
    try {
      for (let more = true; more; ) {
        const { results } = await get<{ results: T[] }>(path(rows.current.at(-1) ?? null));
        if (newest.current !== path) return;
        more = results.length >= PAGE;
        rows.current = add(rows.current, results);
        setState({ rows: rows.current, error: null, known: true });
      }
    } catch (error) {
      if (newest.current === path) setState((old) => ({ ...old, error: error as Error }));
    }
  }, [path, add]);

  const read = useCallback(async () => {
    reading.current ??= readAll().finally(() => {
      reading.current = null;
    });
    await reading.current;
  }, [readAll]);

  useEffect(() => {
    newest.current = path;
    rows.current = [];
    reading.current = null;
    setState({ rows: [], error: null, known: false });
    read();
    return () => {
      newest.current = null;
    };
  }, [path, read]);

  const resting = everySeconds === 0;
  useEffect(() => {
    if (resting) read();
  }, [resting, read]);
  usePoll(read, everySeconds);
  return state;
}
