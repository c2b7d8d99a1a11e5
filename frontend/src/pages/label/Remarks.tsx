import type { Project } from "../../api/types";
import { t } from "../../i18n";
import { letter } from "../../responses/forms";
import type { Labeling } from "../../session/labeling";

interface Props {
  project: Project;
  labeling: Labeling;
  place: number;
}

const RATINGS = [0, 1, 2, 3, 4];

/** Flags and ratings of one response, where the project asks for them. */
export function Remarks({ project, labeling, place }: Props) {
  const { flags, ratings } = labeling.state.value.draft;
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
    </div>
  );
}

/** The record with this place's value put in, or taken out when there is none. */
function without<V>(record: Record<string, V>, place: number, value: V | undefined) {
  const { [place]: _before, ...rest } = record;
  return value === undefined ? rest : { ...rest, [place]: value };
}
