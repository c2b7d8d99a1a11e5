import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { letter } from "./forms";
import { dropped, type Tiers, toggled } from "./ranking";

interface Props {
  tiers: Tiers;
  set: (tiers: Tiers) => void;
}

/**
 * The ranking so far, best first: each response is dragged by its handle, and by nothing else, or
 * moved by the arrows while it has the focus. The sign between two says which is better, or makes
 * equals of them.
 */
export function RankBoard({ tiers, set }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const held = useRef<number | null>(null);
  const before = useRef(tiers);
  const latest = useRef({ tiers, set });
  latest.current = { tiers, set };
  const order = tiers.flat();

  // What was just placed has the focus, and what moves keeps it: a node that moves loses it.
  useLayoutEffect(() => {
    const had = before.current.flat();
    const fresh = order.find((position) => !had.includes(position));
    if (before.current === tiers) return;
    before.current = tiers;
    const lost = document.activeElement === document.body;
    const wanted = fresh ?? (lost ? held.current : null);
    list.current?.querySelector<HTMLElement>(`[data-position="${wanted}"]`)?.focus();
  });

  useEffect(() => {
    let stop = () => {};
    let there = true;
    import("sortablejs").then(({ default: Sortable }) => {
      if (!there || !list.current) return;
      const sortable = Sortable.create(list.current, {
        handle: ".grip",
        draggable: ".rank-chip",
        animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 120,
        // One way of dragging for mouse, pen and finger.
        forceFallback: true,
        fallbackOnBody: true,
        onEnd: ({ item, from, oldDraggableIndex: start = 0, newDraggableIndex: end = 0 }) => {
          if (start === end) return;
          // The order of the nodes belongs to Preact: it is put back, and drawn from the tiers.
          from.insertBefore(item, from.children[start + (end < start ? 1 : 0)] ?? null);
          held.current = Number(item.dataset.position);
          latest.current.set(dropped(latest.current.tiers, start, end));
        },
      });
      stop = () => sortable.destroy();
    });
    return () => {
      there = false;
      stop();
    };
  }, []);

  return (
    <ol class="rank-board" ref={list} aria-label={t("choice.ranking")}>
      {order.map((position, place) => {
        const tier = tiers.findIndex((members) => members.includes(position));
        const tied = tiers[tier]?.[0] !== position;
        return (
          <li
            key={position}
            class="rank-chip"
            data-position={position}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrows move what has the focus.
            tabIndex={0}
            aria-label={t("choice.rank_place", { letter: letter(position), place: tier + 1 })}
            aria-keyshortcuts="ArrowUp ArrowDown"
            onFocus={() => {
              held.current = position;
            }}
            onKeyDown={(event) => {
              if (event.key !== "Escape") return;
              event.preventDefault();
              document.querySelector<HTMLElement>(".responses-scroll")?.focus();
            }}
          >
            {place > 0 && (
              <button
                type="button"
                class="rank-sign"
                aria-pressed={tied}
                aria-label={t("choice.equals", {
                  letter: letter(position),
                  before: letter(order[place - 1] as number),
                })}
                onClick={() => set(toggled(tiers, place))}
              >
                {tied ? "=" : ">"}
              </button>
            )}
            <span class="grip" aria-hidden="true" title={t("choice.drag")}>
              ⠿
            </span>
            <span class="rank-letter" aria-hidden="true">
              {letter(position)}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
