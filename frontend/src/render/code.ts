/** Code in colours, by highlight.js: its core and each language are loaded when first met. */

import type { HLJSApi, LanguageFn } from "highlight.js";

const LANGUAGES: Record<string, () => Promise<{ default: LanguageFn }>> = {
  bash: () => import("highlight.js/lib/languages/bash"),
  c: () => import("highlight.js/lib/languages/c"),
  cpp: () => import("highlight.js/lib/languages/cpp"),
  csharp: () => import("highlight.js/lib/languages/csharp"),
  css: () => import("highlight.js/lib/languages/css"),
  diff: () => import("highlight.js/lib/languages/diff"),
  go: () => import("highlight.js/lib/languages/go"),
  java: () => import("highlight.js/lib/languages/java"),
  javascript: () => import("highlight.js/lib/languages/javascript"),
  json: () => import("highlight.js/lib/languages/json"),
  kotlin: () => import("highlight.js/lib/languages/kotlin"),
  php: () => import("highlight.js/lib/languages/php"),
  python: () => import("highlight.js/lib/languages/python"),
  r: () => import("highlight.js/lib/languages/r"),
  ruby: () => import("highlight.js/lib/languages/ruby"),
  rust: () => import("highlight.js/lib/languages/rust"),
  sql: () => import("highlight.js/lib/languages/sql"),
  swift: () => import("highlight.js/lib/languages/swift"),
  typescript: () => import("highlight.js/lib/languages/typescript"),
  xml: () => import("highlight.js/lib/languages/xml"),
  yaml: () => import("highlight.js/lib/languages/yaml"),
};

const ALIASES: Record<string, string> = {
  sh: "bash",
  shell: "bash",
  zsh: "bash",
  "c++": "cpp",
  cs: "csharp",
  "c#": "csharp",
  golang: "go",
  js: "javascript",
  jsx: "javascript",
  py: "python",
  python3: "python",
  rb: "ruby",
  rs: "rust",
  ts: "typescript",
  tsx: "typescript",
  html: "xml",
  svg: "xml",
  yml: "yaml",
};

let highlighter: HLJSApi | null = null;

/** The language that the word after a fence means, where it is one of ours. */
export function languageOf(info: string | undefined): string | null {
  const word =
    info
      ?.trim()
      .split(/[\s,{]/)[0]
      ?.toLowerCase() ?? "";
  const name = Object.hasOwn(ALIASES, word) ? (ALIASES[word] as string) : word;
  return Object.hasOwn(LANGUAGES, name) ? name : null;
}

/** The languages of the fenced blocks in a text. */
export function languagesIn(text: string): string[] {
  const fences = text.matchAll(/^ *(?:```+|~~~+) *([^\s`~]+)/gm);
  const names = [...fences].map((fence) => languageOf(fence[1]));
  return [...new Set(names.filter((name) => name !== null))];
}

/** Resolves to whether one of them was not there before. */
export async function loadLanguages(names: string[]): Promise<boolean> {
  const missing = names.filter((name) => !highlighter?.getLanguage(name));
  if (missing.length === 0) return false;
  highlighter ??= (await import("highlight.js/lib/core")).default as HLJSApi;
  const core = highlighter;
  await Promise.all(
    missing.map(async (name) => {
      const grammar = await LANGUAGES[name]?.();
      if (grammar) core.registerLanguage(name, grammar.default);
    }),
  );
  return true;
}

/** The code as HTML of spans of hljs- classes; null where its language is not loaded. */
export function highlight(code: string, language: string): string | null {
  if (!highlighter?.getLanguage(language)) return null;
  return highlighter.highlight(code, { language, ignoreIllegals: true }).value;
}
