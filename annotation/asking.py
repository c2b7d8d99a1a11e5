"""Prompts, responses and comparisons come into being here, each once, addressed by content."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Count

from annotation.access import Visitor
from annotation.modalities import MODALITIES
from annotation.models import Comparison, ComparisonResponse, Project, Prompt, Response
from annotation.models.asked import RANDOM
from verify.checks import Check
from verify.checks import validate as validate_checks

Messages = list[dict[str, str]]
TURN = 16
"""Comparisons of a prompt, a kind, that may be asked before all other prompts had their turn."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A comparison to be asked: a stored prompt and two or more stored responses to it."""

    prompt: Prompt
    responses: Sequence[Response]
    kind: str = Comparison.Kind.ASK
    priority: int = 0
    wanted: int | None = None
    """Labels wanted; the project's overlap when not given."""
    stream: str = RANDOM
    selection_probability: float = 1.0
    reserved_for: Visitor | None = None
    """The only person who is asked."""
    expected: dict[str, Any] | None = None
    """A gold's answer: its tiers of response ids, best first, as a preference's."""


def sha256_of(value: Any) -> str:
    """Hash of the canonical JSON: keys sorted, no spaces, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def share_of(sha256: str) -> float:
    """A hash as a number in [0, 1), the same everywhere."""
    return int(sha256[:13], 16) / 16**13


def thread_root_of(messages: Messages) -> str:
    """Hash of the first user turn; dialogues that share it stay on one side of the split."""
    first = next((m for m in messages if m["role"] == "user"), messages[0])
    return sha256_of(first["content"])


def split_of(project: Project, thread_root: str) -> str:
    """Which side a thread falls on, by its hash: no later prompt can move it."""
    drawn = share_of(sha256_of(["split", thread_root]))
    return Prompt.Split.HELDOUT if drawn < project.heldout_share else Prompt.Split.TRAIN


@transaction.atomic
def add_prompts(
    project: Project, prompts: Iterable[Messages], *, source: str = "", parent: Prompt | None = None
) -> list[tuple[Prompt, bool]]:
    """The project's prompts with these messages, in order, each with whether it is new.

    Raises:
        ValueError: messages that do not fit the project's modality.
    """
    validate = MODALITIES[project.modality].validate_prompt
    asked = [(sha256_of(messages), messages) for messages in map(validate, prompts)]
    _lock(project)
    known = _by_sha256(Prompt.objects.filter(project=project), [sha256 for sha256, _ in asked])
    fresh = {
        sha256: Prompt(
            project=project,
            messages=messages,
            sha256=sha256,
            thread_root=(root := thread_root_of(messages)),
            split=split_of(project, root),
            source=source,
            parent=parent,
        )
        for sha256, messages in asked
        if sha256 not in known
    }
    Prompt.objects.bulk_create(fresh.values())
    rows = known | fresh
    # What came up in a talk and is given as a prompt as well is the project's own from then on.
    said = [row.pk for row in known.values() if row.source == Prompt.TALK != source]
    Prompt.objects.filter(pk__in=said).update(source=source)
    return [(rows[sha256], sha256 in fresh) for sha256, _ in asked]


@transaction.atomic
def set_checks(project: Project, checked: Iterable[tuple[Prompt, list[Check]]]) -> None:
    """Give prompts of the project the checks that answers to them shall pass.

    Raises:
        ValueError: what is no check.
    """
    _lock(project)
    changed = []
    for prompt, checks in checked:
        if prompt.checks != validate_checks(checks):
            prompt.checks = checks
            changed.append(prompt)
    Prompt.objects.bulk_update(changed, ["checks"])


@transaction.atomic
def add_responses(
    project: Project, texts: Iterable[tuple[Prompt, Messages]]
) -> list[tuple[Response, bool]]:
    """The responses with these messages to these prompts, in order; equal texts give one row.

    Raises:
        ValueError: messages that do not fit the project's modality.
    """
    validate = MODALITIES[project.modality].validate_response
    asked = [(prompt, sha256_of(validate(messages)), messages) for prompt, messages in texts]
    _lock(project)
    prompts = {prompt.pk for prompt, _, _ in asked}
    known = {
        (row.prompt_id, row.sha256): row for row in Response.objects.filter(prompt_id__in=prompts)
    }
    fresh = {
        (prompt.pk, sha256): Response(prompt=prompt, sha256=sha256, messages=messages)
        for prompt, sha256, messages in asked
        if (prompt.pk, sha256) not in known
    }
    Response.objects.bulk_create(fresh.values())
    rows = known | fresh
    return [(rows[p.pk, sha256], (p.pk, sha256) in fresh) for p, sha256, _ in asked]


@transaction.atomic
def add_comparisons(
    project: Project, questions: Iterable[Question]
) -> list[tuple[Comparison | None, bool]]:
    """The comparisons of these questions, in order, each with whether it is new.

    None where fewer than two responses differ: that is a tie which nobody needs to be asked.
    """
    asked = [(question, *_identity(question)) for question in questions]
    _lock(project)
    known = _by_sha256(
        Comparison.objects.filter(project=project), [sha256 for _, sha256, _ in asked]
    )
    fresh: dict[str, Comparison] = {}
    places: list[ComparisonResponse] = []
    for question, sha256, distinct in asked:
        if len(distinct) < 2 or sha256 in known or sha256 in fresh:
            continue
        fresh[sha256] = comparison = Comparison(
            project=project,
            prompt=question.prompt,
            sha256=sha256,
            kind=question.kind,
            priority=question.priority,
            wanted=project.overlap if question.wanted is None else question.wanted,
            stream=question.stream,
            selection_probability=question.selection_probability,
            expected=question.expected,
            reserved_for_id=question.reserved_for.pk if question.reserved_for else None,
            # Found by that person without anybody's place in the queue being given up.
            returned=question.reserved_for is not None,
        )
        places += (
            ComparisonResponse(comparison=comparison, response=response, place=place)
            for place, response in enumerate(distinct)
        )
    _shuffle(fresh.values())
    Comparison.objects.bulk_create(fresh.values())
    ComparisonResponse.objects.bulk_create(places)
    rows = known | fresh
    return [(rows.get(sha256), sha256 in fresh) for _, sha256, _ in asked]


def add_prompt(
    project: Project, messages: Messages, *, source: str = "", parent: Prompt | None = None
) -> tuple[Prompt, bool]:
    """One prompt of add_prompts."""
    return add_prompts(project, [messages], source=source, parent=parent)[0]


def add_response(prompt: Prompt, messages: Messages) -> tuple[Response, bool]:
    """One response of add_responses."""
    return add_responses(prompt.project, [(prompt, messages)])[0]


def add_comparison(
    project: Project, prompt: Prompt, responses: Sequence[Response], **question: Any
) -> tuple[Comparison | None, bool]:
    """One comparison of add_comparisons; the further arguments are Question's."""
    return add_comparisons(project, [Question(prompt=prompt, responses=responses, **question)])[0]


