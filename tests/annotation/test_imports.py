"""Files of prompts and comparisons: every line is stored or reported, and none twice."""

import gzip
import io
import json
import time
from pathlib import Path

import pytest

from annotation import batches
from annotation.imports import import_comparisons, import_prompts, open_lines
from annotation.models import Comparison, Preference, Project, Prompt

pytestmark = pytest.mark.django_db
HH = Path(__file__).resolve().parents[3] / "shared" / "data" / "hh_harmless_test.jsonl.gz"


@pytest.fixture
def shelf() -> Project:
    """An empty open project whose answers need no grace."""
    return Project.objects.create(slug="shelf", name="Shelf", state="open", grace_seconds=0)


def jsonl(*rows: object) -> list[str]:
    return [json.dumps(row) + "\n" for row in rows]


PAIR = {"prompt": "Name a bird.", "chosen": "A heron.", "rejected": "A spoon."}


def test_a_pair_brings_its_preference(shelf: Project) -> None:
    report = import_comparisons(shelf, jsonl(PAIR))
    assert (report.created, report.preferences, report.errors) == (1, 1, [])
    row = Preference.objects.get()
    assert row.origin == "import"
    best = row.comparison.responses.get(pk=row.tiers[0][0])
    assert best.messages[0]["content"] == "A heron."


def test_importing_twice_adds_nothing(shelf: Project) -> None:
    import_comparisons(shelf, jsonl(PAIR))
    report = import_comparisons(shelf, jsonl(PAIR, PAIR))
    assert (report.created, report.existing, report.preferences) == (0, 2, 0)
    assert (Comparison.objects.count(), Preference.objects.count()) == (1, 1)


def test_an_answered_comparison_is_not_asked_again(shelf: Project) -> None:
    import_comparisons(shelf, jsonl(PAIR))
    row = Comparison.objects.get()
    assert (row.wanted, row.done) == (1, 1)


def test_an_unanswered_comparison_is_asked(shelf: Project) -> None:
    report = import_comparisons(shelf, jsonl({"prompt": "Hi", "responses": ["a", "b", "c"]}))
    row = Comparison.objects.get()
    assert (report.preferences, row.wanted, row.done, row.responses.count()) == (0, 1, 0, 3)


GOLD = {"prompt": "Name a bird.", "responses": ["A spoon.", "A heron."], "kind": "gold"}


def test_a_gold_brings_the_answer_that_is_expected_and_no_preference(shelf: Project) -> None:
    report = import_comparisons(shelf, jsonl({**GOLD, "outcome": "prefer", "tiers": [[1], [0]]}))
    assert (report.created, report.preferences, report.errors) == (1, 0, [])
    gold = Comparison.objects.get()
    texts = {r.pk: r.messages[0]["content"] for r in gold.responses.all()}
    assert gold.kind == "gold"
    assert [[texts[pk] for pk in tier] for tier in gold.expected["tiers"]] == [
        ["A heron."],
        ["A spoon."],
    ]
    assert gold.wanted > gold.done == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (GOLD, "A gold has one right answer"),
        ({**GOLD, "outcome": "tie"}, "A gold has one right answer"),
        ({**GOLD, "kind": "anchor"}, "kind is 'anchor'; it must be ask or gold"),
    ],
)
def test_a_gold_without_a_right_answer_is_reported(shelf: Project, row: dict, reason: str) -> None:
    (error,) = import_comparisons(shelf, jsonl(row)).errors
    assert error.reason.startswith(reason)
    assert not Comparison.objects.exists()


def test_opposite_judgements_of_one_pair_are_both_kept(shelf: Project) -> None:
    turned = {**PAIR, "chosen": PAIR["rejected"], "rejected": PAIR["chosen"]}
    report = import_comparisons(shelf, jsonl(PAIR, turned))
    assert (report.created, report.preferences) == (1, 2)


def test_a_bad_line_is_reported_and_keeps_no_other_out(shelf: Project) -> None:
    lines = [
        *jsonl(PAIR),
        "{broken\n",
        "\n",
        *jsonl({"prompt": "x", "chosen": "same", "rejected": "same"}),
        *jsonl({"prompt": "x", "responses": ["a", "b\x00"]}),
        *jsonl({"prompt": "x", "responses": ["a", "\ud83d"]}),
        *jsonl({"prompt": "x", "responses": ["a", "b"], "tiers": [[0], [5]]}),
        *jsonl({"prompt": "Another", "chosen": "yes", "rejected": "no"}),
    ]
    report = import_comparisons(shelf, lines)
    assert report.created == 2
    assert [error.line for error in report.errors] == [2, 4, 5, 6, 7]
    assert "not JSON" in report.errors[0].reason
    assert "same text" in report.errors[1].reason
    assert "NUL" in report.errors[2].reason
    assert "surrogate" in report.errors[3].reason
    assert "each of the positions 0 to 1" in report.errors[4].reason


def test_a_text_project_refuses_dialogues() -> None:
    project = Project.objects.create(slug="lines", name="Lines", modality="text")
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    report = import_prompts(project, jsonl({"messages": turns}))
    assert report.created == 0
    assert "a text project takes one user message" in report.errors[0].reason


def test_prompts_come_as_json_or_as_plain_lines(shelf: Project) -> None:
    report = import_prompts(shelf, ["Why is the sky blue?\n", *jsonl({"prompt": "Name a bird."})])
    assert report.created == 2
    assert {p.messages[0]["content"] for p in Prompt.objects.all()} == {
        "Why is the sky blue?",
        "Name a bird.",
    }


def test_gzip_and_a_byte_order_mark_are_understood() -> None:
    plain = "\ufeff" + json.dumps(PAIR) + "\n"
    assert list(open_lines(io.BytesIO(gzip.compress(plain.encode())))) == [plain[1:]]
    assert list(open_lines(io.BytesIO(plain.encode()))) == [plain[1:]]


@pytest.mark.skipif(not HH.is_file(), reason=f"{HH.name} is not beside the checkout")
def test_the_real_dialogues_come_whole_and_in_time(shelf: Project) -> None:
    began = time.monotonic()
    with HH.open("rb") as file:
        report = import_comparisons(shelf, open_lines(file))
    seconds = time.monotonic() - began
    assert (report.created, report.preferences, report.errors) == (2312, 2312, [])
    assert seconds < 10, f"took {seconds:.1f} s"
    roots = Comparison.objects.values_list("prompt__thread_root", flat=True)
    assert len(roots) - len(set(roots)) == 264 - 130, "264 dialogues share 130 first turns"
    sides = {}
    for root, split in Comparison.objects.values_list("prompt__thread_root", "prompt__split"):
        assert sides.setdefault(root, split) == split, "one thread lies on both sides"
    with HH.open("rb") as file:
        again = import_comparisons(shelf, open_lines(file))
    assert (again.created, again.existing, again.preferences) == (0, 2312, 0)
    assert batches.freeze(shelf).size == 2312
