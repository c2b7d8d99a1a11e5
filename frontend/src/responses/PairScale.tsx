import type { Choice } from "../api/types";
import { t } from "../i18n";
import { hintFor, type Keymap } from "../keymap/keymap";
import { KeyHint } from "../parts/Button";
import { type ChoiceAction, letter, strengthWord } from "./forms";

interface Props {
  levels: number;
  keymap: Keymap;
  act: (action: ChoiceAction) => void;
  standing: Choice | null;
}

/** From "A is much better" over the tie to "B is much better": one step is one button. */
export function PairScale({ levels, keymap, act, standing }: Props) {
  const steps = Array.from({ length: levels }, (_, step) => levels - step);
  return (
    <div class="scale" role="group" aria-label={t("choice.scale")}>
      <div class="scale-side">
        {steps.map((strength) => (
          <Step key={strength} side={0} {...{ strength, levels, keymap, act, standing }} />
        ))}
      </div>
      <button
        type="button"
        class="step tie"
        aria-pressed={standing?.outcome === "tie"}
        aria-keyshortcuts={hintFor(keymap, "tie")}
        onClick={() => act("tie")}
      >
        <span class="step-word">{t("choice.tie")}</span>
        <KeyHint>{hintFor(keymap, "tie")}</KeyHint>
      </button>
      <div class="scale-side">
        {steps.toReversed().map((strength) => (
          <Step key={strength} side={1} {...{ strength, levels, keymap, act, standing }} />
        ))}
      </div>
    </div>
  );
}

interface StepProps extends Props {
  side: 0 | 1;
  strength: number;
}

function Step({ side, strength, levels, keymap, act, standing }: StepProps) {
  const action: ChoiceAction = `prefer:${side}:${strength}`;
  const hint = hintFor(keymap, action);
  const word = strengthWord(strength, levels);
  const chosen =
    standing?.outcome === "prefer" &&
    standing.tiers[0]?.[0] === side &&
    (standing.strength ?? 1) === strength;
  return (
    <button
      type="button"
      class="step"
      aria-pressed={chosen}
      aria-keyshortcuts={hint}
      onClick={() => act(action)}
    >
      <span class="step-letter">{letter(side)}</span> <span class="step-word">{word}</span>
      {/* Whoever speaks to the page says what they see; the whole sentence follows it. */}
      <span class="visually-hidden">
        {keymap.find((binding) => binding.action === action)?.label}
      </span>
      <KeyHint>{hint}</KeyHint>
    </button>
  );
}
