"""Samples that may have fooled the reward model go to people, and what became of them is measured.

The guard names suspects on training prompts while a policy learns (SuspectRow). Afterwards the
checkpoint nearest to them answers held-out prompts too, and the reward model picks those that it
overrates most. Each is asked blind beside the reference's answer to the same prompt: labels on
training prompts go into the next batch, labels on held-out ones judge the next reward model. Once
another reward model serves, it scores the same texts: does the exploit still pay?
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from annotation.asking import Question, add_comparisons, add_responses
from annotation.models import Comparison, Project, Prompt, Response
from rewardtrain import arena, checkpoints, contract, ingest, launch, rounds, start
from rewardtrain.arena import WinRate
from rewardtrain.intervals import Z95
from rewardtrain.models import Generation, LoopPolicy, ModelVersion, Run, Score, Suspect
from rewardtrain.options import configure
from rewardtrain.rows import own_prompts, prompt_rows, prompts_of, scoring_rows, seed_for

Purpose, Kind = Run.Purpose, Run.Kind
MOST = 12
"""Suspects of a run on training prompts, and as many on held-out ones."""
TRIED = 3
"""Held-out prompts answered for each that is asked about."""
PRIORITY = 5
HELDOUT_WHY = "reward"


@dataclass(frozen=True)
class Named:
    """What the guard named, with its prompt."""

    prompt: Prompt
    row: contract.SuspectRow


def named(run: Run) -> list[Named]:
    """The guard's suspects of a policy run's last attempt, best paid first, each text once."""
    path = launch.run_dir(run) / contract.SUSPECTS
    lines, _ = ingest.whole_lines(path, 0)
    rows = [contract.decode(contract.SuspectRow, line, str(path)) for line in lines]
    rows = [row for row in rows if row.attempt == max(r.attempt for r in rows)]
    once = {(row.prompt, row.text): row for row in rows}
    best = sorted(once.values(), key=lambda row: -row.reward)[:MOST]
    prompts = prompts_of(run, launch.read_data(run))
    return [Named(prompts[row.prompt], row) for row in best]


def follow_up(version: ModelVersion) -> Run | None:
    """Let the checkpoint nearest to a run's suspects answer their prompts and held-out ones; None
    where there is nothing to ask, as where no reward model was there to fool."""
    run, reference = version.run, rounds.reference_of(version.project)
    found = named(run) if run else []
    if run is None or reference is None or not found or version.reward_model is None:
        return None
    state = checkpoints.state_at(version, max(n.row.step for n in found))
    rules = rounds.rules_of(version.project)
    seed = seed_for(rules.seed, "suspects", version.number)
    heldout = own_prompts(version.project).filter(split=Prompt.Split.HELDOUT)
    drawn = sorted(heldout, key=lambda p: seed_for(seed, p.sha256))[: TRIED * len(found)]
    prompts = list({n.prompt.pk: n.prompt for n in found}.values()) + drawn
    options = {**rules.generate_options, "samples_per_prompt": 1, "reference_samples": 1}
    return start.create(
        version.project,
        Kind.GENERATE,
        prompt_rows(prompts),
        purpose=Purpose.SUSPECT,
        configuration=configure(Kind.GENERATE, options, seed=seed),
        policy=state,
        reference=reference,
        reward_model=version.reward_model,
    )


def score(written: Run) -> None:
    """Let the reward model score what a follow-up wrote, and what the guard named."""
    assert written.policy is not None
    run = written.policy.trained_by
    assert run is not None
    rows: dict[Prompt, list[Response]] = {}
    wrote = [row.response for row in written.generations.select_related("response__prompt")]
    told = [response for response, _ in add_responses(run.project, texts_of(named(run)))]
    for response in dict.fromkeys([*wrote, *told]):
        rows.setdefault(response.prompt, []).append(response)
    _evaluate(run.project, rows, written.reward_model, policy=written.policy)


def texts_of(found: Iterable[Named]) -> list[tuple[Prompt, list[dict[str, str]]]]:
    return [
        (n.prompt, [{"role": "assistant", "content": n.row.text.replace("\x00", "")}])
        for n in found
    ]


def ask(scored: Run) -> int:
    """Put the suspects that were scored before people; returns how many comparisons."""
    state = scored.policy
    assert state is not None
    run = state.trained_by
    assert run is not None
    written = Run.objects.filter(kind=Kind.GENERATE, purpose=Purpose.SUSPECT, policy=state).latest(
        "pk"
    )
    theirs = _by_prompt(written, by_reference=True)
    found = named(run)
    stored = add_responses(scored.project, texts_of(found))
    suspects = [
        Suspect(
            run=run,
            prompt=n.prompt,
            response=response,
            reference_response=theirs[n.prompt.pk].response,
            step=n.row.step,
            why=n.row.why,
            kl=n.row.kl,
        )
        for n, (response, _) in zip(found, stored, strict=True)
        if n.prompt.pk in theirs
    ]
    suspects += _heldout(run, state, written, scored, len(found))
    new = {suspect.response_id: suspect for suspect in suspects}
    for known in Suspect.objects.filter(run=run).values_list("response", flat=True):
        new.pop(known, None)
    questions = [
        Question(
            prompt=suspect.prompt,
            responses=[suspect.response, suspect.reference_response],
            kind=Comparison.Kind.SUSPECT,
            priority=PRIORITY,
        )
        for suspect in new.values()
    ]
    asked = [comparison for comparison, _ in add_comparisons(scored.project, questions)]
    for suspect, comparison in zip(new.values(), asked, strict=True):
        suspect.comparison = comparison
    Suspect.objects.bulk_create(new.values())
    count = sum(comparison is not None for comparison in asked)
    heldout = sum(suspect.why == HELDOUT_WHY for suspect in new.values())
    rounds.tell(
        scored.project,
        "suspected",
        f"{count} suspects of {state.last_state} are asked blind beside the reference's answers: "
        f"{len(new) - heldout} on training prompts, which teach the next reward model, and "
        f"{heldout} on held-out ones, which judge it.",
        figures={"asked": count, "heldout": heldout},
        run=run,
        version=state.last_state,
    )
    return count


def _heldout(
    run: Run, state: ModelVersion, written: Run, scored: Run, wanted: int
) -> list[Suspect]:
    """What the reward model overrates most beside the reference's answer, on held-out prompts."""
    ours, theirs = (_by_prompt(written, by_reference=by) for by in (False, True))
    scores = dict(
        Score.objects.filter(version=scored.reward_model).values_list("response", "value")
    )
    found = [
        Suspect(
            run=run,
            prompt=row.response.prompt,
            response=row.response,
            reference_response=theirs[place].response,
            step=state.step or run.step,
            why=HELDOUT_WHY,
            kl=row.kl,
        )
        for place, row in ours.items()
        if row.response.prompt.split == Prompt.Split.HELDOUT and place in theirs
    ]
    found = [s for s in found if s.response_id in scores and s.reference_response_id in scores]
    gain = {s.response_id: scores[s.response_id] - scores[s.reference_response_id] for s in found}
    return sorted(found, key=lambda s: -gain[s.response_id])[:wanted]


