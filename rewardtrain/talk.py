"""Conversations with the policy in service: what is said, and how a talk goes on.

A turn's replies are a comparison that is reserved for the labeler who talks, answered like any
other. What they prefer is what was said, and the next turn's prompt holds it; all turns of a talk
begin with the same message, so they stay on one side of the split.
"""

import logging
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from annotation.asking import Messages, add_prompt
from annotation.models import Assignment, Membership, Preference, Project, Prompt, Response
from annotation.queue import hold
from annotation.refused import Refused
from rewardtrain import rounds
from rewardtrain.models import ModelVersion, Talk, Turn

log = logging.getLogger(__name__)
WRITE = "rewardtrain.tasks.reply"
LATE_SECONDS = 6
"""Without a sign of life; the first reply of a model also waits for it to load."""
State, Outcome = Turn.State, Preference.Outcome


def current(membership: Membership) -> Talk:
    """The labeler's newest talk; the first begins by itself."""
    talks = Talk.objects.filter(project=membership.project_id, labeler=membership.user_id)
    return talks.order_by("-pk").first() or begin(membership)


def begin(membership: Membership) -> Talk:
    """A new talk; an empty one that is there already will do."""
    talks = Talk.objects.filter(project=membership.project_id, labeler=membership.user_id)
    newest = talks.order_by("-pk").first()
    if newest is not None and not newest.turns.exists():
        return newest
    return Talk.objects.create(project_id=membership.project_id, labeler_id=membership.user_id)


@transaction.atomic
def say(talk: Talk, *, number: int, message: str) -> Turn:
    """Say something as turn `number`, and ask the policy for replies; once more changes nothing.

    Raises:
        Refused: no talks here, another turn is to come, or nobody has chosen what was replied.
    """
    project = talk.project
    refuse_silent(project)
    talk = Talk.objects.select_for_update().get(pk=talk.pk)
    turns = {turn.number: turn for turn in talk.turns.select_related("prompt")}
    if known := turns.get(number):
        if known.prompt.messages[-1]["content"] == message:
            return known
        raise _other_turn()
    last = turns.get(number - 1)
    if number != len(turns) + 1:
        raise _other_turn()
    messages: Messages = []
    if last is not None:
        if (reply := reply_of(last)) is None:
            raise Refused(
                "nothing_chosen",
                "The talk goes on from a reply, and none is chosen yet.",
                fix="Prefer one of the replies, or ask for others.",
                status_code=409,
            )
        messages = [*last.prompt.messages, *reply.messages]
    messages = [*messages, {"role": "user", "content": message}]
    parent = last.prompt if last else None
    prompt, _ = add_prompt(project, messages, source=Prompt.TALK, parent=parent)
    talk.draft = ""
    talk.save(update_fields=["draft"])
    return _ask(Turn(talk=talk, number=number, prompt=prompt))


@transaction.atomic
def again(turn: Turn, *, attempt: int) -> Turn:
    """Let the policy write anew: where it failed, is late, or wrote nothing to go on from.

    `attempt` is the one that is given up; once more changes nothing.

    Raises:
        Refused: its replies are there, or it is writing and not late.
    """
    refuse_silent(turn.talk.project)
    talk = Talk.objects.select_for_update().get(pk=turn.talk_id)
    turn = talk.turns.select_related("prompt").get(pk=turn.pk)
    if turn.attempt != attempt:
        return turn
    if later := talk.turns.filter(number=turn.number + 1).first():
        return later
    if turn.state == State.FAILED or is_late(turn):
        turn.attempt, turn.state, turn.texts, turn.error = attempt + 1, State.WAITING, [], ""
        turn.heard_at = timezone.now()
        return _ask(turn)
    if turn.state == State.READY and is_settled(turn) and reply_of(turn) is None:
        return _ask(Turn(talk=talk, number=turn.number + 1, prompt=turn.prompt))
    raise Refused(
        "not_over",
        "The replies are being written, or wait for your answer.",
        fix="Wait for them, or prefer one.",
        status_code=409,
    )


