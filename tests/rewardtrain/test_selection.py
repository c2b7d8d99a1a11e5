"""Steering: a fifth stays random and is all that judges; the rest is drawn, and says how likely."""

import pytest

from annotation.asking import add_comparison, add_prompt, add_response
from annotation.batches import batch_lines, freeze
from annotation.models import Comparison, Project
from rewardtrain import contract, launch, loop, results, selection, start
from rewardtrain.models import LoopPolicy, Run
from tests.cast import Person
from tests.turning import add_version, claim, finish, name_reference, say_samples


@pytest.fixture
def project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Forty more prompts, a fifth of them held out; steered from two labels on."""
    monkeypatch.setattr(selection, "FROM_LABELS", 2)
    for number in range(40):
        prompt, _ = add_prompt(project, [{"role": "user", "content": f"Tell tale {number}."}])
        split = "heldout" if number % 5 == 0 else "train"
        type(prompt).objects.filter(pk=prompt.pk).update(split=split)
    project.grace_seconds = 0
    project.save()
    name_reference(project)
    add_version(project, "reward", "promoted", weights_sha256="f" * 64)
    LoopPolicy.objects.update_or_create(
        project=project, defaults={"selection": "d_optimal", "samples_per_prompt": 3}
    )
    return project


@pytest.fixture
def steered(project: Project, lena: Person) -> Project:
    for _ in range(2):
        lena.answer(project)
    return project


def run_of(project: Project, **which) -> Run:
    return project.runs.get(state=Run.State.QUEUED, **which)


def write(run: Run) -> Run:
    owned = claim(run)
    say_samples(owned, lambda prompt, index, _: f"Run {owned.pk}, tale {prompt}, telling {index}.")
    finish(owned, {"samples": 1})
    results.settle(owned, "it left with status 0")
    return owned


def drawn(run: Run, *pairs: tuple[int, list[int], float]) -> None:
    owned = claim(run)
    told = [{"row": row, "pair": pair, "probability": p} for row, pair, p in pairs]
    figures = {"candidates": 96, "prompts": 32, "known": 4, "wanted": 8}
    finish(owned, {"drawn": told, **figures})
    results.settle(owned, "it left with status 0")


def test_with_few_labels_or_by_the_rule_of_chance_nothing_is_steered(
    project: Project, lena: Person
) -> None:
    rules = LoopPolicy.objects.get(project=project)
    lena.answer(project)
    assert not selection.is_steered(rules)
    lena.answer(project)
    assert selection.is_steered(rules)
    rules.selection = "random"
    assert not selection.is_steered(rules)
    rules.selection = "d_optimal"
    project.versions.filter(kind="reward").update(stage="archived")
    assert not selection.is_steered(rules)


def test_a_fifth_is_asked_at_random_on_held_out_prompts_and_a_pool_is_written(
    steered: Project,
) -> None:
    start.start_ask(steered, prompts=10)
    at_random, pool = (launch.read_data(run_of(steered, purpose=p)) for p in ("ask", "pool"))
    split = {p.messages[0]["content"]: p.split for p in steered.prompts.all()}
    assert [split[row["messages"][0]["content"]] for row in at_random] == ["heldout"] * 2
    assert [split[row["messages"][0]["content"]] for row in pool] == ["train"] * 32
    assert run_of(steered, purpose="pool").configuration["samples_per_prompt"] == 3


def test_what_is_drawn_is_asked_with_its_stream_and_probability(
    steered: Project, lena: Person
) -> None:
    start.start_ask(steered, prompts=10)
    write(run_of(steered, purpose="ask"))
    write(run_of(steered, purpose="pool"))
    choosing = run_of(steered, kind="select")
    assert choosing.configuration["wanted"] == 8
    config = launch.config_of(choosing)
    assert config.cache.endswith(f"features/{'f' * 64}.safetensors")
    rows = contract.read_rows(launch.run_dir(choosing) / contract.DATA, contract.SelectRow)
    assert [len(row.pairs) for row in rows if not row.known] == [3] * 32
    known = [row for row in rows if row.known]
    assert len(known) == steered.comparisons.filter(prompt__split="train").count()
    assert {len(row.pairs) for row in known} <= {1}

    drawn(choosing, (0, [0, 2], 0.125), (5, [1, 2], 0.5))
    asked = steered.comparisons.filter(stream="d_optimal")
    assert sorted(asked.values_list("selection_probability", flat=True)) == [0.125, 0.5]
    assert set(asked.values_list("prompt__split", flat=True)) == {"train"}
    first = asked.get(selection_probability=0.125)
    texts = {r.messages[0]["content"] for r in first.responses.all()}
    assert texts <= {said[0]["content"] for said in rows[0].responses}
    others = steered.comparisons.exclude(stream="d_optimal")
    assert set(others.values_list("stream", "selection_probability")) == {("random", 1.0)}
    told = steered.decisions.get(what="selected")
    assert told.figures == {"candidates": 96, "prompts": 32, "known": 4, "wanted": 8, "asked": 2}
    assert "seen least of its kind" in told.reason


def test_the_batch_says_what_was_steered_and_nothing_else_has_changed(
    steered: Project, lena: Person
) -> None:
    before = freeze(steered)
    prompt = steered.prompts.latest("pk")
    sides = [add_response(prompt, [{"role": "assistant", "content": t}])[0] for t in "ab"]
    steered.comparisons.update(state=Comparison.State.CLOSED)
    add_comparison(steered, prompt, sides, stream="d_optimal", selection_probability=0.25)
    lena.answer(steered)
    lines = list(batch_lines(freeze(steered)))
    assert sorted(line.get("stream", "-") for line in lines) == ["-", "-", "d_optimal"]
    assert all("stream" not in line for line in batch_lines(before))
    assert [contract.ComparisonRow(**line).stream for line in lines].count("random") == 2


def test_the_loop_waits_while_a_pool_is_written_and_drawn_from(steered: Project) -> None:
    steered.comparisons.update(state=Comparison.State.CLOSED)
    loop.advance(steered)
    for which in ({"purpose": "ask"}, {"purpose": "pool"}, {"kind": "select"}):
        for _ in range(2):
            loop.advance(steered)
        waiting = steered.runs.filter(state="queued", **which)
        assert waiting.count() == 1
        if "kind" not in which:
            write(waiting.get())
    assert steered.runs.filter(purpose="ask", kind="generate").count() == 1


def test_a_pair_that_has_been_asked_is_no_candidate_again(steered: Project) -> None:
    comparison = steered.comparisons.filter(kind="ask").earliest("pk")
    pair = tuple(comparison.responses.order_by("pk"))
    assert selection.rows_to_select(steered, [(comparison.prompt, [pair, pair[::-1]])]) == []
    other, _ = add_response(comparison.prompt, [{"role": "assistant", "content": "New."}])
    rows = selection.rows_to_select(steered, [(comparison.prompt, [pair, (pair[0], other)])])
    assert len(rows[0]["pairs"]) == 1
    assert len(rows[0]["responses"]) == 2