def _by_prompt(written: Run, *, by_reference: bool) -> dict[int, Generation]:
    rows = written.generations.select_related("response__prompt", "version")
    return {row.response.prompt_id: row for row in rows if row.version.is_reference == by_reference}


def measure(rules: LoopPolicy) -> None:
    """Let a reward model that came into service since score the suspects of earlier ones."""
    reward_model = rounds.in_service(rules.project, ModelVersion.Kind.REWARD)
    suspects = Suspect.objects.filter(run__project=rules.project)
    if reward_model is None or not suspects.exclude(run__reward_model=reward_model).exists():
        return
    measured = Run.objects.filter(
        kind=Kind.EVALUATE, purpose=Purpose.SUSPECT, reward_model=reward_model, policy=None
    )
    if measured.exists():
        return
    rows: dict[Prompt, list[Response]] = {}
    for suspect in suspects.select_related("prompt", "response", "reference_response"):
        pair = rows.setdefault(suspect.prompt, [])
        pair += [r for r in (suspect.response, suspect.reference_response) if r not in pair]
    _evaluate(rules.project, rows, reward_model, policy=None)


def _evaluate(
    project: Project,
    rows: dict[Prompt, list[Response]],
    reward_model: ModelVersion | None,
    policy: ModelVersion | None,
) -> Run:
    return start.create(
        project,
        Kind.EVALUATE,
        scoring_rows(rows.items()),
        purpose=Purpose.SUSPECT,
        configuration=configure(Kind.EVALUATE, {}, seed=0),
        policy=policy,
        reward_model=reward_model,
    )


def leave_scores(scored: Run) -> None:
    """What follows once suspects are scored: people are asked, or the story says what changed."""
    if scored.policy is not None:
        ask(scored)
        return
    for run in Run.objects.filter(suspects__isnull=False, project=scored.project).distinct():
        assert scored.reward_model is not None
        before, after = paid(run, run.reward_model), paid(run, scored.reward_model)
        if before is None or after is None or run.reward_model == scored.reward_model:
            continue
        rounds.tell(
            scored.project,
            "measured",
            f"The exploit of run {run.pk} earned {before['mean']:+.2f} spreads above the "
            f"reference's answers with {run.reward_model}; with {scored.reward_model} it earns "
            f"{after['mean']:+.2f} ({after['low']:+.2f} to {after['high']:+.2f}, n {after['n']}).",
            figures={"before": before, "after": after},
            run=run,
            version=scored.reward_model,
        )


def paid(
    run: Run, reward_model: ModelVersion | None, split: str | None = None
) -> dict[str, float] | None:
    """What a reward model pays a run's suspects above the reference's answers, in spreads of its
    scores: {n, mean, low, high}; None where it has not scored them."""
    if reward_model is None:
        return None
    spread = reward_model.metrics.get("normalisation", {}).get("spread")
    scores = dict(Score.objects.filter(version=reward_model).values_list("response", "value"))
    rows = Suspect.objects.filter(run=run)
    if split:
        rows = rows.filter(prompt__split=split)
    gains = [
        (scores[s.response_id] - scores[s.reference_response_id]) / spread
        for s in rows
        if spread and s.response_id in scores and s.reference_response_id in scores
    ]
    if not gains:
        return None
    n, mean = len(gains), sum(gains) / len(gains)
    variance = sum((gain - mean) ** 2 for gain in gains) / max(1, n - 1)
    half = Z95 * math.sqrt(variance / n)
    return {"n": n, "mean": mean, "low": mean - half, "high": mean + half}


def preferred(run: Run) -> WinRate:
    """How often people preferred a run's suspects to the reference's answers."""
    return arena.rate_of(arena.look(Suspect.objects.filter(run=run)))
