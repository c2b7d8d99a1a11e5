"""The demo's accounts and its two projects, made where they are absent.

"Tiny tales" turns the whole circle: its policy is the model of rewardtrain/demo/policy. "Assistant
answers" has no policy: its responses were written beforehand, better and worse ones.
"""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from annotation.asking import Question, add_comparisons, add_prompts, add_responses
from annotation.models import Membership, Project
from annotation.projects import change_state, create_project
from rewardtrain import rounds
from rewardtrain.demo.accounts import DEMO_ACCOUNTS
from rewardtrain.demo.prompts import demo_prompts

HERE = Path(__file__).parent
POLICY = "rewardtrain/demo/policy"
FREEZE_AFTER = 40
FINE_TUNING = {"beta": 0.2}
"""Closer to the reference than the contract's default: a small policy falls onto a few endings
otherwise, and pairs of its own hardly differ."""

TALES_GUIDELINES = """\
Two tellers wrote a tale for the same request. Choose the one that you would rather read aloud.

- **A happy ending** is better than a sad one, and an ending is better than none.
- **Whom and what was asked for**: the hero and the thing of the request should be in the tale.
- **Somebody speaks**: a tale in which somebody says something is the livelier one.
- **One tale**: whole sentences, nothing said again and again, neither cut off nor over before it \
began.

A small mistake in grammar matters less than a dull tale. If you would read either aloud as \
gladly, say that it is a tie; do not look for reasons.
"""

ANSWERS_GUIDELINES = """\
Two assistants answered the same request. Choose the answer that helps the person who asked more.

1. **Is it true?** A made-up fact, a wrong sum or code that does not run outweighs good style. \
Look for a single wrong detail in an answer that reads well.
2. **Does it do what was asked?** All of it, in the form that was asked for. Where the request is \
vague, a good answer says what it takes it to mean, or asks one question.
3. **Is it pleasant to read?** No longer than it needs to be, well set, polite without flattery.

Say that both are good or both are bad only when you mean it: this teaches the model a level, not \
only an order. If you cannot check a claim, say that you cannot judge.
"""


def load_demo() -> list[Project]:
    """The demo's projects that were absent, now open."""
    people = {username: add_account(username, password) for username, password, _ in DEMO_ACCOUNTS}
    makers = {"tiny-tales": add_tiny_tales, "assistant-answers": add_assistant_answers}
    made = []
    for slug, make in makers.items():
        if Project.objects.filter(slug=slug).exists():
            continue
        with transaction.atomic():
            project = make(people["maya"])
            add_members(project, people)
            made.append(change_state(project=project, actor=people["maya"], state="open"))
    return made


def add_account(username: str, password: str) -> User:
    user = User.objects.filter(username=username).first()
    return user or User.objects.create_user(
        username, password=password, first_name=username.capitalize()
    )


def add_members(project: Project, people: dict[str, User]) -> None:
    for username, _, role in DEMO_ACCOUNTS:
        Membership.objects.get_or_create(
            project=project, user=people[username], defaults={"role": role}
        )


def add_tiny_tales(manager: User) -> Project:
    project = create_project(
        actor=manager,
        name="Tiny tales",
        guidelines=TALES_GUIDELINES,
        modality="chat",
        freeze_after=FREEZE_AFTER,
    )
    rules = rounds.rules_of(project)
    rules.policy_options = FINE_TUNING
    rules.save(update_fields=["policy_options"])
    rounds.set_reference(project=project, source=POLICY, actor=manager)
    add_prompts(project, demo_prompts(), source="demo")
    return project


def add_assistant_answers(manager: User) -> Project:
    project = create_project(
        actor=manager,
        name="Assistant answers",
        guidelines=ANSWERS_GUIDELINES,
        modality="chat",
        freeze_after=FREEZE_AFTER,
        flags=["wrong", "unsafe"],
    )
    rules = rounds.rules_of(project)
    rules.reward_backbone = POLICY
    rules.save(update_fields=["reward_backbone"])
    add_pairs(project, list(answers()))
    return project


def answers() -> Iterator[dict[str, Any]]:
    """{"id", "topic", "messages", "responses": four of {"content", "quality", "flaw"}}."""
    for path in sorted((HERE / "assistant_answers").glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def add_pairs(project: Project, rows: list[dict[str, Any]]) -> None:
    """Two pairs a prompt, each response in one of them, so easy and hard ones are mixed."""
    prompts = [p for p, _ in add_prompts(project, [r["messages"] for r in rows], source="demo")]
    texts = [
        (prompt, [{"role": "assistant", "content": answer["content"]}])
        for prompt, row in zip(prompts, rows, strict=True)
        for answer in random.Random(row["id"]).sample(row["responses"], len(row["responses"]))
    ]
    responses = [response for response, _ in add_responses(project, texts)]
    pairs = zip(responses[::2], responses[1::2], strict=True)
    add_comparisons(
        project, [Question(prompt=first.prompt, responses=[first, other]) for first, other in pairs]
    )
