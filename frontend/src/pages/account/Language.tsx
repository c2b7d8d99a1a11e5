import { chooseLanguage, LANGUAGES, language, type Language as Name, t } from "../../i18n";
import { Section } from "../../parts/Section";

/** The language of the pages; what people wrote stays in theirs. */
export function Language() {
  const now = language();
  return (
    <Section title={t("language.title")} about={t("language.about")}>
      <div class="segments" role="group" aria-label={t("language.title")}>
        {(Object.keys(LANGUAGES) as Name[]).map((name) => (
          <button
            key={name}
            type="button"
            lang={name}
            aria-pressed={name === now}
            onClick={() => chooseLanguage(name)}
          >
            {LANGUAGES[name]}
          </button>
        ))}
      </div>
    </Section>
  );
}
