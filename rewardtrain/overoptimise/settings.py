"""The named settings: what simulated people like, and how a reward model learns it from them."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rewardtrain.demo.tales import sentences
from rewardtrain.demo.taste import asked, mood, repetition

Messages = list[dict[str, str]]

# ruff: noqa: SIM905 - a list of words reads best as text
OUTDOORS = frozenset(
    "rain river hill wood pond tree trees grass snow wind sea sky storm sun moon stars meadow "
    "mountains mountain water leaves leaf spring autumn morning".split()
)


def happy(prompt: Messages, response: str) -> float:
    """A happy ending, of whom and what was asked, told whole."""
    return 1.5 * mood(response) + _to_the_point(prompt, response) + _well_told(response)


def outdoors(prompt: Messages, response: str) -> float:
    """Up to four places and weathers, in at most forty words, of whom and what was asked."""
    words = re.findall(r"[a-z']+", response.lower())
    seen = min(4, len(OUTDOORS.intersection(words)))
    long = max(0, len(words) - 40)
    return 0.75 * seen - 0.1 * long + _to_the_point(prompt, response) + _well_told(response)


def _to_the_point(prompt: Messages, response: str) -> float:
    hero, thing = asked(prompt[0]["content"])
    return -1.0 * (hero not in response) - 1.0 * (re.search(rf"\b{thing}\b", response) is None)


def _well_told(response: str) -> float:
    told = [sentence.strip().lower() for sentence in sentences(response)]
    return (
        -1.5 * (re.search(r'[.!?]"?\s*$', response) is None)
        - 1.5 * (len(response.split()) < 20)
        - 6.0 * repetition(response)
        - 1.0 * (len(told) - len(set(told)))
    )


@dataclass(frozen=True)
class Setting:
    """A taste, and the labels and the fit that a reward model of it comes from."""

    true: Callable[[Messages, str], float]
    pairs: int
    prompts: int
    """How many prompts the pairs share."""
    epochs: int
    learning_rate: float
    noise: float
    """Scale of the logistic noise in a comparison of two true scores."""


SETTINGS = {
    "happy": Setting(happy, pairs=32, prompts=16, epochs=4, learning_rate=1.5e-3, noise=0.5),
    "outdoors": Setting(outdoors, pairs=40, prompts=12, epochs=5, learning_rate=2e-3, noise=1.0),
}
ARMS = ("unguarded", "guarded", "kl", "true")
"""Nothing holds the policy; its guard does; the KL coefficient alone does; the true score is the
reward, and the guard only watches."""
