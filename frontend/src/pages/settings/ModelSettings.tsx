import { useState } from "preact/hooks";
import { patch } from "../../api/client";
import { useResource } from "../../api/resource";
import type { Loop } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Section } from "../../parts/Section";
import { Loaded } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import type { SettingsProps } from ".";
import { LoopRules } from "./LoopRules";
import { ModelField } from "./ModelField";
import { RewardSettings } from "./RewardSettings";

export function ModelSettings({ project }: SettingsProps) {
  const loop = useResource<Loop>(`projects/${project.slug}/loop/`);
  return (
    <Loaded resource={loop}>
      {(data) => (
        <>
          <Section title={t("settings.models.title")} about={t("settings.models.about")}>
            <ModelsForm slug={project.slug} loop={data} saved={loop.set} />
          </Section>
          <Section title={t("settings.loop.title")} about={t("settings.loop.about")}>
            <LoopRules slug={project.slug} loop={data} saved={loop.set} />
          </Section>
          <Section title={t("settings.rewards.title")} about={t("settings.rewards.about")}>
            <RewardSettings project={project} loop={data} saved={loop.set} />
          </Section>
        </>
      )}
    </Loaded>
  );
}

function ModelsForm(props: { slug: string; loop: Loop; saved: (loop: Loop) => void }) {
  const { slug, loop, saved } = props;
  const [policy, setPolicy] = useState(loop.policy ?? "");
  const [backbone, setBackbone] = useState(loop.reward_backbone ?? "");
  const save = useAction(async () =>
    saved(
      await patch<Loop>(`projects/${slug}/loop/`, {
        ...(policy === (loop.policy ?? "") ? {} : { policy }),
        reward_backbone: backbone,
      }),
    ),
  );
  const named = ["policy", "reward_backbone"].some(save.errorOf);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        save.run();
      }}
    >
      <ModelField
        slug={slug}
        label={t("settings.models.policy")}
        help={t("settings.models.policy_help")}
        value={policy}
        set={setPolicy}
        error={save.errorOf("policy")}
      />
      <ModelField
        slug={slug}
        label={t("settings.models.reward_backbone")}
        help={t("settings.models.reward_backbone_help")}
        value={backbone}
        set={setBackbone}
        error={save.errorOf("reward_backbone")}
      />
      {!named && <ErrorNotice error={save.error} />}
      {save.done && <Notice>{t("common.saved")}</Notice>}
      <div class="actions">
        <Button type="submit" kind="primary" busy={save.busy}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}
