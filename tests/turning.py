"""What tests about models need: a reference, versions with given figures, runs at any stage."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from annotation.models import Project
from rewardtrain import contract, rounds, start, worker
from rewardtrain.demo.projects import POLICY
from rewardtrain.launch import read_data, run_dir
from rewardtrain.models import ModelVersion, Run
from rewardtrain.options import configure


def name_reference(project: Project) -> ModelVersion:
    return rounds.set_reference(project=project, source=POLICY, actor=None)


def difference(n: int, mean: float, low: float, high: float) -> dict[str, Any]:
    return {"n": n, "difference": mean, "low": low, "high": high}


def judged(n: int, accuracy: float, low: float, high: float) -> dict[str, Any]:
    return {"n": n, "accuracy": accuracy, "low": low, "high": high, "nll": 0.6}


def met(
    theirs: dict[str, Any],
    accuracy: dict[str, Any],
    nll: dict[str, Any] | None = None,
    probability: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A report's champion; what is not said differs as the accuracy does."""
    return {
        **theirs,
        "accuracy_difference": accuracy,
        "nll_difference": nll or accuracy,
        "probability_difference": probability or accuracy,
    }


def reward_report(**figures: Any) -> dict[str, Any]:
    """As train_reward writes it, for a model that is clearly above chance."""
    return {
        "heldout": judged(20, 0.8, 0.58, 0.92),
        "folds": judged(90, 0.75, 0.65, 0.83),
        "champion": None,
        "normalisation": {"mean": 0.0, "spread": 1.0},
        "hashes": {"weights": "w" * 64, "data": "d" * 64, "config": "c" * 64},
        **figures,
    }


def policy_report() -> dict[str, Any]:
    """As train_policy writes it."""

    def side(reward: float, kl: float) -> dict[str, Any]:
        return {
            "reward": {"n": 128, "mean": reward, "low": reward - 0.1, "high": reward + 0.1},
            "kl": {"n": 128, "mean": kl, "low": kl, "high": kl},
        }

    return {
        "before": side(0.0, 0.0),
        "after": side(1.5, 8.0),
        "guard": {"standing": "quiet", "kept": 60, "stop": None},
        "hashes": {"weights": "w" * 64, "data": "d" * 64, "config": "c" * 64},
    }


def add_version(project: Project, kind: str, stage: str, **fields: Any) -> ModelVersion:
    return ModelVersion.objects.create(
        project=project,
        kind=kind,
        stage=stage,
        source=POLICY,
        **{
            "number": rounds.next_number(project, kind),
            "metrics": reward_report() if kind == "reward" else {},
            **fields,
        },
    )


def add_run(project: Project, kind: str = "generate", **fields: Any) -> Run:
    """A queued run of one prompt, with its data written and no worker told."""
    lineage: dict[str, Any] = {"configuration": configure(kind, {}, seed=1)}
    if kind == "generate":
        lineage["policy"] = rounds.reference_of(project) or name_reference(project)
    return start.create(
        project,
        kind,
        [{"prompt": 0, "messages": [{"role": "user", "content": "Tell a tale."}]}],
        **{**lineage, **fields},
    )


def claim(run: Run) -> Run:
    """The run as a worker of this process owns it, its script said to run."""
    owned = worker.claim(run.queue)
    assert owned is not None
    assert owned.pk == run.pk
    say_status(owned, "running")
    return owned


def say_status(run: Run, state: str, **fields: Any) -> None:
    """Write status.json as the run's script would."""
    status = contract.Status(
        attempt=run.attempt, state=state, pid=1, updated=timezone.now().timestamp(), **fields
    )
    contract.write_json(run_dir(run) / contract.STATUS, status)


def say_metrics(run: Run, *lines: tuple[int, dict[str, float]], tail: str = "") -> None:
    """Append metrics of this attempt, and perhaps half a line."""
    with (run_dir(run) / contract.METRICS).open("a") as file:
        for step, values in lines:
            line = contract.MetricLine(attempt=run.attempt, step=step, time=1e9, values=values)
            file.write(contract.encode(line) + "\n")
        file.write(tail)


def say_samples(run: Run, text: Callable[[int, int, bool], str], kl: float = 4.0) -> None:
    """Write samples.jsonl as generate does: text(prompt, index, by_reference) for each."""
    many = run.configuration["samples_per_prompt"], run.configuration.get("reference_samples", 0)
    with (run_dir(run) / contract.SAMPLES).open("a") as file:
        for row in read_data(run):
            for by_reference, wanted in zip((False, True), many, strict=True):
                for index in range(wanted):
                    sample = contract.SampleRow(
                        prompt=row["prompt"],
                        index=index,
                        text=text(row["prompt"], index, by_reference),
                        tokens=5,
                        truncated=False,
                        logprob=-5.0,
                        kl=None if by_reference else kl,
                        by_reference=by_reference,
                    )
                    file.write(contract.encode(sample) + "\n")


def finish(run: Run, report: dict[str, Any]) -> None:
    """Leave a report as a script that succeeded does."""
    contract.write_json(run_dir(run) / contract.REPORT, report)
    say_status(run, "succeeded")
