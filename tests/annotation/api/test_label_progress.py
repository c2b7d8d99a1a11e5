"""GET projects/<slug>/progress/: how far it is to the next model, and one's own day."""

from datetime import timedelta

from django.utils import timezone

from annotation.batches import freeze
from annotation.models import Membership, Project
from tests.cast import Person

PATH = "/api/projects/tales/progress/"


def test_it_counts_what_is_new_since_the_last_batch(
    project: Project, lena: Person, luis: Person
) -> None:
    lena.answer(project)
    luis.answer(project)
    assert lena.api.get(PATH).json() == {
        "labels": 2, "freeze_after": 200, "mine_today": 1, "mine": 1, "state": "open",
    }  # fmt: skip
    freeze(project, now=timezone.now() + timedelta(minutes=1))
    assert lena.api.get(PATH).json()["labels"] == 0


def test_it_stops_counting_where_the_next_model_begins(project: Project, lena: Person) -> None:
    Project.objects.update(freeze_after=2)
    for _ in range(3):
        lena.answer(project)
    progress = lena.api.get(PATH).json()
    assert (progress["labels"], progress["freeze_after"], progress["mine"]) == (2, 2, 3)


def test_a_new_day_begins_at_nought(project: Project, lena: Person) -> None:
    lena.answer(project)
    Membership.objects.update(answers_day=timezone.now().date() - timedelta(days=1))
    progress = lena.api.get(PATH).json()
    assert (progress["mine_today"], progress["mine"]) == (0, 1)


def test_outsiders_see_nothing(project: Project, otto: Person, anyone) -> None:
    assert otto.api.get(PATH).status_code == 404
    assert anyone.get(PATH).status_code == 401
