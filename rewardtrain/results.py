"""How a run ends, and what a finished one leaves: versions, responses, comparisons, scores.

All that a run leaves is written in one transaction with its end, so a worker killed in between
leaves nothing, and the next one repeats it without doubling.
"""

import json
from collections import defaultdict
from itertools import combinations
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation.asking import add_comparison, add_response, sha256_of
from annotation.models import Comparison, Prompt, Response
from rewardtrain import contract, ingest, promotion, rounds, start
from rewardtrain.launch import read_report, run_dir, version_source
from rewardtrain.models import Generation, Match, ModelVersion, Run, Score
from rewardtrain.options import configure
from rewardtrain.rows import match_rows, prompts_of

State, Purpose = Run.State, Run.Purpose
MOST_LOST = 3
"""A run whose process vanishes this often has failed."""
ARENA_PRIORITY = 10
"""Few, and a manager waits for them."""
Sample = dict[str, Any]


@transaction.atomic
def settle(run: Run, ending: str) -> Run | None:
    """Give a run whose processes are gone its end, by what it left; `ending` says how they ended.

    None when another owner has taken it.
    """
    now = ingest.follow(run)
    if now is None:
        return None
    status = ingest.status_of(now)
    state = status.state if status else ""
    report = read_report(now)
    if state == "succeeded" and report is not None:
        _succeed(now, report)
    elif now.state == State.CANCELLING:
        _end(now, State.CANCELLED, stage="cancelled")
    elif state == "failed":
        assert status is not None
        fail(now, status.error)
    else:
        lose(now, ending)
    return now


def fail(run: Run, error: str) -> None:
    _end(run, State.FAILED, error=error, stage="failed")
    rounds.tell(run.project, "failed", f"Run {run.pk} ({run.kind}) failed: {error}", run=run)


def lose(run: Run, ending: str) -> None:
    """Queue a run whose process vanished once more, or give it up."""
    if run.lost + 1 >= MOST_LOST:
        fail(run, f"Its process vanished {MOST_LOST} times; the last time {ending}.")
        return
    run.lost += 1
    wait_again(run, f"{ending}; it goes on from its last checkpoint")


def wait_again(run: Run, stage: str) -> None:
    """Hand the run back to the queue, at its place."""
    run.state, run.stage, run.sent_at, run.pid = State.QUEUED, stage[:200], None, None
    run.worker, run.heartbeat_at, run.seconds_left = "", None, None
    run.save()
    transaction.on_commit(lambda: start.send(run))


def _end(run: Run, state: str, *, error: str = "", stage: str) -> None:
    run.state, run.error, run.stage = state, error, stage
    run.finished_at, run.seconds_left, run.pid = timezone.now(), None, None
    run.save()


def _succeed(run: Run, report: dict[str, Any]) -> None:
    left = LEAVES[run.kind](run, report)
    run.report = {**report, **left}
    _end(run, State.SUCCEEDED, stage="finished")


