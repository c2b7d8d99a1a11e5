"""How the states of a tuned policy meet: which enter, who meets whom next, and the verdict.

The last state and some checkpoints, evenly spaced in sqrt(KL), answer the same held-out prompts.
All meet the reference on a few of them; then those whose intervals overlap most meet, wave by wave,
until one is left or the labels are spent. The best of several figures flatters, so the one that
leads meets the reference once more on fresh prompts, and only those answers are the verdict. A
policy without checkpoints was chosen from nothing: its first meeting is its verdict.
"""

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction

from annotation.asking import Question, add_comparisons
from annotation.models import Comparison, Project, Prompt, Response
from rewardtrain import arena, checkpoints, overlap, ratings, rounds, start
from rewardtrain.arena import WinRate
from rewardtrain.intervals import percent, percent_between
from rewardtrain.models import (
    Decision,
    Generation,
    LoopPolicy,
    Match,
    ModelVersion,
    Run,
)
from rewardtrain.rows import seed_for

Purpose, State = Run.Purpose, Run.State
Pair = arena.Pair
ARENA_PRIORITY = 10
"""Few, and a manager waits for them."""
UNIFORM = 8
"""Prompts on which all meet the reference before anybody is chosen."""
WAVE = 8
FEW = 2
"""So many open comparisons may be left when the next wave comes, and nobody waits for it."""


@dataclass(frozen=True)
class Pairing:
    """Two policies' responses to a prompt, and by which stream and chance they were chosen."""

    prompt: Prompt
    policy: ModelVersion
    opponent: ModelVersion
    ours: Response
    theirs: Response
    stream: str = "random"
    probability: float = 1.0


def candidates(project: Project):
    """The tuned policies that may yet be promoted, the states before their last one apart."""
    return project.versions.filter(
        kind=ModelVersion.Kind.POLICY,
        stage=ModelVersion.Stage.CANDIDATE,
        is_reference=False,
        checkpoint_of=None,
    ).order_by("number")


def meeting_runs(policy: ModelVersion):
    """The runs in which a policy met the reference, newest first."""
    return policy.runs_from.filter(kind=Run.Kind.GENERATE, purpose__in=Run.MEETINGS).order_by("-pk")


def states_of(policy: ModelVersion) -> list[ModelVersion]:
    """A policy's last state, then its checkpoints that entered the arena."""
    entered = policy.checkpoints.filter(runs_from__purpose=Purpose.ARENA)
    return [policy, *entered.distinct().order_by("step")]


def among_several(state: ModelVersion) -> bool:
    """Whether it met the reference beside other states of its policy, and so can be chosen."""
    return len(states_of(state.last_state)) > 1


def meet_reference(rules: LoopPolicy) -> None:
    """Every fine-tuned policy meets the reference, blind, once without being asked to."""
    for policy in candidates(rules.project):
        if not meeting_runs(policy).exists():
            with transaction.atomic():
                beside = checkpoints.enter(policy, rules.arena_checkpoints)
                start.start_arena(rules.project, policy, beside=beside)


def add_matches(run: Run, pairings: Iterable[Pairing]) -> int:
    """A match each, and a comparison where the two did not write the same text; how many."""
    pairings = list(pairings)
    questions = [
        Question(
            prompt=p.prompt,
            responses=[p.ours, p.theirs],
            kind=Comparison.Kind.ARENA,
            priority=ARENA_PRIORITY,
            stream=p.stream,
            selection_probability=p.probability,
        )
        for p in pairings
    ]
    comparisons = [comparison for comparison, _ in add_comparisons(run.project, questions)]
    Match.objects.bulk_create(
        Match(
            run=run,
            prompt=p.prompt,
            policy=p.policy,
            opponent=p.opponent,
            policy_response=p.ours,
            opponent_response=p.theirs,
            comparison=comparison,
        )
        for p, comparison in zip(pairings, comparisons, strict=True)
    )
    return sum(comparison is not None for comparison in comparisons)


