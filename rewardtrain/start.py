"""Every way a run comes to be, is cancelled and is tried again; a refusal says why not."""

import logging
from collections.abc import Iterable
from typing import Any

from celery import current_app
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotation.access import Visitor
from annotation.batches import NothingToFreeze, batch_lines, freeze, gold_lines
from annotation.events import record
from annotation.models import Batch, Preference, Project, Prompt
from annotation.models.asked import RANDOM
from annotation.refused import Refused
from rewardtrain import contract, launch, lessons, rounds, selection
from rewardtrain.models import ModelVersion, Run
from rewardtrain.options import HACKABLE, HACKABLE_WARNING, configure
from rewardtrain.rows import (
    Row,
    comparison_rows,
    prompt_rows,
    prompts_to_meet,
    seed_for,
)

log = logging.getLogger(__name__)
Actor = Visitor | None

WORK = "rewardtrain.tasks.work"
TRAINING = Q(kind__in=Run.TRAINING)
"""One at a time a project: the devices are shared, and each hangs on what the other leaves."""
WATCHED = " A second opinion, of the other half of the threads, watches."
QUEUES = {
    "generate": "infer",
    "evaluate": "infer",
    "select": "infer",
    "reward": "train",
    "policy": "train",
}


def start_reward(
    project: Project, *, actor: Actor = None, batch: Batch | None = None, why: str = ""
) -> Run:
    """Train a reward model on `batch`, or on a batch frozen now; `why` is told in the story.

    Raises:
        Refused: one is at work already, there is nothing new, or no backbone is chosen.
    """
    rules = rounds.rules_of(project)
    _refuse_second(project, TRAINING)
    backbone = rules.reward_backbone or _reference_source(project)
    with transaction.atomic():
        batch = batch or _freeze(project, actor)
        options = {"folds": folds_for(batch), **rules.reward_options, "backbone": backbone}
        seed = seed_for(rules.seed, "reward", batch.number)
        configuration = {
            **configure(Run.Kind.REWARD, options, seed=seed),
            "second_opinion": rules.second_opinion,
        }
        try:
            run = create(
                project,
                Run.Kind.REWARD,
                comparison_rows(project, [*batch_lines(batch), *gold_lines(project)]),
                configuration=configuration,
                batch=batch,
                requested_by=actor,
            )
        except IntegrityError:
            raise Refused(
                "batch_taken",
                f"Batch {batch.number} already has its reward run.",
                fix="Collect more labels first.",
                status_code=409,
            ) from None
        rounds.tell(
            project,
            "frozen",
            f"Batch {batch.number} holds {batch.size} labels, {batch.fresh} of them new; a reward "
            "model learns from it." + (f" {why}" if why else ""),
            figures={"size": batch.size, "fresh": batch.fresh, "sha256": batch.sha256},
            run=run,
            actor=actor,
        )
        return run


def folds_for(batch: Batch) -> int:
    """Cross-validation takes as long as five more models; the gate asks for it only where too few
    decided pairs are held out to judge the model on."""
    heldout = batch.preferences.filter(
        outcome=Preference.Outcome.PREFER,
        comparison__prompt__split=Prompt.Split.HELDOUT,
        comparison__stream=RANDOM,
    )
    enough = heldout.count() >= contract.HELDOUT_ENOUGH
    return 0 if enough else contract.RewardConfig.folds


def start_policy(
    project: Project,
    *,
    actor: Actor = None,
    options: dict[str, Any] | None = None,
    hackable: bool = False,
) -> Run:
    """Fine-tune from the reference, by default by RLOO for the score of the reward model in
    service.

    Raises:
        Refused: one is at work already, or no reward model or reference is there, or nothing to
            learn from.
    """
    rules = rounds.rules_of(project)
    _refuse_second(project, TRAINING)
    reference = _reference(project)
    round_ = rounds.current(project)
    number = project.runs.filter(kind=Run.Kind.POLICY).count() + 1
    chosen = {**rules.policy_options, **(HACKABLE if hackable else {}), **(options or {})}
    seed = seed_for(rules.seed, "policy", round_.number, number)
    configuration = configure(Run.Kind.POLICY, chosen, seed=seed)
    kinds = {part["kind"] for part in configuration["rewards"]}
    reward_model = _reward_model(project) if kinds & set(contract.READ_BY_MODEL) else None
    method = configuration["method"]
    rows, batch = lessons.lesson(project, method, kinds, reward_model)
    with transaction.atomic():
        run = create(
            project,
            Run.Kind.POLICY,
            rows,
            configuration=configuration,
            batch=batch,
            policy=reference,
            reference=reference,
            reward_model=reward_model,
            requested_by=actor,
        )
        rounds.tell(
            project,
            "started",
            f"Fine-tuning from the reference {lessons.way_of(run)}, {configuration['steps']} steps"
            + ("" if method == "sft" else f", KL coefficient {configuration['beta']:g}")
            + "."
            + (WATCHED if "second_opinion" in launch.reward_models(run) else "")
            + (HACKABLE_WARNING if hackable else ""),
            run=run,
            actor=actor,
        )
    return run


