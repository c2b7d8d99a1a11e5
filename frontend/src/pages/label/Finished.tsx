import { useEffect } from "preact/hooks";
import { Link } from "wouter-preact";
import type { Finished as FinishedReason, Progress, Project } from "../../api/types";
import { t } from "../../i18n";
import { hintFor, type Keymap } from "../../keymap/keymap";
import { useKeymap } from "../../keymap/useKeymap";
import { Button } from "../../parts/Button";
import { Empty } from "../../parts/States";
import type { Labeling } from "../../session/labeling";
import type { Outbox } from "../../session/outbox";
import { Notices } from "./Notices";
import { Today } from "./Status";

interface Props {
  labeling: Labeling;
  outbox: Outbox;
  project: Project;
}

type Action = "undo" | "earlier";

function whatNext(reason: FinishedReason["reason"], progress: Progress | null): string {
  if (reason !== "nothing_left") return t(`finished.next.${reason}`);
  const missing = progress ? progress.freeze_after - progress.labels : 0;
  if (missing <= 0) return t("finished.next.learning");
  return t("finished.next.nothing_left", { count: missing });
}

/** Nothing is left to answer now: why, and what happens next. The page goes on by itself. */
export function Finished({ labeling, outbox, project }: Props) {
  const { finished, progress, last } = labeling.state.value;
  const act = (action: Action) => void (action === "undo" ? labeling.undo() : labeling.look(1));
  useKeymap(KEYS, act);
  useEffect(() => document.getElementById("main")?.focus(), []);
  if (!finished) return null;
  return (
    <>
      <Empty whole title={t(`finished.${finished.reason}`)}>
        <p>{whatNext(finished.reason, progress)}</p>
        <Today labeling={labeling} />
        {outbox.waiting.value.length > 0 && (
          <p class="quiet">{t("label.waiting", { count: outbox.waiting.value.length })}</p>
        )}
        <div class="actions">
          {last && (
            <Button hint={hintFor(KEYS, "undo")} onClick={() => act("undo")}>
              {t("action.undo")}
            </Button>
          )}
          {progress !== null && progress.mine_today > 0 && (
            <Button hint={hintFor(KEYS, "earlier")} onClick={() => act("earlier")}>
              {t("label.earlier")}
            </Button>
          )}
          {project.role !== "labeler" && (
            <Link class="button" href={`/p/${project.slug}/circle`}>
              {t("finished.circle")}
            </Link>
          )}
        </div>
      </Empty>
      <Notices labeling={labeling} outbox={outbox} keymap={[]} act={() => undefined} />
    </>
  );
}

const KEYS: Keymap<Action> = [
  { action: "undo", keys: ["u"], label: t("action.undo"), group: t("keys.own") },
  { action: "earlier", keys: ["ArrowLeft"], label: t("action.earlier"), group: t("keys.own") },
];