@dataclass(frozen=True)
class Course:
    """Where the arena of a policy and its checkpoints stands."""

    policy: ModelVersion
    reference: ModelVersion
    states: dict[int, ModelVersion]
    texts: dict[tuple[int, int], Response]
    """By version and prompt."""
    matches: list[Match]
    rates: dict[Pair, WinRate]

    @property
    def open(self) -> int:
        return sum(rate.open for rate in self.rates.values())

    @property
    def against_reference(self) -> dict[int, tuple[float, float]]:
        met = {name: self.rates.get((name, self.reference.pk)) for name in self.states}
        return {name: rate.interval if rate else (0.0, 1.0) for name, rate in met.items()}

    @property
    def contenders(self) -> list[int]:
        duels = {p: r.interval for p, r in self.rates.items() if p[1] != self.reference.pk}
        return overlap.contenders(self.against_reference, duels)

    def prompts_left(self, pair: Pair) -> list[int]:
        """Prompts that both answered and on which they have not met."""
        first, second = pair
        met = {m.prompt_id for m in self.matches if (m.policy_id, m.opponent_id) == pair}
        ours = {prompt for version, prompt in self.texts if version == first}
        theirs = {prompt for version, prompt in self.texts if version == second}
        return sorted((ours & theirs) - met)

    def ratings(self, *, equal_length: bool) -> ratings.Ratings:
        met = arena.look(Match.objects.filter(pk__in=[match.pk for match in self.matches]))
        duels = [
            ratings.Duel(
                m.match.policy_id,
                m.match.opponent_id,
                arena.SCORES[m.result],
                longer_by(m.match),
            )
            for m in met
            if m.result
        ]
        return ratings.rate(duels, self.reference.pk, equal_length=equal_length)


def longer_by(match: Match) -> int:
    """How many characters the policy's response has more than its opponent's."""
    ours, theirs = (
        sum(len(message["content"]) for message in response.messages)
        for response in (match.policy_response, match.opponent_response)
    )
    return ours - theirs


def course_of(policy: ModelVersion) -> Course | None:
    """The arena of a policy's states; None while one of them still writes, or it has one alone."""
    reference = rounds.reference_of(policy.project)
    states = states_of(policy)
    runs = Run.objects.filter(policy__in=states, purpose=Purpose.ARENA, kind=Run.Kind.GENERATE)
    if reference is None or len(states) < 2 or runs.filter(state__in=Run.ACTIVE).exists():
        return None
    written = Generation.objects.filter(run__in=runs).select_related("response")
    matches = Match.objects.filter(run__in=runs)
    entered = {row.version_id for row in written} - {reference.pk}
    return Course(
        policy=policy,
        reference=reference,
        states={version.pk: version for version in states if version.pk in entered},
        texts={(row.version_id, row.response.prompt_id): row.response for row in written},
        matches=list(matches.select_related("policy_response", "opponent_response")),
        rates=arena.standings(matches),
    )


def narrow(rules: LoopPolicy) -> None:
    """Let those meet who may still be the best; when that is settled, the one who leads is found.

    It is settled too when as many labels are spent as the last state's prompts allow each.
    """
    for policy in candidates(rules.project):
        if found(policy) is not None:
            continue
        course = course_of(policy)
        if course is None or not course.states or course.open > FEW:
            continue
        spent = sum(rate.n for rate in course.rates.values())
        left = course.contenders
        enough = len(left) == 1 or spent >= rules.arena_prompts * len(course.states)
        if (enough or not _add_wave(rules, course, left)) and not course.open:
            _find(rules, course)


def _add_wave(rules: LoopPolicy, course: Course, left: Sequence[int]) -> int:
    """A few matches of those who are left, drawn by how much their intervals overlap."""
    reference = course.reference.pk
    pairs = [(name, reference) for name in left]
    pairs += [(a, b) for a in left for b in left if a < b]
    prompts = {pair: course.prompts_left(pair) for pair in pairs}
    worth = overlap.weights(
        sorted(left), reference, course.against_reference, {p: len(prompts[p]) for p in pairs}
    )
    chance = random.Random(seed_for(rules.seed, "wave", course.policy.number, len(course.matches)))
    versions = {**course.states, reference: course.reference}
    pairings = []
    for chosen in overlap.draw(worth, WAVE, chance):
        if not prompts[chosen.pair]:
            continue
        first, second = chosen.pair
        prompt = prompts[chosen.pair].pop(chance.randrange(len(prompts[chosen.pair])))
        ours, theirs = course.texts[first, prompt], course.texts[second, prompt]
        pairings.append(
            Pairing(
                ours.prompt, versions[first], versions[second], ours, theirs,
                stream="overlap", probability=chosen.probability,
            )
        )  # fmt: skip
    run = meeting_runs(course.policy).filter(purpose=Purpose.ARENA).first()
    assert run is not None
    add_matches(run, pairings)
    return len(pairings)


