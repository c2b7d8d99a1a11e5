"""Writing an answer against choosing one: how long each takes, and how well each agrees.

Where a project asks to write first, the same person writes for a prompt and then chooses between
responses to it. What they choose and what they wrote (the response most like it stands for it) are
held against each other, and both against what somebody else chose on the same comparison: the gap
between people as writers and as judges (the generator-discriminator gap of Saunders et al. 2022,
arXiv 2206.05802, section 5, here for people and with time as well).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from annotation.intervals import Figure, median, share
from annotation.models import Demonstration, Preference, Project, Response

ANSWERS = 5_000
WRITTEN = 300
"""The latest that are looked at: comparing texts takes time."""
GRAMS = range(1, 7)


@dataclass(frozen=True)
class Gap:
    """Times in seconds; `ratio` is of writing to choosing for the same prompt by the same person.

    `agree_…`: two people who answered one comparison chose the same best response, of the answers
    given after writing, and of the others. `wrote_own`, `wrote_other`: the response most like what
    somebody wrote is the one that they themselves, or the other one, chose. Each comparison counts
    once, by its first two answers.
    """

    write: Figure | None
    choose_after: Figure | None
    choose_without: Figure | None
    ratio: Figure | None
    agree_after: Figure | None
    agree_without: Figure | None
    wrote_own: Figure | None
    wrote_other: Figure | None


Key = tuple[int, int]
"""A labeler and a prompt."""


def gap_of(project: Project) -> Gap:
    rows = list(
        Preference.objects.filter(
            project=project,
            origin=Preference.Origin.HUMAN,
            superseded_by__isnull=True,
            retracted=False,
        )
        .select_related("comparison")
        .prefetch_related("rewrites")
        .order_by("-created_at")[:ANSWERS]
    )
    written = {
        (row.author_id, row.prompt_id): row
        for row in Demonstration.objects.filter(
            project=project, how=Demonstration.How.WRITTEN
        ).order_by("-created_at")[:ANSWERS]
    }
    after = [row for row in rows if _key(row) in written]
    without = [row for row in rows if _key(row) not in written]
    ratios = [
        writing / choosing
        for row in after
        if (writing := written[_key(row)].seconds) and (choosing := _choosing(row))
    ]
    own, other = _likeness(after, rows, dict(list(written.items())[:WRITTEN]))
    return Gap(
        write=median([row.seconds for row in written.values() if row.seconds is not None]),
        choose_after=median(_times(after)),
        choose_without=median(_times(without)),
        ratio=median(ratios),
        agree_after=_agreement(after),
        agree_without=_agreement(without),
        wrote_own=own,
        wrote_other=other,
    )


def likeness(text: str, other: str) -> float:
    """How much of one text's wording is in the other's, 0 to 1, the same both ways.

    The F1 of character 1- to 6-grams, blanks left out: chrF with equal weights (Popović 2015).
    """
    scores = []
    for one, two in zip(_grams(text), _grams(other), strict=True):
        total = one.total() + two.total()
        scores.append(2 * (one & two).total() / total if total else 0.0)
    return sum(scores) / len(scores)


def _key(row: Preference) -> Key:
    return row.labeler_id or 0, row.comparison.prompt_id


def _choosing(row: Preference) -> float | None:
    """Seconds at the comparison, those spent on rewriting a response left out."""
    if row.active_ms is None:
        return None
    rewriting = sum(rewrite.seconds or 0 for rewrite in row.rewrites.all())
    return max(0.0, row.active_ms / 1000 - rewriting)


def _times(rows: Iterable[Preference]) -> list[float]:
    return [seconds for row in rows if (seconds := _choosing(row)) is not None]


def _best(row: Preference) -> int | None:
    """The one response that was preferred to all others, if there is one."""
    decided = row.outcome == Preference.Outcome.PREFER and len(row.tiers[0]) == 1
    return row.tiers[0][0] if decided else None


def _first_two(rows: Iterable[Preference]) -> list[tuple[Preference, Preference]]:
    """Of every comparison that two people decided, the first two answers."""
    by_comparison: dict[int, list[Preference]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.pk):
        if _best(row) is not None:
            by_comparison[row.comparison_id].append(row)
    return [(given[0], given[1]) for given in by_comparison.values() if len(given) > 1]


def _agreement(rows: Iterable[Preference]) -> Figure | None:
    pairs = _first_two(rows)
    return share(sum(_best(a) == _best(b) for a, b in pairs), len(pairs))


def _likeness(
    after: list[Preference], rows: list[Preference], written: dict[Key, Demonstration]
) -> tuple[Figure | None, Figure | None]:
    chosen = [row for row in after if _key(row) in written and _best(row) is not None]
    texts = Response.objects.in_bulk({pk for row in chosen for pk in row.order})

    def nearest(row: Preference) -> int:
        text = written[_key(row)].text
        # In the order of places, so that equal likeness is no favour to what was shown left.
        ids = sorted(row.order)
        return max(ids, key=lambda pk: likeness(text, texts[pk].messages[-1]["content"]))

    implied = {row.pk: nearest(row) for row in chosen}
    own = share(sum(implied[row.pk] == _best(row) for row in chosen), len(chosen))
    pairs = [(a, b) if a.pk in implied else (b, a) for a, b in _first_two(rows)]
    pairs = [(writer, judge) for writer, judge in pairs if writer.pk in implied]
    other = share(sum(implied[w.pk] == _best(j) for w, j in pairs), len(pairs))
    return own, other


@lru_cache(maxsize=4096)
def _grams(text: str) -> tuple[Counter[str], ...]:
    signs = "".join(text.split())
    return tuple(Counter(signs[i : i + n] for i in range(len(signs) - n + 1)) for n in GRAMS)
