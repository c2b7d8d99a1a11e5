"""GET projects/<slug>/answers/ and assignments/<key>/: back through one's own answers."""

from annotation.models import Project
from tests.annotation import desk
from tests.cast import Person

PATH = "/api/projects/tales/answers/"


def test_my_answers_come_newest_first_as_i_gave_them(
    project: Project, lena: Person, luis: Person
) -> None:
    keys = [lena.answer(project, tiers=[[1], [0]])["key"] for _ in range(2)]
    luis.answer(project)
    page = lena.api.get(PATH).json()
    assert [row["key"] for row in page["results"]] == keys[::-1]
    assert page["next"] is None
    row = page["results"][0]
    assert set(row) == {"key", "answer", "revision", "answered_at", "prompt_excerpt"}
    assert (row["answer"]["tiers"], row["revision"]) == ([[1], [0]], 1)
    assert row["prompt_excerpt"].startswith("Tell a tale")


def test_a_correction_moves_an_answer_up_and_undo_takes_it_out(
    project: Project, lena: Person
) -> None:
    first, second = (lena.answer(project)["key"] for _ in range(2))
    said = {
        "token": "6b9b6f1a-9a1f-4f57-8a3a-0c4c5a3b8d11", "outcome": "tie", "tiers": [[0, 1]],
        "idempotency_key": "0f4d9a52-3a76-4c60-b6ab-7c77d8a0f2f1",
    }  # fmt: skip
    lena.api.post(f"/api/assignments/{first}/preference/", said)
    rows = lena.api.get(PATH).json()["results"]
    assert [(row["key"], row["revision"]) for row in rows] == [(first, 2), (second, 1)]
    undo = {"idempotency_key": "6b9b6f1a-9a1f-4f57-8a3a-0c4c5a3b8d12"}
    lena.api.post(f"/api/assignments/{first}/retract/", undo)
    assert [row["key"] for row in lena.api.get(PATH).json()["results"]] == [second]


def test_pages_hold_fifty_and_lead_to_the_next(project: Project, lena: Person) -> None:
    desk.ask(project, 56)
    desk.answer_all(project.memberships.get(user=lena.user))
    first = lena.api.get(PATH).json()
    second = lena.api.get(PATH, {"before": first["next"]}).json()
    assert (len(first["results"]), len(second["results"]), second["next"]) == (50, 10, None)
    keys = {row["key"] for page in (first, second) for row in page["results"]}
    assert len(keys) == 60


def test_before_must_be_the_next_of_a_page(project: Project, lena: Person) -> None:
    for before in ("²", "9" * 5000, "yesterday", "2026-13-01T00:00:00Z"):
        answer = lena.api.get(PATH, {"before": before})
        assert (answer.status_code, answer.json()["error"]["field"]) == (400, "before")


def test_one_answer_is_shown_with_its_comparison(project: Project, lena: Person) -> None:
    key = lena.answer(project, rationale="Kinder.")["key"]
    shown = lena.api.get(f"/api/assignments/{key}/").json()
    assert shown["answer"]["rationale"] == "Kinder."
    assert len(shown["responses"]) == 2


def test_somebody_else_s_answers_are_not_there(
    project: Project, lena: Person, luis: Person, maya: Person, otto: Person, anyone
) -> None:
    key = lena.answer(project)["key"]
    for who in (luis, maya, otto):
        assert who.api.get(f"/api/assignments/{key}/").status_code == 404
    assert luis.api.get(PATH).json()["results"] == []
    assert otto.api.get(PATH).status_code == 404
    assert anyone.get(PATH).status_code == anyone.get(f"/api/assignments/{key}/").status_code == 401
