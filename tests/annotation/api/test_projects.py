"""The list of projects, making one, its settings and its state."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from annotation.models import Event, Membership, Project
from annotation.models.projects import Role
from tests.cast import Person, member

TALES = "/api/projects/tales/"


def test_the_list_holds_my_projects_with_their_counters(
    project: Project, lena: Person, luis: Person, otto: Person
) -> None:
    lena.answer(project)
    lena.answer(project)
    luis.answer(project)
    [row] = lena.api.get("/api/projects/").json()["results"]
    assert row == {
        "slug": "tales",
        "name": "Tales",
        "state": "open",
        "role": "labeler",
        "response_form": "pairwise",
        "simulated": False,
        "open": 1,
        "labels": 3,
        "mine": 2,
    }
    assert otto.api.get("/api/projects/").json() == {"results": []}


def test_an_answer_taken_back_no_longer_counts(project: Project, lena: Person) -> None:
    key = lena.answer(project)["key"]
    undo = {"idempotency_key": "c5b3a9f0-5f0c-4a3e-9a52-0e6a9a3c7d11"}
    assert lena.api.post(f"/api/assignments/{key}/retract/", undo).status_code == 201
    [row] = lena.api.get("/api/projects/").json()["results"]
    assert (row["labels"], row["mine"], row["open"]) == (0, 0, 3)


def test_the_list_asks_the_database_no_more_for_more_answers(
    project: Project, lena: Person
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            lena.api.get("/api/projects/")
        return len(captured)

    before = queries()
    lena.answer(project)
    lena.answer(project)
    assert queries() == before


def test_a_manager_makes_a_project_and_manages_it(maya: Person) -> None:
    made = maya.api.post(
        "/api/projects/",
        {
            "name": "Assistant answers",
            "response_form": "ranking",
            "levels_per_side": 4,
            "overlap": 2,
            "freeze_after": 40,
            "heldout_share": 0.1,
            "guidelines": "Prefer what helps.",
        },
    )
    assert made.status_code == 201
    detail = made.json()
    assert detail["slug"] == "assistant-answers"
    assert (detail["state"], detail["role"]) == ("draft", "manager")
    assert (detail["response_form"], detail["levels_per_side"]) == ("ranking", 4)
    assert detail["guidelines"]["version"] == 1
    assert detail["guidelines"]["text"] == "Prefer what helps."
    assert maya.api.get("/api/projects/assistant-answers/").json() == detail


def test_names_may_be_equal_and_need_no_latin_letters(maya: Person) -> None:
    slugs = [
        maya.api.post("/api/projects/", {"name": name}).json()["slug"]
        for name in ("Tales", "Tales", "物語", "物語")
    ]
    assert slugs == ["tales-2", "tales-3", "project", "project-2"]


def test_a_labeler_cannot_make_a_project_but_staff_can(lena: Person, otto: Person) -> None:
    assert lena.api.post("/api/projects/", {"name": "Mine"}).status_code == 403
    assert otto.api.post("/api/projects/", {"name": "Mine"}).status_code == 403
    otto.user.is_staff = True
    otto.user.save()
    assert otto.api.post("/api/projects/", {"name": "Mine"}).status_code == 201


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("levels_per_side", 2, "levels_per_side is 2; it must be 1, 3 or 4"),
        ("heldout_share", 1.5, "heldout_share is 1.5; it must be a number from 0 to 1."),
        ("heldout_share", "a lot", "heldout_share is 'a lot'; it must be a number from 0 to 1."),
        ("overlap", 0, "overlap is 0; it must be a whole number from 1 to 100"),
        ("freeze_after", -1, "freeze_after is -1; it must be a whole number"),
        ("response_form", "essay", "response_form is 'essay'; it must be pairwise, ranking"),
        ("modality", "smell", "modality is 'smell'; it must be text or chat."),
        ("name", "", "name is ''; it must be 1 to 120 characters."),
        ("flags", "rude", "flags is 'rude'; it must be a list"),
        ("attributes", ["x" * 41], "attributes is"),
        ("grace_seconds", None, "grace_seconds is None; it must be a whole number"),
        ("levels", 3, "levels is not a setting of a project"),
        ("slug", "other", "slug is not a setting of a project"),
        ("state", "open", "state is not a setting of a project"),
        ("simulated", True, "simulated is not a setting of a project"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_value_and_fix(
    field: str, value: object, says: str, project: Project, maya: Person
) -> None:
    refused = maya.api.patch(TALES, {field: value, "name": "Other"} | {field: value})
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert error["field"] == field
    assert says in error["message"]
    assert error["fix"]
    project.refresh_from_db()
    assert project.name == "Tales", "nothing was changed"


def test_a_project_without_a_name_is_refused(maya: Person) -> None:
    error = maya.api.post("/api/projects/", {}).json()["error"]
    assert error["message"] == "name is missing; it must be 1 to 120 characters."
    assert maya.api.post("/api/projects/", ["Tales"]).status_code == 400


def test_changed_settings_leave_their_trail_and_no_others(maya: Person) -> None:
    changed = maya.api.patch(TALES, {"name": "Tiny tales", "overlap": 1, "freeze_after": 40})
    assert changed.status_code == 200
    assert (changed.json()["name"], changed.json()["freeze_after"]) == ("Tiny tales", 40)
    told = Event.objects.get(verb="changed")
    assert told.before == {"name": "Tales", "freeze_after": 200}
    assert told.after == {"name": "Tiny tales", "freeze_after": 40}
    assert changed.json()["slug"] == "tales", "links to it keep working"


def test_the_response_form_is_fixed_by_the_first_answer(
    project: Project, maya: Person, lena: Person
) -> None:
    assert maya.api.patch(TALES, {"response_form": "ranking"}).status_code == 200
    maya.api.patch(TALES, {"response_form": "pairwise"})
    lena.answer(project)
    refused = maya.api.patch(TALES, {"response_form": "ranking", "name": "Other"})
    assert refused.status_code == 409
    assert refused.json()["error"]["field"] == "response_form"
    assert maya.api.patch(TALES, {"response_form": "pairwise"}).status_code == 200
    assert maya.api.get(TALES).json()["name"] == "Tales"


def test_the_split_is_fixed_by_the_first_prompt(maya: Person) -> None:
    maya.api.post("/api/projects/", {"name": "Verse"})
    assert maya.api.patch("/api/projects/verse/", {"heldout_share": 0.5}).status_code == 200
    refused = maya.api.patch(TALES, {"heldout_share": 0.5})
    assert refused.status_code == 409
    assert refused.json()["error"]["field"] == "heldout_share"


def test_a_project_opens_pauses_closes_and_opens_again(maya: Person) -> None:
    maya.api.post("/api/projects/", {"name": "Verse"})
    states = ["open", "paused", "open", "closed", "open", "paused", "closed"]
    for state in states:
        moved = maya.api.post("/api/projects/verse/state/", {"state": state})
        assert (moved.status_code, moved.json()["state"]) == (200, state)
    told = Event.objects.filter(verb="changed state").order_by("id")
    assert [event.after["state"] for event in told] == states


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("draft", "paused"),
        ("draft", "closed"),
        ("open", "draft"),
        ("open", "open"),
        ("paused", "draft"),
        ("closed", "paused"),
        ("closed", "draft"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused(
    now: str, then: str, project: Project, maya: Person
) -> None:
    Project.objects.update(state=now)
    refused = maya.api.post(f"{TALES}state/", {"state": then})
    assert refused.status_code == 409
    assert refused.json()["error"]["message"].startswith(f"The project is {now}")
    project.refresh_from_db()
    assert project.state == now


@pytest.mark.django_db(transaction=True)
def test_a_double_click_makes_two_projects_never_an_error() -> None:
    tales = Project.objects.create(slug="tales", name="Tales")
    maya = member("maya", tales, Role.MANAGER)

    def create(_: int) -> int:
        try:
            api = APIClient()
            api.force_login(maya.user)
            return api.post("/api/projects/", {"name": "Verse"}, format="json").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(create, range(4))) == [201] * 4
    slugs = set(Project.objects.filter(name="Verse").values_list("slug", flat=True))
    assert slugs == {"verse", "verse-2", "verse-3", "verse-4"}
    assert Membership.objects.filter(user=maya.user, role=Role.MANAGER).count() == 5
