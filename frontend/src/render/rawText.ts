/**
 * Which words of a raw text a rendered one shows where, so that what is selected on the page can be
 * stored as a place in the text as it was written, and drawn again from there.
 *
 * The rendered text is the raw one with its markup left out: its pieces are looked for in the raw
 * text one after the other. A formula is one piece. What Markdown made up (a ticked box) has no
 * place. All offsets here are those of JavaScript strings.
 */

export interface Place {
  start: number;
  end: number;
}

interface Piece extends Place {
  node: Text;
  /** The part of the node that it is. */
  from: number;
  to: number;
  /** Where each character begins in the raw text; null where they follow one another. */
  starts: number[] | null;
  /** It is taken whole or not at all. */
  whole: boolean;
}

const FORMULA = /\$\$[\s\S]+?\$\$|\\\([\s\S]+?\\\)|\\\[[\s\S]+?\\\]|\$(?:\\.|[^\\$\n])+?\$/g;
const LINK_TARGET = /[*_~`]*\](?:\((?:[^()\n]|\([^()\n]*\))*\)|\[[^\]\n]*\])/y;
const TABLE_RULE = /[^\n]*\n[ \t>]*[|:-][|: \t-]*(?:\n|$)/y;
const LINE_START = /(?:^|\n)[ \t>]*$/;
const ENTITY = "&(?:[a-zA-Z]\\w*|#\\d+|#[xX][\\da-fA-F]+);";
/** Longer pieces are not searched for with escapes and entities in them. */
const LONGEST_SEARCH = 10_000;
/** How far apart the words of a piece may be that is not there as a whole. */
const NEAR = 80;

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const words = new Intl.Segmenter(undefined, { granularity: "word" });

export class RawText {
  private readonly pieces: Piece[];

  constructor(
    root: Element,
    private readonly raw: string,
  ) {
    this.pieces = piecesOf(root, raw);
  }

  /** What a range of the page covers, without the blanks at its ends; null for no words. */
  placeOf(range: Range): Place | null {
    let [start, end] = [this.raw.length, 0];
    for (const piece of this.pieces) {
      const { node, from, to } = piece;
      const first = node === range.startContainer ? Math.max(from, range.startOffset) : from;
      const last = node === range.endContainer ? Math.min(to, range.endOffset) : to;
      const starts = node === range.startContainer || range.comparePoint(node, from) >= 0;
      const ends = node === range.endContainer || range.comparePoint(node, to) <= 0;
      if (!starts || !ends || first >= last) continue;
      start = Math.min(start, startOf(piece, first));
      end = Math.max(end, endOf(piece, last));
    }
    return start < end ? this.snapped({ start, end }) : null;
  }

  /** The parts of the page that show a place. */
  rangesOf({ start, end }: Place): Range[] {
    return this.pieces
      .filter((piece) => piece.start < end && piece.end > start)
      .flatMap((piece) => {
        let [first, last] = [piece.from, piece.to];
        while (!piece.whole && first < last && endOf(piece, first + 1) <= start) first += 1;
        while (!piece.whole && last > first && startOf(piece, last - 1) >= end) last -= 1;
        if (first >= last) return [];
        const range = document.createRange();
        range.setStart(piece.node, first);
        range.setEnd(piece.node, last);
        return [range];
      });
  }

  /** The words that are shown, in reading order: a word, an emoji, or a formula. */
  words(): Place[] {
    return this.pieces.flatMap((piece, number) => {
      if (piece.whole) {
        const known = this.pieces[number - 1]?.start === piece.start;
        return known ? [] : [{ start: piece.start, end: piece.end }];
      }
      const shown = piece.node.data.slice(piece.from, piece.to);
      return Array.from(words.segment(shown))
        .filter(
          ({ isWordLike, segment }) => isWordLike || /\p{Extended_Pictographic}/u.test(segment),
        )
        .map(({ index, segment }) => ({
          start: startOf(piece, piece.from + index),
          end: endOf(piece, piece.from + index + segment.length),
        }));
    });
  }

  /** Without blanks at its ends, and with no letter cut from its marks. */
  private snapped({ start, end }: Place): Place | null {
    const text = this.raw.slice(start, end);
    if (text.trim() === "") return null;
    const from = start + text.length - text.trimStart().length;
    const to = end - (text.length - text.trimEnd().length);
    const segments = graphemes.segment(this.raw);
    const last = segments.containing(to - 1);
    return {
      start: segments.containing(from)?.index ?? from,
      end: last ? last.index + last.segment.length : to,
    };
  }
}

/** How many code points come before an offset: the server counts these. */
export function codePointsBefore(text: string, offset: number): number {
  let count = 0;
  for (const sign of text) {
    if (offset <= 0) break;
    offset -= sign.length;
    count += 1;
  }
  return count;
}

/** The offset of a code point. */
export function offsetOf(text: string, codePoint: number): number {
  let offset = 0;
  for (const sign of text) {
    if (codePoint <= 0) break;
    offset += sign.length;
    codePoint -= 1;
  }
  return offset;
}

function startOf({ start, from, starts, whole }: Piece, at: number): number {
  if (whole) return start;
  return starts ? (starts[at - from] as number) : start + at - from;
}

function endOf(piece: Piece, at: number): number {
  const { start, end, from, to, starts, whole } = piece;
  if (whole || at >= to) return end;
  return starts ? (starts[at - from] as number) : start + at - from;
}

function piecesOf(root: Element, raw: string): Piece[] {
  const pieces: Piece[] = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const met = new Set<Element>();
  let cursor = 0;
  const meet = (node: Node, selector: string): boolean => {
    const around = node.parentElement?.closest(selector);
    if (!around || !root.contains(around) || met.has(around)) return false;
    met.add(around);
    return true;
  };

  for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
    const formula = node.parentElement?.closest("math");
    if (formula) {
      if (meet(node, "math")) cursor = addFormula(pieces, formula, raw, cursor);
      continue;
    }
    if (meet(node, "tbody")) cursor = skip(TABLE_RULE, raw, cursor);
    for (const line of linesOf(node)) {
      const opensCode = meet(node, "pre");
      const found = locate(raw, cursor, line, opensCode);
      pieces.push(...found);
      cursor = found.at(-1)?.end ?? cursor;
    }
    if (node.parentElement?.closest("a")) cursor = skip(LINK_TARGET, raw, cursor);
  }
  return pieces;
}

/** The lines of a text node without the blanks around them. */
function* linesOf(node: Text): Generator<{ node: Text; from: number; to: number; text: string }> {
  for (const { index, 0: line } of node.data.matchAll(/[^\n]+/g)) {
    const text = line.trim();
    const from = index + line.length - line.trimStart().length;
    if (text) yield { node, from, to: from + text.length, text };
  }
}

function locate(
  raw: string,
  cursor: number,
  line: { node: Text; from: number; to: number; text: string },
  opensCode: boolean,
): Piece[] {
  const { node, from, to, text } = line;
  const image = /^\[image: (.*)\]$/s.exec(text);
  if (image) {
    const start = raw.indexOf(`![${image[1]}]`, cursor);
    const end = start < 0 ? -1 : skip(LINK_TARGET, raw, start + 2 + (image[1] as string).length);
    return start < 0 ? [] : [{ node, from, to, start, end, starts: null, whole: true }];
  }
  const exact = opensCode ? lineStarting(raw, cursor, text) : raw.indexOf(text, cursor);
  const escaped = escapedIn(raw, cursor, exact < 0 ? raw.length : exact, text);
  if (escaped) {
    const { start, end, starts } = escaped;
    return [{ node, from, to, start, end, starts, whole: false }];
  }
  if (exact >= 0) {
    return [{ node, from, to, start: exact, end: exact + text.length, starts: null, whole: false }];
  }
  return wordByWord(raw, cursor, line);
}

/** The first place from `cursor` where the text begins a line: the word after a fence is not it. */
function lineStarting(raw: string, cursor: number, text: string): number {
  const first = raw.indexOf(text, cursor);
  for (let at = first; at >= 0; at = raw.indexOf(text, at + 1)) {
    const lineStart = raw.lastIndexOf("\n", at - 1) + 1;
    if (LINE_START.test(raw.slice(Math.max(0, lineStart - 1), at))) return at;
  }
  return first;
}

/** The text between `cursor` and `limit`, written with backslashes or entities. */
function escapedIn(raw: string, cursor: number, limit: number, text: string) {
  if (text.length > LONGEST_SEARCH || !/[\\&]/.test(raw.slice(cursor, limit))) return null;
  const sign = (c: string) =>
    /\s/.test(c) ? "(\\s)" : /[\p{L}\p{N}]/u.test(c) ? `(${c})` : `(\\\\?${quoted(c)}|${ENTITY})`;
  const pattern = new RegExp(Array.from(text, sign).join(""), "u");
  const found = pattern.exec(raw.slice(cursor, limit));
  if (!found) return null;
  const starts: number[] = [];
  let at = cursor + found.index;
  for (const [number, c] of Array.from(text).entries()) {
    // A sign of two units begins where its first one does.
    for (let unit = 0; unit < c.length; unit += 1) starts.push(at);
    at += (found[number + 1] as string).length;
  }
  return { start: cursor + found.index, end: at, starts };
}

const quoted = (c: string) => c.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/** The words of a line that is not there as a whole, as far as they are near one another. */
function wordByWord(
  raw: string,
  cursor: number,
  { node, from, text }: { node: Text; from: number; text: string },
): Piece[] {
  const pieces: Piece[] = [];
  for (const { index, segment, isWordLike } of words.segment(text)) {
    if (!isWordLike) continue;
    const start = raw.indexOf(segment, cursor);
    if (start < 0 || start - cursor > NEAR) continue;
    cursor = start + segment.length;
    const at = from + index;
    pieces.push({
      node,
      from: at,
      to: at + segment.length,
      start,
      end: cursor,
      starts: null,
      whole: false,
    });
  }
  return pieces;
}

function addFormula(pieces: Piece[], math: Element, raw: string, cursor: number): number {
  FORMULA.lastIndex = cursor;
  const found = FORMULA.exec(raw);
  if (!found) return cursor;
  const [start, end] = [found.index, found.index + found[0].length];
  const walker = document.createTreeWalker(math, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode() as Text | null; node; node = walker.nextNode() as Text | null) {
    if (!node.data.trim()) continue;
    pieces.push({ node, from: 0, to: node.length, start, end, starts: null, whole: true });
  }
  return end;
}

function skip(pattern: RegExp, raw: string, cursor: number): number {
  pattern.lastIndex = cursor;
  return pattern.test(raw) ? pattern.lastIndex : cursor;
}
