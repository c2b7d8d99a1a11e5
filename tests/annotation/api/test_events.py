"""The trail of a project."""

from annotation.models import Event
from tests.cast import Person


def test_a_manager_reads_who_changed_what_newest_first(maya: Person) -> None:
    maya.api.post("/api/projects/", {"name": "Verse", "guidelines": "Rhyme."})
    maya.api.post("/api/projects/verse/state/", {"state": "open"})
    maya.api.post("/api/projects/verse/invitations/", {"role": "labeler", "seats": 3, "days": 2})
    rows = maya.api.get("/api/projects/verse/events/").json()["results"]
    assert [(r["verb"], r["subject"].split()[0], r["actor"]) for r in rows] == [
        ("invited", "invitation", "maya"),
        ("changed state", "project", "maya"),
        ("wrote", "guidelines", "maya"),
        ("created", "project", "maya"),
    ]
    assert rows[1]["before"] == {"state": "draft"}
    assert rows[1]["after"] == {"state": "open"}


def test_the_trail_of_another_project_is_not_in_it(maya: Person) -> None:
    maya.api.post("/api/projects/", {"name": "Verse"})
    assert Event.objects.exists()
    assert maya.api.get("/api/projects/tales/events/").json()["results"] == []
