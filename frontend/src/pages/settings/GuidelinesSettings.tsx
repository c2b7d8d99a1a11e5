import { useState } from "preact/hooks";
import { post } from "../../api/client";
import { useResource } from "../../api/resource";
import type { GuidelinesVersion, Results } from "../../api/types";
import { dateTime } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Loaded } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import { loadProject } from "../../project";
import { Markdown } from "../../render/Markdown";
import type { SettingsProps } from ".";

export function GuidelinesSettings({ project }: SettingsProps) {
  const path = `projects/${project.slug}/guidelines/`;
  const versions = useResource<Results<GuidelinesVersion>>(path);
  const [text, setText] = useState(project.guidelines?.text ?? "");
  const [shown, setShown] = useState<"write" | "preview">("write");
  const publish = useAction(async () => {
    await post(path, { text });
    await Promise.all([versions.reload(), loadProject(project.slug)]);
  });
  const unchanged = text === (project.guidelines?.text ?? "");

  return (
    <>
      <Section title={t("settings.guidelines.title")} about={t("settings.guidelines.about")}>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            publish.run();
          }}
        >
          <div class="segments" role="group" aria-label={t("settings.guidelines.view")}>
            {(["write", "preview"] as const).map((name) => (
              <button
                key={name}
                type="button"
                aria-pressed={shown === name}
                onClick={() => setShown(name)}
              >
                {t(`settings.guidelines.${name}`)}
              </button>
            ))}
          </div>
          {shown === "write" ? (
            <Field label={t("settings.guidelines.text")} error={publish.errorOf("text")}>
              {(control) => (
                <textarea
                  {...control}
                  rows={16}
                  required
                  value={text}
                  onInput={(event) => setText(event.currentTarget.value)}
                />
              )}
            </Field>
          ) : (
            <Markdown kind="document" text={text} />
          )}
          {!publish.errorOf("text") && <ErrorNotice error={publish.error} />}
          {publish.done && <Notice>{t("settings.guidelines.published")}</Notice>}
          <div class="actions">
            <Button type="submit" kind="primary" busy={publish.busy} disabled={unchanged}>
              {t("settings.guidelines.publish", {
                version: (project.guidelines?.version ?? 0) + 1,
              })}
            </Button>
          </div>
        </form>
      </Section>
      <Section title={t("settings.guidelines.versions")}>
        <Loaded resource={versions}>
          {({ results }) =>
            results.length === 0 ? (
              <p class="quiet">{t("settings.guidelines.none")}</p>
            ) : (
              <ul class="versions">
                {results.map((version) => (
                  <li key={version.version}>
                    <details>
                      <summary>
                        {t("settings.guidelines.version", {
                          version: version.version,
                          when: dateTime(version.created_at),
                          author: version.author ?? t("settings.trail.command"),
                        })}
                      </summary>
                      <Markdown kind="document" text={version.text} />
                      <Button onClick={() => setText(version.text)}>
                        {t("settings.guidelines.take_up")}
                      </Button>
                    </details>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </Section>
    </>
  );
}
