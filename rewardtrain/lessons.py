"""What a fine-tuning learns from, by its method, and how the story says so."""

from collections.abc import Iterator

from django.db.models import Q

from annotation.batches import batch_lines
from annotation.models import Batch, Demonstration, Project, Prompt
from annotation.preferences import countable
from annotation.refused import Refused
from rewardtrain import contract
from rewardtrain.models import ModelVersion, Run
from rewardtrain.rows import Row, comparison_rows, prompt_rows, prompts_to_learn

NAMES = {
    "rloo": "RLOO",
    "grpo": "GRPO",
    "rejection_sampling": "rejection sampling",
    "dpo": "DPO",
    "sft": "SFT",
}


def lesson(
    project: Project, method: str, rewards: set[str], reward_model: ModelVersion | None
) -> tuple[list[Row], Batch | None]:
    """The rows of a fine-tuning, and the batch that they are of where they are labels; `rewards`
    are the kinds of its reward's parts.

    Raises:
        Refused: there is nothing to learn from.
    """
    if method == "sft":
        return _demonstrations(project), None
    if method == "dpo":
        return _decided(project, reward_model)
    return _prompts(project, rewards), None


def way_of(run: Run) -> str:
    """How a fine-tuning learns and from what: "by RLOO against Reward model 2 and length"."""
    method = run.configuration.get("method", contract.PolicyConfig.method)
    if method == "sft":
        return "by SFT on what people wrote"
    if method == "dpo":
        assert run.batch is not None
        return f"by DPO on the decided comparisons of batch {run.batch.number}"
    return f"by {NAMES[method]} against {worth_of(run)}"


def worth_of(run: Run) -> str:
    """What an answer is worth in a fine-tuning: "Reward model 2, length and checks"."""
    parts = contract.decode_rewards(run.configuration["rewards"], f"run {run.pk}")
    scores = [part for part in parts if part.kind in contract.MODEL_SCORES]
    names = [str(run.reward_model)] if scores else []
    names += [part.name or part.kind for part in parts if part not in scores]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def demonstration_rows(project: Project) -> Iterator[Row]:
    """DemonstrationRows of training prompts, ordered by content. A rewrite stands as long as the
    preference that it came with."""
    standing = Q(preference=None) | Q(preference__in=countable(project))
    written = Demonstration.objects.filter(
        standing, project=project, prompt__split=Prompt.Split.TRAIN
    ).exclude(text="")
    for one in written.select_related("prompt").order_by("prompt__sha256", "text"):
        yield {"messages": one.prompt.messages, "text": one.text}


def _demonstrations(project: Project) -> list[Row]:
    rows = list(demonstration_rows(project))
    if not rows:
        raise Refused(
            "no_demonstrations",
            "Nobody has written an answer of their own to a training prompt, so there is nothing "
            "to imitate.",
            field="options.method",
            fix="Let labelers write first or rewrite, or choose another method.",
            status_code=409,
        )
    return rows


def _decided(project: Project, reward_model: ModelVersion | None) -> tuple[list[Row], Batch]:
    """Of the batch that taught the reward model, or of the newest."""
    newest = Batch.objects.filter(project=project).order_by("-number").first()
    batch = (reward_model and reward_model.batch) or newest
    rows = [
        row
        for row in (comparison_rows(project, batch_lines(batch)) if batch else [])
        if row["split"] == Prompt.Split.TRAIN and row["outcome"] == "prefer"
    ]
    if batch is None or not rows:
        raise Refused(
            "no_decided",
            "No batch holds a decided comparison of a training prompt.",
            field="options.method",
            fix="Collect labels until a batch is frozen, or choose another method.",
            status_code=409,
        )
    return rows, batch


def _prompts(project: Project, rewards: set[str]) -> list[Row]:
    """The training prompts; where checks alone tell answers apart, those that have some."""
    if not prompts_to_learn(project).exists():
        raise Refused(
            "no_prompts", "The project has no training prompts.", fix="Add prompts first."
        )
    if "checks" in rewards and not prompts_to_learn(project, checked=True).exists():
        raise Refused(
            "no_checks",
            "The rewards pay for checks that an answer passes, and no training prompt has any.",
            field="options.rewards",
            fix="Add prompts with checks, or leave that part out.",
            status_code=409,
        )
    checked = "checks" in rewards and not rewards & set(contract.READ_BY_MODEL)
    return prompt_rows(prompts_to_learn(project, checked=checked))