def start_ask(project: Project, *, actor: Actor = None, prompts: int | None = None) -> Run:
    """Let the policy in service answer prompts, for people to compare.

    A candidate is met in the arena; what it wrote trains nothing before it is promoted. Where the
    project's comparisons are steered, a second run writes what a strategy then draws from.

    Raises:
        Refused: it writes already, or policy or prompts are not there.
    """
    rules = rounds.rules_of(project)
    asking = Q(purpose=Run.Purpose.ASK, kind=Run.Kind.GENERATE)
    _refuse_second(project, Q(purpose__in=Run.ASKING))
    reference = _reference(project)
    policy = rounds.in_service(project, ModelVersion.Kind.POLICY) or reference
    number = project.runs.filter(asking).count() + 1
    seed = seed_for(rules.seed, "ask", rounds.current(project).number, number)
    wanted = prompts or rules.prompts_per_round
    chosen, pool = selection.prompts_for(rules, wanted, seed)
    if not chosen:
        raise Refused("no_prompts", "The project has no prompts.", fix="Add prompts first.")
    options = {**rules.generate_options, "samples_per_prompt": rules.samples_per_prompt}
    if policy != reference:
        options["reference_samples"] = 1
    each = {
        "configuration": configure(Run.Kind.GENERATE, options, seed=seed),
        "policy": policy,
        "reference": None if policy == reference else reference,
        "requested_by": actor,
    }
    with transaction.atomic():
        rows = prompt_rows(chosen)
        run = create(project, Run.Kind.GENERATE, rows, purpose=Run.Purpose.ASK, **each)
        if pool:
            rows = prompt_rows(pool)
            create(project, Run.Kind.GENERATE, rows, purpose=Run.Purpose.POOL, **each)
    return run


def start_arena(
    project: Project,
    policy: ModelVersion,
    *,
    actor: Actor = None,
    beside: Iterable[ModelVersion] = (),
) -> Run:
    """Let `policy` and the reference answer held-out prompts, to be compared blind.

    Those `beside` it answer the same prompts, so that all can meet one another. One that has met
    the reference before meets it on fresh prompts, for an answer that no choice has flattered.

    Raises:
        Refused: it writes already, is the reference itself, or no prompt is held out.
    """
    rules = rounds.rules_of(project)
    meeting = Q(kind=Run.Kind.GENERATE, purpose__in=Run.MEETINGS, policy=policy)
    _refuse_second(project, meeting)
    reference = _reference(project)
    if policy == reference:
        raise Refused(
            "no_candidate",
            "Only the reference exists, and it cannot meet itself.",
            fix="Fine-tune a policy first.",
            status_code=409,
        )
    number = project.runs.filter(meeting).count() + 1
    seed = seed_for(rules.seed, "arena", policy.number, number)
    prompts = prompts_to_meet(rules, seed)
    if not prompts:
        raise Refused(
            "no_prompts",
            "No prompt of the project is held out, and policies meet on held-out prompts only.",
            fix="Add prompts, and see that the held-out share is above 0.",
            status_code=409,
        )
    options = {**rules.generate_options, "samples_per_prompt": 1, "reference_samples": 1}
    with transaction.atomic():
        runs = [
            create(
                project,
                Run.Kind.GENERATE,
                prompt_rows(prompts),
                purpose=Run.Purpose.CONFIRM if number > 1 else Run.Purpose.ARENA,
                configuration=configure(Run.Kind.GENERATE, options, seed=seed),
                policy=entrant,
                reference=reference,
                reward_model=policy.reward_model,
                requested_by=actor,
            )
            for entrant in [policy, *beside]
        ]
    return runs[0]


def create(
    project: Project,
    kind: str,
    rows: Iterable[Row],
    *,
    purpose: str = Run.Purpose.TRAIN,
    **fields: Any,
) -> Run:
    """A queued run with its data written, and a worker told once it is committed."""
    with transaction.atomic():
        run = Run.objects.create(
            project=project,
            round=rounds.current(project),
            kind=kind,
            purpose=purpose,
            queue=QUEUES[kind],
            **fields,
        )
        launch.write_data(run, rows)
        actor = fields.get("requested_by")
        record(project=project, actor=actor, verb=f"asked for {kind}", subject=f"run {run.pk}")
        transaction.on_commit(lambda: send(run))
    return run


