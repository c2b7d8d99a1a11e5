"""How policies fare against one another in blind comparisons: the only truth about a policy."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from annotation.models import Comparison, Preference
from rewardtrain.intervals import wilson
from rewardtrain.models import Match, ModelVersion

Result = Literal["win", "tie", "loss"]


@dataclass(frozen=True)
class WinRate:
    """(wins + ties / 2) / n with Wilson's 95 % interval.

    `identical` ones are among the ties: both wrote the same text, so nobody was asked. `open`
    matches wait for an answer and count nowhere.
    """

    wins: int
    ties: int
    losses: int
    identical: int
    open: int
    value: float | None
    low: float | None
    high: float | None

    @property
    def n(self) -> int:
        return self.wins + self.ties + self.losses


def win_rate(results: Iterable[Result], *, identical: int = 0, still_open: int = 0) -> WinRate:
    """The rate of the matches that were answered; None where none was."""
    results = list(results)
    wins, losses = results.count("win"), results.count("loss")
    ties = results.count("tie") + identical
    n = wins + ties + losses
    low, high = wilson(wins + ties / 2, n)
    return WinRate(
        wins=wins,
        ties=ties,
        losses=losses,
        identical=identical,
        open=still_open,
        value=(wins + ties / 2) / n if n else None,
        low=low if n else None,
        high=high if n else None,
    )


def standing(policy: ModelVersion, opponent: ModelVersion) -> WinRate:
    """How `policy` stands against `opponent` by people's answers so far."""
    matches = list(
        Match.objects.filter(policy=policy, opponent=opponent).select_related("comparison")
    )
    answers = _answers(matches)
    results: list[Result] = []
    identical = still_open = 0
    for match in matches:
        if match.comparison is None:
            identical += 1
        elif _waits(match.comparison):
            still_open += 1
        elif said := [_side(match, answer) for answer in answers.get(match.comparison_id, [])]:
            results.append(_majority(said))
    return win_rate(results, identical=identical, still_open=still_open)


def _waits(comparison: Comparison) -> bool:
    return comparison.state == Comparison.State.OPEN and comparison.done < comparison.wanted


def _answers(matches: list[Match]) -> dict[int | None, list[Preference]]:
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


def _side(match: Match, answer: Preference) -> float:
    """1 for the policy, 0 for its opponent, 1/2 for neither."""
    if answer.outcome != Preference.Outcome.PREFER:
        return 0.5
    return 1.0 if match.policy_response_id in answer.tiers[0] else 0.0


def _majority(said: list[float]) -> Result:
    mean = sum(said) / len(said)
    return "win" if mean > 0.5 else "loss" if mean < 0.5 else "tie"
