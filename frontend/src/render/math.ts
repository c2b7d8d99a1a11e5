/** TeX between $…$, $$…$$, \(…\) and \[…\], drawn as MathML by KaTeX once that is loaded. */

import type katex from "katex";
import type { TokenizerAndRendererExtension, Tokens } from "marked";
import { spend } from "./budget";
import { escapeHtml } from "./escape";

let renderer: typeof katex | null = null;

/** What drawing a formula costs, in steps of reading Markdown. */
const FORMULA = 50;

/** Whether the text may hold TeX. */
export function hasMath(text: string): boolean {
  return /\$|\\\(|\\\[/.test(text);
}

/** Resolves to whether it was not there before. */
export async function loadMath(): Promise<boolean> {
  if (renderer) return false;
  renderer = (await import("katex")).default;
  return true;
}

/** The MathML of `tex`; its source where it cannot be drawn, or KaTeX is not there. */
function draw(tex: string, source: string, display: boolean): string {
  if (!renderer) return escapeHtml(source);
  spend(FORMULA);
  try {
    const html = renderer.renderToString(tex, {
      output: "mathml",
      displayMode: display,
      trust: false,
      maxExpand: 100,
      maxSize: 10,
      strict: "ignore",
      throwOnError: true,
    });
    return html.replace(/<annotation\b[\s\S]*?<\/annotation>/g, "");
  } catch {
    return `<code>${escapeHtml(source)}</code>`;
  }
}

/** A dollar sign is a price unless it hugs what it encloses and no digit follows its partner. */
const INLINE = [/^\$((?:\\.|[^\\$\n]){1,2000}?)\$(?!\d)/, /^\\\(([\s\S]{1,2000}?)\\\)/];
const DISPLAY = [
  /^ {0,3}\$\$([\s\S]{1,2000}?)\$\$[ \t]*(?:\n|$)/,
  /^ {0,3}\\\[([\s\S]{1,2000}?)\\\][ \t]*(?:\n|$)/,
];
const DISPLAY_WITHIN_LINE = [/^\$\$([\s\S]{1,2000}?)\$\$/, /^\\\[([\s\S]{1,2000}?)\\\]/];

interface MathToken extends Tokens.Generic {
  tex: string;
  display: boolean;
}

function firstMatch(patterns: RegExp[], source: string): RegExpExecArray | null {
  for (const pattern of patterns) {
    const found = pattern.exec(source);
    if (found) return found;
  }
  return null;
}

const render = (token: Tokens.Generic) => {
  const { tex, raw, display } = token as MathToken;
  return draw(tex, raw.trim(), display);
};

const inline: TokenizerAndRendererExtension = {
  name: "math",
  level: "inline",
  start: (source) => {
    const at = source.search(/\$|\\\(|\\\[/);
    return at < 0 ? undefined : at;
  },
  tokenizer(source) {
    spend(1);
    const display = firstMatch(DISPLAY_WITHIN_LINE, source);
    if (display) return { type: "math", raw: display[0], tex: display[1] ?? "", display: true };
    const found = firstMatch(INLINE, source);
    const tex = found?.[1] ?? "";
    if (!found || (found[0].startsWith("$") && tex !== tex.trim())) return undefined;
    return { type: "math", raw: found[0], tex, display: false };
  },
  renderer: render,
};

const block: TokenizerAndRendererExtension = {
  name: "math_block",
  level: "block",
  start: (source) => {
    const at = source.search(/(?:^|\n) {0,3}(?:\$\$|\\\[)/);
    return at < 0 ? undefined : at;
  },
  tokenizer(source) {
    spend(1 + source.length / 4_000);
    const found = firstMatch(DISPLAY, source);
    return found
      ? { type: "math_block", raw: found[0], tex: found[1] ?? "", display: true }
      : undefined;
  },
  renderer: (token) => `<p>${render(token)}</p>`,
};

export const mathExtensions = [block, inline];
