"""The prompts of the demo's project: requests for a tale or verse, and chats that ask for more."""

import random

from rewardtrain.demo import tales

PROJECT_SEED = 2_024
SINGLE = 440
CHATS = 60
VERSES = 0.15

Messages = list[dict[str, str]]


def demo_prompts(seed: int = PROJECT_SEED) -> list[Messages]:
    """SINGLE requests and CHATS of two turns in chat format, all distinct, in a mixed order."""
    rng = random.Random(seed)
    requests: set[str] = set()
    prompts: list[Messages] = []
    while len(prompts) < SINGLE + CHATS:
        about = tales.subject(rng)
        chat = len(prompts) >= SINGLE
        request = tales.ask(rng, about, verse=not chat and rng.random() < VERSES)
        if request in requests:
            continue
        requests.add(request)
        prompts.append(_chat(rng, about, request) if chat else [_user(request)])
    rng.shuffle(prompts)
    return prompts


def _chat(rng: random.Random, about: tales.Subject, request: str) -> Messages:
    told = tales.tell(rng, about).text
    return [
        _user(request),
        {"role": "assistant", "content": told},
        _user(tales.ask_more(rng, about)),
    ]


def _user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}
