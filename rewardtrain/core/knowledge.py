"""What a reward model knows, said plainly: its figures on comparisons that it did not see.

Everything is counted a comparison, on decided pairs alone, so that models with and without a term
for ties can be compared.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest, norm

from rewardtrain.contract import ComparisonRow
from rewardtrain.core.calibration import calibration
from rewardtrain.core.losses import decided_pairs
from rewardtrain.core.metrics import Judged, figures, wilson

LENGTH_PARTS = 4
FEW = 20
"""Judged comparisons below which no calibration is worth a word."""


@dataclass(frozen=True)
class Case:
    """A comparison and how a model that had not seen it did on it."""

    row: ComparisonRow
    judged: Judged


def knowledge(cases: Sequence[Case]) -> dict[str, Any]:
    """Of the report's `knowledge`: {calibration, strength, length, sources, kinds}.

    A part is null or empty where the comparisons say nothing of it.
    """
    return {
        "calibration": calibrated(cases) if len(cases) >= FEW else None,
        "strength": by_strength(cases),
        "length": by_length(cases),
        "sources": grouped(cases, source_of),
        "kinds": by_kind(cases),
    }


def by_labeler(cases: Sequence[Case], seen: set[str]) -> list[dict[str, Any]]:
    """Accuracy on what labelers said from whom the model learnt ("seen"), and others."""
    return grouped(cases, lambda row: "seen" if row.labeler in seen else "unseen")


def by_kind(cases: Sequence[Case]) -> list[dict[str, Any]]:
    return grouped(cases, lambda row: row.kind)


def calibrated(cases: Sequence[Case]) -> dict[str, Any]:
    margins = [margin for case in cases for margin in case.judged.margins]
    weight = [1 / len(case.judged.margins) for case in cases for _ in case.judged.margins]
    groups = [case.row.thread_root for case in cases for _ in case.judged.margins]
    return calibration(np.array(margins), np.array(weight), groups)


def by_strength(cases: Sequence[Case]) -> dict[str, Any] | None:
    """Accuracy at each strength that people gave, weakest first, with a trend test; None without
    two strengths."""
    graded = [case for case in cases if case.row.strength is not None and case.row.levels > 1]
    rows = grouped(graded, lambda row: str(row.strength))
    if len(rows) < 2:
        return None
    return {"levels": graded[0].row.levels, "rows": rows, "trend": trend(rows)}


def trend(rows: Sequence[dict[str, Any]]) -> dict[str, float] | None:
    """Cochran and Armitage's test that accuracy rises with strength (Armitage 1955): z > 0 where
    it rises, and its two-sided p. None where nothing varies."""
    n = np.array([row["n"] for row in rows], dtype=float)
    hits = np.array([row["n"] * row["accuracy"] for row in rows])
    dose = np.array([float(row["name"]) for row in rows])
    share, mean = hits.sum() / n.sum(), (n * dose).sum() / n.sum()
    variance = share * (1 - share) * (n * (dose - mean) ** 2).sum()
    if variance <= 0:
        return None
    z = (hits * (dose - mean)).sum() / math.sqrt(variance)
    return {"z": float(z), "p": float(2 * norm.sf(abs(z)))}


def by_length(cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Accuracy where the responses differ little or much in length, beside what preferring the
    longer one would have got; parts of equal size by characters, from the least different."""
    gaps = np.array([_gap(case.row) for case in cases])
    if len(cases) < LENGTH_PARTS * 5:
        return []
    edges = np.quantile(gaps, np.linspace(0, 1, LENGTH_PARTS + 1))
    parts = np.clip(np.searchsorted(edges, gaps, side="right") - 1, 0, LENGTH_PARTS - 1)
    found = []
    for part in range(LENGTH_PARTS):
        here = [case for case, place in zip(cases, parts, strict=True) if place == part]
        if not here:
            continue
        longer = sum(_longer_wins(case.row) for case in here)
        low, high = wilson(longer, len(here))
        found.append(
            {
                "from": int(gaps[parts == part].min()),
                "to": int(gaps[parts == part].max()),
                **_shown([case.judged for case in here]),
                "longer": {"accuracy": longer / len(here), "low": low, "high": high},
            }
        )
    return found


def _characters(row: ComparisonRow) -> list[int]:
    return [len(r[-1]["content"]) if r else 0 for r in row.responses]


def _gap(row: ComparisonRow) -> int:
    lengths = _characters(row)
    return max(lengths) - min(lengths)


def _longer_wins(row: ComparisonRow) -> float:
    lengths = _characters(row)
    wins = [
        1.0 if lengths[a] > lengths[b] else 0.5 if lengths[a] == lengths[b] else 0.0
        for a, b, _ in decided_pairs(row.tiers)
    ]
    return sum(wins) / len(wins)


def source_of(row: ComparisonRow) -> str:
    """Who wrote the responses, each named once; empty where nobody knows."""
    return ", ".join(sorted({name for name in row.sources if name}))


def grouped(cases: Sequence[Case], name: Callable[[ComparisonRow], str]) -> list[dict[str, Any]]:
    """{name, n, accuracy, low, high} of each group that has a name, in the names' order."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for case in cases:
        groups[name(case.row)].append(case.judged)
    return [{"name": key, **_shown(groups[key])} for key in sorted(groups) if key]


def _shown(judged: Sequence[Judged]) -> dict[str, Any]:
    found = figures(judged)
    del found["nll"]
    return found


def mcnemar(ours: Sequence[Judged], theirs: Sequence[Judged]) -> dict[str, Any]:
    """{ours, theirs, p}: comparisons that only one of the two got right, and the exact two-sided
    probability of so uneven a split among equals (McNemar 1947)."""
    pairs = list(zip(ours, theirs, strict=True))
    only_ours = sum(a.accuracy > 0.5 >= b.accuracy for a, b in pairs)
    only_theirs = sum(b.accuracy > 0.5 >= a.accuracy for a, b in pairs)
    uneven = only_ours + only_theirs
    p = binomtest(only_ours, uneven).pvalue if uneven else 1.0
    return {"ours": only_ours, "theirs": only_theirs, "p": float(p)}
