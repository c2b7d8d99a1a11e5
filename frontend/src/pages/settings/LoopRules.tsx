import { useState } from "preact/hooks";
import { patch } from "../../api/client";
import type { Loop } from "../../api/types";
import { t, tIn } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { useAction } from "../../parts/useAction";

type Rules = Pick<
  Loop,
  | "autopilot"
  | "promotion"
  | "selection"
  | "freeze_hours"
  | "freeze_early"
  | "second_opinion"
  | "step_budget"
  | "minute_budget"
  | "arena_prompts"
  | "arena_checkpoints"
  | "equal_length"
>;
const NUMBERS = [
  { name: "freeze_hours", min: 1, max: 8760, required: false },
  { name: "step_budget", min: 1, max: 1_000_000, required: false },
  { name: "minute_budget", min: 1, max: 100_000, required: false },
  { name: "arena_prompts", min: 1, max: 20_000, required: true },
  { name: "arena_checkpoints", min: 0, max: 50, required: true },
] as const;
const CHOICES = [
  { name: "selection", values: ["random", "d_optimal", "uncertain"] },
  { name: "promotion", values: ["manager", "arena"] },
] as const;
const SWITCHES = ["autopilot", "freeze_early", "second_opinion", "equal_length"] as const;

interface Props {
  slug: string;
  loop: Loop;
  saved: (loop: Loop) => void;
}

/** When the circle does what by itself, and who has the last word. */
export function LoopRules({ slug, loop, saved }: Props) {
  const [rules, setRules] = useState<Rules>(() => rulesOf(loop));
  const change = (part: Partial<Rules>) => setRules({ ...rules, ...part });
  const save = useAction(async () =>
    saved(await patch<Loop>(`projects/${slug}/loop/`, { ...rules })),
  );
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        save.run();
      }}
    >
      {SWITCHES.map((name) => (
        <label class="check" key={name}>
          <input
            type="checkbox"
            checked={rules[name]}
            onChange={(event) => change({ [name]: event.currentTarget.checked })}
          />
          <span>
            {t(`settings.loop.${name}`)}
            <span class="field-help">{t(`settings.loop.${name}_help`)}</span>
          </span>
        </label>
      ))}
      {CHOICES.map(({ name, values }) => (
        <Field key={name} label={t(`settings.loop.${name}`)} help={t(`settings.loop.${name}_help`)}>
          {(control) => (
            <select
              {...control}
              value={rules[name]}
              onChange={(event) => change({ [name]: event.currentTarget.value })}
            >
              {values.map((value) => (
                <option key={value} value={value}>
                  {tIn("settings.loop", `${name}_${value}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
      ))}
      {NUMBERS.map(({ name, min, max, required }) => (
        <Field
          key={name}
          label={t(`settings.loop.${name}`)}
          help={t(`settings.loop.${name}_help`)}
          error={save.errorOf(name)}
        >
          {(control) => (
            <input
              {...control}
              type="number"
              {...{ min, max, required }}
              value={rules[name] ?? ""}
              onInput={({ currentTarget: { value, valueAsNumber } }) =>
                change({ [name]: value === "" ? null : valueAsNumber })
              }
            />
          )}
        </Field>
      ))}
      {!NUMBERS.some(({ name }) => save.errorOf(name)) && <ErrorNotice error={save.error} />}
      {save.done && <Notice>{t("common.saved")}</Notice>}
      <div class="actions">
        <Button type="submit" kind="primary" busy={save.busy}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}

function rulesOf(loop: Loop): Rules {
  const { autopilot, promotion, selection, freeze_hours, freeze_early } = loop;
  const { second_opinion, equal_length } = loop;
  const { step_budget, minute_budget, arena_prompts, arena_checkpoints } = loop;
  return {
    autopilot,
    promotion,
    selection,
    freeze_hours,
    freeze_early,
    second_opinion,
    step_budget,
    minute_budget,
    arena_prompts,
    arena_checkpoints,
    equal_length,
  };
}
