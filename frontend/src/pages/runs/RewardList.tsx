import { useId } from "preact/hooks";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { addable, type Remarks, type Reward, titleOf } from "../../rewards";
import "./rewards.css";

interface Props {
  rewards: readonly Reward[];
  /** The flags and attributes that a project asks for. */
  remarks: Remarks;
  change: (rewards: Reward[]) => void;
  error?: string;
}

/** The parts of a reward, each with its weight. */
export function RewardList({ rewards, remarks, change, error }: Props) {
  const id = useId();
  const more = addable(rewards, remarks);
  const replace = (at: number, part: Partial<Reward>) =>
    change(rewards.map((reward, i) => (i === at ? { ...reward, ...part } : reward)));
  return (
    <fieldset class="rewards" aria-describedby={`${id}-help`}>
      <legend>{t("rewards.title")}</legend>
      <ul>
        {rewards.map((reward, at) => {
          const title = titleOf(reward);
          return (
            <li key={title}>
              <span class="reward-title">
                {title}
                <span class="field-help">{t(`reward.${reward.kind}_help`)}</span>
              </span>
              {reward.kind === "lower" && (
                <Figure
                  label={t("rewards.spreads")}
                  of={title}
                  min={0}
                  value={reward.spreads}
                  set={(spreads) => replace(at, { spreads })}
                />
              )}
              <Figure
                label={t("rewards.weight")}
                of={title}
                min={reward.kind === "attribute" ? -100 : 0}
                value={reward.weight}
                set={(weight) => replace(at, { weight })}
              />
              <Button
                kind="quiet"
                aria-label={t("rewards.remove", { title })}
                disabled={rewards.length === 1}
                onClick={() => change(rewards.filter((_, i) => i !== at))}
              >
                ×
              </Button>
            </li>
          );
        })}
      </ul>
      {more.length > 0 && (
        <select
          aria-label={t("rewards.add")}
          value=""
          onChange={({ currentTarget }) => {
            const chosen = more[Number(currentTarget.value)];
            currentTarget.value = "";
            if (chosen) change([...rewards, chosen]);
          }}
        >
          <option value="">{t("rewards.add")}</option>
          {more.map((reward, i) => (
            <option key={titleOf(reward)} value={i}>
              {titleOf(reward)}
            </option>
          ))}
        </select>
      )}
      <p id={`${id}-help`} class={error ? "field-error" : "field-help"}>
        {error || t("rewards.help")}
      </p>
    </fieldset>
  );
}

interface FigureProps {
  label: string;
  of: string;
  min: number;
  value: number;
  set: (value: number) => void;
}

function Figure({ label, of, min, value, set }: FigureProps) {
  return (
    <label class="reward-figure">
      <span>{label}</span>
      <input
        type="number"
        required
        step="any"
        min={min}
        max={100}
        aria-label={`${label}: ${of}`}
        value={Number.isNaN(value) ? "" : value}
        onInput={(event) => set(event.currentTarget.valueAsNumber)}
      />
    </label>
  );
}
