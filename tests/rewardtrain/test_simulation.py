"""Simulated people and their measures; and a whole small circle, twice."""

import json
from collections import Counter
from typing import Any

import pytest
from django.core.management import call_command

from annotation.models import Membership, Preference, Project
from rewardtrain import contract, launch
from rewardtrain.demo import taste
from rewardtrain.demo.prompts import demo_prompts
from rewardtrain.models import Run
from rewardtrain.simulation import measures
from rewardtrain.simulation.people import Caller, Labeler
from tests.turning import name_reference

ASKED = "Tell a tale about Pip the owl, who finds a key."
GLAD = (
    "Pip the owl found a key under the old bridge and carried it home. "
    "A door opened in the oak, and everybody danced and was happy."
)
SAD = (
    "Pip the owl found a key under the old bridge and carried it home. "
    "The key fell into the well, and Pip cried alone."
)


def labeler(seed: int = 0, number: int = 1) -> Labeler:
    return Labeler(Caller(0, "token"), "tales", number, seed)


def shown(*texts: str, asked: str = ASKED) -> dict[str, Any]:
    return {
        "prompt": {"messages": [{"role": "user", "content": asked}]},
        "responses": [{"messages": [{"role": "assistant", "content": text}]} for text in texts],
    }


def preferred(answer: dict[str, Any], *texts: str) -> str:
    return texts[answer["tiers"][0][0]] if answer["outcome"] == "prefer" else "tie"


def test_the_order_shown_changes_nothing() -> None:
    for number in range(1, 40):
        someone = labeler(number=number)
        answers = [someone.judge(shown(GLAD, SAD)), someone.judge(shown(SAD, GLAD))]
        assert preferred(answers[0], GLAD, SAD) == preferred(answers[1], SAD, GLAD)
        assert answers[0]["strength"] == answers[1]["strength"]


def test_they_waver_and_mostly_like_what_the_taste_likes() -> None:
    said = Counter(
        preferred(labeler(seed=seed).judge(shown(GLAD, SAD)), GLAD, SAD) for seed in range(400)
    )
    assert said[GLAD] > 300
    asked = [f"{ASKED} Version {n}." for n in range(200)]
    close = SAD.replace("cried alone", "went home")
    said = Counter(
        preferred(labeler().judge(shown(GLAD, close, asked=a)), GLAD, close) for a in asked
    )
    assert said[GLAD] > said[close] > 0


def test_the_same_seed_says_the_same() -> None:
    answers = [labeler(seed=seed).judge(shown(GLAD, SAD)) for seed in (3, 3)]
    assert answers[0] == answers[1]


def test_fresh_prompts_are_none_of_the_demos() -> None:
    known = {str(messages) for messages in demo_prompts()}
    fresh = measures.fresh_prompts(0, 300)
    assert len(fresh) == 300
    assert not known & {str(row["messages"]) for row in fresh}
    assert fresh == measures.fresh_prompts(0, 300)
    assert fresh != measures.fresh_prompts(1, 300)


@pytest.fixture
def duel_run(project: Project) -> Run:
    """A measuring run, written as the script would: glad against sad, then the same text."""
    reference = name_reference(project)
    run = measures.write_duels(project, reference, reference, seed=0)
    rows = launch.read_data(run)
    lines = []
    for row in rows:
        glad = row["prompt"] % 4 == 0
        for by_reference in (False, True):
            text = GLAD if glad and not by_reference else SAD
            lines.append(
                contract.SampleRow(
                    prompt=row["prompt"],
                    index=0,
                    text=text,
                    tokens=20,
                    truncated=False,
                    logprob=-9.0,
                    by_reference=by_reference,
                )
            )
    path = launch.run_dir(run) / contract.SAMPLES
    path.write_text("".join(contract.encode(line) + "\n" for line in lines))
    run.report = {"kl": {"n": 400, "mean": 2.0, "low": 1.9, "high": 2.1}}
    return run


def test_duels_count_wins_and_ties_and_how_varied_endings_are(duel_run: Run) -> None:
    figures = measures.duels(duel_run)
    assert figures["win_rate"]["n"] == measures.DUELS
    assert (figures["win_rate"]["wins"], figures["win_rate"]["ties"]) == (100, 300)
    assert figures["win_rate"]["value"] == pytest.approx(0.625)
    assert figures["distinct_endings"] == pytest.approx(2 / 400)
    assert figures["distinct_endings_of_reference"] == pytest.approx(1 / 400)
    assert figures["kl"]["mean"] == 2.0


def test_decided_pairs_are_those_the_taste_decides_best_first(duel_run: Run) -> None:
    path = launch.run_dir(duel_run) / contract.SAMPLES
    path.write_text(path.read_text().replace('"by_reference": true', '"by_reference": false'))
    pairs = measures.decided_pairs(duel_run, seed=0)
    assert len(pairs) == 100
    for pair in pairs:
        first, second = (r[0]["content"] for r in pair["responses"])
        assert taste.quality(pair["messages"], first) > taste.quality(pair["messages"], second)
    assert [pair["row"] for pair in pairs] == list(range(100))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_same_seed_turns_the_same_circle(
    worker_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Real web server, workers, scripts and HTTP, on little; every figure but time and names."""
    monkeypatch.setenv("DATABASE_URL", worker_env["DATABASE_URL"])
    monkeypatch.setattr(measures, "PAIRS", 30)
    monkeypatch.setattr(measures, "SAMPLES_A_PROMPT", 2)
    monkeypatch.setattr(measures, "DUELS", 10)
    turned = []
    for _ in range(2):
        call_command("circle", rounds=1, labels=15, steps=2, seed=5, json=True)
        figures = json.loads(capsys.readouterr().out)
        assert set(figures["pids"]) == {"web", "beat", "default", "infer", "live", "train"}
        for changing in ("pids", "project", "seconds"):
            del figures[changing]
        del figures["rounds"][0]["seconds"]
        turned.append(figures)
    assert turned[0] == turned[1]
    assert turned[0]["rounds"][0]["preferences"] == 15
    first, second = Project.objects.filter(simulated=True).order_by("pk")
    assert all(Membership.objects.filter(project=first).values_list("simulated", flat=True))
    assert set(Preference.objects.values_list("origin", flat=True)) == {"simulated"}
    assert (first.state, second.state) == ("closed", "closed")
