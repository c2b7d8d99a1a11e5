"""A project of any size for the tests of the protocol, and what its people do at their desks."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from django.contrib.auth.models import User
from django.utils import timezone

from annotation import claims, preferences, queue
from annotation.asking import Question, add_comparisons, add_prompts, add_responses
from annotation.forms import Answer
from annotation.models import Assignment, Comparison, Membership, Project

LEFT = Answer(outcome="prefer", tiers=[[0], [1]], strength=1)
RIGHT = Answer(outcome="prefer", tiers=[[1], [0]], strength=2)
TIE = Answer(outcome="tie", tiers=[[0, 1]])

_numbers = count(1)


def open_project(comparisons: int = 4, **settings) -> Project:
    """An open project with this many pairs, each of a prompt of its own."""
    number = next(_numbers)
    project = Project.objects.create(
        slug=f"desk-{number}", name="Desk", state=Project.State.OPEN, **settings
    )
    ask(project, comparisons)
    return project


def ask(project: Project, comparisons: int = 1, responses: int = 2, **question) -> list[Comparison]:
    """Add this many comparisons; the further arguments are Question's."""
    numbers = [next(_numbers) for _ in range(comparisons)]
    prompts = [
        prompt
        for prompt, _ in add_prompts(
            project, [[{"role": "user", "content": f"How deep is well {n}?"}] for n in numbers]
        )
    ]
    texts = [
        (prompt, [{"role": "assistant", "content": f"Well {n} is {place} deep."}])
        for prompt, n in zip(prompts, numbers, strict=True)
        for place in range(responses)
    ]
    stored = iter(add_responses(project, texts))
    added = add_comparisons(
        project,
        [
            Question(
                prompt=prompt, responses=[next(stored)[0] for _ in range(responses)], **question
            )
            for prompt in prompts
        ],
    )
    return [comparison for comparison, _ in added if comparison is not None]


def people(project: Project, number: int, **membership) -> list[Membership]:
    return [
        Membership.objects.create(
            user=User.objects.create(username=f"person{next(_numbers)}"),
            project=project,
            **membership,
        )
        for _ in range(number)
    ]


def person(project: Project, **membership) -> Membership:
    return people(project, 1, **membership)[0]


def leased(member: Membership) -> Assignment:
    """The first assignment that this labeler gets."""
    return queue.lease(member, 1)[0]


def submit(
    assignment: Assignment, answer: Answer = LEFT, key: uuid.UUID | None = None
) -> preferences.Receipt:
    return preferences.submit(
        assignment=assignment, answer=answer, idempotency_key=key or uuid.uuid4()
    )


def retract(assignment: Assignment, key: uuid.UUID | None = None) -> preferences.Receipt:
    return preferences.retract(assignment=assignment, idempotency_key=key or uuid.uuid4())


def answer_all(member: Membership, answer: Answer = LEFT) -> list[int]:
    """Answer until nothing is left; returns the comparisons in the order they were served."""
    served = []
    while held := queue.lease(member, 1):
        submit(held[0], answer)
        served.append(held[0].comparison_id)
    return served


def served_to(member: Membership) -> list[int]:
    """The comparisons in the order in which they would be served: each is skipped."""
    served = []
    while held := queue.lease(member, 1):
        queue.skip(held[0], held[0].token, reason="unclear", note="")
        served.append(held[0].comparison_id)
    return served


def show(assignment: Assignment) -> Assignment:
    return queue.renew(assignment, assignment.token, shown=True)


def let_expire(assignments: Sequence[Assignment]) -> None:
    """As if the lease had run out."""
    _set(assignments, expires_at=timezone.now() - timedelta(seconds=1))


def let_wait(assignments: Sequence[Assignment]) -> None:
    """As if they had been leased long enough ago for others to take what was never shown."""
    _set(
        assignments,
        updated_at=timezone.now() - timedelta(seconds=claims.UNSHOWN_SECONDS + 1),
    )


def _set(assignments: Sequence[Assignment], **values) -> None:
    Assignment.objects.filter(pk__in=[a.pk for a in assignments]).update(**values)
