"""Anybody who labels may say that something is broken: that alerts the managers, and whoever puts
models into service waits until one has looked (rewardtrain/promotion.py)."""

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.access import Visitor
from annotation.events import record
from annotation.models import Alarm, Project
from annotation.models.projects import Role
from annotation.refused import Refused


def open_alarms(project: Project) -> QuerySet[Alarm]:
    return Alarm.objects.filter(project=project, ended_at=None).select_related("labeler")


@transaction.atomic
def ring(*, project: Project, labeler: Visitor, note: str) -> Alarm:
    """Raise an alarm; ringing again while one's own is open adds to its note."""
    assert labeler.pk is not None
    mine = open_alarms(project).select_for_update(of=("self",)).filter(labeler_id=labeler.pk)
    alarm = mine.first()
    if alarm is not None:
        alarm.note = "\n".join(filter(None, [alarm.note, note]))
        alarm.save(update_fields=["note"])
        return alarm
    alarm = Alarm.objects.create(project=project, labeler_id=labeler.pk, note=note)
    record(project=project, actor=labeler, verb="rang", subject="alarm", after={"note": note})
    transaction.on_commit(lambda: _mail(alarm))
    return alarm


@transaction.atomic
def end(*, alarm: Alarm, actor: Visitor) -> Alarm:
    """A manager has looked at it.

    Raises:
        Refused: somebody ended it before.
    """
    now = timezone.now()
    ended = Alarm.objects.filter(pk=alarm.pk, ended_at=None).update(
        ended_at=now, ended_by_id=actor.pk
    )
    if not ended:
        raise Refused("ended", "This alarm has been ended already.", status_code=409)
    record(project=alarm.project, actor=actor, verb="ended", subject="alarm")
    alarm.refresh_from_db()
    return alarm


def _mail(alarm: Alarm) -> None:
    """To every manager with an address, where mail is configured; the circle page says it too."""
    managers = get_user_model().objects.filter(
        memberships__project=alarm.project, memberships__role=Role.MANAGER, is_active=True
    )
    addresses = list(managers.exclude(email="").values_list("email", flat=True))
    if not (settings.MAIL_CONFIGURED and addresses):
        return
    send_mail(
        f"{alarm.project}: somebody says that something is broken",
        f"{alarm.labeler.username} writes: {alarm.note or '(no note)'}\n\n"
        "No model goes into service before a manager has ended the alarm on the circle page.",
        None,
        addresses,
        fail_silently=True,
    )
