import { useState } from "preact/hooks";
import type { Project, ResponseForm } from "../../api/types";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Field } from "../../parts/Field";

/** What a manager sets of a project, as the form holds it. */
export interface ProjectSettings {
  name: string;
  response_form: ResponseForm;
  levels_per_side: 1 | 3 | 4;
  flags: string[];
  attributes: string[];
  span_categories: string[];
  rationale_required: boolean;
  rewrites: boolean;
  write_first_share: number;
  overlap: number;
  heldout_share: number;
  freeze_after: number;
  talk_replies: number;
}

export const NEW_SETTINGS: ProjectSettings = {
  name: "",
  response_form: "pairwise",
  levels_per_side: 3,
  flags: [],
  attributes: [],
  span_categories: [],
  rationale_required: false,
  rewrites: false,
  write_first_share: 0,
  overlap: 1,
  heldout_share: 0.2,
  freeze_after: 200,
  talk_replies: 0,
};

export function settingsOf(project: Project): ProjectSettings {
  const names = Object.keys(NEW_SETTINGS) as (keyof ProjectSettings)[];
  return Object.fromEntries(
    names.map((name) => [name, project[name]]),
  ) as unknown as ProjectSettings;
}

interface Props {
  settings: ProjectSettings;
  change: (part: Partial<ProjectSettings>) => void;
  errorOf: (field: string) => string | undefined;
}

const FORMS: ResponseForm[] = ["pairwise", "ranking", "best_of_k"];

export function ProjectFields({ settings, change, errorOf }: Props) {
  return (
    <>
      <Field label={t("fields.name")} error={errorOf("name")}>
        {(control) => (
          <input
            {...control}
            required
            maxLength={120}
            value={settings.name}
            onInput={(event) => change({ name: event.currentTarget.value })}
          />
        )}
      </Field>
      <div class="form-row">
        <Field label={t("fields.response_form")} error={errorOf("response_form")}>
          {(control) => (
            <select
              {...control}
              value={settings.response_form}
              onChange={(event) =>
                change({ response_form: event.currentTarget.value as ResponseForm })
              }
            >
              {FORMS.map((form) => (
                <option key={form} value={form}>
                  {t(`form.${form}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        {settings.response_form === "pairwise" && (
          <Field label={t("fields.levels_per_side")} error={errorOf("levels_per_side")}>
            {(control) => (
              <select
                {...control}
                value={settings.levels_per_side}
                onChange={(event) =>
                  change({ levels_per_side: Number(event.currentTarget.value) as 1 | 3 | 4 })
                }
              >
                {([1, 3, 4] as const).map((levels) => (
                  <option key={levels} value={levels}>
                    {t(`levels.${levels}`)}
                  </option>
                ))}
              </select>
            )}
          </Field>
        )}
      </div>
      <div class="form-row">
        <NumberField name="freeze_after" {...{ settings, change, errorOf }} min={1} max={1e6} />
        <NumberField name="overlap" {...{ settings, change, errorOf }} min={1} max={100} />
        <ShareField name="heldout_share" {...{ settings, change, errorOf }} />
      </div>
      <Field
        label={t("fields.talk_replies")}
        help={t("fields.talk_replies_help")}
        error={errorOf("talk_replies")}
      >
        {(control) => (
          <select
            {...control}
            value={settings.talk_replies}
            onChange={(event) => change({ talk_replies: Number(event.currentTarget.value) })}
          >
            {([0, 2, 3, 4] as const).map((replies) => (
              <option key={replies} value={replies}>
                {t(`talk_replies.${replies}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      <NamesField name="flags" {...{ settings, change, errorOf }} />
      <NamesField name="attributes" {...{ settings, change, errorOf }} />
      <NamesField name="span_categories" {...{ settings, change, errorOf }} />
      <div class="form-row">
        <ShareField name="write_first_share" {...{ settings, change, errorOf }} />
        <div class="checks">
          <CheckField name="rationale_required" {...{ settings, change, errorOf }} />
          <CheckField name="rewrites" {...{ settings, change, errorOf }} />
        </div>
      </div>
    </>
  );
}

interface NumberProps extends Props {
  name: "freeze_after" | "overlap";
  min: number;
  max: number;
}

function NumberField({ name, settings, change, errorOf, min, max }: NumberProps) {
  return (
    <Field label={t(`fields.${name}`)} help={t(`fields.${name}_help`)} error={errorOf(name)}>
      {(control) => (
        <input
          {...control}
          type="number"
          required
          min={min}
          max={max}
          value={settings[name]}
          onInput={(event) => change({ [name]: event.currentTarget.valueAsNumber })}
        />
      )}
    </Field>
  );
}

/** A share as a percentage. */
function ShareField(props: Props & { name: "heldout_share" | "write_first_share" }) {
  const { name, settings, change, errorOf } = props;
  return (
    <Field label={t(`fields.${name}`)} help={t(`fields.${name}_help`)} error={errorOf(name)}>
      {(control) => (
        <input
          {...control}
          type="number"
          min={0}
          max={100}
          step="any"
          value={Math.round(settings[name] * 1000) / 10}
          onInput={(event) => change({ [name]: Number(event.currentTarget.value) / 100 })}
        />
      )}
    </Field>
  );
}

function CheckField(props: Props & { name: "rationale_required" | "rewrites" }) {
  const { name, settings, change } = props;
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={settings[name]}
        onChange={(event) => change({ [name]: event.currentTarget.checked })}
      />
      <span>{t(`fields.${name}`)}</span>
    </label>
  );
}

/** Names separated by commas, with some that are often wanted one press away. */
function NamesField(props: Props & { name: "flags" | "attributes" | "span_categories" }) {
  const { name, settings, change, errorOf } = props;
  const [text, setText] = useState(settings[name].join(", "));
  const write = (names: string) => {
    setText(names);
    change({ [name]: namesIn(names) });
  };
  const usual = t(`fields.${name}_usual`);
  return (
    <Field label={t(`fields.${name}`)} help={t(`fields.${name}_help`)} error={errorOf(name)}>
      {(control) => (
        <div class="with-button">
          <input {...control} value={text} onInput={(event) => write(event.currentTarget.value)} />
          {text !== usual && (
            <Button title={usual} onClick={() => write(usual)}>
              {t(`fields.${name}_use`)}
            </Button>
          )}
        </div>
      )}
    </Field>
  );
}

export function namesIn(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  return [...new Set(names.filter(Boolean))];
}
