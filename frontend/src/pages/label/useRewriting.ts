import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Assignment } from "../../api/types";
import type { Labeling } from "../../session/labeling";

export interface Rewritten {
  /** Which response is being rewritten; null: none. */
  place: number | null;
  open: (place: number) => void;
  /** The better response where that is known, then each in turn. */
  next: () => number;
  close: () => void;
}

/** Which response of a comparison has its editor open; the next comparison begins with none. */
export function useRewriting(labeling: Labeling, assignment: Assignment | null): Rewritten {
  const [place, setPlace] = useState<number | null>(null);
  const last = useRef<number | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the comparison that matters.
  useLayoutEffect(() => {
    setPlace(null);
    last.current = null;
  }, [assignment?.key]);
  return {
    place,
    open: (place) => {
      last.current = place;
      setPlace(place);
    },
    next: () =>
      last.current === null
        ? better(labeling)
        : (last.current + 1) % (assignment?.responses.length ?? 1),
    close: () => setPlace(null),
  };
}

function better({ state }: Labeling): number {
  const { draft, standing } = state.value;
  const choice = draft.choice ?? standing;
  const best = choice?.outcome === "prefer" ? choice.tiers[0]?.[0] : 0;
  return draft.tiers[0]?.[0] ?? best ?? 0;
}
