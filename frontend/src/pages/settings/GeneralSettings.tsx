import { useState } from "preact/hooks";
import { patch, post } from "../../api/client";
import type { Project, ProjectState } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { useAction } from "../../parts/useAction";
import { setProject } from "../../project";
import type { SettingsProps } from ".";
import { NEW_SETTINGS, ProjectFields, type ProjectSettings, settingsOf } from "./ProjectFields";

export function GeneralSettings({ project }: SettingsProps) {
  const [settings, setSettings] = useState(settingsOf(project));
  const save = useAction(async () =>
    setProject(await patch<Project>(`projects/${project.slug}/`, changedIn(settings, project))),
  );
  const named = Object.keys(NEW_SETTINGS).some(save.errorOf);
  return (
    <>
      <StateSection project={project} />
      <Section title={t("settings.general.title")}>
        <form
          class="form"
          onSubmit={(event) => {
            event.preventDefault();
            save.run();
          }}
        >
          <ProjectFields
            settings={settings}
            change={(part) => setSettings({ ...settings, ...part })}
            errorOf={save.errorOf}
          />
          {!named && <ErrorNotice error={save.error} />}
          {save.done && <Notice>{t("common.saved")}</Notice>}
          <div class="actions">
            <Button type="submit" kind="primary" busy={save.busy}>
              {t("common.save")}
            </Button>
          </div>
        </form>
      </Section>
    </>
  );
}

/** Only what was changed here, so that nobody else's change is undone. */
function changedIn(settings: ProjectSettings, project: Project): Partial<ProjectSettings> {
  const before = settingsOf(project);
  const names = Object.keys(before) as (keyof ProjectSettings)[];
  const differ = names.filter((n) => JSON.stringify(settings[n]) !== JSON.stringify(before[n]));
  return Object.fromEntries(differ.map((name) => [name, settings[name]]));
}

/** Where a project can go from each state, the likely step first. */
const STEPS: Record<ProjectState, readonly ProjectState[]> = {
  draft: ["open"],
  open: ["paused", "closed"],
  paused: ["open", "closed"],
  closed: ["open"],
};

function StateSection({ project }: SettingsProps) {
  const move = useAction(async (state: ProjectState) =>
    setProject(await post<Project>(`projects/${project.slug}/state/`, { state })),
  );
  return (
    <Section title={t("settings.state.title")}>
      <div class="state-line">
        <p>
          <strong>{t(`state.${project.state}`)}</strong>{" "}
          <span class="quiet">{t(`settings.state.${project.state}`)}</span>
        </p>
        <div class="actions">
          {STEPS[project.state].map((state, place) => (
            <Button
              key={state}
              kind={place === 0 && state === "open" ? "primary" : "plain"}
              busy={move.busy}
              onClick={() => move.run(state)}
            >
              {t(`settings.state.to_${state as "open" | "paused" | "closed"}`)}
            </Button>
          ))}
        </div>
      </div>
      <ErrorNotice error={move.error} />
    </Section>
  );
}
