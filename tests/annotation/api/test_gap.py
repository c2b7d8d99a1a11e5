"""GET projects/<slug>/gap/: writing against choosing, in time and in agreement."""

import uuid
from typing import Any

import pytest

from annotation.gap import likeness
from annotation.models import Project
from tests.annotation import desk
from tests.cast import Person

PATH = "/api/projects/tales/gap/"


def answer(who: Person, prefer: str, *, wrote: str = "", write_ms: int = 0, choose_ms: int) -> str:
    """Writes where it is asked for, then prefers the response that holds `prefer`."""
    api = who.api
    [served] = api.post("/api/projects/tales/assignments/", {"want": 1}).json()["assignments"]
    assert served["write_first"] is bool(wrote)
    if wrote:
        said = {"text": wrote, "active_ms": write_ms}
        served = api.post(f"/api/assignments/{served['key']}/demonstration/", said).json()
    texts = [response["messages"][0]["content"] for response in served["responses"]]
    best = next(place for place, text in enumerate(texts) if prefer in text)
    body = {
        "token": served["token"], "idempotency_key": str(uuid.uuid4()), "outcome": "prefer",
        "tiers": [[best], [1 - best]], "strength": 1, "active_ms": choose_ms,
    }  # fmt: skip
    assert api.post(f"/api/assignments/{served['key']}/preference/", body).status_code == 201
    return served["key"]


@pytest.fixture
def well(project: Project) -> Project:
    """One pair about a well, two labels wanted."""
    project.comparisons.update(state="closed")
    Project.objects.update(overlap=2, write_first_share=1)
    project.refresh_from_db()
    desk.ask(project)
    return project


def gap(who: Person) -> dict[str, Any]:
    answer = who.api.get(PATH)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_nothing_yet_is_said_as_nothing(project: Project, maya: Person) -> None:
    assert set(gap(maya).values()) == {None}


def test_times_and_agreement_of_writers(
    well: Project, lena: Person, luis: Person, maya: Person
) -> None:
    answer(
        lena, "is 0 deep", wrote="The well is 0 deep, I think.", write_ms=120_000, choose_ms=4_000
    )
    answer(luis, "is 1 deep", wrote="It is 0 deep.", write_ms=60_000, choose_ms=6_000)
    found = gap(maya)
    assert (found["write"]["value"], found["write"]["n"]) == (90, 2)
    assert (found["choose_after"]["value"], found["choose_after"]["n"]) == (5, 2)
    assert (found["ratio"]["value"], found["ratio"]["low"]) == (20, None)
    assert found["choose_without"] is None
    assert (found["agree_after"]["value"], found["agree_after"]["n"]) == (0, 1)
    # Lena chose what is like what she wrote, and Luis did not.
    assert (found["wrote_own"]["value"], found["wrote_own"]["n"]) == (0.5, 2)
    assert (found["wrote_other"]["value"], found["wrote_other"]["n"]) == (0, 1)
    assert 0 < found["wrote_own"]["low"] < 0.5 < found["wrote_own"]["high"] < 1


def test_those_who_did_not_write_stand_apart(
    well: Project, lena: Person, luis: Person, maya: Person
) -> None:
    Project.objects.update(write_first_share=0)
    answer(lena, "is 0 deep", choose_ms=3_000)
    answer(luis, "is 0 deep", choose_ms=5_000)
    found = gap(maya)
    assert (found["choose_without"]["value"], found["choose_without"]["n"]) == (4, 2)
    assert (found["agree_without"]["value"], found["agree_without"]["n"]) == (1, 1)
    assert found["write"] is found["choose_after"] is found["agree_after"] is None


def test_an_answer_taken_back_is_not_counted(well: Project, lena: Person, maya: Person) -> None:
    key = answer(lena, "is 0 deep", wrote="Deep.", write_ms=9_000, choose_ms=3_000)
    lena.api.post(f"/api/assignments/{key}/retract/", {"idempotency_key": str(uuid.uuid4())})
    found = gap(maya)
    assert (found["write"]["n"], found["choose_after"]) == (1, None)


def test_likeness_is_of_wording_in_any_script() -> None:
    assert likeness("The owl flew.", "The owl flew.") == 1
    assert likeness("abc", "xyz") == likeness("", "owl") == 0
    near = likeness("The owl flew home.", "The owl flew away.")
    assert likeness("The owl flew home.", "A fox dug a den.") < near < 1
    assert likeness("狐狸找到灯笼", "狐狸打破灯笼") > likeness("狐狸找到灯笼", "猫头鹰睡着了")
    assert likeness("ab", "ba") == likeness("ba", "ab")
