"""Whether a reward model may go into service: a pure function of its report.

The first model needs an accuracy whose 95 % interval lies above one half: on held-out decided
pairs where there are HELDOUT_ENOUGH of them, else by cross-validation over all labels, since a
few dozen pairs decide nothing. A challenger is refused only on evidence against it: a paired
bootstrap interval of its accuracy difference wholly below 0, or of its NLL difference wholly
above 0, and with MANY_HELDOUT pairs also unless one of two lower ends is above -1 point: that of
the accuracy, or that of the probability which the model gives the order that people chose. The
latter says much the same with less noise (docs/decisions/0011-proof-by-probability.md).
"""

from dataclasses import dataclass, field
from typing import Any

from rewardtrain.contract import HELDOUT_ENOUGH
from rewardtrain.intervals import percent, percent_between

MANY_HELDOUT = 2_000
WORST_LOSS = -0.01


@dataclass(frozen=True)
class Verdict:
    passed: bool
    reason: str
    figures: dict[str, Any] = field(default_factory=dict)


def judge(report: dict[str, Any], *, challenger: bool) -> Verdict:
    """The verdict on a reward run's report.json.

    `challenger`: whether another model is in service. Where the report holds no pair on which
    both were judged, a challenger is judged as a first model is.
    """
    champion = report.get("champion") if challenger else None
    if not champion or not champion["accuracy_difference"]["n"]:
        return _judge_first(report)
    return _judge_challenger(
        champion["accuracy_difference"],
        champion["nll_difference"],
        champion["probability_difference"],
    )


def accuracy_of(report: dict[str, Any]) -> dict[str, Any] | None:
    """The accuracy to show for a model: {n, value, low, high, source}; None without any pair."""
    heldout, folds = report.get("heldout"), report.get("folds")
    enough = heldout and heldout["n"] >= HELDOUT_ENOUGH
    source = "heldout" if enough or not (folds and folds["n"]) else "folds"
    chosen = heldout if source == "heldout" else folds
    if not chosen or not chosen["n"]:
        return None
    return {
        "n": chosen["n"],
        "value": chosen["accuracy"],
        "low": chosen["low"],
        "high": chosen["high"],
        "source": source,
    }


SOURCES = {
    "heldout": "held-out decided pairs",
    "folds": "decided pairs of all labels, each judged by a model that did not see its thread",
}


def _judge_first(report: dict[str, Any]) -> Verdict:
    accuracy = accuracy_of(report)
    if accuracy is None:
        return Verdict(False, "Nothing was there to judge it on: no decided pair was held out.")
    said = (
        f"it orders {percent(accuracy['value'])} of {accuracy['n']} "
        f"{SOURCES[accuracy['source']]} as people did "
        f"(95 % interval {percent_between(accuracy['low'], accuracy['high'])})"
    )
    if accuracy["low"] > 0.5:
        return Verdict(True, f"Above chance: {said}.", {"accuracy": accuracy})
    return Verdict(
        False,
        f"Not above chance: {said}, and the lower end must be above 50 %. More labels narrow it.",
        {"accuracy": accuracy},
    )


def _judge_challenger(
    accuracy: dict[str, Any], nll: dict[str, Any], probability: dict[str, Any]
) -> Verdict:
    figures = {
        "accuracy_difference": accuracy,
        "nll_difference": nll,
        "probability_difference": probability,
    }
    n = accuracy["n"]
    by_accuracy = (
        f"accuracy {100 * accuracy['difference']:+.1f} points "
        f"({100 * accuracy['low']:+.1f} to {100 * accuracy['high']:+.1f})"
    )
    by_nll = f"NLL {nll['difference']:+.3f} nats ({nll['low']:+.3f} to {nll['high']:+.3f})"
    against = f"against the model in service, on the same {n} held-out decided pairs"
    if accuracy["high"] < 0:
        return Verdict(False, f"Less accurate: {by_accuracy} {against}.", figures)
    if nll["low"] > 0:
        return Verdict(False, f"Worse calibrated: {by_nll} {against}.", figures)
    if n >= MANY_HELDOUT and max(accuracy["low"], probability["low"]) <= WORST_LOSS:
        by_probability = (
            f"probability of people's choices {100 * probability['difference']:+.1f} points "
            f"({100 * probability['low']:+.1f} to {100 * probability['high']:+.1f})"
        )
        return Verdict(
            False,
            f"It may lose more than a point: {by_accuracy}, {by_probability} {against}; with "
            f"{MANY_HELDOUT:,} pairs or more one of the lower ends must be above -1 point.",
            figures,
        )
    return Verdict(True, f"Not worse: {by_accuracy}, {by_nll} {against}.", figures)
