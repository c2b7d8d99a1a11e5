import type { Choice } from "../api/types";
import { t } from "../i18n";
import { hintFor, type Keymap } from "../keymap/keymap";
import { Button, KeyHint } from "../parts/Button";
import { type ChoiceAction, type FormName, letter } from "./forms";
import { RankBoard } from "./RankBoard";

interface Props {
  form: FormName;
  count: number;
  keymap: Keymap;
  act: (action: ChoiceAction) => void;
  standing: Choice | null;
  /** The ranking that is being made, best first. */
  tiers: number[][];
  rank: (tiers: number[][]) => void;
}

/** Three responses or more: the best of them, or each in turn from the best down. */
export function SetScale({ form, count, keymap, act, standing, tiers, rank }: Props) {
  const verb = form === "best_of_k" ? "best" : "rank";
  const placed = tiers.flat();
  const best = standing?.outcome === "prefer" ? standing.tiers[0]?.[0] : undefined;
  return (
    <div class="scale set" role="group" aria-label={t("choice.scale")}>
      <div class="scale-side">
        {Array.from({ length: count }, (_, position) => position).map((position) => {
          const action: ChoiceAction = `${verb}:${position}`;
          const hint = hintFor(keymap, action);
          const pressed = verb === "best" ? best === position : placed.includes(position);
          return (
            <button
              key={position}
              type="button"
              class="step"
              aria-pressed={pressed}
              aria-keyshortcuts={hint}
              aria-label={keymap.find((binding) => binding.action === action)?.label}
              onClick={(event) =>
                act(verb === "rank" && event.shiftKey ? `join:${position}` : action)
              }
            >
              <span class="step-letter">{letter(position)}</span>
              <KeyHint>{hint}</KeyHint>
            </button>
          );
        })}
      </div>
      {verb === "rank" && (
        <div class="ranking">
          {placed.length === 0 && <span class="ranking-hint">{t("choice.rank_hint")}</span>}
          <RankBoard tiers={tiers} set={rank} />
          <Button
            kind="quiet"
            hint={hintFor(keymap, "unrank")}
            disabled={placed.length === 0}
            onClick={() => act("unrank")}
          >
            {t("choice.unrank")}
          </Button>
          <Button
            kind="primary"
            hint={hintFor(keymap, "submit")}
            disabled={placed.length < count - 1}
            onClick={() => act("submit")}
          >
            {t("choice.submit")}
          </Button>
        </div>
      )}
    </div>
  );
}
