import { useEffect, useState } from "preact/hooks";
import { useResource } from "../../api/resource";
import type { Learnt, Progress } from "../../api/types";
import { clock, integer } from "../../format";
import { t } from "../../i18n";
import { Menu } from "../../parts/Menu";
import { InBar } from "../../parts/Shell";
import type { Labeling } from "../../session/labeling";
import type { Outbox } from "../../session/outbox";

/** In the top bar: how far to the next model, what is not sent yet, and one's own day. */
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
      <Menu
        align="end"
        label={
          <>
            <span class="visually-hidden">{t("today.open")}</span>
            {progress && (
              <span class="progress-line">
                <span class="wide">{t("label.progress", counts(progress))}</span>
                <span class="narrow">{t("label.progress_short", counts(progress))}</span>
              </span>
            )}
            <Clock labeling={labeling} />
          </>
        }
      >
        {() => <Today labeling={labeling} />}
      </Menu>
    </InBar>
  );
}

const counts = ({ labels, freeze_after }: Progress) => ({
  labels: integer(Math.min(labels, freeze_after)),
  freeze_after: integer(freeze_after),
});

/** What one did today, and what became of it; nothing that could bias the next answer. */
export function Today({ labeling }: { labeling: Labeling }) {
  const { progress } = labeling.state.value;
  const { data: learnt } = useResource<Learnt>(`projects/${labeling.slug}/learnt/`);
  const given = labeling.given.value;
  const hours = labeling.timer.total / 3_600_000;
  return (
    <ul class="today">
      {progress && <li>{t("finished.today", { count: progress.mine_today })}</li>}
      {given >= FEWEST && <li>{t("today.pace", { pace: integer(Math.round(given / hours)) })}</li>}
      <li>{t("today.time", { time: clock(labeling.timer.total / 1000) })}</li>
      {learnt && learnt.model !== null && (
        <li>
          {learnt.mine > 0
            ? t("today.learnt", { model: learnt.model, count: learnt.mine })
            : t("today.newest", { model: learnt.model })}
        </li>
      )}
    </ul>
  );
}

/** Of fewer answers a pace says nothing. */
const FEWEST = 5;

function Clock({ labeling }: { labeling: Labeling }) {
  const [now, setNow] = useState(labeling.timer.total);
  useEffect(() => {
    const ticking = setInterval(() => setNow(labeling.timer.total), 1000);
    return () => clearInterval(ticking);
  }, [labeling]);
  return (
    <span class="clock">
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <circle cx="6" cy="6" r="5" />
        <path d="M6 3.2V6l1.9 1.1" />
      </svg>
      <span>{clock(now / 1000)}</span>
    </span>
  );
}
