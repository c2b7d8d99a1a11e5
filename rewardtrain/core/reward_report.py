"""The figures of a reward run's report.json, from how its fits judged what they did not see."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rewardtrain.contract import HELDOUT_ENOUGH, RANDOM, ComparisonRow
from rewardtrain.core.heads import FLAG, MEMBER, HeadScores
from rewardtrain.core.knowledge import Case, by_kind, by_labeler, knowledge, mcnemar
from rewardtrain.core.learning_curve import Point, extrapolate, round_step
from rewardtrain.core.metrics import (
    Judged,
    figures,
    paired_bootstrap,
    paired_shares,
    wilson,
)
from rewardtrain.core.reward_fit import Fit, Texts, judge_rows

Judgements = list[list[Judged]]
"""Of every fit, comparison by comparison."""


def fold_figures(fits: Sequence[Fit], judged: Judgements) -> dict[str, Any] | None:
    folds = [found for fit, found in zip(fits, judged, strict=True) if fit.role == "fold"]
    if not folds:
        return None
    return {**figures([j for fold in folds for j in fold]), "by_fold": list(map(figures, folds))}


def longer_figures(rows: Sequence[ComparisonRow], role: str, fits: Sequence[Fit]) -> dict[str, Any]:
    """How often the longer response, in characters, was the preferred one."""
    chosen = [rows[i] for fit in fits if fit.role == role for i in fit.judged]
    lengths = [float(len(r[-1]["content"]) if r else 0) for row in chosen for r in row.responses]
    found = figures(judge_rows(chosen, lengths))
    del found["nll"]
    return found


def knowledge_figures(
    rows: Sequence[ComparisonRow], fits: Sequence[Fit], judged: Judgements, golds: Sequence[Case]
) -> dict[str, Any]:
    """What the model knows, on the held-out comparisons where they are enough, else by the folds;
    `source` says which."""
    enough = len(judged[-1]) >= HELDOUT_ENOUGH or len(fits) == 1
    folds = any(fit.role == "fold" for fit in fits)
    source, role = ("heldout", "final") if enough or not folds else ("folds", "fold")

    def cases(role: str) -> list[Case]:
        return [
            Case(rows[i], found)
            for fit, each in zip(fits, judged, strict=True)
            if fit.role == role
            for i, found in zip(fit.judged, each, strict=True)
        ]

    found = knowledge(cases(role))
    apart = [fit for fit in fits if fit.role == "labelers"]
    seen = {rows[i].labeler for i in (apart or fits)[-1].train}
    return {
        "source": source,
        **found,
        "labelers": by_labeler(cases("labelers" if apart else role), seen),
        "kinds": [*found["kinds"], *by_kind(golds)],
    }


def curve_figures(fits: Sequence[Fit], judged: Judgements) -> dict[str, Any] | None:
    """{points, expected}: accuracy by the labels learnt from, and what as many again would bring.

    The folds are one point: each learnt from about as many. Null without smaller fits.
    """
    if not any(fit.role == "curve" for fit in fits):
        return None
    points = []
    for role in ("curve", "fold", "final"):
        found = [(f, j) for f, j in zip(fits, judged, strict=True) if f.role == role and j]
        together = [found] if role == "fold" else [[one] for one in found]
        for group in filter(None, together):
            labels = round(sum(len(fit.train) for fit, _ in group) / len(group))
            said = figures([j for _, each in group for j in each])
            points.append(Point(labels, said["n"], said["accuracy"]))
    points.sort(key=lambda point: point.labels)
    return {
        "points": [_with_interval(point) for point in points],
        "expected": extrapolate(points, round_step(len(fits[-1].train))),
    }


def halves_figures(fits: Sequence[Fit], judged: Judgements) -> dict[str, Any] | None:
    """{second, whole, cost, labels}: a second opinion, a fit to both halves, and the accuracy that
    learning from half of the labels adds to that one's."""
    found = {fit.role: (fit, each) for fit, each in zip(fits, judged, strict=True)}
    if "second" not in found:
        return None
    said = {role: each for role, (_, each) in found.items()}
    return {
        "second": figures(said["second"]),
        "whole": figures(said["whole"]),
        "cost": paired_shares(
            [a.accuracy - b.accuracy for a, b in zip(said["final"], said["whole"], strict=True)]
        ),
        "labels": {role: len(found[role][0].train) for role in ("final", "second", "whole")},
    }