def send(run: Run) -> None:
    """Tell a worker that something waits. A lost word is said again by the next reconcile."""
    Run.objects.filter(pk=run.pk, state=Run.State.QUEUED).update(sent_at=timezone.now())
    try:
        current_app.send_task(WORK, (run.queue,), queue=run.queue, retry=False)
    except OperationalError:
        log.warning("Redis does not answer; run %s waits for the next reconcile.", run.pk)


def cancel(run: Run, *, actor: Actor) -> Run:
    """A queued run ends at once, a running one within ten seconds.

    Raises:
        Refused: it has ended already.
    """
    now = timezone.now()
    rows = Run.objects.filter(pk=run.pk)
    if not (
        rows.filter(state=Run.State.QUEUED).update(
            state=Run.State.CANCELLED, finished_at=now, stage="cancelled before it began"
        )
        or rows.filter(state=Run.State.RUNNING).update(state=Run.State.CANCELLING)
    ):
        run.refresh_from_db()
        if run.state != Run.State.CANCELLING:
            raise Refused(
                "ended",
                f"Run {run.pk} has already ended ({run.state}); there is nothing to cancel.",
                status_code=409,
            )
    record(project=run.project, actor=actor, verb="cancelled", subject=f"run {run.pk}")
    run.refresh_from_db()
    return run


def retry(run: Run, *, actor: Actor) -> Run:
    """Queue a run that failed or was cancelled once more; it goes on from its last checkpoint.

    Raises:
        Refused: it has not ended so, or an equal one is at work.
    """
    same = Q(kind=run.kind, purpose=run.purpose, policy=run.policy)
    _refuse_second(run.project, TRAINING if run.kind in Run.TRAINING else same)
    try:
        with transaction.atomic():
            queued = Run.objects.filter(
                pk=run.pk, state__in=[Run.State.FAILED, Run.State.CANCELLED]
            ).update(
                state=Run.State.QUEUED,
                lost=0,
                error="",
                stage="",
                seconds_left=None,
                sent_at=None,
                finished_at=None,
            )
    except IntegrityError:
        raise Refused(
            "batch_taken",
            "Another run has trained on this batch since.",
            fix="Look at that one.",
            status_code=409,
        ) from None
    run.refresh_from_db()
    if not queued:
        raise Refused(
            "not_ended",
            f"Run {run.pk} is {run.state}; only a failed or cancelled run can be tried again.",
            status_code=409,
        )
    record(project=run.project, actor=actor, verb="retried", subject=f"run {run.pk}")
    transaction.on_commit(lambda: send(run))
    return run


def _refuse_second(project: Project, which: Q) -> None:
    running = project.runs.filter(which, state__in=Run.ACTIVE).first()
    if running:
        raise Refused(
            "already_running",
            f"Run {running.pk} ({running.kind}) is {running.state} already.",
            fix="Wait for it, or cancel it.",
            status_code=409,
        )


def _freeze(project: Project, actor: Actor) -> Batch:
    try:
        return freeze(project, actor=actor)
    except NothingToFreeze:
        raise Refused(
            "nothing_new",
            "Nobody has answered anything new since the last batch, so there is nothing to learn "
            "(an answer counts once it can no longer be undone).",
            fix="Collect labels first.",
            status_code=409,
        ) from None


def _reference(project: Project) -> ModelVersion:
    reference = rounds.reference_of(project)
    if reference is None:
        raise Refused(
            "no_policy",
            "The project has no policy that could write.",
            field="policy",
            fix="Name one in the project's settings.",
            status_code=409,
        )
    return reference


def _reward_model(project: Project) -> ModelVersion:
    reward_model = rounds.in_service(project, ModelVersion.Kind.REWARD)
    if reward_model is None:
        raise Refused(
            "no_reward_model",
            "No reward model is in service, so there is nothing to optimise against.",
            fix="Collect labels until one passes the gate, or put one into service by hand.",
            status_code=409,
        )
    return reward_model


def _reference_source(project: Project) -> str:
    reference = rounds.reference_of(project)
    if reference is None:
        raise Refused(
            "no_backbone",
            "The project names neither a backbone for its reward model nor a policy.",
            field="reward_backbone",
            fix="Name a backbone in the project's settings.",
            status_code=409,
        )
    return reference.source
