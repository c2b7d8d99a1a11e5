import type { Run, RunState } from "../../api/models";
import { t } from "../../i18n";

const SIGNS: Record<RunState, string> = {
  queued: "◌",
  running: "▶",
  cancelling: "■",
  succeeded: "●",
  failed: "▲",
  cancelled: "■",
};
const LOOK: Partial<Record<RunState, string>> = { running: "accent", failed: "stop" };

/** A run's state by word and shape, and by colour where it matters. */
export function StateTag({ run: { state } }: { run: Pick<Run, "state"> }) {
  return (
    <span class={`tag ${LOOK[state] ?? ""}`}>
      <span aria-hidden="true" class="tag-sign">
        {SIGNS[state]}
      </span>{" "}
      {t(`run.state.${state}`)}
    </span>
  );
}
