"""How policies fare against one another in blind comparisons: the only truth about a policy."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeVar

from django.db.models import QuerySet

from annotation.models import Comparison, Preference
from rewardtrain import sequences
from rewardtrain.models import Match, ModelVersion, Suspect

Result = Literal["win", "tie", "loss"]
Pair = tuple[int, int]
Asked = TypeVar("Asked", Match, Suspect)
"""What people compare blind: a match of two policies, or a suspect with the reference."""
SCORES: dict[Result, float] = {"win": 1.0, "tie": 0.5, "loss": 0.0}


@dataclass(frozen=True)
class WinRate:
    """(wins + ties / 2) / n with a 95 % interval that holds whenever one looks (sequences.py).

    `identical` ones are among the ties: both wrote the same text, so nobody was asked. `open`
    matches wait for an answer and count nowhere. `wanted` says how many more labels it likely
    takes until the interval leaves out 1/2: 0 when it does, None when that is out of sight.
    """

    wins: int
    ties: int
    losses: int
    identical: int
    open: int
    value: float | None
    low: float | None
    high: float | None
    wanted: int | None

    @property
    def n(self) -> int:
        return self.wins + self.ties + self.losses

    @property
    def interval(self) -> tuple[float, float]:
        return (0.0, 1.0) if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True)
class Met(Generic[Asked]):
    """A match and what came of it: None while it is open, or where nobody could judge."""

    match: Asked
    result: Result | None
    open: bool
    answered_at: datetime | None


def win_rate(results: Iterable[Result], *, identical: int = 0, still_open: int = 0) -> WinRate:
    """The rate of the matches that were answered, in that order; None where none was."""
    scores = [0.5] * identical + [SCORES[result] for result in results]
    n = len(scores)
    low, high = sequences.interval(scores)
    return WinRate(
        wins=scores.count(1.0),
        ties=scores.count(0.5),
        losses=scores.count(0.0),
        identical=identical,
        open=still_open,
        value=sum(scores) / n if n else None,
        low=low if n else None,
        high=high if n else None,
        wanted=sequences.labels_to_decide(scores) if n else None,
    )


def standing(policy: ModelVersion, opponent: ModelVersion, *, purpose: str = "") -> WinRate:
    """How `policy` stands against `opponent` by people's answers so far.

    With a `purpose`, by the matches of such runs alone.
    """
    matches = Match.objects.filter(policy=policy, opponent=opponent)
    return rate_of(look(matches.filter(run__purpose=purpose) if purpose else matches))


def standings(matches: QuerySet[Match]) -> dict[Pair, WinRate]:
    """The same for every two that met, by the ids of both."""
    pairs: dict[Pair, list[Met[Match]]] = defaultdict(list)
    for met in look(matches):
        pairs[met.match.policy_id, met.match.opponent_id].append(met)
    return {pair: rate_of(met) for pair, met in pairs.items()}


def rate_of(met: Iterable[Met]) -> WinRate:
    met = list(met)
    asked = sorted(
        (m for m in met if m.result and m.answered_at), key=lambda m: (m.answered_at, m.match.pk)
    )
    return win_rate(
        [m.result for m in asked if m.result],
        identical=sum(m.match.comparison_id is None for m in met),
        still_open=sum(m.open for m in met),
    )


def look(matches: QuerySet[Asked]) -> list[Met[Asked]]:
    """Each match with what people say of it so far; identical texts are a tie."""
    found = list(matches.select_related("comparison").order_by("pk"))
    answers = _answers(found)
    met: list[Met[Asked]] = []
    for match in found:
        said = answers.get(match.comparison_id, [])
        waits = match.comparison is not None and _waits(match.comparison)
        if match.comparison is None:
            met.append(Met(match, "tie", open=False, answered_at=None))
        elif waits or not said:
            met.append(Met(match, None, open=waits, answered_at=None))
        else:
            result = _majority([_side(match, answer) for answer in said])
            last = max(answer.created_at for answer in said)
            met.append(Met(match, result, open=False, answered_at=last))
    return met


def _waits(comparison: Comparison) -> bool:
    return comparison.state == Comparison.State.OPEN and comparison.done < comparison.wanted


def _answers(matches: Sequence[Match | Suspect]) -> dict[int | None, list[Preference]]:
    """The standing answers to the matches' comparisons; what nobody could judge is left out."""
    answers: dict[int | None, list[Preference]] = {}
    rows = Preference.objects.filter(
        comparison__in=[match.comparison_id for match in matches if match.comparison_id],
        superseded_by__isnull=True,
        retracted=False,
        surplus=False,
    ).exclude(outcome=Preference.Outcome.UNANSWERABLE)
    for row in rows:
        answers.setdefault(row.comparison_id, []).append(row)
    return answers


def _side(match: Match | Suspect, answer: Preference) -> float:
    """1 for the policy, 0 for its opponent, 1/2 for neither."""
    if answer.outcome != Preference.Outcome.PREFER:
        return 0.5
    return 1.0 if match.policy_response_id in answer.tiers[0] else 0.0


def _majority(said: list[float]) -> Result:
    mean = sum(said) / len(said)
    return "win" if mean > 0.5 else "loss" if mean < 0.5 else "tie"