def pair_of(turn: Turn) -> Assignment | None:
    """The labeler's assignment of a turn, once its replies are there to be compared."""
    if turn.comparison_id is None:
        return None
    return Assignment.objects.filter(
        comparison=turn.comparison_id, labeler=turn.talk.labeler_id
    ).first()


def take_up(membership: Membership, talk: Talk) -> None:
    """Lease the pair on which a talk stopped, where it was given back or has expired."""
    turn = talk.turns.order_by("-number").select_related("comparison").first()
    if turn is not None and turn.comparison is not None:
        hold(membership, turn.comparison, [])


def reply_of(turn: Turn) -> Response | None:
    """On which reply a talk goes on: the preferred one; of equal ones that shown first.

    None while nothing is answered, and where the answer leaves nothing to go on from.
    """
    if turn.reply is not None:
        return turn.reply
    answer = _answer_to(turn)
    if answer is None or answer.outcome in (
        Outcome.BOTH_BAD,
        Outcome.ALL_BAD,
        Outcome.UNANSWERABLE,
    ):
        return None
    best = answer.tiers[0]
    return Response.objects.get(pk=next(pk for pk in answer.order if pk in best))


def is_settled(turn: Turn) -> bool:
    """Whether the labeler has nothing more to say about a turn's replies."""
    pair = pair_of(turn)
    return pair is None or pair.state in (Assignment.State.ANSWERED, Assignment.State.SKIPPED)


def is_late(turn: Turn) -> bool:
    silent = timezone.now() - turn.heard_at
    return turn.state in Turn.BEING_WRITTEN and silent > timedelta(seconds=LATE_SECONDS)


def refuse_silent(project: Project) -> None:
    """Whether the policy talks with people in this project.

    Raises:
        Refused: it does not, or not now; the sentence says why.
    """
    if not project.talk_replies:
        raise Refused(
            "no_talks",
            "This project has no talks.",
            fix="A manager turns them on in its settings.",
            status_code=409,
        )
    if not project.is_open:
        raise Refused(
            "not_open",
            f"The project is {project.state}, so nobody is asked now. What was said is kept.",
            fix="Come back when a manager has opened it.",
            status_code=409,
        )
    if policy_of(project) is None:
        raise Refused(
            "no_policy",
            "The project has no policy that could reply.",
            fix="A manager names one in its settings.",
            status_code=409,
        )


def policy_of(project: Project) -> ModelVersion | None:
    """Who replies now: a policy that is promoted in the middle of a talk goes on with it."""
    return rounds.in_service(project, ModelVersion.Kind.POLICY)


def send_unheard() -> None:
    """Say again what waits since long: the message, or its worker, was lost."""
    since = timezone.now() - timedelta(seconds=settings.RECONCILE_SECONDS)
    for turn in Turn.objects.filter(state=State.WAITING, heard_at__lt=since):
        _send(turn)


def _ask(turn: Turn) -> Turn:
    turn.save()
    transaction.on_commit(lambda: _send(turn))
    return turn


def _send(turn: Turn) -> None:
    try:
        current_app.send_task(WRITE, (turn.pk, turn.attempt), queue="live", retry=False)
    except OperationalError:
        log.warning("Redis does not answer; turn %s waits for the next reconcile.", turn.pk)


def _answer_to(turn: Turn) -> Preference | None:
    """What the labeler said of a turn's replies, as it stands."""
    if turn.comparison_id is None:
        return None
    return Preference.objects.filter(
        comparison=turn.comparison_id,
        labeler=turn.talk.labeler_id,
        superseded_by__isnull=True,
        retracted=False,
    ).first()


def _other_turn() -> Refused:
    return Refused(
        "other_turn",
        "The talk has gone on elsewhere, in another window perhaps. What you wrote is kept.",
        field="number",
        fix="Look at the talk as it is now, then say it.",
        status_code=409,
    )
