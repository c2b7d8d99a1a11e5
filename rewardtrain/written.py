"""What a policy wrote becomes comparisons: asked for training, or met in the arena."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from annotation.asking import Question, add_comparisons, add_responses
from annotation.models import Prompt, Response
from rewardtrain import contract, ingest, meetings, promotion, rounds, selection, start, suspects
from rewardtrain.launch import read_data, run_dir
from rewardtrain.meetings import Pairing
from rewardtrain.models import Generation, LoopPolicy, ModelVersion, Run
from rewardtrain.options import configure
from rewardtrain.rows import prompts_of, scoring_rows

Purpose = Run.Purpose
Pair = tuple[Response, Response]


@dataclass(frozen=True)
class Written:
    """A prompt with the responses of the run's policy and those of its reference."""

    prompt: Prompt
    ours: list[Response]
    theirs: list[Response]


def leave_responses(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    """Store what a generate run wrote, and ask people about it; how many comparisons are new."""
    if run.purpose == Purpose.MEASURE:
        return {}
    written = _store(run)
    if run.purpose == Purpose.SUSPECT:
        suspects.score(run)
        return {}
    if run.purpose == Purpose.POOL:
        return _offer(run, written)
    if run.purpose in Run.MEETINGS:
        asked = _meet(run, written)
    else:
        asked = _ask(run, written)
        assert run.policy is not None
        promotion.retire_old_questions(run.project, newest=run.policy)
    _tell(run, len(written), asked)
    return {"asked": asked}


def _store(run: Run) -> list[Written]:
    """Every response with who wrote it and what the sampler knew, prompt by prompt."""
    lines, _ = ingest.whole_lines(run_dir(run) / contract.SAMPLES, 0)
    samples = sorted(lines, key=lambda s: (s["prompt"], s["by_reference"], s["index"]))
    prompts = prompts_of(run, read_data(run))
    texts = [
        # Postgres holds no NUL in text.
        (prompts[s["prompt"]], [_assistant(s["text"].replace("\x00", ""))])
        for s in samples
    ]
    responses = [response for response, _ in add_responses(run.project, texts)]
    Generation.objects.bulk_create(
        Generation(
            response=response,
            version=run.reference if sample["by_reference"] else run.policy,
            run=run,
            index=sample["index"],
            logprob=sample["logprob"],
            kl=sample["kl"],
            tokens=sample["tokens"],
            truncated=sample["truncated"],
        )
        for sample, response in zip(samples, responses, strict=True)
    )
    ours: dict[int, list[Response]] = defaultdict(list)
    theirs: dict[int, list[Response]] = defaultdict(list)
    for sample, response in zip(samples, responses, strict=True):
        (theirs if sample["by_reference"] else ours)[sample["prompt"]].append(response)
    return [Written(prompt, ours[place], theirs[place]) for place, prompt in enumerate(prompts)]


def _ask(run: Run, written: list[Written]) -> int:
    """One comparison a prompt; prompts take turns in meeting the reference or the policy itself.

    The first pair that differs and is new is asked, of the other kind where this one has none.
    """
    waiting = [(w.prompt, _pairs(w, place)) for place, w in enumerate(written)]
    asked = 0
    while waiting := [(prompt, pairs) for prompt, pairs in waiting if pairs]:
        questions = [Question(prompt=prompt, responses=pairs[0]) for prompt, pairs in waiting]
        made = [created for _, created in add_comparisons(run.project, questions)]
        asked += sum(made)
        waiting = [
            (prompt, pairs[1:])
            for (prompt, pairs), created in zip(waiting, made, strict=True)
            if not created
        ]
    return asked


def _offer(run: Run, written: list[Written]) -> dict[str, Any]:
    """Let the reward model in service draw from what was written, if anything of it is new."""
    project, rules = run.project, rounds.rules_of(run.project)
    reward_model = rounds.in_service(project, ModelVersion.Kind.REWARD)
    candidates = [(w.prompt, _pairs(w, place)) for place, w in enumerate(written)]
    rows = selection.rows_to_select(project, candidates)
    if reward_model is None or not rows or rules.selection == LoopPolicy.Selection.RANDOM:
        return {"asked": 0}
    options = {"strategy": rules.selection, "wanted": selection.wanted_of(run)}
    start.create(
        project,
        Run.Kind.SELECT,
        rows,
        purpose=Purpose.ASK,
        configuration=configure(Run.Kind.SELECT, options, seed=run.configuration["seed"]),
        reward_model=reward_model,
    )
    return {}


def _pairs(written: Written, place: int) -> list[Pair]:
    itself = list(combinations(written.ours, 2))
    reference = [(a, b) for a in written.ours for b in written.theirs]
    return itself + reference if place % 2 else reference + itself


def _meet(run: Run, written: list[Written]) -> int:
    """The policy and the reference meet on every prompt, and the proxy says what it thinks.

    Among several states of a policy all meet on a few prompts first; meetings.py goes on.
    """
    assert run.policy is not None
    assert run.reference is not None
    to_choose = run.purpose == Purpose.ARENA and meetings.among_several(run.policy)
    asked = meetings.add_matches(
        run,
        [
            Pairing(w.prompt, run.policy, run.reference, w.ours[0], w.theirs[0])
            for w in (written[: meetings.UNIFORM] if to_choose else written)
        ],
    )
    if run.reward_model is not None:
        _score(run, written)
    return asked


def _score(run: Run, written: Sequence[Written]) -> None:
    """Let the reward model that the policy learnt from score both sides: the proxy's opinion."""
    start.create(
        run.project,
        Run.Kind.EVALUATE,
        scoring_rows((w.prompt, [w.ours[0], w.theirs[0]]) for w in written),
        purpose=Purpose.ARENA,
        configuration=configure(Run.Kind.EVALUATE, {}, seed=0),
        policy=run.policy,
        reward_model=run.reward_model,
    )


def _tell(run: Run, prompts: int, asked: int) -> None:
    same = 0 if run.purpose == Purpose.ARENA else prompts - asked
    but = f" ({same} were the same text twice or asked before)" if same else ""
    if run.purpose in Run.MEETINGS:
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


def _assistant(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}
