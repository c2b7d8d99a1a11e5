"""Texts of anybody, scored by a reward model that stays loaded on the live worker."""

import logging
from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotation.access import Visitor
from annotation.asking import sha256_of
from annotation.refused import Refused
from rewardtrain import contract
from rewardtrain.launch import run_dir
from rewardtrain.models import ModelVersion, Scoring
from rewardtrain.resident import ResidentError, resident
from rewardtrain.sources import UnusableSource, resolve

log = logging.getLogger(__name__)
TASK = "rewardtrain.tasks.score"
MOST_RESPONSES = 16
State = Scoring.State


@transaction.atomic
def ask(
    *, version: ModelVersion, messages: list[dict], responses: list[str], actor: Visitor
) -> Scoring:
    """The scoring of these texts: the one that is known, or a new one that a worker is told of.

    Raises:
        Refused: the version is no reward model.
    """
    if version.kind != ModelVersion.Kind.REWARD:
        raise Refused(
            "no_reward_model",
            f"{version} writes and does not score.",
            fix="Choose a reward model.",
            status_code=409,
        )
    assert actor.pk is not None
    said = [[{"role": "assistant", "content": text}] for text in responses]
    scoring, fresh = Scoring.objects.get_or_create(
        version=version,
        sha256=sha256_of([messages, said]),
        defaults={"messages": messages, "responses": said, "requested_by_id": actor.pk},
    )
    if scoring.state == State.FAILED:
        scoring.state, scoring.error, scoring.asked_at, fresh = (
            State.WAITING,
            "",
            timezone.now(),
            True,
        )
        scoring.save()
    if fresh:
        transaction.on_commit(lambda: send(scoring))
    return scoring


def send(scoring: Scoring) -> None:
    try:
        current_app.send_task(TASK, (scoring.pk,), queue="live", retry=False)
    except OperationalError:
        log.warning("Redis does not answer; scoring %s waits for the next reconcile.", scoring.pk)


def send_unheard() -> None:
    """Say again what waits since long: the message, or its worker, was lost."""
    since = timezone.now() - timedelta(seconds=settings.RECONCILE_SECONDS)
    for scoring in Scoring.objects.filter(state=State.WAITING, asked_at__lt=since):
        send(scoring)


def score(pk: int) -> None:
    """Score what waits; twice changes nothing."""
    scoring = Scoring.objects.select_related("version__run").filter(pk=pk).first()
    if scoring is None or scoring.state != State.WAITING:
        return
    values: dict[str, Any] = {"state": State.DONE}
    try:
        values["result"] = resident.score(_request(scoring))
    except (ResidentError, UnusableSource) as error:
        values = {"state": State.FAILED, "error": str(error)}
    Scoring.objects.filter(pk=pk, state=State.WAITING).update(**values)


def _request(scoring: Scoring) -> contract.ScoreRequest:
    run = scoring.version.run
    return contract.ScoreRequest(
        reward_model=resolve(scoring.version.source),
        messages=scoring.messages,
        responses=scoring.responses,
        taught=str(run_dir(run)) if run else None,
    )
