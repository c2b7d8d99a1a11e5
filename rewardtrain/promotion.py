"""Which version is in service: by the gate, or by a manager on the figures."""

from django.db import transaction

from annotation.access import Visitor
from annotation.alarms import open_alarms
from annotation.events import record
from annotation.models import Comparison, Project
from annotation.refused import Refused
from rewardtrain import gate, meetings, rounds
from rewardtrain.intervals import percent, percent_between
from rewardtrain.models import LoopPolicy, ModelVersion, Run

Kind, Stage = ModelVersion.Kind, ModelVersion.Stage
OLD_PRIORITY = -10
"""Of what was asked about a policy that a better one has replaced."""


@transaction.atomic
def pass_gate(version: ModelVersion) -> None:
    """Judge a fresh reward model, and put it into service unless the figures speak against it.

    Judging twice changes nothing. Where another model came into service since it was trained,
    its paired figures are of no use, and a manager decides.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=version.project_id)
    if version.decisions.filter(what__in=["promoted", "refused"]).exists():
        return
    if is_paused(project):
        _hold(version)
        return
    champion = rounds.in_service(project, Kind.REWARD)
    assert version.run is not None
    if champion is not None and champion != version.run.reward_model:
        _refuse(
            version,
            f"{champion} came into service while {version} was trained, so the two have not been "
            "compared. Train again, or put it into service by hand.",
        )
        return
    verdict = gate.judge(version.metrics, challenger=champion is not None)
    if not verdict.passed:
        _refuse(version, verdict.reason, verdict.figures)
        return
    stage = Stage.PROMOTED if champion else Stage.PROVISIONAL
    _put_into_service(version, stage)
    rounds.tell(
        project,
        "promoted",
        f"{version} is in service ({stage}). {verdict.reason}",
        figures=verdict.figures,
        run=version.run,
        version=version,
    )


def is_paused(project: Project) -> bool:
    """Whether somebody said that something is broken, and no manager has looked at it yet."""
    return open_alarms(project).exists()


def _hold(version: ModelVersion) -> None:
    if version.decisions.filter(what="held").exists():
        return
    rounds.tell(
        version.project,
        "held",
        f"{version} waits: a labeler says that something is broken, and nothing goes into service "
        "before a manager has looked at it.",
        run=version.trained_by,
        version=version,
    )


def pass_held(rules: LoopPolicy) -> None:
    """Once the alarm is over, reward models that had to wait come to the gate."""
    if is_paused(rules.project):
        return
    waiting = rules.project.versions.filter(
        kind=Kind.REWARD, stage=Stage.CANDIDATE, decisions__what="held"
    )
    for version in waiting.distinct().order_by("number"):
        pass_gate(version)


def _refuse(version: ModelVersion, reason: str, figures: dict | None = None) -> None:
    rounds.tell(
        version.project,
        "refused",
        f"{version} was refused. {reason}",
        figures=figures,
        run=version.run,
        version=version,
    )


@transaction.atomic
def promote(*, version: ModelVersion, actor: Visitor | None, reason: str = "") -> ModelVersion:
    """Put a version into service: by hand, or by the arena's verdict where `actor` is None.

    A promoted policy ends the round.

    A policy that people have judged needs no further reason; anything else does.

    Raises:
        Refused: it is in service, an alarm is open, or a reason is wanted.
    """
    project = Project.objects.select_for_update(no_key=True).get(pk=version.project_id)
    version.refresh_from_db()
    if version.stage in ModelVersion.IN_SERVICE:
        raise Refused("in_service", f"{version} is in service already.", status_code=409)
    if is_paused(project):
        raise Refused(
            "alarm",
            "A labeler says that something is broken; nothing goes into service before that is "
            "looked at.",
            fix="Look at what they say on the circle page, and end the alarm there.",
            status_code=409,
        )
    said, figures = _arena_figure(version)
    if not said and not reason.strip():
        raise Refused(
            "reason_wanted",
            "No figure of people's answers speaks for this version, so the story needs a reason.",
            field="reason",
            fix="Write why it goes into service.",
        )
    _put_into_service(version, Stage.PROMOTED)
    rounds.tell(
        project,
        "promoted",
        " ".join(filter(None, [f"{version} is in service.", said, reason.strip()])),
        figures=figures,
        run=version.trained_by,
        version=version,
        actor=actor,
    )
    record(project=project, actor=actor, verb="promoted", subject=str(version))
    if version.kind == Kind.POLICY:
        retire_old_questions(project, newest=version)
        rounds.begin_next(project)
    return version


def promote_judged(rules: LoopPolicy) -> None:
    """Where the arena decides: the state that people were asked about afresh goes into service if
    its whole interval lies above one half. The verdict on a newer policy replaces an older one's.
    """
    if rules.promotion != LoopPolicy.Promotion.ARENA:
        return
    told = rules.project.decisions.filter(what="judged").select_related("version").first()
    version = told.version if told else None
    if version is None or version.stage != Stage.CANDIDATE:
        return
    rate = meetings.verdict(version)
    if rate.low is None or rate.low < 0.5:
        return
    if is_paused(rules.project):
        _hold(version)
    else:
        promote(version=version, actor=None)


def _arena_figure(version: ModelVersion) -> tuple[str, dict]:
    reference = rounds.reference_of(version.project)
    if version.kind != Kind.POLICY or reference is None or version == reference:
        return "", {}
    rate = meetings.verdict(version)
    if rate.value is None or rate.low is None or rate.high is None:
        return "", {}
    said = (
        f"People preferred it to the reference in {percent(rate.value)} of {rate.n} blind "
        f"comparisons (95 % interval {percent_between(rate.low, rate.high)})."
    )
    figures = {"n": rate.n, "value": rate.value, "low": rate.low, "high": rate.high}
    return said, {"win_rate": figures}


def retire_old_questions(project: Project, *, newest: ModelVersion) -> int:
    """What was written by older policies alone is asked last; returns how many comparisons."""
    return (
        project.comparisons.filter(
            kind__in=[Comparison.Kind.ASK, Comparison.Kind.ARENA],
            state=Comparison.State.OPEN,
            priority__gt=OLD_PRIORITY,
        )
        .filter(responses__generations__isnull=False)
        .exclude(responses__generations__version=newest)
        .distinct()
        .update(priority=OLD_PRIORITY)
    )


@transaction.atomic
def archive(*, version: ModelVersion, actor: Visitor) -> ModelVersion:
    """Take a version out of service for good; the rows and the weights stay.

    Raises:
        Refused: it is archived, is the policy in service, or a run works with it.
    """
    Project.objects.select_for_update(no_key=True).get(pk=version.project_id)
    version.refresh_from_db()
    if version.stage == Stage.ARCHIVED:
        raise Refused("archived", f"{version} is archived already.", status_code=409)
    if version.kind == Kind.POLICY and version.stage == Stage.PROMOTED:
        raise Refused(
            "in_service",
            f"{version} is the policy in service, and a project always has one.",
            fix="Promote another policy; this one is then archived.",
            status_code=409,
        )
    at_work = Run.objects.filter(state__in=Run.ACTIVE)
    used = at_work.filter(policy=version) | at_work.filter(reward_model=version)
    if run := used.first():
        raise Refused(
            "in_use",
            f"Run {run.pk} works with {version}.",
            fix="Wait for it, or cancel it.",
            status_code=409,
        )
    version.stage = Stage.ARCHIVED
    version.save(update_fields=["stage"])
    rounds.tell(
        version.project,
        "archived",
        f"{version} was archived.",
        run=version.run,
        version=version,
        actor=actor,
    )
    record(project=version.project, actor=actor, verb="archived", subject=str(version))
    return version


def _put_into_service(version: ModelVersion, stage: str) -> None:
    """One version of a kind is in service; what it replaces is archived."""
    ModelVersion.objects.filter(
        project=version.project, kind=version.kind, stage__in=ModelVersion.IN_SERVICE
    ).update(stage=Stage.ARCHIVED)
    version.stage = stage
    version.save(update_fields=["stage"])
