import { describe, expect, it } from "vitest";
import arPeople from "./locales/ar/people.json";
import enManage from "./locales/en/manage.json";
import enPeople from "./locales/en/people.json";
import zhManage from "./locales/zh/manage.json";
import zhPeople from "./locales/zh/people.json";

const SUFFIX = /_(?:zero|one|two|few|many|other)$/;
/** What a labeler never meets: a reader of Arabic sees these parts in English. */
const MANAGERS = ["tokens", "form", "levels", "fields", "new", "settings", "members"].concat(
  "invitations",
  "import",
  "export",
  "talk_replies",
  "gap",
);

type Words = { [key: string]: string | Words };

function texts(words: object, before = ""): [string, string][] {
  return Object.entries(words as Words).flatMap(([key, value]) =>
    typeof value === "string"
      ? [[before + key, value] as [string, string]]
      : texts(value, `${before}${key}.`),
  );
}

const ENGLISH = new Set(texts({ ...enPeople, ...enManage }).map(([key]) => key));

/** The name that the plurals of one text share; that of any other is its own. */
function nameOf(key: string): string {
  const name = key.replace(SUFFIX, "");
  return ENGLISH.has(`${name}_one`) && ENGLISH.has(`${name}_other`) ? name : key;
}

const names = (words: object) => [...new Set(texts(words).map(([key]) => nameOf(key)))].sort();
const placeholders = (text: string) => [...new Set(text.match(/\{\{\w+\}\}/g) ?? [])].sort();

const ALL: [string, object, object][] = [
  ["zh", enPeople, zhPeople],
  ["zh", enManage, zhManage],
];

describe("Chinese", () => {
  it.each(ALL)("has exactly the keys of English (%s)", (_, en, zh) => {
    expect(names(zh)).toEqual(names(en));
  });
});

describe("Arabic", () => {
  it("has the keys of the labeler's pages, and no others", () => {
    const labelers = Object.entries(enPeople).filter(([group]) => !MANAGERS.includes(group));
    const wanted = names(Object.fromEntries(labelers));
    const figures = wanted.filter((name) => /^figure\.(share|interval)/.test(name));
    expect([...names(arPeople), ...figures].sort()).toEqual(wanted);
  });
});

describe.each([
  ["en", { ...enPeople, ...enManage }],
  ["zh", { ...zhPeople, ...zhManage }],
  ["ar", arPeople],
])("%s", (language, words) => {
  it("has each plural that the language tells apart", () => {
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const keys = new Set(texts(words).map(([key]) => key));
    const plurals = new Set([...keys].map(nameOf).filter((name) => ENGLISH.has(`${name}_one`)));
    const missing = [...plurals].flatMap((name) =>
      categories.filter((category) => !keys.has(`${name}_${category}`)).map((c) => `${name}_${c}`),
    );
    expect(missing).toEqual([]);
  });

  it("fills in nothing that English does not give", () => {
    const given = new Map<string, string[]>();
    for (const [key, text] of texts({ ...enPeople, ...enManage })) {
      const name = nameOf(key);
      given.set(name, [...(given.get(name) ?? []), ...placeholders(text)]);
    }
    for (const [key, text] of texts(words)) {
      const known = given.get(nameOf(key)) ?? [];
      expect([key, placeholders(text).filter((name) => !known.includes(name))]).toEqual([key, []]);
    }
  });
});
