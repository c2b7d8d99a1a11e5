import pytest

from annotation.asking import add_comparison
from annotation.models import Project
from rewardtrain.models import Generation, Match, Score
from tests.cast import Person
from tests.turning import add_run, add_version, name_reference, reward_report


@pytest.fixture
def met(project: Project) -> None:
    """Policy 1 met the reference on two prompts; the proxy scored both sides."""
    reference = name_reference(project)
    metrics = reward_report(normalisation={"mean": 1.0, "spread": 2.0})
    reward_model = add_version(project, "reward", "provisional", metrics=metrics)
    policy = add_version(project, "policy", "candidate", reward_model=reward_model)
    run = add_run(project, purpose="arena", policy=policy, reference=reference)
    project.comparisons.update(state="closed")
    for place, prompt in enumerate(project.prompts.order_by("pk")[:2]):
        ours, theirs = prompt.responses.order_by("pk")
        comparison, _ = add_comparison(project, prompt, [ours, theirs], kind="arena", priority=10)
        Match.objects.create(
            run=run, prompt=prompt, policy=policy, opponent=reference, policy_response=ours,
            opponent_response=theirs, comparison=comparison,
        )  # fmt: skip
        Generation.objects.create(response=ours, version=policy, run=run, index=0, kl=4.0 + place)
        Score.objects.create(response=ours, version=reward_model, value=3.0)
        Score.objects.create(response=theirs, version=reward_model, value=0.0)


def test_every_meeting_has_its_figure_with_its_interval(
    project: Project, met: None, lena: Person, rita: Person
) -> None:
    lena.answer(project, outcome="tie", tiers=[[0, 1]], strength=None)
    (match,) = rita.api.get("/api/projects/tales/arena/").json()["matches"]
    assert (match["policy"]["number"], match["opponent"]["number"]) == (1, 0)
    assert (match["n"], match["ties"], match["open"], match["value"]) == (1, 1, 1, 0.5)
    assert match["low"] < 0.5 < match["high"]


def test_a_point_sets_the_proxys_gain_beside_the_win_rate(
    project: Project, met: None, rita: Person
) -> None:
    (point,) = rita.api.get("/api/projects/tales/arena/").json()["points"]
    assert point["kl"] == pytest.approx(4.5)
    assert point["proxy"] == pytest.approx(1.5)
    assert point["win_rate"]["value"] is None
    assert point["win_rate"]["open"] == 2


def test_without_a_meeting_there_is_nothing_to_show(project: Project, rita: Person) -> None:
    assert rita.api.get("/api/projects/tales/arena/").json() == {"matches": [], "points": []}
