import type { ComponentChildren } from "preact";
import type { Project, Span } from "../../api/types";
import { t } from "../../i18n";
import { hintFor, type Keymap } from "../../keymap/keymap";
import { Button } from "../../parts/Button";
import { letter } from "../../responses/forms";
import type { Labeling } from "../../session/labeling";
import type { LabelAction } from "./keys";

interface Props {
  project: Project;
  labeling: Labeling;
  place: number;
  keymap: Keymap<LabelAction>;
  act: (action: LabelAction) => void;
  rewrite: (place: number) => void;
}

const RATINGS = [0, 1, 2, 3, 4];

/** Flags, ratings, marked words and the rewrite of one response, where the project asks for them. */
export function Remarks({ project, labeling, place, keymap, act, rewrite }: Props) {
  const { flags, ratings, spans, rewrites } = labeling.state.value.draft;
  const own = flags[place] ?? [];
  const rated = ratings[place] ?? {};

  const toggle = (name: string) => {
    const next = own.includes(name) ? own.filter((other) => other !== name) : [...own, name];
    labeling.draft({ flags: without(flags, place, next.length ? next : undefined) });
  };
  const rate = (attribute: string, rating: number) => {
    const { [attribute]: before, ...rest } = rated;
    const next = before === rating ? rest : { ...rest, [attribute]: rating };
    labeling.draft({
      ratings: without(ratings, place, Object.keys(next).length ? next : undefined),
    });
  };

  return (
    <div class="remarks">
      {project.flags.length > 0 && (
        <div class="flags" role="group" aria-label={t("label.flags_of", { letter: letter(place) })}>
          {project.flags.map((name) => (
            <button
              key={name}
              type="button"
              class="chip"
              aria-pressed={own.includes(name)}
              onClick={() => toggle(name)}
            >
              {name}
            </button>
          ))}
        </div>
      )}
      {project.attributes.length > 0 && (
        <div class="ratings">
          {project.attributes.map((attribute) => (
            <div key={attribute} class="rating" role="group" aria-label={attribute}>
              <span class="quiet">{attribute}</span>
              <span class="rating-steps">
                {RATINGS.map((rating) => (
                  <button
                    key={rating}
                    type="button"
                    aria-label={t("label.rate", { attribute, rating })}
                    aria-pressed={rated[attribute] === rating}
                    onClick={() => rate(attribute, rating)}
                  >
                    {rating}
                  </button>
                ))}
              </span>
            </div>
          ))}
        </div>
      )}
      {project.span_categories.length > 0 && (
        <Marked labeling={labeling} place={place} spans={spans}>
          <Button kind="quiet" hint={hintFor(keymap, "spans")} onClick={() => act("spans")}>
            {t("action.spans")}
          </Button>
        </Marked>
      )}
      {project.rewrites && (
        <div class="rewrite-line">
          <Button kind="quiet" hint={hintFor(keymap, "rewrite")} onClick={() => rewrite(place)}>
            {t("action.rewrite")}
            <span class="visually-hidden">{t("rewrite.title", { letter: letter(place) })}</span>
          </Button>
          {rewrites[place] && <span class="quiet">{t("rewrite.there")}</span>}
        </div>
      )}
    </div>
  );
}

interface MarkedProps {
  labeling: Labeling;
  place: number;
  spans: readonly Span[];
  children: ComponentChildren;
}

/** What is marked in one response, each to be taken away again. */
function Marked({ labeling, place, spans, children }: MarkedProps) {
  const own = spans.filter((span) => span.position === place);
  return (
    <div class="marked">
      {children}
      {own.length > 0 && (
        <ul aria-label={t("spans.of", { letter: letter(place) })}>
          {own.map((span) => (
            <li key={`${span.message}-${span.start}-${span.end}-${span.category}`}>
              <strong>{span.category}</strong>
              <q dir="auto">{span.quote}</q>
              <button
                type="button"
                aria-label={t("spans.remove", { quote: span.quote, category: span.category })}
                onClick={() => labeling.draft({ spans: spans.filter((other) => other !== span) })}
              >
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** The record with this place's value put in, or taken out when there is none. */
function without<V>(record: Record<string, V>, place: number, value: V | undefined) {
  const { [place]: _before, ...rest } = record;
  return value === undefined ? rest : { ...rest, [place]: value };
}
