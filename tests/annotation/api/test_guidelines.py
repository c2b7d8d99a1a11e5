"""Guidelines come in versions, and a labeler says which one they have read."""

from annotation.models import Acknowledgement
from tests.cast import Person

GUIDELINES = "/api/projects/tales/guidelines/"


def test_a_new_text_is_a_new_version_and_the_old_one_stays(maya: Person, lena: Person) -> None:
    written = maya.api.post(GUIDELINES, {"text": "Prefer the braver tale.\n"})
    assert written.status_code == 201
    assert written.json()["version"] == 2
    versions = lena.api.get(GUIDELINES).json()["results"]
    assert [(v["version"], v["text"], v["author"]) for v in versions] == [
        (2, "Prefer the braver tale.\n", "maya"),
        (1, "Prefer the kinder tale.", None),
    ]
    assert lena.api.get("/api/projects/tales/").json()["guidelines"]["version"] == 2


def test_acknowledging_is_mine_of_one_version_and_may_be_said_twice(
    maya: Person, lena: Person, luis: Person
) -> None:
    maya.api.post(GUIDELINES, {"text": "Prefer the braver tale."})
    for _ in range(2):
        said = lena.api.post(f"{GUIDELINES}acknowledge/", {"version": 2})
        assert said.status_code == 204
    assert Acknowledgement.objects.count() == 1
    read = {v["version"]: v["acknowledged"] for v in lena.api.get(GUIDELINES).json()["results"]}
    assert read == {2: True, 1: False}
    assert not any(v["acknowledged"] for v in luis.api.get(GUIDELINES).json()["results"])


def test_a_version_that_is_not_there_cannot_be_acknowledged(lena: Person) -> None:
    assert lena.api.post(f"{GUIDELINES}acknowledge/", {"version": 9}).status_code == 404
    assert lena.api.post(f"{GUIDELINES}acknowledge/", {"version": "x"}).status_code == 400


def test_empty_guidelines_are_refused(maya: Person) -> None:
    refused = maya.api.post(GUIDELINES, {"text": ""})
    assert refused.status_code == 400
    assert refused.json()["error"]["field"] == "text"
