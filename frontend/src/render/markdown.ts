/**
 * Markdown that somebody or something unknown wrote, as nodes that are safe to show.
 *
 * Two walls: HTML in the text is shown as text, and what Markdown made of the rest is sanitised by
 * an allow-list. Nothing is ever fetched: no images, no styles, no embedded documents.
 */

import { Marked, type RendererObject, type TokenizerObject } from "marked";
import { asWritten } from "./asWritten";
import { newBudget, spend } from "./budget";
import { highlight, languageOf, languagesIn, loadLanguages } from "./code";
import { escapeHtml } from "./escape";
import { hasMath, loadMath, mathExtensions } from "./math";
import { sanitize } from "./sanitize";

/** Inline tags that only shape text; they pass as they are, with no attribute. */
const PLAIN_TAG = /^<(?:br\s*\/?|\/?(?:sub|sup))>$/i;

const renderer: RendererObject = {
  html({ text, block }) {
    if (!block) return PLAIN_TAG.test(text) ? text : escapeHtml(text);
    return `<p>${escapeHtml(text.trim()).replaceAll("\n", "<br>")}</p>`;
  },
  image({ text }) {
    return `<span>${escapeHtml(`[image: ${text}]`)}</span>`;
  },
  link({ href, tokens }) {
    const words = this.parser.parseInline(tokens);
    return isOutside(href) ? `<a href="${escapeHtml(href)}">${words}</a>` : words;
  },
  // The page's own headings come first, and a response cannot outrank them.
  heading({ depth, tokens }) {
    const level = Math.min(depth + 2, 6);
    return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>`;
  },
  checkbox({ checked }) {
    return checked ? "☑ " : "☐ ";
  },
  code({ text, lang }) {
    const language = languageOf(lang);
    const coloured = language === null ? null : highlight(text, language);
    return `<pre><code>${coloured ?? escapeHtml(text)}\n</code></pre>`;
  },
};

/** A row of a table is filled up to all its columns, so that few characters make many cells. */
const tokenizer: TokenizerObject = {
  table(source) {
    const rule = /^[^\n]*\n([ \t|:-]+)(?:\n|$)/.exec(source)?.[1];
    if (rule) spend(rule.split("|").length * linesOf(source));
    return false;
  },
};

/** How many lines stand before the first empty one. */
const linesOf = (source: string) => (source.split("\n\n", 1)[0] ?? "").split("\n").length;

const reader = (breaks: boolean) =>
  new Marked({ gfm: true, breaks, renderer, tokenizer, extensions: mathExtensions });
/** Responses break their lines where their writer did, as verses need it. */
const asBroken = reader(true);
/** Guidelines are documents: a single line break joins. */
const asDocument = reader(false);

/** Beyond this many characters nobody sees structure, and reading it would hold up the page. */
const LONGEST = 50_000;
/** Texts whose HTML is kept: some pairs ahead, and a few back. */
const KEPT = 60;

const htmlOf = new Map<string, string | null>();

/** Loads what these texts need to be drawn at once: KaTeX, languages. Without it they stay plain. */
export async function prepare(texts: readonly string[]): Promise<void> {
  const languages = [...new Set(texts.flatMap(languagesIn))];
  const loaded = await Promise.allSettled([
    loadLanguages(languages),
    texts.some(hasMath) && loadMath(),
  ]);
  if (loaded.some((part) => part.status === "fulfilled" && part.value)) htmlOf.clear();
}

/** Whether `prepare` has anything to load for these texts. */
export function needsPreparing(texts: readonly string[]): boolean {
  return texts.some((text) => hasMath(text) || languagesIn(text).length > 0);
}

type Kind = "response" | "document";

/** The text as safe nodes; as it was written where it is too long or too tangled to be read. */
export function renderMarkdown(text: string, kind: Kind = "response"): DocumentFragment {
  const html = read(text, kind);
  return html === null ? asWritten(text) : sanitize(html);
}

/** Whether Markdown can be made of the text. Beside one that cannot, no other should be drawn. */
export function isDrawable(text: string): boolean {
  return read(text, "response") !== null;
}

/** The HTML of a text, kept so that a pair that was read ahead is there at once. */
function read(text: string, kind: Kind): string | null {
  if (text.length > LONGEST) return null;
  const key = kind + text;
  let html = htmlOf.get(key);
  if (html === undefined) {
    html = toHtml(text, kind);
    if (htmlOf.size >= KEPT) htmlOf.delete(htmlOf.keys().next().value as string);
    htmlOf.set(key, html);
  }
  return html;
}

function toHtml(text: string, kind: Kind): string | null {
  newBudget();
  try {
    return (kind === "document" ? asDocument : asBroken).parse(text, { async: false });
  } catch {
    return null;
  }
}

function isOutside(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)/i.test(href);
}
