"""Nothing a labeler receives tells golds, anchors, arena, repeats, suspects or models apart.

A classifier gets every raw answer of the API: its headers, bytes, keys, sizes, times and place in
the sequence. The texts are of one distribution whatever the kind, so that all it could find is
what the API gives away. That it finds what is there to find is shown by a leak made on purpose.
"""

import json
import random
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from django.utils import timezone
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from annotation import queue
from annotation.asking import Question, add_comparisons, add_prompts, add_responses
from annotation.models import Assignment, Comparison, Project
from tests.cast import Person, member

# fmt: off
WORDS = [
    "owl", "key", "lamp", "river", "stone", "bread", "plum", "door", "song", "rain", "fox", "well",
]
# fmt: on
KINDS = ["ask", "gold", "anchor", "repeat", "arena", "suspect"]
EACH = 35


def text(rng: random.Random, role: str) -> list[dict[str, str]]:
    words = rng.choices(WORDS, k=rng.randint(5, 60))
    return [{"role": role, "content": " ".join(words) + f" {rng.random():.6f}"}]


def reworded(message: dict[str, str], rng: random.Random) -> list[dict[str, str]]:
    """The same words in another order: two sides that differ in length by nothing."""
    words = message["content"].split()
    return [{**message, "content": " ".join(rng.sample(words, len(words)))}]


def ask(project: Project, kind: str, number: int, rng: random.Random, **question: Any) -> None:
    """Comparisons whose first response was stored before the second, as of two models in turn."""
    prompts = add_prompts(project, [text(rng, "user") for _ in range(number)])
    texts = [text(rng, "assistant") for _ in prompts]
    first = add_responses(
        project, [(prompt, said) for (prompt, _), said in zip(prompts, texts, strict=True)]
    )
    second = add_responses(
        project,
        [
            (prompt, reworded(said[0], rng))
            for (prompt, _), said in zip(prompts, texts, strict=True)
        ],
    )
    add_comparisons(
        project,
        [
            Question(prompt=prompt, responses=[a, b], kind=kind, **question)
            for (prompt, _), (a, _), (b, _) in zip(prompts, first, second, strict=True)
        ],
    )


def everything_received(who: Person, project: Project) -> tuple[np.ndarray, list[Assignment]]:
    """A row of numbers for each answer of the API until nothing is left, and what it was."""
    rows, served = [], []
    while True:
        began = time.perf_counter()
        answer = who.api.post(f"/api/projects/{project.slug}/assignments/", {"want": 1})
        elapsed = time.perf_counter() - began
        body = answer.json()
        if not body["assignments"]:
            return np.array(rows), served
        rows.append([len(rows), elapsed, *figures(answer, body)])
        held = Assignment.objects.select_related("comparison").get(
            key=body["assignments"][0]["key"]
        )
        queue.skip(held, held.token, reason="other", note="")
        served.append(held)


def figures(answer, body: dict[str, Any]) -> list[float]:
    [shown] = body["assignments"]
    expires = datetime.fromisoformat(shown["expires_at"])
    sizes = [len(json.dumps(part)) for part in (shown["prompt"], *shown["responses"])]
    return [
        answer.status_code,
        len(answer.content),
        number_of(json.dumps(list(walk(body)))),
        number_of("\n".join(answer.headers)),
        *(len(value) for value in answer.headers.values()),
        expires.microsecond,
        (expires - timezone.now()).total_seconds(),
        len(shown["key"]),
        *(ord(letter) for letter in shown["key"][:4] + shown["key"][-4:]),
        *bytes.fromhex(shown["token"].replace("-", "")),
        *sizes,
        sizes[1] - sizes[2],
        body["progress"]["labels"],
        body["progress"]["mine"],
    ]


def walk(value: Any, path: str = "") -> Any:
    """The names of all fields, in the order in which they came."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}.{name}"
            yield from walk(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from walk(inner, path)


def number_of(names: str) -> int:
    """The same for the same names only."""
    return int.from_bytes(names.encode(), "big") % 1_000_003


def auc_of(features: np.ndarray, is_it: Sequence[bool]) -> tuple[float, float]:
    """Area under the curve of held-out predictions, and its standard error under no signal."""
    truth = np.array(is_it)
    forest = RandomForestClassifier(
        100, min_samples_leaf=3, class_weight="balanced", random_state=0
    )
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    guessed = cross_val_predict(forest, features, truth, cv=folds, method="predict_proba")[:, 1]
    yes, no = truth.sum(), (~truth).sum()
    return float(roc_auc_score(truth, guessed)), float(np.sqrt((yes + no + 1) / (12 * yes * no)))


@pytest.fixture
def project(db: None) -> Project:
    share = 1 / len(KINDS)
    return Project.objects.create(
        slug="blind", name="Blind", state="open", gold_share=share, anchor_share=share
    )


def test_a_classifier_cannot_tell_kinds_or_models_from_what_is_received(project: Project) -> None:
    rng = random.Random(11)
    for kind in KINDS:
        # More golds and anchors than can be served, so that they do not run out before the end.
        ask(project, kind, 2 * EACH if kind in ("gold", "anchor") else EACH, rng)
    ask(project, "ask", EACH, rng, stream="d_optimal", selection_probability=0.3)
    features, served = everything_received(member("lena", project, "labeler"), project)
    kinds = [held.comparison.kind for held in served]
    assert set(kinds) == set(KINDS)
    first_made = [held.order[0] == earliest_place(held.comparison) for held in served]
    steered = [held.comparison.stream != "random" for held in served]
    truths = {kind: [k == kind for k in kinds] for kind in KINDS}
    truths |= {"model": first_made, "stream": steered}
    for name, truth in truths.items():
        auc, error = auc_of(features, truth)
        # Folds share their rows, so the error is somewhat larger than the formula's.
        assert auc < 0.5 + 5 * error, f"{name} can be told: AUC {auc:.2f}"


def test_the_classifier_finds_a_leak_where_there_is_one(project: Project) -> None:
    """Here arena comparisons are more urgent, so that the sequence gives them away."""
    rng = random.Random(12)
    ask(project, "ask", 2 * EACH, rng)
    ask(project, "arena", EACH, rng, priority=1)
    features, served = everything_received(member("lena", project, "labeler"), project)
    auc, error = auc_of(features, [held.comparison.kind == "arena" for held in served])
    assert auc > 0.5 + 6 * error


def earliest_place(comparison: Comparison) -> int:
    return comparison.places.order_by("response").first().place
