"""Steering: which comparisons people are asked about, where chance alone does not choose.

A fifth of what is asked stays random, on held-out prompts as far as there are any, and on the
random stream alone reward models are judged. The rest is drawn by a strategy (core/selection.py) on
the infer worker, from what the policy wrote to POOL times as many training prompts.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

from django.db.models import Q

from annotation.asking import Question, add_comparisons, sha256_of
from annotation.models import Comparison, Project, Prompt, Response
from annotation.preferences import countable
from rewardtrain import rounds
from rewardtrain.launch import read_data
from rewardtrain.models import LoopPolicy, ModelVersion, Run
from rewardtrain.rows import Row, prompts_of, prompts_to_ask

FROM_LABELS = 200
"""Below these a reward model knows too little to steer by."""
RANDOM_ONE_IN = 5
"""Of what is asked, so much stays random."""
POOL = 4
"""Prompts answered for each that a strategy draws."""
MOST_KNOWN = 20_000
"""Comparisons that have been asked, the newest first, by which the candidates are weighed."""
Selection = LoopPolicy.Selection
REASONS = {
    Selection.D_OPTIMAL: "likelier where {model} has seen least of its kind",
    Selection.UNCERTAIN: "likelier where {model} is least sure",
}


def is_steered(rules: LoopPolicy) -> bool:
    """Whether a strategy chooses, and there is a reward model and enough labels to choose by."""
    return (
        rules.selection != Selection.RANDOM
        and rounds.in_service(rules.project, ModelVersion.Kind.REWARD) is not None
        and countable(rules.project)[:FROM_LABELS].count() == FROM_LABELS
    )


def prompts_for(rules: LoopPolicy, wanted: int, seed: int) -> tuple[list[Prompt], list[Prompt]]:
    """What the policy answers next: prompts to be asked about, and those of the pool, if any."""
    prompts = prompts_to_ask(rules, seed)
    if not is_steered(rules):
        return prompts[:wanted], []
    heldout_first = sorted(prompts, key=lambda p: p.split != Prompt.Split.HELDOUT)
    at_random = heldout_first[: max(1, round(wanted / RANDOM_ONE_IN))]
    train = [p for p in prompts if p.split == Prompt.Split.TRAIN and p not in at_random]
    return at_random, train[: POOL * steered_beside(len(at_random))]


def steered_beside(at_random: int) -> int:
    """Comparisons that are steered beside so many random ones."""
    return at_random * (RANDOM_ONE_IN - 1)


def wanted_of(pooled: Run) -> int:
    """Comparisons to draw from a pool: as the random ones asked for with it leave over."""
    beside = pooled.project.runs.filter(
        kind=Run.Kind.GENERATE, purpose=Run.Purpose.ASK, pk__lt=pooled.pk
    ).latest("pk")
    return steered_beside(len(read_data(beside)))


def rows_to_select(
    project: Project, candidates: Sequence[tuple[Prompt, Sequence[tuple[Response, Response]]]]
) -> list[Row]:
    """SelectRows of pairs that could be asked, without those that have been, and of what has been
    asked on training prompts; empty where no candidate is left."""
    asked = {
        frozenset(response.pk for response in comparison.responses.all())
        for comparison in project.comparisons.filter(
            kind=Comparison.Kind.ASK, prompt__in=[prompt for prompt, _ in candidates]
        ).prefetch_related("responses")
    }
    possible: list[Row] = []
    for prompt, pairs in candidates:
        different = {frozenset((a.pk, b.pk)): (a, b) for a, b in pairs if a.pk != b.pk}
        fresh = [pair for key, pair in different.items() if key not in asked]
        if fresh:
            possible.append(_row(len(possible), prompt, fresh, known=False))
    if not possible:
        return []
    known = [
        _row(len(possible) + place, comparison.prompt, pairs, known=True)
        for place, comparison in enumerate(_known(project))
        if (pairs := list(combinations(comparison.responses.all(), 2)))
    ]
    return possible + known


def _known(project: Project) -> Iterable[Comparison]:
    rows = project.comparisons.filter(
        Q(done__gt=0) | Q(state=Comparison.State.OPEN),
        kind__in=Comparison.TRAINING_KINDS,
        prompt__split=Prompt.Split.TRAIN,
    )
    return rows.select_related("prompt").prefetch_related("responses").order_by("-pk")[:MOST_KNOWN]


def _row(
    place: int, prompt: Prompt, pairs: Sequence[tuple[Response, Response]], *, known: bool
) -> Row:
    # In the order of their content, so that the same texts give the same row in any database.
    responses = sorted({r.pk: r for pair in pairs for r in pair}.values(), key=lambda r: r.sha256)
    at = {response.pk: number for number, response in enumerate(responses)}
    return {
        "row": place,
        "messages": prompt.messages,
        "responses": [response.messages for response in responses],
        "pairs": sorted(sorted((at[a.pk], at[b.pk])) for a, b in pairs),
        "known": known,
    }


def leave_comparisons(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    """Ask people what a select run has drawn, each comparison with the probability it had."""
    rows = read_data(run)
    drawn = [(rows[one["row"]], one["pair"], one["probability"]) for one in report["drawn"]]
    strategy = run.configuration["strategy"]
    questions = []
    for prompt, (row, pair, probability) in zip(
        prompts_of(run, [row for row, _, _ in drawn]), drawn, strict=True
    ):
        wrote = {response.sha256: response for response in prompt.responses.all()}
        responses = [wrote[sha256_of(row["responses"][side])] for side in pair]
        questions.append(
            Question(
                prompt=prompt,
                responses=responses,
                stream=strategy,
                selection_probability=probability,
            )
        )
    asked = sum(created for _, created in add_comparisons(run.project, questions))
    why = REASONS[strategy].format(model=run.reward_model)
    rounds.tell(
        run.project,
        "selected",
        f"Of {report['candidates']} possible comparisons on {report['prompts']} prompts {asked} "
        f"were drawn by chance, {why}.",
        figures={name: report[name] for name in ("candidates", "prompts", "known", "wanted")}
        | {"asked": asked},
        run=run,
        version=run.reward_model,
    )
    return {"asked": asked}