def _leave_reward_model(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    version = _add_version(run, report, ModelVersion.Kind.REWARD, batch=run.batch)
    promotion.pass_gate(version)
    return {}


def _leave_policy(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    version = _add_version(
        run, report, ModelVersion.Kind.POLICY, parent=run.policy, reward_model=run.reward_model
    )
    before, after = report["before"], report["after"]
    rounds.tell(
        run.project,
        "fine-tuned",
        f"{version} was fine-tuned against {run.reward_model}: proxy reward "
        f"{before['reward']['mean']:.2f} before, {after['reward']['mean']:.2f} after, KL to the "
        f"reference {after['kl']['mean']:.1f} nats. What people think of it is still to be asked.",
        figures={"before": before, "after": after},
        run=run,
        version=version,
    )
    return {}


def _add_version(run: Run, report: dict[str, Any], kind: str, **lineage: Any) -> ModelVersion:
    return ModelVersion.objects.create(
        project=run.project,
        kind=kind,
        number=rounds.next_number(run.project, kind),
        source=version_source(run),
        run=run,
        weights_sha256=report["hashes"]["weights"],
        data_sha256=report["hashes"]["data"],
        config_sha256=report["hashes"]["config"],
        metrics={name: value for name, value in report.items() if name != "hashes"},
        **lineage,
    )


def _leave_responses(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    """What a generate run wrote becomes comparisons: asked for training, or met in the arena."""
    if run.purpose == Purpose.MEASURE:
        return {}
    by_prompt = _samples(run)
    prompts = prompts_of(run, read_data(run))
    asked = 0
    for place, prompt in enumerate(prompts):
        ours, theirs = _add_responses(run, prompt, by_prompt[place])
        if run.purpose == Purpose.ARENA:
            asked += _meet(run, prompt, ours[0], theirs[0])
        else:
            asked += _ask(run, prompt, place, ours, theirs)
    if run.purpose == Purpose.ASK and run.policy is not None:
        promotion.retire_old_questions(run.project, newest=run.policy)
    _tell_of_asking(run, len(prompts), asked)
    if run.purpose == Purpose.ARENA and run.reward_model is not None:
        _score_matches(run)
    return {"asked": asked}


def _samples(run: Run) -> dict[int, list[Sample]]:
    """The samples of each prompt in a fixed order: the model's, then the reference's."""
    lines, _ = ingest.whole_lines(run_dir(run) / contract.SAMPLES, 0)
    by_prompt: dict[int, list[Sample]] = defaultdict(list)
    for line in lines:
        by_prompt[line["prompt"]].append(line)
    for samples in by_prompt.values():
        samples.sort(key=lambda s: (s["by_reference"], s["index"]))
    return by_prompt


def read_data(run: Run) -> list[dict[str, Any]]:
    with (run_dir(run) / contract.DATA).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _add_responses(
    run: Run, prompt: Prompt, samples: list[Sample]
) -> tuple[list[Response], list[Response]]:
    """The responses of the run's policy and those of its reference."""
    ours: list[Response] = []
    theirs: list[Response] = []
    for sample in samples:
        # Postgres holds no NUL in text.
        text = sample["text"].replace("\x00", "")
        response, _ = add_response(prompt, [{"role": "assistant", "content": text}])
        Generation.objects.create(
            response=response,
            version=run.reference if sample["by_reference"] else run.policy,
            run=run,
            index=sample["index"],
            logprob=sample["logprob"],
            kl=sample["kl"],
            tokens=sample["tokens"],
            truncated=sample["truncated"],
        )
        (theirs if sample["by_reference"] else ours).append(response)
    return ours, theirs


def _ask(run: Run, prompt: Prompt, place: int, ours: list[Response], theirs: list[Response]) -> int:
    """One comparison of a prompt; prompts take turns in meeting the reference or the policy itself.

    The first pair that differs and is new is asked, of the other kind where this one has none.
    """
    itself = list(combinations(ours, 2))
    reference = [(a, b) for a in ours for b in theirs]
    for pair in itself + reference if place % 2 else reference + itself:
        _, created = add_comparison(run.project, prompt, pair, kind=Comparison.Kind.ASK)
        if created:
            return 1
    return 0


def _meet(run: Run, prompt: Prompt, ours: Response, theirs: Response) -> int:
    assert run.policy is not None
    assert run.reference is not None
    comparison, _ = add_comparison(
        run.project,
        prompt,
        [ours, theirs],
        kind=Comparison.Kind.ARENA,
        priority=ARENA_PRIORITY,
    )
    Match.objects.create(
        run=run,
        prompt=prompt,
        policy=run.policy,
        opponent=run.reference,
        policy_response=ours,
        opponent_response=theirs,
        comparison=comparison,
    )
    return int(comparison is not None)


def _tell_of_asking(run: Run, prompts: int, asked: int) -> None:
    same = prompts - asked
    but = f" ({same} were the same text twice or asked before)" if same else ""
    if run.purpose == Purpose.ARENA:
        what = f"{run.policy} and the reference meet blind on {prompts} held-out prompts"
    else:
        what = f"{run.policy} answered {prompts} prompts"
    rounds.tell(
        run.project,
        "asked",
        f"{what}: {asked} comparisons for people{but}.",
        figures={"prompts": prompts, "asked": asked},
        run=run,
        version=run.policy,
    )


def _score_matches(run: Run) -> None:
    """Let the reward model that the policy learnt from score both sides: the proxy's opinion."""
    matches = (
        Match.objects.filter(run=run)
        .select_related("prompt", "policy_response", "opponent_response")
        .order_by("pk")
    )
    start.create(
        run.project,
        Run.Kind.EVALUATE,
        match_rows(matches),
        purpose=Purpose.ARENA,
        configuration=configure(Run.Kind.EVALUATE, {}, seed=0),
        policy=run.policy,
        reward_model=run.reward_model,
    )


def _leave_scores(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    """What the reward model gives each response that was scored."""
    if run.purpose == Purpose.MEASURE:
        return {}
    rows = read_data(run)
    lines, _ = ingest.whole_lines(run_dir(run) / contract.SCORES, 0)
    by_row = {line["row"]: line["scores"] for line in lines}
    given: dict[int, float] = {}
    for row, prompt in zip(rows, prompts_of(run, rows), strict=True):
        responses = {r.sha256: r.pk for r in prompt.responses.all()}
        for messages, score in zip(row["responses"], by_row[row["row"]], strict=True):
            given[responses[sha256_of(messages)]] = score
    Score.objects.bulk_create(
        [
            Score(response_id=response, version=run.reward_model, value=value)
            for response, value in given.items()
        ],
        ignore_conflicts=True,
    )
    return {}


LEAVES = {
    Run.Kind.REWARD: _leave_reward_model,
    Run.Kind.POLICY: _leave_policy,
    Run.Kind.GENERATE: _leave_responses,
    Run.Kind.EVALUATE: _leave_scores,
}
