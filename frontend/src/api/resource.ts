/** Server data in a component: loaded, kept while it reloads, polled while somebody looks. */

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { get } from "./client";

export interface Resource<T> {
  data: T | null;
  /** The last failure; `data` is then what was last known, or null. */
  error: Error | null;
  reload: () => Promise<void>;
  /** Puts a value in place that the server has just returned. */
  set: (data: T) => void;
}

/**
 * Loads `path`, again every `everySeconds` while the page is visible, and at once when it becomes
 * visible again. `null` loads nothing. A change of path drops the old data.
 */
export function useResource<T>(path: string | null, everySeconds = 0): Resource<T> {
  const [state, setState] = useState<{ path: string | null; data: T | null; error: Error | null }>({
    path,
    data: null,
    error: null,
  });
  const newest = useRef(0);

  const reload = useCallback(async () => {
    if (path === null) return;
    newest.current += 1;
    const mine = newest.current;
    try {
      const data = await get<T>(path);
      if (mine === newest.current) setState({ path, data, error: null });
    } catch (error) {
      if (mine !== newest.current) return;
      setState((old) => ({
        path,
        data: old.path === path ? old.data : null,
        error: error as Error,
      }));
    }
  }, [path]);

  useEffect(() => {
    reload();
    return () => {
      newest.current += 1;
    };
  }, [reload]);
  usePoll(reload, everySeconds);

  const set = useCallback((data: T) => setState({ path, data, error: null }), [path]);
  const current = state.path === path;
  return {
    data: current ? state.data : null,
    error: current ? state.error : null,
    reload,
    set,
  };
}

/** Runs `task` every `everySeconds` while the page is visible; 0 never. Runs never overlap. */
export function usePoll(task: () => unknown, everySeconds: number): void {
  const latest = useRef(task);
  latest.current = task;
  useEffect(() => {
    if (!everySeconds) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let running = false;
    let stopped = false;

    const schedule = () => {
      clearTimeout(timer);
      if (!stopped && !document.hidden) timer = setTimeout(run, everySeconds * 1000);
    };
    const run = async () => {
      if (running) return;
      running = true;
      try {
        await latest.current();
      } finally {
        running = false;
        schedule();
      }
    };
    const onVisibility = () => {
      if (document.hidden) clearTimeout(timer);
      else run();
    };
    schedule();
    document.addEventListener("visibilitychange", onVisibility);
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisibility);
    };
  }, [everySeconds]);
}
