import { useState } from "preact/hooks";
import { patch } from "../../api/client";
import type { Loop, Project } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { useAction } from "../../parts/useAction";
import { remarksOf, rewardsOf } from "../../rewards";
import { RewardList } from "../runs/RewardList";

interface Props {
  project: Project;
  loop: Loop;
  saved: (loop: Loop) => void;
}

const FIELD = "policy_options.rewards";

/** What an answer is worth in every fine-tuning of the project that does not say otherwise. */
export function RewardSettings({ project, loop, saved }: Props) {
  const [rewards, setRewards] = useState(() => rewardsOf(loop));
  const save = useAction(async () =>
    saved(
      await patch<Loop>(`projects/${project.slug}/loop/`, {
        policy_options: { ...loop.policy_options, rewards },
      }),
    ),
  );
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        save.run();
      }}
    >
      <RewardList
        rewards={rewards}
        remarks={remarksOf(project)}
        change={setRewards}
        error={save.errorOf(FIELD)}
      />
      {!save.errorOf(FIELD) && <ErrorNotice error={save.error} />}
      {save.done && <Notice>{t("common.saved")}</Notice>}
      <div class="actions">
        <Button type="submit" kind="primary" busy={save.busy}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}