def _find(rules: LoopPolicy, course: Course) -> None:
    """Name the state that leads, and ask afresh about it."""
    rated = course.ratings(equal_length=rules.equal_length).value
    leader = course.states[max(course.contenders, key=lambda name: rated.get(name, -math.inf))]
    rate = course.rates[leader.pk, course.reference.pk]
    labels = sum(r.n for r in course.rates.values())
    rounds.tell(
        rules.project,
        "found",
        f"Of {len(course.states)} states of {course.policy}, {leader} leads after {labels} blind "
        f"comparisons ({_said(rate)} against the reference). The best of several figures flatters: "
        "people compare it with the reference once more, on fresh prompts.",
        figures={
            **_figures(rate),
            "labels": labels,
            "ratings": {str(course.states[name]): value for name, value in rated.items()},
        },
        run=course.policy.run,
        version=leader,
    )
    start.start_arena(rules.project, leader)


def found(policy: ModelVersion) -> ModelVersion | None:
    """The state that the arena found to lead; None before that."""
    told = Decision.objects.filter(what="found", version__in=states_of(policy)).first()
    return told.version if told else None


def to_judge(policy: ModelVersion) -> ModelVersion | None:
    """The state that the verdict is about: the only one, or the one that leads."""
    return found(policy) if among_several(policy) else policy


def verdict_run(state: ModelVersion) -> Run | None:
    """The run whose matches are the verdict on a state: the newest, and fresh where it was chosen
    among several."""
    runs = meeting_runs(state).filter(state=State.SUCCEEDED)
    return (runs.filter(purpose=Purpose.CONFIRM) if among_several(state) else runs).first()


def verdict(state: ModelVersion) -> WinRate:
    """How people judge it against the reference, without the answers by which it was chosen."""
    reference = rounds.reference_of(state.project)
    assert reference is not None
    fresh = Purpose.CONFIRM if among_several(state) else ""
    return arena.standing(state, reference, purpose=fresh)


def tell_verdict(rules: LoopPolicy) -> None:
    """Once per meeting, when the last of its matches is answered.

    Where the arena decides, an answer that is clear already needs no further labels.
    """
    by_arena = rules.promotion == LoopPolicy.Promotion.ARENA
    for policy in candidates(rules.project):
        state = to_judge(policy)
        run = verdict_run(state) if state else None
        if state is None or run is None or state.decisions.filter(what="judged", run=run).exists():
            continue
        rate = verdict(state)
        if rate.value is None or (rate.open and not (by_arena and rate.wanted == 0)):
            continue
        close_matches(run)
        decides = (
            "The arena decides about its promotion."
            if by_arena
            else "Whether it goes into service is a manager's decision."
        )
        rounds.tell(
            rules.project,
            "judged",
            f"People preferred {state} to the reference in {_said(rate)}. {decides}",
            figures=_figures(rate),
            run=run,
            version=state,
        )


def close_matches(run: Run) -> None:
    """What is still open of a meeting is asked no more."""
    open_ones = Comparison.objects.filter(matches__run=run, state=Comparison.State.OPEN)
    open_ones.filter(done=0, leased=0).update(state=Comparison.State.CLOSED)


def _said(rate: WinRate) -> str:
    assert rate.value is not None
    return (
        f"{percent(rate.value)} of {rate.n} blind comparisons "
        f"(95 % interval {percent_between(*rate.interval)}, {rate.ties} ties)"
    )


def _figures(rate: WinRate) -> dict[str, float | int | None]:
    return {"n": rate.n, "value": rate.value, "low": rate.low, "high": rate.high}
