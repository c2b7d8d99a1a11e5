from django.core import mail

from annotation.models import Alarm, Project
from tests.cast import Person


def test_a_labeler_says_that_something_is_broken_and_managers_see_it(
    project: Project, lena: Person, rita: Person
) -> None:
    address = "/api/projects/tales/alarms/"
    assert lena.api.post(address, {"note": "Every answer is an insult."}).status_code == 204
    (alarm,) = rita.api.get(address).json()["results"]
    assert (alarm["labeler"], alarm["note"]) == ("lena", "Every answer is an insult.")
    assert project.events.get(verb="rang").actor == lena.user


def test_ringing_again_adds_to_the_note(project: Project, lena: Person) -> None:
    for note in ("Rude.", "", "Ruder."):
        lena.api.post("/api/projects/tales/alarms/", {"note": note})
    assert Alarm.objects.get().note == "Rude.\nRuder."


def test_managers_with_an_address_get_a_mail(
    project: Project, lena: Person, maya: Person, settings, django_capture_on_commit_callbacks
) -> None:
    settings.MAIL_CONFIGURED = True
    maya.user.email = "maya@example.org"
    maya.user.save()
    with django_capture_on_commit_callbacks(execute=True):
        lena.api.post("/api/projects/tales/alarms/", {"note": "Rude."})
    (sent,) = mail.outbox
    assert sent.to == ["maya@example.org"]
    assert "lena writes: Rude." in sent.body


def test_a_manager_ends_it_once(project: Project, lena: Person, maya: Person) -> None:
    lena.api.post("/api/projects/tales/alarms/", {})
    address = f"/api/alarms/{Alarm.objects.get().pk}/end/"
    assert maya.api.post(address).status_code == 204
    assert maya.api.post(address).status_code == 409
    assert Alarm.objects.get().ended_by == maya.user
    assert maya.api.get("/api/projects/tales/alarms/").json()["results"] == []
