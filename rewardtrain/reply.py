"""The policy writes a turn's replies: on the live worker, from a model that stays loaded."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from annotation.asking import Question, add_comparisons, add_responses
from annotation.models import Membership, Prompt
from annotation.queue import hold
from annotation.refused import Refused
from rewardtrain import contract, rounds
from rewardtrain.models import Generation, Run, Turn
from rewardtrain.options import configure
from rewardtrain.resident import ResidentError, ResidentGone, resident
from rewardtrain.rows import seed_for
from rewardtrain.sources import UnusableSource, resolve
from rewardtrain.talk import policy_of

DRAWS = 3
"""How often the policy is asked until its replies differ."""
State = Turn.State


def write(pk: int, attempt: int) -> None:
    """Let the policy in service write a turn's replies, which are seen as they grow."""
    turn = Turn.objects.select_related("talk__project", "talk__labeler", "prompt").get(pk=pk)
    turn.attempt = attempt
    turn.policy = policy_of(turn.talk.project)
    try:
        _change(turn, state=State.WRITING, policy=turn.policy)
        try:
            _leave(turn, _draw(turn))
        except (ResidentError, UnusableSource, Refused) as error:
            _change(turn, state=State.FAILED, error=str(error))
    except _Superseded:
        pass


@dataclass(frozen=True)
class _Sample:
    """A reply as it was written, and what the sampler knew."""

    text: str
    tokens: int
    truncated: bool
    logprob: float


class _Superseded(Exception):
    """Another attempt writes this turn by now."""


def _change(turn: Turn, **values: Any) -> None:
    """Write to this attempt of a turn.

    Raises:
        _Superseded: it is over.
    """
    if not _mine(turn).update(heard_at=timezone.now(), **values):
        raise _Superseded


def _go_on(turn: Turn) -> None:
    """Whether this attempt still stands, asked while its writer is silent; raises as _change."""
    if not _mine(turn).exists():
        raise _Superseded


def _mine(turn: Turn) -> QuerySet[Turn]:
    return Turn.objects.filter(pk=turn.pk, attempt=turn.attempt, state__in=Turn.BEING_WRITTEN)


def _draw(turn: Turn) -> list[_Sample]:
    """The policy's replies, drawn anew while all are the same; one that was killed tries again."""
    project = turn.talk.project
    assert turn.policy is not None
    options = configure(Run.Kind.GENERATE, rounds.rules_of(project).generate_options, seed=0)
    names = ("max_new_tokens", "temperature", "top_p", "device")
    samples: list[_Sample] = []
    for draw in range(DRAWS):
        request = contract.ReplyRequest(
            model=resolve(turn.policy.source),
            messages=turn.prompt.messages,
            # Which seed comes first is chance, and with it the order shown.
            seeds=[
                seed_for(turn.talk.key, turn.number, turn.attempt, draw, place)
                for place in range(project.talk_replies)
            ],
            **{name: options[name] for name in names},
        )
        try:
            samples = _listen(turn, request)
        except ResidentGone:
            if draw == DRAWS - 1:
                raise
            continue
        if len({sample.text for sample in samples}) > 1:
            break
    if not samples:
        raise ResidentGone("The process that holds the models ended again and again.")
    return samples


def _listen(turn: Turn, request: contract.ReplyRequest) -> list[_Sample]:
    with closing(resident.reply(request)) as heard:
        for said in heard:
            if "done" in said:
                break
            if not said:
                _go_on(turn)
            elif "texts" in said:
                _change(turn, texts=[_stored(text) for text in said["texts"]])
            else:
                _change(turn)
    return [_Sample(**{**s, "text": _stored(s["text"])}) for s in said["done"]["samples"]]


def _stored(text: str) -> str:
    """Postgres holds no NUL in text."""
    return text.replace("\x00", "")


@transaction.atomic
def _leave(turn: Turn, samples: Sequence[_Sample]) -> None:
    """Replies, who wrote them, and the comparison of those that differ, leased to the labeler."""
    talk = turn.talk
    texts = [(turn.prompt, [{"role": "assistant", "content": s.text}]) for s in samples]
    responses = [response for response, _ in add_responses(talk.project, texts)]
    _change(turn, state=State.READY, texts=list(dict.fromkeys(s.text for s in samples)))
    Generation.objects.bulk_create(
        Generation(
            response=response,
            version=turn.policy,
            turn=turn,
            index=place,
            logprob=sample.logprob,
            tokens=sample.tokens,
            truncated=sample.truncated,
        )
        for place, (response, sample) in enumerate(zip(responses, samples, strict=True))
    )
    distinct = list(dict.fromkeys(responses))
    question = Question(
        prompt=turn.prompt,
        responses=distinct,
        wanted=1,
        stream=Prompt.TALK,
        reserved_for=talk.labeler,
    )
    comparison, new = add_comparisons(talk.project, [question])[0]
    membership = Membership.objects.filter(user=talk.labeler_id, project=talk.project_id).first()
    if comparison is None or not new or membership is None:
        # The same text, or a pair that somebody was asked before: nobody needs to be asked.
        Turn.objects.filter(pk=turn.pk).update(reply=responses[0], texts=[samples[0].text])
        return
    places = {place.response_id: place.place for place in comparison.places.all()}
    hold(membership, comparison, [places[response.pk] for response in distinct])
    Turn.objects.filter(pk=turn.pk).update(comparison=comparison)