def _identity(question: Question) -> tuple[str, list[Response]]:
    """The content hash, and the responses that differ in the order of their places."""
    distinct = sorted({r.pk: r for r in question.responses}.values(), key=lambda r: r.sha256)
    hashes = [response.sha256 for response in distinct]
    return sha256_of([question.kind, question.prompt.sha256, hashes]), distinct


def _shuffle(fresh: Collection[Comparison]) -> None:
    """Give each its place among equals: by chance, from the content's hash.

    It says nothing of age or kind, and a prompt with many comparisons waits after every TURN of
    them until the other prompts had theirs.
    """
    prompts = {comparison.prompt_id for comparison in fresh}
    rows = Comparison.objects.filter(prompt__in=prompts).values_list("prompt", "kind")
    asked = Counter({(prompt, kind): n for prompt, kind, n in rows.annotate(Count("pk"))})
    for comparison in sorted(fresh, key=_chance):
        turn = (comparison.prompt_id, comparison.kind)
        comparison.shuffle = asked[turn] // TURN + _chance(comparison)
        asked[turn] += 1


def _chance(comparison: Comparison) -> float:
    return share_of(sha256_of(["shuffle", comparison.sha256]))


def _by_sha256(rows: Any, hashes: Iterable[str]) -> dict[str, Any]:
    return {row.sha256: row for row in rows.filter(sha256__in=list(hashes))}


def _lock(project: Project) -> None:
    """Two writers of one project's questions take turns, so that each text is stored once."""
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
