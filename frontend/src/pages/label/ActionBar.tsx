import { useLayoutEffect, useRef } from "preact/hooks";
import type { Assignment, Choice, Project } from "../../api/types";
import { t } from "../../i18n";
import { hintFor, type Keymap } from "../../keymap/keymap";
import { Button } from "../../parts/Button";
import { formFor } from "../../responses/forms";
import { PairScale } from "../../responses/PairScale";
import { SetScale } from "../../responses/SetScale";
import type { Labeling } from "../../session/labeling";
import type { LabelAction } from "./keys";

interface Props {
  project: Project;
  labeling: Labeling;
  assignment: Assignment;
  keymap: Keymap<LabelAction>;
  act: (action: LabelAction) => void;
  /** Counts the times that the note was asked for on this pair; 0 leaves it closed. */
  noting: number;
  choose: (choice: Choice, label: string) => void;
}

/** Fixed at the bottom: the scale, and below it what else one can say or do. */
export function ActionBar(props: Props) {
  const { project, labeling, assignment, keymap, act, noting, choose } = props;
  const { draft, looking, last } = labeling.state.value;
  const standing = draft.choice ?? labeling.state.value.standing;
  const noted = noting > 0 || draft.rationale !== "" || project.rationale_required;
  const count = assignment.responses.length;
  const form = formFor(project, count);
  const whole =
    count === 2
      ? (["both_good", "both_bad", "unanswerable"] as const)
      : (["tie", "all_good", "all_bad", "unanswerable"] as const);

  return (
    <section class="action-bar" aria-label={t("keys.answer")}>
      {noted && (
        <Note
          key={assignment.key}
          required={project.rationale_required}
          send={draft.choice && (() => draft.choice && choose(draft.choice, ""))}
          {...{ labeling, noting }}
        />
      )}
      {form === "pairwise" ? (
        <PairScale levels={project.levels_per_side} {...{ keymap, act, standing }} />
      ) : (
        <SetScale
          {...{ form, count, keymap, act, standing, tiers: draft.tiers }}
          rank={(tiers) => labeling.draft({ tiers })}
        />
      )}
      <div class="action-row">
        {whole.map((outcome) => (
          <Button
            key={outcome}
            kind="quiet"
            hint={hintFor(keymap, outcome)}
            aria-pressed={standing?.outcome === outcome}
            onClick={() => act(outcome)}
          >
            {t(`choice.${outcome}`)}
          </Button>
        ))}
        <Button
          kind="quiet"
          hint={hintFor(keymap, "skip")}
          disabled={looking !== null}
          onClick={() => act("skip")}
        >
          {t("action.skip")}
        </Button>
        <Button
          kind="quiet"
          hint={hintFor(keymap, "undo")}
          disabled={!last || looking !== null}
          onClick={() => act("undo")}
        >
          {t("action.undo")}
        </Button>
        <span class="action-gap" />
        {hintFor(keymap, "alarm") && (
          <Button kind="quiet" hint={hintFor(keymap, "alarm")} onClick={() => act("alarm")}>
            {t("action.alarm")}
          </Button>
        )}
        {hintFor(keymap, "earlier") && (
          <Button kind="quiet" hint={hintFor(keymap, "earlier")} onClick={() => act("earlier")}>
            {t("label.earlier")}
          </Button>
        )}
        <Button
          kind="quiet"
          hint={hintFor(keymap, "note")}
          aria-expanded={noted}
          onClick={() => act("note")}
        >
          {t("action.note")}
        </Button>
      </div>
    </section>
  );
}

interface NoteProps {
  labeling: Labeling;
  noting: number;
  required: boolean;
  /** Sends the choice that waits for its reason. */
  send: (() => void) | null;
}

function Note({ labeling, noting, required, send }: NoteProps) {
  const { rationale } = labeling.state.value.draft;
  const blank = rationale.trim() === "";
  const field = useRef<HTMLTextAreaElement>(null);
  // Before the next key, which is a letter of the note and no answer.
  useLayoutEffect(() => {
    if (noting > 0) field.current?.focus();
  }, [noting]);
  return (
    <div class="note">
      <textarea
        ref={field}
        rows={2}
        aria-label={t(required ? "label.why" : "label.note")}
        aria-required={required}
        placeholder={t(required ? "label.why_hint" : "label.note_hint")}
        maxLength={20000}
        value={rationale}
        onInput={(event) => labeling.draft({ rationale: event.currentTarget.value })}
        onKeyDown={(event) => {
          const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey);
          if (!sends && event.key !== "Escape") return;
          event.preventDefault();
          if (!sends) document.querySelector<HTMLElement>(".responses-scroll")?.focus();
          else if (send && !blank) send();
        }}
      />
      {send && (
        <Button kind="primary" hint="⌃↵" disabled={blank} onClick={send}>
          {t("choice.submit")}
        </Button>
      )}
    </div>
  );
}
