from datetime import timedelta

import pytest
from django.utils import timezone

from annotation.batches import freeze_at
from annotation.models import Batch, Preference, Project
from rewardtrain import freezing, loop
from rewardtrain.models import LoopPolicy, ModelVersion, Run, Score
from tests.cast import Person
from tests.turning import add_run, add_version, judged, name_reference, reward_report


@pytest.fixture
def project(project: Project) -> Project:
    project.freeze_after, project.grace_seconds = 3, 0
    project.save()
    name_reference(project)
    return project


@pytest.fixture
def rules(project: Project) -> LoopPolicy:
    return LoopPolicy.objects.update_or_create(project=project)[0]


def frozen(project: Project) -> list[str]:
    return list(project.decisions.filter(what="frozen").values_list("reason", flat=True))


def test_the_larger_a_batch_the_more_is_wanted_for_the_next(project: Project, lena: Person) -> None:
    assert freeze_at(project) == 3
    Batch.objects.create(project=project, number=1, size=101, fresh=101, sha256="0" * 64)
    assert freeze_at(project) == 26
    progress = lena.api.get("/api/projects/tales/progress/").json()
    assert progress["freeze_after"] == 26


def test_a_few_labels_are_frozen_once_they_have_waited(
    project: Project, rules: LoopPolicy, lena: Person
) -> None:
    rules.freeze_hours = 5
    rules.save()
    lena.answer(project)
    loop.advance(project)
    assert frozen(project) == []
    later = timezone.now() + timedelta(hours=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(freezing.timezone, "now", lambda: later)
        freezing.freeze_batch(rules)
    (reason,) = frozen(project)
    assert reason.endswith("What is new has waited for 5 hours.")


def new_labels(project: Project, lena: Person, monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    """Two decided pairs, where two are enough to watch a model that was right in 95 of 100."""
    monkeypatch.setattr(freezing, "WATCH_EVERY", 2)
    at_gate = judged(100, 0.95, 0.9, 0.98)
    model = add_version(
        project, "reward", "promoted", metrics=reward_report(folds=at_gate, heldout=at_gate)
    )
    for _ in range(2):
        lena.answer(project)
    return model


def say_scores(model: ModelVersion, *, right: bool) -> None:
    for row in Preference.objects.all():
        for tier, responses in enumerate(row.tiers):
            value = float(tier == 0) if right else float(tier)
            Score.objects.create(response_id=responses[0], version=model, value=value)


def test_new_labels_are_scored_as_they_arrive(
    project: Project, rules: LoopPolicy, lena: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = new_labels(project, lena, monkeypatch)
    loop.advance(project)
    loop.advance(project)
    run = project.runs.get(purpose="watch")
    assert (run.kind, run.reward_model) == ("evaluate", model)


def test_a_model_that_no_longer_fits_is_replaced_early(
    project: Project, rules: LoopPolicy, lena: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_scores(new_labels(project, lena, monkeypatch), right=False)
    loop.advance(project)
    (reason,) = frozen(project)
    assert "orders only 0.0 % of the 2 decided pairs" in reason


def test_a_model_that_fits_waits_for_more(
    project: Project, rules: LoopPolicy, lena: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_scores(new_labels(project, lena, monkeypatch), right=True)
    loop.advance(project)
    assert frozen(project) == []


def test_nothing_is_frozen_while_a_policy_trains(
    project: Project, rules: LoopPolicy, lena: Person
) -> None:
    run = add_run(project, kind="policy")
    for _ in range(3):
        lena.answer(project)
    loop.advance(project)
    assert frozen(project) == []
    Run.objects.filter(pk=run.pk).update(state="succeeded")
    loop.advance(project)
    assert frozen(project) == [
        "Batch 1 holds 3 labels, 3 of them new; a reward model learns from it. "
        "3 new ones were wanted."
    ]


def test_a_model_is_held_against_no_label_that_was_steered(
    project: Project, lena: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = new_labels(project, lena, monkeypatch)
    assert len(freezing.decided(model)) == 2
    answered = Preference.objects.earliest("pk").comparison
    type(answered).objects.filter(pk=answered.pk).update(stream="d_optimal")
    assert len(freezing.decided(model)) == 1
