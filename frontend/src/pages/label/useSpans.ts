import type { RefObject } from "preact";
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Assignment, Project, Span } from "../../api/types";
import { highlight } from "../../render/highlights";
import { codePointsBefore, offsetOf, type Place, RawText } from "../../render/rawText";
import type { Labeling } from "../../session/labeling";

/** Words that are being marked: a place in the raw text of one message of one response. */
export interface Picking extends Place {
  position: number;
  message: number;
  /** It follows what is selected on the page, and goes with it. */
  selected: boolean;
}

export interface Spans {
  picking: Picking | null;
  quote: string;
  /** Begins, or goes on to the next response. */
  begin: () => void;
  move: (words: number) => void;
  extend: (words: number) => void;
  mark: (category: string) => void;
  close: () => void;
}

interface Props {
  page: RefObject<HTMLElement>;
  project: Project;
  labeling: Labeling;
  /** null while there is nothing to compare. */
  assignment: Assignment | null;
}

/** A selection is read once it has stood still for a moment. */
const SETTLED = 200;

/** Marking words of the responses, by what is selected or word by word from the keyboard. */
export function useSpans({ page, project, labeling, assignment }: Props): Spans {
  const [picking, draw] = useState<Picking | null>(null);
  // Keys may come faster than the page is drawn: each goes on from where the one before led.
  const now = useRef<Picking | null>(null);
  const last = useRef<Picking | null>(null);
  const setPicking = useCallback((place: Picking | null) => {
    now.current = place;
    if (place) last.current = place;
    draw(place);
  }, []);
  const { spans } = labeling.state.value.draft;
  const asked = project.span_categories.length > 0 && assignment?.write_first === false;
  const texts = useMemo(() => new Texts(page, assignment), [page, assignment]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the next pair begins unmarked.
  useLayoutEffect(() => {
    setPicking(null);
    last.current = null;
  }, [assignment?.key]);

  useEffect(() => {
    if (!asked) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const read = () => {
      const found = texts.selected();
      if (found || now.current?.selected) setPicking(found);
    };
    const onSelection = () => {
      clearTimeout(timer);
      timer = setTimeout(read, SETTLED);
    };
    document.addEventListener("selectionchange", onSelection);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("selectionchange", onSelection);
    };
  }, [asked, texts, setPicking]);

  useEffect(() => {
    const root = page.current?.querySelector(".response-pages");
    if (!root || (spans.length === 0 && !picking)) return;
    let erase = () => {};
    const paint = () => {
      erase();
      const marked = highlight(
        "span",
        spans.flatMap((span) => texts.rangesOfSpan(span)),
      );
      const picked = highlight("span-picking", picking ? texts.rangesOf(picking) : []);
      erase = () => {
        marked();
        picked();
      };
    };
    paint();
    // A text is drawn anew when its code or its formulas have loaded, or as it was written.
    const observer = new MutationObserver(paint);
    observer.observe(root, { childList: true, subtree: true });
    return () => {
      observer.disconnect();
      erase();
    };
  }, [page, texts, spans, picking]);

  const pick = (place: Picking | null) => {
    setPicking(place);
    if (place) texts.reveal(place);
  };
  const close = () => {
    getSelection()?.removeAllRanges();
    setPicking(null);
    page.current?.querySelector<HTMLElement>(".responses-scroll")?.focus();
  };
  return {
    picking,
    quote: picking ? texts.quoteOf(picking) : "",
    begin: () =>
      pick(now.current ? texts.firstOfNext(now.current) : (last.current ?? texts.first())),
    move: (words) => now.current && pick(texts.moved(now.current, words)),
    extend: (words) => now.current && pick(texts.extended(now.current, words)),
    mark: (category) => {
      if (!now.current) return;
      const { spans } = labeling.state.value.draft;
      const span = texts.spanOf(now.current, category);
      const known = spans.some((other) => JSON.stringify(other) === JSON.stringify(span));
      if (!known) labeling.draft({ spans: [...spans, span] });
      close();
    },
    close,
  };
}

/** The texts of a comparison as written, and where the page shows them. */
class Texts {
  constructor(
    private readonly page: RefObject<HTMLElement>,
    private readonly assignment: Assignment | null,
  ) {}

