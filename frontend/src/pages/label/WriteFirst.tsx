import { useLayoutEffect, useRef } from "preact/hooks";
import type { Assignment } from "../../api/types";
import { t } from "../../i18n";
import { hintFor, type Keymap } from "../../keymap/keymap";
import { Button } from "../../parts/Button";
import { ErrorNotice } from "../../parts/Notice";
import { useAction } from "../../parts/useAction";
import type { Labeling } from "../../session/labeling";
import type { LabelAction } from "./keys";

interface Props {
  labeling: Labeling;
  assignment: Assignment;
  keymap: Keymap<LabelAction>;
  act: (action: LabelAction) => void;
}

/** Instead of the responses: the labeler's own answer. The responses come once it is stored. */
export function WriteFirst({ labeling, assignment, keymap, act }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const { written } = labeling.state.value.draft;
  const store = useAction(() => labeling.write());
  const blank = written.trim() === "";

  // biome-ignore lint/correctness/useExhaustiveDependencies: each asks for its own answer.
  useLayoutEffect(() => field.current?.focus(), [assignment.key]);

  return (
    <div class="write-first">
      <h2 id="write-first">{t("write_first.title")}</h2>
      <p class="quiet" id="write-first-about">
        {t("write_first.about")}
      </p>
      <textarea
        ref={field}
        dir="auto"
        aria-labelledby="write-first"
        aria-describedby="write-first-about"
        maxLength={100_000}
        readOnly={store.busy}
        value={written}
        onInput={(event) => labeling.draft({ written: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          if (!blank) store.run();
        }}
      />
      <ErrorNotice error={store.error} />
      <div class="actions">
        <Button
          kind="primary"
          hint="⌃↵"
          disabled={blank}
          busy={store.busy}
          onClick={() => store.run()}
        >
          {t("write_first.store")}
        </Button>
        <Button kind="quiet" hint={hintFor(keymap, "skip")} onClick={() => act("skip")}>
          {t("action.skip")}
        </Button>
        <Button
          kind="quiet"
          hint={hintFor(keymap, "undo")}
          disabled={!labeling.state.value.last}
          onClick={() => act("undo")}
        >
          {t("action.undo")}
        </Button>
      </div>
    </div>
  );
}
