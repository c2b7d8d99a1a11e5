"""Prompts, comparisons and preferences from files. A line that cannot be read is reported with
its number and the reason, and keeps no other line out; the same file again adds nothing."""

import gzip
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, BinaryIO

from django.db import transaction

from annotation import asking, preferences
from annotation.dialogues import Draft, Messages, Unreadable, read_comparison, read_prompt
from annotation.forms import InvalidAnswer, check_ranking
from annotation.modalities import MODALITIES
from annotation.models import Comparison, Project, Prompt, Response
from verify.checks import Check
from verify.checks import validate as validate_checks

CHUNK = 500
GOLD_LABELS = 10_000
"""More than there will be labelers: each of them may meet every gold once."""


@dataclass(frozen=True)
class LineError:
    line: int
    reason: str


@dataclass
class Report:
    """How many rows came new, how many were there, and what could not be read."""

    created: int = 0
    existing: int = 0
    preferences: int = 0
    errors: list[LineError] = field(default_factory=list)


def import_prompts(project: Project, lines: Iterable[str], *, source: str = "") -> Report:
    """One prompt a line: JSON, or plain text as a user's message. With `checks` it says what a
    program can check of an answer; those of a prompt that is there already are replaced."""
    report = Report()
    validate = MODALITIES[project.modality].validate_prompt

    def read(row: Any) -> tuple[Messages, list[Check] | None]:
        checks = row.get("checks") if isinstance(row, dict) else None
        return validate(read_prompt(row)), None if checks is None else validate_checks(checks)

    for chunk in _chunks(_readable(lines, report, read)):
        _store_prompts(project, chunk, report, source)
    return report


def import_comparisons(project: Project, lines: Iterable[str], *, source: str = "") -> Report:
    """One comparison a line, with or without its preference (the formats of dialogues.py)."""
    report = Report()
    modality = MODALITIES[project.modality]

    def read(row: Any) -> Draft:
        draft = read_comparison(row)
        modality.validate_prompt(draft.messages)
        for response in draft.responses:
            modality.validate_response(response)
        if len({asking.sha256_of(response) for response in draft.responses}) < len(draft.responses):
            raise Unreadable("Two of the responses are the same text: there is nothing to ask.")
        if draft.answer is not None:
            check_ranking(draft.answer, len(draft.responses))
        return draft

    for chunk in _chunks(_readable(lines, report, read)):
        _store(project, chunk, report, source)
    return report


def open_lines(file: BinaryIO) -> Iterator[str]:
    """The lines of a file, gzip or not. Bytes that are not UTF-8 show as U+FFFD in the report."""
    magic = file.read(2)
    file.seek(0)
    packed = magic == b"\x1f\x8b"
    with gzip.GzipFile(fileobj=file) if packed else nullcontext(file) as stream:
        for line in stream:
            yield line.decode("utf-8-sig", errors="replace")


@transaction.atomic
def _store_prompts(
    project: Project,
    read: list[tuple[Messages, list[Check] | None]],
    report: Report,
    source: str,
) -> None:
    added = asking.add_prompts(project, [messages for messages, _ in read], source=source)
    given = zip(added, read, strict=True)
    asking.set_checks(
        project, [(prompt, checks) for (prompt, _), (_, checks) in given if checks is not None]
    )
    _count(report, added)


@transaction.atomic
def _store(project: Project, drafts: list[Draft], report: Report, source: str) -> None:
    prompts = asking.add_prompts(project, [draft.messages for draft in drafts], source=source)
    texts = [
        (prompt, response)
        for (prompt, _), draft in zip(prompts, drafts, strict=True)
        for response in draft.responses
    ]
    stored = iter(asking.add_responses(project, texts))
    responses = [[next(stored)[0] for _ in draft.responses] for draft in drafts]
    comparisons = asking.add_comparisons(
        project,
        (
            _question(prompt, shown, draft)
            for (prompt, _), shown, draft in zip(prompts, responses, drafts, strict=True)
        ),
    )
    _count(report, comparisons)
    report.preferences += preferences.record_imported(
        project,
        (
            preferences.Imported(
                comparison=comparison, order=shown, answer=draft.answer, levels=draft.levels
            )
            for (comparison, _), shown, draft in zip(comparisons, responses, drafts, strict=True)
            if draft.answer is not None and comparison is not None and not draft.gold
        ),
    )


def _question(prompt: Prompt, shown: Sequence[Response], draft: Draft) -> asking.Question:
    """Who brings an answer need not be asked; a gold's answer is what everybody is asked for."""
    if draft.gold and draft.answer is not None:
        tiers = [[shown[place].pk for place in tier] for tier in draft.answer.tiers]
        return asking.Question(
            prompt=prompt,
            responses=shown,
            kind=Comparison.Kind.GOLD,
            wanted=GOLD_LABELS,
            expected={"outcome": draft.answer.outcome, "tiers": tiers},
        )
    return asking.Question(
        prompt=prompt, responses=shown, wanted=None if draft.answer is None else 0
    )


def _count(report: Report, added: list[tuple[Any, bool]]) -> None:
    new = len({row.pk for row, is_new in added if is_new})
    report.created += new
    report.existing += len(added) - new


def _chunks(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _readable(lines: Iterable[str], report: Report, read: Callable[[Any], Any]) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield read(_parse(line))
        except (Unreadable, InvalidAnswer, ValueError) as error:
            report.errors.append(LineError(number, str(error)))


def _parse(line: str) -> Any:
    text = line.strip()
    if text[0] not in "{[":
        return text
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise Unreadable(f"The line is not JSON: {error}.") from None