  first(): Picking | null {
    return this.firstOf(this.all()[0]);
  }

  firstOfNext({ position, message }: Picking): Picking | null {
    const all = this.all();
    const now = all.findIndex((at) => at.position === position && at.message === message);
    return this.firstOf(all[(now + 1) % all.length]);
  }

  moved(picking: Picking, words: number): Picking {
    const all = this.textOf(picking)?.words() ?? [];
    const from =
      words > 0
        ? all.findLastIndex(({ start }) => start < picking.end)
        : all.findIndex(({ end }) => end > picking.start);
    const word = all[Math.max(0, Math.min(all.length - 1, from + words))];
    return word ? { ...picking, ...word, selected: false } : picking;
  }

  extended(picking: Picking, words: number): Picking {
    const all = this.textOf(picking)?.words() ?? [];
    const first = all.findIndex(({ end }) => end > picking.start);
    const last = all.findLastIndex(({ start }) => start < picking.end);
    const word = all[Math.max(first, Math.min(all.length - 1, last + words))];
    return word ? { ...picking, end: word.end, selected: false } : picking;
  }

  /** What is selected on the page, if it lies within one message of one response. */
  selected(): Picking | null {
    const selection = getSelection();
    if (!selection || selection.isCollapsed || selection.rangeCount === 0) return null;
    const range = selection.getRangeAt(0);
    for (const at of this.all()) {
      if (!this.element(at)?.contains(range.commonAncestorContainer)) continue;
      const place = this.textOf(at)?.placeOf(range);
      return place ? { ...at, ...place, selected: true } : null;
    }
    return null;
  }

  quoteOf(picking: Picking): string {
    return this.raw(picking).slice(picking.start, picking.end);
  }

  spanOf(picking: Picking, category: string): Span {
    const { position, message, start, end } = picking;
    const raw = this.raw(picking);
    return {
      position,
      message,
      start: codePointsBefore(raw, start),
      end: codePointsBefore(raw, end),
      quote: raw.slice(start, end),
      category,
    };
  }

  rangesOf(picking: Picking): Range[] {
    return this.textOf(picking)?.rangesOf(picking) ?? [];
  }

  rangesOfSpan({ position, message = 0, start, end }: Span): Range[] {
    const raw = this.raw({ position, message });
    const place = { start: offsetOf(raw, start), end: offsetOf(raw, end) };
    return this.textOf({ position, message })?.rangesOf(place) ?? [];
  }

  /** Scrolls as little as it takes to show the words. */
  reveal(picking: Picking): void {
    const scroller = this.page.current?.querySelector(".responses-scroll");
    const response = this.element(picking)?.closest<HTMLElement>(".response");
    const [range] = this.rangesOf(picking);
    if (!scroller || !response || !range?.getBoundingClientRect) return;
    response.parentElement?.scrollTo({ left: response.offsetLeft });
    const [words, view] = [range.getBoundingClientRect(), scroller.getBoundingClientRect()];
    const margin = view.height / 4;
    if (words.top < view.top) scroller.scrollBy(0, words.top - view.top - margin);
    if (words.bottom > view.bottom - 60) scroller.scrollBy(0, words.bottom - view.bottom + margin);
  }

  private all(): { position: number; message: number }[] {
    return (this.assignment?.responses ?? []).flatMap(({ messages }, position) =>
      messages.map((_, message) => ({ position, message })),
    );
  }

  private firstOf(at: { position: number; message: number } | undefined): Picking | null {
    const word = at && this.textOf(at)?.words()[0];
    return word ? { ...at, ...word, selected: false } : null;
  }

  private raw({ position, message }: { position: number; message: number }): string {
    return this.assignment?.responses[position]?.messages[message]?.content ?? "";
  }

  private element(at: { position: number; message: number }): Element | undefined {
    const response = this.page.current?.querySelectorAll(".response")[at.position];
    return response?.querySelectorAll(".prose")[at.message];
  }

  private textOf(at: { position: number; message: number }): RawText | null {
    const element = this.element(at);
    return element ? new RawText(element, this.raw(at)) : null;
  }
}
