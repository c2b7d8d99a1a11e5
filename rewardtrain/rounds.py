"""Where a project's circle stands: its rules, its round, its models in service, its story."""

from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from annotation.access import Visitor
from annotation.events import record
from annotation.models import Project
from annotation.refused import Refused
from rewardtrain.models import Decision, LoopPolicy, ModelCheck, ModelVersion, Round, Run
from rewardtrain.sources import UnusableSource, resolve

Kind, Stage = ModelVersion.Kind, ModelVersion.Stage


def rules_of(project: Project) -> LoopPolicy:
    return LoopPolicy.objects.select_related("project").get_or_create(project=project)[0]


def current(project: Project) -> Round:
    """The round that has not finished; the first one begins by itself."""
    last = project.rounds.order_by("-number").first()
    if last is not None and last.finished_at is None:
        return last
    number = last.number + 1 if last else 1
    return Round.objects.get_or_create(project=project, number=number)[0]


@transaction.atomic
def begin_next(project: Project) -> Round:
    """Finish the round and begin the next one."""
    project.rounds.filter(finished_at=None).update(finished_at=timezone.now())
    return current(project)


def reference_of(project: Project) -> ModelVersion | None:
    """The project's first policy, which every win rate is given against."""
    return project.versions.filter(is_reference=True).first()


def in_service(project: Project, kind: str) -> ModelVersion | None:
    return project.versions.filter(kind=kind, stage__in=ModelVersion.IN_SERVICE).first()


def next_number(project: Project, kind: str) -> int:
    last = project.versions.filter(kind=kind).aggregate(last=Max("number"))["last"]
    return 1 if last is None else last + 1


@transaction.atomic
def set_reference(*, project: Project, source: str, actor: Visitor | None) -> ModelVersion:
    """Name the policy that the project starts from; it is policy 0 and in service at once.

    Raises:
        Refused: the source is out of reach, or the reference has already been used.
    """
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    refuse_unusable(project, source, "policy")
    reference = reference_of(project)
    if reference and reference.source == source:
        return reference
    if reference and Run.objects.filter(project=project, policy=reference).exists():
        raise Refused(
            "reference_used",
            "The reference stays: people have been asked about what it wrote, and every win rate "
            "is given against it.",
            field="policy",
            fix="Make a new project for another policy.",
            status_code=409,
        )
    before = reference.source if reference else None
    if reference is None:
        reference = ModelVersion(
            project=project, kind=Kind.POLICY, number=0, stage=Stage.PROMOTED, is_reference=True
        )
    reference.source = source
    reference.save()
    record(
        project=project,
        actor=actor,
        verb="named",
        subject="reference policy",
        before=before,
        after=source,
    )
    return reference


def refuse_unusable(project: Project, source: str, field: str) -> None:
    """Raises Refused for a model that is out of reach, or that a worker last failed to load."""
    try:
        resolve(source)
    except UnusableSource as error:
        raise Refused(
            "invalid", str(error), field=field, fix="Enter another name or path."
        ) from None
    last = project.model_checks.filter(source=source).order_by("-pk").first()
    if last is not None and last.state == ModelCheck.State.REFUSED:
        raise Refused("invalid", last.reason, field=field, fix="Mend the model and check it again.")


def tell(
    project: Project,
    what: str,
    reason: str,
    *,
    figures: dict[str, Any] | None = None,
    run: Run | None = None,
    version: ModelVersion | None = None,
    actor: Visitor | None = None,
) -> Decision:
    """A line of the project's story; `actor` is None where the loop decided."""
    return Decision.objects.create(
        project=project,
        round=(run.round if run else None) or current(project),
        what=what,
        reason=reason,
        figures=figures or {},
        run=run,
        version=version,
        actor_id=actor.pk if actor else None,
    )