def _with_interval(point: Point) -> dict[str, Any]:
    low, high = wilson(point.accuracy * point.n, point.n)
    return {
        "labels": point.labels,
        "n": point.n,
        "accuracy": point.accuracy,
        "low": low,
        "high": high,
    }


def head_figures(
    found: HeadScores, fit: Fit, rows: Sequence[ComparisonRow], texts: Texts, spread: float
) -> dict[str, Any]:
    """The heads beside the preference head, on the comparisons held out.

    members: each one's figures. spread: mean over all responses of the members' standard
    deviation, in spreads of the scores. flags: of each, how many held-out responses have it, and
    the probability that one that has it scores above one that has not (the area under ROC); null
    where all have it or none.
    """
    first, start = [], 0
    for responses in texts.of_row:
        first.append(start)
        start += len(responses)
    judged = [(rows[i], slice(first[i], first[i] + len(rows[i].responses))) for i in fit.judged]

    def of(name: str) -> list[Judged]:
        values = found.of(name).tolist()
        return judge_rows([row for row, _ in judged], [v for _, at in judged for v in values[at]])

    heldout = [i for i, row in enumerate(rows) if row.split == "heldout" and row.flags]
    flags = {}
    for name in [name for name in found.names if name.startswith(FLAG)]:
        values = found.of(name).tolist()
        said: dict[bool, list[float]] = {True: [], False: []}
        for i in heldout:
            for place, names in enumerate(rows[i].flags or []):
                said[name.removeprefix(FLAG) in names].append(values[first[i] + place])
        flags[name.removeprefix(FLAG)] = {
            "flagged": len(said[True]),
            "n": len(said[True]) + len(said[False]),
            "area": area(said[True], said[False]),
        }
    return {
        "members": [figures(of(name)) for name in found.names if name.startswith(MEMBER)],
        "spread": found.spread.mean().item() / spread,
        "flags": flags,
    }


def area(yes: Sequence[float], no: Sequence[float]) -> float | None:
    """The probability that one of `yes` lies above one of `no`, ties counted half."""
    if not yes or not no:
        return None
    above = sum((a > b) + 0.5 * (a == b) for a in yes for b in no)
    return above / (len(yes) * len(no))


def champion_figures(ours: Sequence[Judged], theirs: Sequence[Judged]) -> dict[str, Any]:
    """The model in service on the same comparisons, and this one minus it."""
    pairs = list(zip(ours, theirs, strict=True))
    return {
        **figures(theirs),
        "accuracy_difference": paired_bootstrap([a.accuracy - b.accuracy for a, b in pairs]),
        "nll_difference": paired_bootstrap([a.nll - b.nll for a, b in pairs]),
        "probability_difference": paired_bootstrap(
            [a.probability - b.probability for a, b in pairs]
        ),
        "mcnemar": mcnemar(ours, theirs),
    }


def count_rows(rows: Sequence[ComparisonRow], texts: Texts, decided: int) -> dict[str, int]:
    splits = Counter(row.split for row in rows)
    return {
        "preferences": len(rows),
        "train": splits["train"],
        "heldout": splits["heldout"],
        "steered": sum(row.stream != RANDOM for row in rows),
        "decided": decided,
        **Counter(row.outcome for row in rows if row.outcome != "prefer"),
        "responses": len(texts.all),
        "shortened": texts.shortened,
    }
