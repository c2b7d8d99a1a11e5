import type { ComponentChildren } from "preact";
import { Link } from "wouter-preact";
import type { Circle, Run } from "../../api/models";
import { decimal, rateOf } from "../../charts/figures";
import { integer, relative } from "../../format";
import { t } from "../../i18n";
import { Interval } from "../../parts/Interval";
import { nameOf } from "../models/words";
import { leftOf, stepOf } from "../runs/words";
import type { Place } from "./ring";
import { activeRun, gateSaid, lastRun } from "./state";

export interface NodeWords {
  href: string;
  main: string;
  figure?: ComponentChildren;
  /** Up to two short lines below; what is false or null is left out. */
  lines?: (string | false | null)[];
  /** From 0 to 1 while something is at work here or being filled. */
  progress?: number;
  /** False where the node is still to come. */
  there: boolean;
}

/** What each node says, and where it leads. */
export function nodesOf(circle: Circle, kl: number | null): Record<Place, NodeWords> {
  return {
    labels: labelsNode(circle),
    batch: batchNode(circle),
    reward: rewardNode(circle),
    run: runNode(circle, kl),
    policy: policyNode(circle),
  };
}

const page = (circle: Circle, name: string) => `/p/${circle.project.slug}/${name}`;

function labelsNode(circle: Circle): NodeWords {
  const { countable, new: fresh, freeze_after, open } = circle.labels;
  const blind = circle.win_rate?.open ?? 0;
  const words = { fresh: integer(fresh), wanted: integer(freeze_after) };
  const lines = [
    t("circle.labels.fresh", words),
    blind > 0 && t("circle.labels.blind", { count: blind }),
    open + blind === 0 && t("circle.labels.queue_empty"),
  ];
  return {
    href: page(circle, "label"),
    main: t("circle.labels.count", { count: countable, shown: integer(countable) }),
    lines,
    there: true,
  };
}

function batchNode({ batch, labels, project }: Circle): NodeWords {
  if (!batch) {
    return {
      href: `/p/${project.slug}/runs`,
      main: t("circle.batch.none"),
      lines: [t("circle.batch.comes", { count: labels.freeze_after })],
      there: false,
    };
  }
  return {
    href: `/batches/${batch.id}`,
    main: t("batch.name", { number: batch.number }),
    lines: [t("circle.batch.holds", { size: integer(batch.size), fresh: integer(batch.fresh) })],
    there: true,
  };
}

function rewardNode(circle: Circle): NodeWords {
  const model = circle.reward_model;
  const run = activeRun(circle, "reward");
  const main = model ? t("model.reward", { number: model.number }) : t("circle.reward.none");
  const figure = model ? <Interval figure={model.accuracy} /> : undefined;
  if (run) {
    const lines = [t("circle.reward.learning", { id: run.id, step: stepOf(run) })];
    return { href: `/runs/${run.id}`, main, figure, lines, progress: shareOf(run), there: true };
  }
  const last = lastRun(circle, "reward");
  if (model) {
    const source = model.accuracy?.source;
    const lines = source ? [t(`circle.reward.source.${source}`)] : [];
    return { href: `/models/${model.id}`, main, figure, lines, there: true };
  }
  if (last?.version) {
    return {
      href: `/models/${last.version.id}`,
      main: t("model.reward", { number: last.version.number }),
      lines: [t("circle.reward.not_in_service")],
      there: false,
    };
  }
  return {
    href: last ? `/runs/${last.id}` : page(circle, "models"),
    main,
    lines: last
      ? [t("circle.run_ended", { id: last.id, state: t(`run.state.${last.state}`) })]
      : [],
    there: false,
  };
}

function runNode(circle: Circle, kl: number | null): NodeWords {
  const run = lastRun(circle, "policy");
  if (!run) {
    const tuned =
      circle.candidate ?? (circle.policy?.is_reference === false ? circle.policy : null);
    const main = tuned ? t("circle.run.earlier") : t("circle.run.none");
    return { href: page(circle, "runs"), main, there: tuned !== null };
  }
  const active = activeRun(circle, "policy") === run;
  const measured = kl !== null && t("circle.run.kl", { kl: decimal(kl) });
  const guard = run.guard_standing && t(`guard.standing.${run.guard_standing}`);
  const lines = active
    ? [
        [stepOf(run), measured].filter(Boolean).join(" · "),
        [guard, leftOf(run)].filter(Boolean).join(" · "),
      ]
    : [
        [t(`run.state.${run.state}`), guard].filter(Boolean).join(" · "),
        run.finished_at && relative(run.finished_at),
      ];
  return {
    href: `/runs/${run.id}`,
    main: t("run.name", { id: run.id }),
    lines,
    progress: active ? shareOf(run) : undefined,
    there: true,
  };
}

function policyNode(circle: Circle): NodeWords {
  const { policy, candidate } = circle;
  const shown = candidate ?? policy;
  if (!shown) {
    const href = page(circle, "settings");
    return {
      href,
      main: t("circle.policy.none"),
      lines: [t("circle.policy.name_it")],
      there: false,
    };
  }
  const run = activeRun(circle, "generate");
  const standing =
    candidate && policy
      ? [t("circle.policy.candidate"), t("circle.policy.serves", { number: policy.number })]
      : [t(policy?.is_reference ? "circle.policy.reference" : "circle.policy.in_service")];
  return {
    href: run ? `/runs/${run.id}` : `/models/${shown.id}`,
    main: nameOf("policy", shown),
    lines: run
      ? [t("circle.policy.writing", { id: run.id, step: stepOf(run) }), leftOf(run)]
      : standing,
    progress: run ? shareOf(run) : undefined,
    there: true,
  };
}

const shareOf = (run: Run) => (run.steps > 0 ? run.step / run.steps : 0);

/** On the bend from the reward model to the run: what the gate said. */
export function GateLabel({ circle }: { circle: Circle }) {
  const said = gateSaid(circle);
  return (
    <p class={`ring-label ring-gate ${said ?? ""}`}>
      <span class="quiet">{t("circle.gate.title")}</span>
      <span>{t(`circle.gate.${said ?? "none"}`)}</span>
    </p>
  );
}

/** On the bend from the policy back to the labels: what people think of it. */
export function WinRateLabel({ circle }: { circle: Circle }) {
  const rate = circle.win_rate;
  return (
    <Link href={page(circle, "arena")} class="ring-label ring-win-rate">
      <span class="quiet">{t("circle.win_rate.title")}</span>
      <Interval figure={rateOf(rate)} />
      {rate && (
        <span class="quiet">
          {t("circle.win_rate.of", {
            policy: nameOf("policy", rate.policy),
            against: nameOf("policy", rate.against),
          })}
        </span>
      )}
    </Link>
  );
}
