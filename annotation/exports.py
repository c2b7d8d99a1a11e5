"""Preferences as other trainers read them."""

import json
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from annotation.models import Preference, Project
from annotation.preferences import countable


def trl_preferences(project: Project) -> Iterator[dict[str, Any]]:
    """The decided preferences that stand, in TRL's conversational preference format.

    One row a decided pair: a ranking of K gives every pair of two tiers, best of K the best with
    each other. Ties and the like have no chosen side and are left out. `margin` is the strength
    as a share of the levels a side (1.0 where no strength was asked).
    """
    rows = (
        countable(project)
        .filter(outcome=Preference.Outcome.PREFER)
        .select_related("comparison__prompt")
        .prefetch_related("comparison__places__response")
        .order_by("pk")
    )
    for row in rows.iterator(chunk_size=500):
        texts = {
            place.response_id: place.response.messages for place in row.comparison.places.all()
        }
        margin = row.strength / row.levels if row.strength else 1.0
        for better, worse in combinations(row.tiers, 2):
            for chosen in better:
                for rejected in worse:
                    yield {
                        "prompt": row.comparison.prompt.messages,
                        "chosen": texts[chosen],
                        "rejected": texts[rejected],
                        "margin": margin,
                    }


def left_out(project: Project) -> int:
    """How many standing preferences have no chosen side."""
    return countable(project).exclude(outcome=Preference.Outcome.PREFER).count()


def as_jsonl(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"
