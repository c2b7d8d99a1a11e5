import { useCallback, useRef, useState } from "preact/hooks";
import { ApiError } from "../api/client";
import { sentence } from "./Notice";

export interface Action<Args extends unknown[]> {
  run: (...args: Args) => Promise<void>;
  busy: boolean;
  error: Error | null;
  /** True from a success until the next run. */
  done: boolean;
  /** The sentence for this field, when the server named it. */
  errorOf: (field: string) => string | undefined;
}

/** Something a person starts that the server answers: once at a time, its failure kept to show. */
export function useAction<Args extends unknown[]>(
  task: (...args: Args) => Promise<unknown>,
): Action<Args> {
  const [state, setState] = useState({ busy: false, done: false, error: null as Error | null });
  const latest = useRef(task);
  latest.current = task;
  const running = useRef(false);

  const run = useCallback(async (...args: Args) => {
    if (running.current) return;
    running.current = true;
    setState({ busy: true, done: false, error: null });
    try {
      await latest.current(...args);
      setState({ busy: false, done: true, error: null });
    } catch (error) {
      setState({ busy: false, done: false, error: error as Error });
    } finally {
      running.current = false;
    }
  }, []);

  const errorOf = (field: string) =>
    state.error instanceof ApiError && state.error.field === field
      ? sentence(state.error)
      : undefined;
  return { run, ...state, errorOf };
}
