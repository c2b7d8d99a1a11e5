"""The demo's prompts are complete, varied and correct where a machine can tell."""

import json
import re
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "rewardtrain" / "demo" / "assistant_answers"
TOPICS = "arithmetic code conversation facts joke markdown poem summarise vague"
ROWS = [
    json.loads(line)
    for part in sorted(FOLDER.glob("*.jsonl"))
    for line in part.read_text("utf-8").splitlines()
]
TABLE = re.compile(r"^\|.*\|\n\|[ :|-]+\|$", re.M)
LATEX = re.compile(r"\$\$.+?\$\$|\\\(.+?\\\)|\$[^\s$][^$\n]*\$", re.S)


def texts(row: dict) -> list[str]:
    return [message["content"] for message in row["messages"] + row["responses"]]


def best(row: dict) -> str:
    return next(r["content"] for r in row["responses"] if r["quality"] == 3)


def rows_with(pattern: re.Pattern) -> int:
    return sum(any(pattern.search(text) for text in texts(row)) for row in ROWS)


def test_ids_and_prompts_are_unique():
    assert len(ROWS) >= 80
    assert len({row["id"] for row in ROWS}) == len(ROWS)
    assert len({json.dumps(row["messages"]) for row in ROWS}) == len(ROWS)


def test_every_prompt_has_four_distinct_responses_one_of_each_quality():
    for row in ROWS:
        assert len({r["content"].strip() for r in row["responses"]} - {""}) == 4, row["id"]
        assert sorted(r["quality"] for r in row["responses"]) == [0, 1, 2, 3], row["id"]
        assert all(bool(r["flaw"]) == (r["quality"] < 3) for r in row["responses"]), row["id"]


def test_roles_alternate_and_end_with_the_user():
    for row in ROWS:
        roles = [message["role"] for message in row["messages"]]
        assert roles == (["user", "assistant"] * len(roles))[: len(roles)], row["id"]
        assert roles[-1] == "user", row["id"]


def test_topics_and_forms_are_all_there():
    assert " ".join(sorted({row["topic"] for row in ROWS})) == TOPICS
    assert sum(len(row["messages"]) > 1 for row in ROWS) >= 8
    assert rows_with(TABLE) >= 6
    assert rows_with(re.compile(r"^```", re.M)) >= 8
    assert rows_with(LATEX) >= 5


def test_neither_length_nor_place_gives_the_best_response_away():
    longest = sum(
        max((r["content"] for r in row["responses"]), key=len) == best(row) for row in ROWS
    )
    first = sum(row["responses"][0]["quality"] == 3 for row in ROWS)
    assert longest < 0.6 * len(ROWS)
    assert 0.1 * len(ROWS) < first < 0.5 * len(ROWS)


def test_python_in_the_best_code_answers_compiles():
    code = [row for row in ROWS if row["topic"] == "code"]
    blocks = [
        b for row in code for b in re.findall(r"^```python\n(.*?)^```", best(row), re.S | re.M)
    ]
    assert len(blocks) >= 8
    for block in blocks:
        compile(block, "answer", "exec")


def test_no_image_is_fetched_from_elsewhere():
    image = re.compile(r"!\[[^\]]*\]\(|<img|https?://\S+\.(?:png|jpe?g|gif|svg|webp)", re.I)
    assert rows_with(image) == 0
