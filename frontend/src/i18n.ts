/**
 * Every word on a page comes from locales/. Keys are checked by the compiler.
 *
 * English is always there; another language is loaded before the first page is drawn.
 */

import i18next from "i18next";
import manage from "./locales/en/manage.json";
import people from "./locales/en/people.json";

const en = { ...people, ...manage };

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

type Words = Record<string, unknown>;
type Part = () => Promise<{ default: Words }>;

/** The languages of the pages, by their own names. Arabic holds the labeler's pages. */
export const LANGUAGES = { en: "English", zh: "中文", ar: "العربية" };
export type Language = keyof typeof LANGUAGES;

const PARTS: Record<Exclude<Language, "en">, Part[]> = {
  zh: [() => import("./locales/zh/people.json"), () => import("./locales/zh/manage.json")],
  ar: [() => import("./locales/ar/people.json")],
};

const SHELF = "vibecheck.language";

i18next.init({
  lng: "en",
  fallbackLng: "en",
  resources: { en: { translation: en } },
  interpolation: { escapeValue: false },
  initAsync: false,
});

export const t = i18next.t;

/** `t` for keys known only at run time, such as a state that the server named. */
export function tIn(group: string, name: string, without = name): string {
  return i18next.t(`${group}.${name}` as never, { defaultValue: without }) as string;
}

/** The language that was chosen here; else the browser's first that we have; else English. */
export function language(): Language {
  const chosen = localStorage.getItem(SHELF);
  const wanted = [...(chosen ? [chosen] : []), ...navigator.languages];
  const known = wanted.map((name) => name.split("-")[0] as Language);
  return known.find((name) => Object.hasOwn(LANGUAGES, name)) ?? "en";
}

/** Speaks the chosen language from now on; where its words do not come, English. */
export async function speak(name: Language = language()): Promise<void> {
  if (name !== "en") {
    try {
      const parts = await Promise.all(PARTS[name].map((load) => load()));
      const words = Object.assign({}, ...parts.map((part) => part.default));
      i18next.addResourceBundle(name, "translation", words, true, true);
    } catch {
      return;
    }
  }
  await i18next.changeLanguage(name);
  document.documentElement.lang = name;
  document.documentElement.dir = i18next.dir(name);
}

/** Keeps the choice in this browser and draws everything anew. */
export function chooseLanguage(name: Language): void {
  localStorage.setItem(SHELF, name);
  location.reload();
}
