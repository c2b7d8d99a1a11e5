import { useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { patch, post } from "../../api/client";
import type { Project } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice } from "../../parts/Notice";
import { useTitle } from "../../parts/Shell";
import { useAction } from "../../parts/useAction";
import { setProject } from "../../project";
import { NEW_SETTINGS, ProjectFields } from "../settings/ProjectFields";

export default function NewProject() {
  useTitle(t("nav.new"));
  const [, navigate] = useLocation();
  const [settings, setSettings] = useState(NEW_SETTINGS);
  const [guidelines, setGuidelines] = useState("");
  const [policy, setPolicy] = useState("");
  const [backbone, setBackbone] = useState("");
  const [made, setMade] = useState<Project | null>(null);

  const create = useAction(async () => {
    // A model that is refused leaves the project made: a second try goes on from there.
    const project = made ?? (await post<Project>("projects/", { ...settings, guidelines }));
    setMade(project);
    const models = {
      ...(policy.trim() && { policy: policy.trim() }),
      ...(backbone.trim() && { reward_backbone: backbone.trim() }),
    };
    if (Object.keys(models).length > 0) await patch(`projects/${project.slug}/loop/`, models);
    setProject(project);
    navigate(`/p/${project.slug}/settings?part=${policy.trim() ? "models" : "asked"}`);
  });
  const named = [...Object.keys(NEW_SETTINGS), "guidelines", "policy", "reward_backbone"].some(
    create.errorOf,
  );

  return (
    <div class="page narrow">
      <h1>{t("nav.new")}</h1>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          create.run();
        }}
      >
        <fieldset class="form" disabled={made !== null}>
          <ProjectFields
            settings={settings}
            change={(part) => setSettings({ ...settings, ...part })}
            errorOf={create.errorOf}
          />
          <Field
            label={t("new.guidelines")}
            help={t("new.guidelines_help")}
            error={create.errorOf("guidelines")}
          >
            {(control) => (
              <textarea
                {...control}
                rows={8}
                value={guidelines}
                onInput={(event) => setGuidelines(event.currentTarget.value)}
              />
            )}
          </Field>
        </fieldset>
        <SourceField
          name="policy"
          value={policy}
          set={setPolicy}
          error={create.errorOf("policy")}
        />
        <SourceField
          name="reward_backbone"
          value={backbone}
          set={setBackbone}
          error={create.errorOf("reward_backbone")}
        />
        {!named && <ErrorNotice error={create.error} />}
        <div class="actions">
          <Button type="submit" kind="primary" busy={create.busy}>
            {made ? t("new.go_on") : t("new.make")}
          </Button>
        </div>
      </form>
    </div>
  );
}

interface SourceProps {
  name: "policy" | "reward_backbone";
  value: string;
  set: (value: string) => void;
  error?: string;
}

function SourceField({ name, value, set, error }: SourceProps) {
  return (
    <Field
      label={t(`settings.models.${name}`)}
      help={t(`settings.models.${name}_help`)}
      error={error}
    >
      {(control) => (
        <input
          {...control}
          class="mono-input"
          spellcheck={false}
          autoCapitalize="none"
          value={value}
          onInput={(event) => set(event.currentTarget.value)}
        />
      )}
    </Field>
  );
}
