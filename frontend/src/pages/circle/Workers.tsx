import type { Circle } from "../../api/models";
import { t } from "../../i18n";
import { Notice } from "../../parts/Notice";
import { deafQueues } from "./state";

/** Says which queues nobody listens on, and what that holds up. */
export function DeafQueues({ circle }: { circle: Circle }) {
  const deaf = deafQueues(circle);
  if (deaf.length === 0) return null;
  return (
    <Notice kind="warn">
      {deaf.map((queue) => (
        <p key={queue}>{t(`circle.workers.${queue}`)}</p>
      ))}
      <p class="quiet">{t("circle.workers.fix")}</p>
    </Notice>
  );
}

/** That all is well with them, and what they work on. */
export function WorkersLine({ circle }: { circle: Circle }) {
  if (deafQueues(circle).length > 0) return null;
  const { device } = circle.workers;
  return (
    <p class="workers quiet">
      {device ? t("circle.workers.well_on", { device }) : t("circle.workers.well")}
    </p>
  );
}
