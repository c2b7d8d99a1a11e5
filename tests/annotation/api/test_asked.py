"""Prompts, comparisons and preferences: what a reviewer reads and a manager adds."""

import gzip
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.models import Comparison, Project, Prompt
from tests.cast import Person

PROMPTS = "/api/projects/tales/prompts/"
COMPARISONS = "/api/projects/tales/comparisons/"
PREFERENCES = "/api/projects/tales/preferences/"


def comparison(asked: str) -> str:
    return json.dumps({"prompt": asked, "responses": ["Yes.", "No."]})


def test_pasted_lines_become_prompts_once(maya: Person) -> None:
    text = 'A tale about rain.\n{"prompt": "A tale about snow."}\n\n{"prompt": 7}\n'
    report = maya.api.post(PROMPTS, {"text": text}).json()
    assert (report["created"], report["existing"]) == (2, 0)
    [error] = report["errors"]
    assert error["line"] == 4
    assert error["reason"]
    again = maya.api.post(PROMPTS, {"text": text}).json()
    assert (again["created"], again["existing"]) == (0, 2)
    assert Prompt.objects.filter(source="pasted").count() == 2


def test_a_prompt_brings_its_checks_and_a_later_file_replaces_them(maya: Person) -> None:
    exact = {"kind": "exact", "text": "Paris"}
    wrong = {"prompt": "And of Spain?", "checks": [{"kind": "regex", "pattern": "("}]}
    lines = [{"prompt": "The capital?", "checks": [exact]}, wrong, {"prompt": "A tale."}]
    text = "\n".join(map(json.dumps, lines))
    report = maya.api.post(PROMPTS, {"text": text}).json()
    assert (report["created"], report["existing"]) == (2, 0)
    [error] = report["errors"]
    assert error["line"] == 2
    assert error["reason"].startswith("checks[0].pattern is '(', no regular expression: ")
    shown = {row["messages"][0]["content"]: row for row in maya.api.get(PROMPTS).json()["results"]}
    assert shown["The capital?"]["checks"] == [exact]
    assert shown["A tale."]["checks"] == []
    # Without checks a line says nothing of them; with some it replaces those there were.
    for checks, left in ((None, [exact]), ([], [])):
        line = {"prompt": "The capital?", **({} if checks is None else {"checks": checks})}
        report = maya.api.post(PROMPTS, {"text": json.dumps(line)}).json()
        assert (report["created"], report["existing"]) == (0, 1)
        prompt = Prompt.objects.get(messages__0__content="The capital?")
        assert prompt.checks == left


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_comparisons_gzip_or_not(packed: bool, maya: Person, rita: Person) -> None:
    data = "\n".join(comparison(f"Question {n}?") for n in range(60)).encode()
    name = "pairs.jsonl.gz" if packed else "pairs.jsonl"
    file = SimpleUploadedFile(name, gzip.compress(data) if packed else data)
    report = maya.api.post(COMPARISONS, {"file": file}, format="multipart").json()
    assert report == {"created": 60, "existing": 0, "preferences": 0, "errors": []}
    assert Prompt.objects.filter(source=name).count() == 60
    first = rita.api.get(COMPARISONS).json()
    assert len(first["results"]) == 50
    assert first["results"][0]["responses"] == 2
    second = rita.api.get(COMPARISONS, {"before": first["next"]}).json()
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert len(ids) == len(set(ids)) == 64
    assert ids == sorted(ids, reverse=True)
    assert second["next"] is None


def test_a_damaged_gzip_says_what_was_kept(maya: Person) -> None:
    whole = gzip.compress("\n".join(comparison(f"{n}?") for n in range(2000)).encode())
    file = SimpleUploadedFile("pairs.jsonl.gz", whole[: len(whole) // 2])
    refused = maya.api.post(COMPARISONS, {"file": file}, format="multipart")
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "damaged_file"


def test_nothing_pasted_is_refused(maya: Person) -> None:
    assert maya.api.post(PROMPTS, {}).json()["error"]["field"] == "text"


def test_comparisons_are_filtered_by_kind_and_state(rita: Person) -> None:
    Comparison.objects.filter(pk=Comparison.objects.first().pk).update(state="closed")
    assert len(rita.api.get(COMPARISONS, {"state": "closed"}).json()["results"]) == 1
    assert len(rita.api.get(COMPARISONS, {"state": "open", "kind": "ask"}).json()["results"]) == 3
    assert rita.api.get(COMPARISONS, {"kind": "gold"}).json()["results"] == []
    refused = rita.api.get(COMPARISONS, {"kind": "golden"})
    assert refused.status_code == 400
    assert refused.json()["error"]["field"] == "kind"


@pytest.mark.parametrize("before", ["x", "-1", "", "9" * 30])
def test_a_made_up_page_is_refused(before: str, rita: Person) -> None:
    refused = rita.api.get(PROMPTS, {"before": before})
    assert refused.status_code == 400
    assert refused.json()["error"]["field"] == "before"


def test_a_reviewer_sees_every_revision_of_an_answer(
    project: Project, lena: Person, rita: Person
) -> None:
    answered = lena.answer(project)
    token = lena.api.get(f"/api/assignments/{answered['key']}/").json()["token"]
    lena.api.post(
        f"/api/assignments/{answered['key']}/preference/",
        {
            "token": token,
            "idempotency_key": "c5b3a9f0-5f0c-4a3e-9a52-0e6a9a3c7d11",
            "outcome": "tie",
            "tiers": [[0, 1]],
        },
    )
    rows = rita.api.get(PREFERENCES).json()["results"]
    assert [(r["outcome"], r["revision"], r["superseded"], r["labeler"]) for r in rows] == [
        ("tie", 2, False, "lena"),
        ("prefer", 1, True, "lena"),
    ]
    assert rows[0]["prompt_excerpt"].startswith("Tell a tale about")


def test_the_pages_take_as_many_queries_for_fifty_rows_as_for_one(
    rita: Person, maya: Person, django_assert_max_num_queries
) -> None:
    maya.api.post(COMPARISONS, {"text": "\n".join(comparison(f"{n}?") for n in range(60))})
    with django_assert_max_num_queries(6):
        assert len(rita.api.get(COMPARISONS).json()["results"]) == 50
