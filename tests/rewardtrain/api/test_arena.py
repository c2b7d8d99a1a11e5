import pytest
from django.utils import timezone

from annotation.asking import add_comparison
from annotation.models import Project
from rewardtrain import rounds
from rewardtrain.models import Generation, Match, Metric, Score
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
        Generation.objects.create(response=theirs, version=reference, run=run, index=0)
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
    assert rita.api.get("/api/projects/tales/arena/").json() == {
        "matches": [], "points": [], "curves": [], "exploits": [],
    }  # fmt: skip


def test_the_curve_of_a_run_is_drawn_with_its_stop_and_its_states(
    project: Project, rita: Person
) -> None:
    name_reference(project)
    stop = {"step": 2, "sentence": "KL rose too far at step 2."}
    run = add_run(project, kind="policy")
    policy = add_version(
        project, "policy", "candidate", run=run, metrics={"guard": {"kept": 1, "stop": stop}}
    )
    state = add_version(
        project, "policy", "candidate", checkpoint_of=policy, step=1, number=policy.number
    )
    add_run(project, purpose="arena", policy=state, reference=rounds.reference_of(project))
    for step, kl, reward in ((1, 0.0, 0.5), (2, 9.0, 2.5)):
        values = {"kl": kl, "reward": reward}
        Metric.objects.create(run=run, attempt=1, step=step, time=timezone.now(), values=values)
    seen = rita.api.get("/api/projects/tales/arena/").json()
    (curve,) = seen["curves"]
    assert curve["steps"] == [
        {"step": 1, "kl": 0.0, "proxy": 0.0}, {"step": 2, "kl": 9.0, "proxy": 2.0},
    ]  # fmt: skip
    assert curve["stop"] == {"kl": 9.0, "sentence": stop["sentence"]}
    assert (curve["leads"], curve["confirmed"], curve["fit"]) == (None, False, None)
    assert [(p["version"]["step"], p["run"]) for p in seen["points"]] == [
        (1, run.pk),
        (None, run.pk),
    ]


def test_texts_are_shown_once_all_is_answered_the_worst_exploit_first(
    project: Project, met: None, lena: Person, rita: Person
) -> None:
    policy = project.versions.get(kind="policy", number=1)
    address = f"/api/models/{policy.pk}/matches/"
    lena.answer(project, outcome="tie", tiers=[[0, 1]], strength=None)
    assert rita.api.get(address).json() == {"results": []}
    served = lena.api.post("/api/projects/tales/assignments/", {"want": 1}).json()["assignments"][0]
    left = served["responses"][0]["messages"][0]["content"]
    ours = set(Match.objects.values_list("policy_response__messages__0__content", flat=True))
    worse = 0 if left in ours else 1
    lena.answer(project, tiers=[[1 - worse], [worse]])
    lost, tied = rita.api.get(address).json()["results"]
    assert (lost["result"], tied["result"]) == ("loss", "tie")
    assert lost["gain"] == pytest.approx(1.5)
    assert lost["policy"] in ours
