import { useState } from "preact/hooks";
import { post } from "../../api/client";
import type { Circle, LoopRules, Method, Run } from "../../api/models";
import { useResource } from "../../api/resource";
import { decimal } from "../../charts/figures";
import { t } from "../../i18n";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Field } from "../../parts/Field";
import { ErrorNotice, Notice } from "../../parts/Notice";
import { Loaded } from "../../parts/States";
import { useAction } from "../../parts/useAction";
import { useProject } from "../../project";
import { remarksOf, rewardsOf } from "../../rewards";
import { RewardList } from "../runs/RewardList";
import { duration } from "../runs/time";
import { estimate } from "./estimate";

interface Props {
  circle: Circle;
  onClose: () => void;
  onStarted: () => void;
}

export function FineTune(props: Props) {
  const rules = useResource<LoopRules>(`projects/${props.circle.project.slug}/loop/`);
  return (
    <Dialog title={t("fine_tune.title")} onClose={props.onClose}>
      <Loaded resource={rules}>{(data) => <FineTuneForm rules={data} {...props} />}</Loaded>
    </Dialog>
  );
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const FIELDS = ["steps", "beta", "learning_rate"] as const;
type Option = (typeof FIELDS)[number];
const METHODS: readonly Method[] = ["rloo", "grpo", "rejection_sampling", "dpo", "sft"];

function FineTuneForm({ circle, rules, onStarted }: Props & { rules: LoopRules }) {
  const usual = rules.policy_configuration;
  const [options, setOptions] = useState<Record<Option, string>>(
    () => Object.fromEntries(FIELDS.map((name) => [name, String(usual[name])])) as never,
  );
  const [method, setMethod] = useState<Method>(usual.method);
  const [rewards, setRewards] = useState(() => rewardsOf(rules));
  const project = useProject(circle.project.slug)?.data;
  const start = useAction(async (body: object) => {
    await post<Run>(`projects/${circle.project.slug}/runs/`, { kind: "policy", ...body });
    onStarted();
  });
  const submit = (event: Event) => {
    event.preventDefault();
    const changed = FIELDS.filter((name) => Number(options[name]) !== usual[name]);
    start.run({
      options: {
        ...Object.fromEntries(changed.map((name) => [name, Number(options[name])])),
        ...(method !== usual.method && { method }),
        ...(!same(rewards, rewardsOf(rules)) && { rewards }),
      },
    });
  };
  const named = ["method", ...FIELDS, "rewards"].some((name) => start.errorOf(`options.${name}`));

  return (
    <>
      <form class="form" onSubmit={submit}>
        <p class="quiet">
          {circle.reward_model
            ? t("fine_tune.against", { number: circle.reward_model.number })
            : t("fine_tune.without")}
        </p>
        <Field
          label={t("fine_tune.method")}
          help={t(`fine_tune.${method}_help`)}
          error={start.errorOf("options.method")}
        >
          {(control) => (
            <select
              {...control}
              value={method}
              onChange={(event) => setMethod(event.currentTarget.value as Method)}
            >
              {METHODS.map((one) => (
                <option key={one} value={one}>
                  {t(`fine_tune.method_${one}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
        {FIELDS.map((name) => (
          <Field
            key={name}
            label={t(`fine_tune.${name}`)}
            help={t(`fine_tune.${name}_help`)}
            error={start.errorOf(`options.${name}`)}
          >
            {(control) => (
              <input
                {...control}
                type="number"
                required
                min={name === "steps" ? 1 : 0}
                step={name === "steps" ? 1 : "any"}
                value={options[name]}
                onInput={(event) => setOptions({ ...options, [name]: event.currentTarget.value })}
              />
            )}
          </Field>
        ))}
        {project && (
          <RewardList
            rewards={rewards}
            remarks={remarksOf(project)}
            change={setRewards}
            error={start.errorOf("options.rewards")}
          />
        )}
        <Pace runs={circle.runs} steps={Number.parseInt(options.steps, 10)} />
        {!named && <ErrorNotice error={start.error} />}
        <div class="actions">
          <Button type="submit" kind="primary" busy={start.busy}>
            {t("fine_tune.start")}
          </Button>
        </div>
      </form>
      {rules.hackable && (
        <section class="hack">
          <h3>{t("hack.title")}</h3>
          <Notice kind="warn">
            {t("hack.warning", {
              beta: decimal(rules.hackable.beta),
              learning_rate: decimal(rules.hackable.learning_rate),
              steps: rules.hackable.steps,
            })}
          </Notice>
          <Button disabled={start.busy} onClick={() => start.run({ hackable: true })}>
            {t("hack.start")}
          </Button>
        </section>
      )}
    </>
  );
}

function Pace({ runs, steps }: { runs: readonly Run[]; steps: number }) {
  const known = estimate(runs, steps);
  if (!known) return <p class="quiet">{t("fine_tune.no_pace")}</p>;
  return (
    <p class="quiet">
      {t("fine_tune.pace", {
        time: duration(known.seconds),
        id: known.run.id,
        step: decimal(known.secondsAStep),
        device: known.run.device,
      })}
    </p>
  );
}
