"""What a run works on: which prompts, which preferences, and the rows of its data.jsonl.

Nothing here hangs on database ids: the same project content and seed give the same rows.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet

from annotation.asking import sha256_of
from annotation.batches import IMPORTED
from annotation.models import Comparison, Project, Prompt, Response
from rewardtrain.models import Generation, LoopPolicy, Run

Row = dict[str, Any]


def seed_for(*parts: object) -> int:
    """A 31-bit seed from whatever names a draw, the same in every database."""
    digest = hashlib.sha256(" ".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1


def prompt_rows(prompts: Iterable[Prompt]) -> list[Row]:
    """PromptRows; a prompt is addressed by its place."""
    return [
        {"prompt": place, "messages": p.messages, **({"checks": p.checks} if p.checks else {})}
        for place, p in enumerate(prompts)
    ]


def prompts_to_ask(rules: LoopPolicy, seed: int) -> list[Prompt]:
    """All prompts, those that were asked least first, in an order that the seed decides."""
    asked = Count("comparisons", filter=Q(comparisons__kind__in=Comparison.TRAINING_KINDS))
    return _least_asked(own_prompts(rules.project).annotate(asked=asked), seed)


def prompts_to_meet(rules: LoopPolicy, seed: int) -> list[Prompt]:
    """Held-out prompts for blind comparisons of two policies: those that met least so far."""
    met = Count("comparisons", filter=Q(comparisons__kind=Comparison.Kind.ARENA))
    heldout = own_prompts(rules.project).filter(split=Prompt.Split.HELDOUT)
    return _least_asked(heldout.annotate(asked=met), seed)[: rules.arena_prompts]


def prompts_to_learn(project: Project, *, checked: bool = False) -> QuerySet[Prompt]:
    """All training prompts, or those of them that have checks."""
    prompts = own_prompts(project).filter(split=Prompt.Split.TRAIN).order_by("sha256")
    return prompts.exclude(checks=[]) if checked else prompts


def own_prompts(project: Project) -> QuerySet[Prompt]:
    """Those that a manager gave: what was said in a talk is asked of nobody else, and no policy
    learns on it. What people preferred there teaches reward models like any other answer."""
    return project.prompts.exclude(source=Prompt.TALK)


def comparison_rows(project: Project, lines: Iterable[Row]) -> Iterator[Row]:
    """ComparisonRows of a batch's lines.

    Each also says which policy wrote which response, so that a reward model can be judged by whom
    it reads; what nobody of ours wrote has no name. Where the project asks for flags, an answer of
    a person that gave none says that none fits.
    """
    written: dict[tuple[str, str], int] = {}
    found = Generation.objects.filter(version__project=project).values_list(
        "response__prompt__sha256", "response__sha256", "version__number"
    )
    for prompt, response, number in found.order_by("-version__number"):
        written[prompt, response] = number
    for line in lines:
        prompt = sha256_of(line["messages"])
        numbers = [written.get((prompt, sha256_of(said))) for said in line["responses"]]
        asked = project.flags and line["labeler"] != IMPORTED
        unflagged: Row = {"flags": [[] for _ in numbers]} if asked else {}
        sources = ["" if n is None else f"policy {n}" for n in numbers]
        yield {**unflagged, **line, "sources": sources}


def _least_asked(prompts: QuerySet, seed: int) -> list[Prompt]:
    return sorted(prompts, key=lambda p: (p.asked, seed_for(seed, p.sha256)))


def prompts_of(run: Run, rows: Iterable[Row]) -> list[Prompt]:
    """The prompts behind a run's PromptRows, by their place."""
    hashes = [sha256_of(row["messages"]) for row in rows]
    found = {p.sha256: p for p in Prompt.objects.filter(project=run.project, sha256__in=hashes)}
    return [found[sha256] for sha256 in hashes]


def scoring_rows(written: Iterable[tuple[Prompt, Sequence[Response]]]) -> list[Row]:
    """ScoringRows of responses to their prompts."""
    return [
        {
            "row": place,
            "messages": prompt.messages,
            "responses": [response.messages for response in responses],
        }
        for place, (prompt, responses) in enumerate(written)
    ]
