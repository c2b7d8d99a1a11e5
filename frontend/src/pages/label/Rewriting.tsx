import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Assignment } from "../../api/types";
import { t } from "../../i18n";
import { modality } from "../../modalities";
import { Button } from "../../parts/Button";
import { wordDiff } from "../../render/wordDiff";
import { letter } from "../../responses/forms";
import type { Labeling } from "../../session/labeling";

interface Props {
  labeling: Labeling;
  assignment: Assignment;
  modality: string;
  plain: boolean;
  place: number;
  turnTo: (place: number) => void;
  onClose: () => void;
}

/** The diff waits until the typing pauses. */
const PAUSE = 120;

/** One response, an editor beside it that begins with its words, and what was changed. */
export function Rewriting({ labeling, assignment, plain, place, turnTo, onClose, ...rest }: Props) {
  const Messages = modality(rest.modality);
  const { messages } = assignment.responses[place] ?? { messages: [] };
  const original = messages.at(-1)?.content ?? "";
  const { rewrites } = labeling.state.value.draft;
  const text = rewrites[place]?.text ?? original;
  const [dropped, setDropped] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const opened = useRef({ at: 0, spent: 0 });

  // biome-ignore lint/correctness/useExhaustiveDependencies: another response is another sitting.
  useLayoutEffect(() => {
    opened.current = { at: labeling.timer.total, spent: rewrites[place]?.active_ms ?? 0 };
    setDropped(null);
    field.current?.focus();
  }, [place]);

  const write = (words: string) => {
    const { at, spent } = opened.current;
    const active_ms = Math.round(spent + labeling.timer.total - at);
    labeling.draft({ rewrites: { ...rewrites, [place]: { text: words, active_ms } } });
  };
  const drop = () => {
    const { [place]: _, ...others } = rewrites;
    setDropped(text);
    labeling.draft({ rewrites: others });
  };

  return (
    <section class="rewriting" aria-label={t("rewrite.title", { letter: letter(place) })}>
      <header class="rewriting-head">
        <h2>{t("rewrite.title", { letter: letter(place) })}</h2>
        <div class="segments" role="group" aria-label={t("label.responses")}>
          {assignment.responses.map((_, other) => (
            <button
              key={other}
              type="button"
              aria-pressed={other === place}
              onClick={() => turnTo(other)}
            >
              {letter(other)}
            </button>
          ))}
        </div>
        <span class="action-gap" />
        {dropped !== null ? (
          <Button kind="quiet" onClick={() => [write(dropped), setDropped(null)]}>
            {t("rewrite.put_back")}
          </Button>
        ) : (
          <Button kind="quiet" disabled={text === original} onClick={drop}>
            {t("rewrite.drop")}
          </Button>
        )}
        <Button hint="esc" onClick={onClose}>
          {t("rewrite.done")}
        </Button>
      </header>
      <div class="rewriting-panes">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reachable by keyboard. */}
        <div class="rewriting-original" tabIndex={0}>
          <Messages messages={messages} plain={plain} />
        </div>
        <textarea
          ref={field}
          class="rewriting-field"
          dir="auto"
          aria-label={t("rewrite.field", { letter: letter(place) })}
          maxLength={100_000}
          value={text}
          onInput={(event) => write(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            event.preventDefault();
            onClose();
          }}
        />
        <Changes before={original} after={text} />
      </div>
    </section>
  );
}

function Changes({ before, after }: { before: string; after: string }) {
  const [settled, setSettled] = useState(after);
  useEffect(() => {
    const pause = setTimeout(() => setSettled(after), PAUSE);
    return () => clearTimeout(pause);
  }, [after]);
  const changes = useMemo(() => wordDiff(before, settled), [before, settled]);
  const none = before === settled;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reachable by keyboard.
    <section class="changes" tabIndex={0} aria-label={t("rewrite.changes")}>
      <h3>{t("rewrite.changes")}</h3>
      <p class="as-written" dir="auto">
        {none || changes === null ? (
          <span class="quiet">{t(none ? "rewrite.unchanged" : "rewrite.too_different")}</span>
        ) : (
          changes.map(({ what, text }, place) => {
            if (what === "added") return <ins key={place}>{text}</ins>;
            if (what === "removed") return <del key={place}>{text}</del>;
            return text;
          })
        )}
      </p>
    </section>
  );
}
