"""GET projects/<slug>/learnt/: what one's own answers did lately."""

import pytest

from annotation.asking import add_comparison, add_prompt, add_response
from annotation.batches import freeze
from annotation.models import Project, Prompt
from rewardtrain.api.learnt import FEWEST
from rewardtrain.models import ModelVersion
from tests.cast import Person

PATH = "/api/projects/tales/learnt/"


@pytest.fixture
def learnt(project: Project, lena: Person, luis: Person) -> ModelVersion:
    """A reward model from as many answers of Lena's as are told, and one of Luis's."""
    Project.objects.update(grace_seconds=0, heldout_share=0)
    project.refresh_from_db()
    Prompt.objects.update(split="train")
    for number in range(FEWEST - 4):
        prompt, _ = add_prompt(project, [{"role": "user", "content": f"Tell tale {number}."}])
        texts = [f"{name} {number}" for name in ("Pip", "Fox")]
        said = [[{"role": "assistant", "content": text}] for text in texts]
        add_comparison(project, prompt, [add_response(prompt, one)[0] for one in said])
    Project.objects.update(overlap=2)
    for _ in range(FEWEST):
        lena.answer(project)
    batch = freeze(project)
    return ModelVersion.objects.create(project=project, kind="reward", number=3, batch=batch)


def test_nothing_is_learnt_yet(project: Project, lena: Person) -> None:
    assert lena.api.get(PATH).json() == {"model": None, "mine": 0, "at": None}


def test_a_labeler_sees_how_many_of_theirs_the_newest_model_learnt_from(
    learnt: ModelVersion, lena: Person, luis: Person
) -> None:
    told = lena.api.get(PATH).json()
    assert (told["model"], told["mine"]) == (3, FEWEST)
    assert luis.api.get(PATH).json()["mine"] == 0


def test_of_a_few_nothing_is_told_and_held_out_ones_do_not_count(
    learnt: ModelVersion, lena: Person
) -> None:
    held_out = Prompt.objects.earliest("pk")
    Prompt.objects.filter(pk=held_out.pk).update(split="heldout")
    assert lena.api.get(PATH).json()["mine"] == 0
