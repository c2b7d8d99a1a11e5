"""Whether a model that a manager named can be loaded: a worker tries, and says why not."""

import json
import logging
import subprocess
import tempfile
from datetime import timedelta

from celery import current_app
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotation.access import Visitor
from annotation.models import Project
from rewardtrain.launch import script_environment, start_script
from rewardtrain.models import ModelCheck
from rewardtrain.sources import UnusableSource, is_path, resolve

log = logging.getLogger(__name__)
CHECK = "rewardtrain.tasks.check_model"
LONGEST = 600.0
"""Seconds for a hub model to come down and load."""
UNHEARD_SECONDS = 60
State = ModelCheck.State


@transaction.atomic
def request_check(*, project: Project, source: str, actor: Visitor) -> ModelCheck:
    """A check that waits for a worker; a path out of reach is refused at once."""
    assert actor.pk is not None
    check = ModelCheck(project=project, source=source.strip(), requested_by_id=actor.pk)
    try:
        resolve(check.source)
    except UnusableSource as error:
        check.state, check.reason = State.REFUSED, str(error)
    check.save()
    if check.state == State.WAITING:
        transaction.on_commit(lambda: send(check))
    return check


def send(check: ModelCheck) -> None:
    try:
        current_app.send_task(CHECK, (check.pk,), queue="infer", retry=False)
    except OperationalError:
        log.warning("Redis does not answer; the check of %s waits.", check.source)


def send_unheard() -> None:
    since = timezone.now() - timedelta(seconds=UNHEARD_SECONDS)
    for check in ModelCheck.objects.filter(state=State.WAITING, created_at__lt=since):
        send(check)


def run(pk: int) -> None:
    """Try to load the model in a process of its own; trying twice changes nothing."""
    check = ModelCheck.objects.filter(pk=pk, state=State.WAITING).first()
    if check is None:
        return
    loadable, reason = load(check.source)
    ModelCheck.objects.filter(pk=pk, state=State.WAITING).update(
        state=State.LOADABLE if loadable else State.REFUSED, reason=reason
    )


def load(source: str) -> tuple[bool, str]:
    """Whether the model loads, and what is to be said of it."""
    try:
        resolved = resolve(source)
    except UnusableSource as error:
        return False, str(error)
    env = script_environment("check", offline=is_path(resolved))
    with tempfile.TemporaryFile() as output:
        process = start_script("rewardtrain.scripts.check_model", [resolved], env, output)
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return False, f"It did not load within {LONGEST / 60:.0f} minutes."
        output.seek(0)
        said = output.read().decode(errors="replace").strip().splitlines()
    try:
        found = json.loads(said[-1])
    except (IndexError, json.JSONDecodeError):
        last = said[-1] if said else f"status {process.returncode}"
        return False, f"Loading it ended the process: {last}"
    # The person entered a name; where it lies on this machine is not theirs to read.
    return found["loadable"], found["reason"].replace(resolved, source)
