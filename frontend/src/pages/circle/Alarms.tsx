import { post } from "../../api/client";
import type { Alarm } from "../../api/models";
import { useResource } from "../../api/resource";
import type { Results, Role } from "../../api/types";
import { relative } from "../../format";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { useAction } from "../../parts/useAction";

const EVERY_SECONDS = 5;

/** What labelers say is broken; nothing is promoted until a manager has ended it. */
export function Alarms({ slug, role }: { slug: string; role: Role }) {
  const alarms = useResource<Results<Alarm>>(`projects/${slug}/alarms/`, EVERY_SECONDS);
  const end = useAction(async (id: number) => {
    await post(`alarms/${id}/end/`, {});
    await alarms.reload();
  });
  return (
    <>
      {alarms.data?.results.map(({ id, labeler, note, created_at }) => (
        <Notice key={id} kind="warn">
          <p>
            {t("alarms.says", { name: labeler, when: relative(created_at) })}
            {note && <q class="alarm-note">{note}</q>}
          </p>
          <p>{t("alarms.paused")}</p>
          {role === "manager" && (
            <Button busy={end.busy} onClick={() => end.run(id)}>
              {t("alarms.end")}
            </Button>
          )}
        </Notice>
      ))}
      <ErrorNotice error={end.error} />
    </>
  );
}
