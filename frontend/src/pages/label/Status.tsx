import { useEffect, useState } from "preact/hooks";
import type { Progress } from "../../api/types";
import { clock, integer } from "../../format";
import { t } from "../../i18n";
import { InBar } from "../../parts/Shell";
import type { Labeling } from "../../session/labeling";
import type { Outbox } from "../../session/outbox";

/** In the top bar: how far to the next model, what is not sent yet, and the time at work. */
export function Status({ labeling, outbox }: { labeling: Labeling; outbox: Outbox }) {
  const progress = labeling.state.value.progress;
  const waiting = outbox.waiting.value.length;
  const stuck = outbox.stuck.value !== null && waiting > 0;
  return (
    <InBar>
      {stuck && (
        <span class="tag warn" role="status">
          {t("label.waiting", { count: waiting })}
        </span>
      )}
      {progress && (
        <span class="progress-line">
          <span class="wide">{t("label.progress", counts(progress))}</span>
          <span class="narrow">{t("label.progress_short", counts(progress))}</span>
        </span>
      )}
      <Clock labeling={labeling} />
    </InBar>
  );
}

const counts = ({ labels, freeze_after }: Progress) => ({
  labels: integer(Math.min(labels, freeze_after)),
  freeze_after: integer(freeze_after),
});

function Clock({ labeling }: { labeling: Labeling }) {
  const [now, setNow] = useState(labeling.timer.total);
  useEffect(() => {
    const ticking = setInterval(() => setNow(labeling.timer.total), 1000);
    return () => clearInterval(ticking);
  }, [labeling]);
  return (
    <span class="clock" title={t("label.clock")}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <circle cx="6" cy="6" r="5" />
        <path d="M6 3.2V6l1.9 1.1" />
      </svg>
      <span role="timer" aria-label={t("label.clock")} aria-live="off">
        {clock(now / 1000)}
      </span>
    </span>
  );
}
