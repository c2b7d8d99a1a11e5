"""Score a file of responses with a reward model.

    python -m rewardtrain.scripts.score MODEL IN.jsonl OUT.jsonl

Each line of IN is {"messages": [...] or "prompt": text, "responses": [text or [...], ...]} with any
further fields. OUT repeats each line with `scores` (normalised to the model's mean and spread),
`spread` (of its members, in the same unit) and, where the model has such heads, `remarks`. Ended
and started again, it goes on behind the lines that OUT already has.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from rewardtrain.contract import ContractError
from rewardtrain.core.heads import ATTRIBUTE, FLAG
from rewardtrain.core.pretrained import prepare_device
from rewardtrain.core.reward_model import RewardModel, load_reward_model

LINES_A_PART = 256
"""Lines scored and written together."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="score", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", help="directory of a reward model, or a name on the hub")
    parser.add_argument("read", type=Path, metavar="IN.jsonl")
    parser.add_argument("write", type=Path, metavar="OUT.jsonl")
    parser.add_argument("--device", default="auto")
    given = parser.parse_args(arguments)
    try:
        model = load_reward_model(given.model, "model", prepare_device(given.device))
        done = whole_lines(given.write)
        with given.read.open(encoding="utf-8") as lines, given.write.open("a") as out:
            rest = enumerate(islice(lines, done, None), done + 1)
            while part := list(islice(rest, LINES_A_PART)):
                rows = [read_row(line, f"{given.read}:{number}") for number, line in part]
                out.writelines(json.dumps(row) + "\n" for row in scored(model, rows))
                out.flush()
    except (ContractError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def whole_lines(path: Path) -> int:
    """How many lines a file has; a last one that was cut off is removed."""
    if not path.is_file():
        return 0
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        path.write_bytes(whole)
    return whole.count(b"\n")


def read_row(line: str, where: str) -> dict[str, Any]:
    """A line with `messages` and its responses as messages.

    Raises:
        ContractError: it is not JSON, or lacks prompt or responses.
    """
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ContractError(f"{where} is not JSON: {error}.") from None
    if not isinstance(row, dict) or not row.get("responses"):
        raise ContractError(f"{where}: responses is missing or empty; give a list of texts.")
    if "messages" not in row and not isinstance(row.get("prompt"), str):
        raise ContractError(f"{where}: give messages, or prompt as a text.")
    return row


def scored(model: RewardModel, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The rows with their scores, all read in one go."""
    encoded = [
        model.encode(
            row.get("messages") or [{"role": "user", "content": row["prompt"]}],
            [{"role": "assistant", "content": said}] if isinstance(said, str) else said,
        )[0]
        for row in rows
        for said in row["responses"]
    ]
    found = model.head_scores(encoded)
    scores = [model.normalise(value) for value in found.preference.tolist()]
    spread = (found.spread / model.settings.spread).tolist()
    remarks = {
        name: found.of(name).sigmoid().tolist()
        for name in found.names
        if name.startswith((FLAG, ATTRIBUTE))
    }
    first = 0
    for row in rows:
        here = slice(first, first + len(row["responses"]))
        first = here.stop
        said = {name: values[here] for name, values in remarks.items()}
        yield {
            **row,
            "scores": scores[here],
            "spread": spread[here],
            **({"remarks": said} if said else {}),
        }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
