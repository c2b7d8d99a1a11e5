import { useEffect, useRef, useState } from "preact/hooks";
import type { Assignment, Project } from "../../api/types";
import { t } from "../../i18n";
import type { Keymap } from "../../keymap/keymap";
import { modality } from "../../modalities";
import { Compared } from "../../render/Compared";
import { isDrawable } from "../../render/markdown";
import { formFor, letter } from "../../responses/forms";
import type { Labeling } from "../../session/labeling";
import type { LabelAction } from "./keys";
import { Remarks } from "./Remarks";

interface Props {
  project: Project;
  labeling: Labeling;
  assignment: Pick<Assignment, "key" | "responses">;
  plain: boolean;
  /** Marks the words in which the responses differ. */
  comparing: boolean;
  keymap: Keymap<LabelAction>;
  act: (action: LabelAction) => void;
  rewrite: (place: number) => void;
  /** Something lies over them: they are neither read nor reached. */
  covered: boolean;
  /** Whether they are still being written: to be read, and nothing else. */
  growing?: boolean;
}

/** The responses side by side; on a phone, pages that are swiped or switched. */
export function Responses(props: Props) {
  const {
    project,
    labeling,
    assignment,
    plain,
    comparing,
    keymap,
    act,
    rewrite,
    covered,
    growing,
  } = props;
  const pages = useRef<HTMLDivElement>(null);
  const [page, setPage] = useState(0);
  const { draft } = labeling.state.value;
  const count = assignment.responses.length;
  const ranked = formFor(project, count) === "ranking";
  const Messages = modality(project.modality);
  const texts = assignment.responses.map(textOf);
  // Where one cannot be drawn, none is: nothing but the text may make one look better.
  const written = plain || !texts.every(isDrawable);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the next pair starts at its first page.
  useEffect(() => {
    pages.current?.scrollTo({ left: 0, behavior: "instant" });
    setPage(0);
  }, [assignment.key]);

  const turnTo = (place: number) => {
    const width = pages.current?.clientWidth ?? 0;
    const turned = document.documentElement.dir === "rtl" ? -1 : 1;
    pages.current?.scrollTo({ left: turned * place * width });
  };
  const onScroll = () => {
    const element = pages.current;
    if (element?.clientWidth)
      setPage(Math.round(Math.abs(element.scrollLeft) / element.clientWidth));
  };

  return (
    <div class="responses" inert={covered}>
      <div class="response-tabs" role="group" aria-label={t("label.responses")}>
        {assignment.responses.map((_, place) => (
          <button
            key={place}
            type="button"
            aria-pressed={page === place}
            onClick={() => turnTo(place)}
          >
            {letter(place)}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reachable by keyboard. */}
      <div class="responses-scroll" tabIndex={0} aria-label={t("label.responses")} role="group">
        <div
          class="response-pages"
          data-count={count}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: a narrow window scrolls it sideways.
          tabIndex={0}
          ref={pages}
          key={assignment.key}
          onScroll={onScroll}
        >
          {assignment.responses.map(({ messages }, place) => (
            <article
              key={place}
              class={growing ? "response growing" : "response"}
              aria-busy={growing}
              aria-label={t("label.response", { letter: letter(place) })}
            >
              <header class="response-head">
                <h2>{letter(place)}</h2>
                {ranked && <Rank tiers={draft.tiers} place={place} />}
              </header>
              {comparing ? (
                <Compared text={texts[place] ?? ""} other={texts[place === 0 ? 1 : 0] ?? ""} />
              ) : (
                <Messages messages={messages} plain={written} />
              )}
              {!growing && <Remarks {...{ project, labeling, place, keymap, act, rewrite }} />}
            </article>
          ))}
        </div>
      </div>
    </div>
  );
}

function textOf({ messages }: Assignment["responses"][number]): string {
  return messages.map(({ content }) => content).join("\n\n");
}

function Rank({ tiers, place }: { tiers: number[][]; place: number }) {
  const tier = tiers.findIndex((members) => members.includes(place));
  if (tier < 0) return null;
  return <span class="rank">{t("label.rank", { place: tier + 1 })}</span>;
}
