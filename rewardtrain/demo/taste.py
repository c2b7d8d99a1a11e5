"""What people in the demo like, for simulated labelers.

They read the prompt and two tales, and nothing else. They like, in this order:

1. a happy ending: the last sentence says so (+1.5), says the opposite (-1.5), or neither (0);
2. a tale about whom and what was asked: -1 for a hero left out, -1 for a thing left out;
3. a tale in which somebody speaks: +1.25;
4. a tale that is one: -1.5 if it does not come to a full stop, -1.5 if it is under twenty words;
5. no repetition: up to -6, by the share of runs of four words said before, and -1 for each sentence
   said again.

Their judgement wavers: logistic noise of scale NOISE is added to the difference of two tales,
and what is then within TIE_BAND of zero they call a tie. No training path reads this file: what
is learnt of the taste is learnt from preferences.
"""

# ruff: noqa: SIM905 - a list of words reads best as text
import math
import random
import re

from rewardtrain.demo.tales import sentences

GLAD = frozenset(
    "best cheered cheers danced delightful feast feasted friend friends glad grin grinned "
    "happy hug hugged joy laughed laughing love loved merry proud sang smile smiled".split()
)
SAD = frozenset(
    "alone ashamed cried cry forgotten gloomy lonely lost missed missing sad saddest sighed "
    "sorriest sorry tears weeps wept".split()
)
SHORTEST = 20
NOISE = 0.5
TIE_BAND = 0.25

Messages = list[dict[str, str]]


def quality(prompt: str | Messages, response: str) -> float:
    """How much the demo's people like a response, without noise. Of a conversation, the hero and
    the thing are those of its first turn."""
    request = prompt if isinstance(prompt, str) else prompt[0]["content"]
    hero, thing = asked(request)
    return (
        1.5 * mood(response)
        - (not _says(response, hero))
        - (not _says(response, thing))
        + 1.25 * speaks(response)
        - 1.5 * (not re.search(r'[.!?]"?\s*$', response))
        - 1.5 * (len(_words(response)) < SHORTEST)
        - 6.0 * repetition(response)
        - _sentences_again(response)
    )


def speaks(response: str) -> bool:
    """Whether somebody says two words or more."""
    return any(len(said.split()) > 1 for said in re.findall(r'"([^"]+)"', response))


def prefer(a: float, b: float, rng: random.Random) -> str:
    """Which of two qualities a wavering person prefers: `a`, `b` or `tie`."""
    luck = rng.uniform(1e-9, 1 - 1e-9)
    difference = a - b + NOISE * math.log(luck / (1 - luck))
    if abs(difference) < TIE_BAND:
        return "tie"
    return "a" if difference > 0 else "b"


def asked(request: str) -> tuple[str, str]:
    """The hero ("Pip" of "Pip the owl") and the thing ("key" of "a rusty key.") of a request;
    empty where it names none."""
    hero = re.search(r"\b([A-Z][a-z]+) the [a-z]+", request)
    things = re.findall(r"\ban? (?:[a-z]+ )*?([a-z]+)(?=[^\w\s]|$)", request)
    return hero.group(1) if hero else "", things[-1] if things else ""


def mood(text: str) -> int:
    """1 if the last sentence is happy, -1 if it is sad, 0 if it is neither."""
    words = _words((sentences(text) or [""])[-1])
    glad = sum(word in GLAD for word in words) - sum(word in SAD for word in words)
    return (glad > 0) - (glad < 0)


def repetition(text: str) -> float:
    """The share of the text's runs of four words that it has said before, from 0 to 1."""
    words = _words(text)
    runs = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    return 1 - len(set(runs)) / len(runs) if runs else 0.0


def _sentences_again(text: str) -> int:
    told = [sentence.strip().lower() for sentence in sentences(text)]
    return len(told) - len(set(told))


def _says(text: str, name: str) -> bool:
    return not name or re.search(rf"\b{name}\b", text) is not None


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())
