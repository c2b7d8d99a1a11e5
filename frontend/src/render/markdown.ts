/**
 * Markdown that somebody or something unknown wrote, as nodes that are safe to show.
 *
 * Two walls: HTML in the text is shown as text, and what Markdown made of the rest is sanitised by
 * an allow-list. Nothing is ever fetched: no images, no styles, no embedded documents.
 */

import { Marked, type RendererObject } from "marked";
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

const reader = (breaks: boolean) =>
  new Marked({ gfm: true, breaks, renderer, extensions: mathExtensions });
/** Responses break their lines where their writer did, as verses need it. */
const asBroken = reader(true);
/** Guidelines are documents: a single line break joins. */
const asDocument = reader(false);

/** Loads what these texts need to be drawn at once: KaTeX, languages. Without it they stay plain. */
export async function prepare(texts: readonly string[]): Promise<void> {
  const languages = [...new Set(texts.flatMap(languagesIn))];
  await Promise.allSettled([loadLanguages(languages), texts.some(hasMath) && loadMath()]);
}

/** Whether `prepare` has anything to load for these texts. */
export function needsPreparing(texts: readonly string[]): boolean {
  return texts.some((text) => hasMath(text) || languagesIn(text).length > 0);
}

/** The text as safe nodes; as plain text where it cannot be parsed. */
export function renderMarkdown(text: string, kind: "response" | "document" = "response") {
  let html: string;
  try {
    html = (kind === "document" ? asDocument : asBroken).parse(text, { async: false });
  } catch {
    return plainText(text);
  }
  return sanitize(html);
}

/** The text exactly as written. */
export function plainText(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  const block = document.createElement("p");
  block.className = "as-written";
  block.textContent = text;
  fragment.append(block);
  return fragment;
}

function isOutside(href: string): boolean {
  return /^(?:https?:\/\/|mailto:)/i.test(href);
}
