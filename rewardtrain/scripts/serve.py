"""Keep models loaded and answer requests with them, one after the other.

    echo '{"id": 1, "ask": "reply", "model": "…", "messages": […], "seeds": [1, 2]}' |
        python -m rewardtrain.scripts.serve

Reads one request a line from stdin: a ReplyRequest or ScoreRequest of the contract with `ask` and
an `id`. Writes lines with that id to stdout:

    {"id", "loaded": true}   reply: the model is there, the writing begins
    {"id", "texts": […]}     reply: what is written so far, a text a seed
    {"id", "done": {…}}      reply: samples, each with text, tokens, truncated, logprob
                             score: scores, raw; normalised, (score - mean) / spread; spread,
                             of the members in the same unit; remarks, each flag's probability and
                             each attribute's share of the highest rating; nearest, the comparisons
                             that taught it, a list a response
    {"id", "error": "…"}     why it could not be done

Ends with its stdin. A model stays loaded until KEPT others were asked for since.
"""

import json
import os
import sys
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from rewardtrain.contract import (
    REQUESTS,
    ContractError,
    PromptRow,
    ReplyRequest,
    ScoreRequest,
    decode,
)
from rewardtrain.core.heads import ATTRIBUTE, FLAG
from rewardtrain.core.neighbours import nearest
from rewardtrain.core.policy import end_tokens, load_policy, measure, sample, up_to_end
from rewardtrain.core.pretrained import context_length, prepare_device
from rewardtrain.core.proxy import read_prompt
from rewardtrain.core.reward_model import load_reward_model

KEPT = 4
SAY_EVERY = 0.1
"""Seconds between two looks at a text that is being written."""
Say = Callable[..., None]


class Models:
    """Those that were used last, loaded."""

    def __init__(self) -> None:
        self.loaded: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    def get(self, load: Callable[..., Any], source: str, field: str, device: str) -> Any:
        """What `load` makes of `source`, at once when it is here.

        Raises:
            ContractError: it cannot be loaded.
        """
        key = (load, source, device)
        if key not in self.loaded:
            # Before the next one comes, so that no more than KEPT ever lie in memory.
            while len(self.loaded) >= KEPT:
                self.loaded.popitem(last=False)
            self.loaded[key] = load(source, field, prepare_device(device))
        self.loaded.move_to_end(key)
        return self.loaded[key]


def reply(models: Models, request: ReplyRequest, say: Say) -> dict[str, Any]:
    model, tokenizer = models.get(load_policy, request.model, "model", request.device)
    say(loaded=True)
    ends = end_tokens(model, tokenizer)
    room = context_length(model, tokenizer) - request.max_new_tokens
    if room < 1:
        raise ContractError(
            f"max_new_tokens = {request.max_new_tokens} leaves no room for a prompt in the "
            f"model's {room + request.max_new_tokens} tokens."
        )
    prompt = read_prompt(PromptRow(prompt=0, messages=request.messages), tokenizer, room)
    said_at = 0.0

    def hear(written: list[list[int]]) -> None:
        nonlocal said_at
        if time.monotonic() - said_at < SAY_EVERY:
            return
        said_at = time.monotonic()
        texts = tokenizer.batch_decode([up_to_end(r, ends) for r in written], True)
        # Half a character, whose other bytes are tokens to come, is not shown.
        say(texts=[text.rstrip("\ufffd") for text in texts])

    prompts = [prompt.ids for _ in request.seeds]
    responses = sample(
        model,
        tokenizer,
        prompts,
        request.seeds,
        max_new_tokens=request.max_new_tokens,
        temperature=request.temperature,
        top_p=request.top_p,
        hear=hear,
    )
    texts = tokenizer.batch_decode(responses, skip_special_tokens=True)
    measured = measure(model, None, prompts, responses, tokenizer.pad_token_id)
    return {
        "samples": [
            {
                "text": text,
                "tokens": len(tokens),
                "truncated": tokens[-1] not in ends,
                "logprob": m.logprob,
            }
            for text, tokens, m in zip(texts, responses, measured, strict=True)
        ]
    }


def score(models: Models, request: ScoreRequest, say: Say) -> dict[str, Any]:
    model = models.get(load_reward_model, request.reward_model, "reward_model", request.device)
    encoded = [model.encode(request.messages, response)[0] for response in request.responses]
    found, states = model.read(encoded)
    scores = found.preference.tolist()
    remarks = [name for name in found.names if name.startswith((FLAG, ATTRIBUTE))]
    return {
        "scores": scores,
        "normalised": [model.normalise(value) for value in scores],
        "spread": [value / model.settings.spread for value in found.spread.tolist()],
        "remarks": {name: found.of(name).sigmoid().tolist() for name in remarks},
        "nearest": nearest(Path(request.taught), states, request.nearest) if request.taught else [],
    }


ANSWERS: dict[str, Callable[[Models, Any, Say], dict[str, Any]]] = {"reply": reply, "score": score}


def answer(models: Models, line: str, out: TextIO) -> None:
    values = json.loads(line)
    number, ask = values.pop("id"), values.pop("ask")

    def say(**said: Any) -> None:
        out.write(json.dumps({"id": number, **said}, ensure_ascii=False) + "\n")
        out.flush()

    try:
        request = decode(REQUESTS[ask], values, ask)
        say(done=ANSWERS[ask](models, request, say))
    except ContractError as error:
        say(error=str(error))
    except Exception as error:
        # One request must not end what all others use; a GPU that is full needs room, too.
        traceback.print_exc()
        models.loaded.clear()
        say(error=f"{type(error).__name__}: {error}")


def main() -> None:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a library prints must not come between the lines.
    os.dup2(2, 1)
    models = Models()
    for line in sys.stdin:
        answer(models, line, out)


if __name__ == "__main__":
    main()
