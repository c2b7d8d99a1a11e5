"""Draw the comparisons that are most worth a label.

    python -m rewardtrain.scripts.select runs/17

Reads a SelectConfig and SelectRows, and draws pairs: one a prompt at most, by chance, each with the
probability that it had (core/selection.py). The same rows and seed give the same draw.

report.json:
    drawn          row, pair and probability of each
    strategy, wanted, prompts, candidates, known (comparisons by which they are weighed)
    read           responses that the cache did not know; responses: all
    device, seconds (of this attempt), hashes (sha256 of data, config)
"""

import sys
from pathlib import Path

import numpy as np

from rewardtrain.contract import CONFIG, DATA, ContractError, SelectConfig, SelectRow
from rewardtrain.core.features import features_of
from rewardtrain.core.pretrained import describe_device, prepare_device, sha256
from rewardtrain.core.reward_model import load_reward_model
from rewardtrain.core.runlog import RunLog, run
from rewardtrain.core.selection import Pool, select


def choose(log: RunLog) -> None:
    config: SelectConfig = log.config
    device = prepare_device(config.device)
    log.stage("loading the reward model", device=describe_device(device))
    model = load_reward_model(config.reward_model, "reward_model", device, config.max_length)
    rows: list[SelectRow] = log.rows(SelectRow)
    check_rows(rows)

    log.stage("reading responses", steps=len(rows))
    texts = [(row.messages, response) for row in rows for response in row.responses]
    features = features_of(model, texts, Path(config.cache) if config.cache else None)
    log.check()
    pool, places = pool_of(rows, features.states.numpy(), features.scores.numpy())
    log.stage("drawing")
    drawn = [
        {"row": places[at][0], "pair": places[at][1], "probability": probability}
        for at, probability in select(pool, config.strategy, config.wanted, config.seed)
    ]
    log.progress(len(rows))
    log.report(
        {
            "drawn": drawn,
            "strategy": config.strategy,
            "wanted": config.wanted,
            "prompts": len(set(pool.prompt.tolist())),
            "candidates": len(pool.prompt),
            "known": len(pool.known),
            "read": features.fresh,
            "responses": len(texts),
            "device": describe_device(device),
            "seconds": round(log.seconds, 2),
            "hashes": {
                "data": sha256(log.directory / DATA),
                "config": sha256(log.directory / CONFIG),
            },
        }
    )


def check_rows(rows: list[SelectRow]) -> None:
    """Every pair names two of its row's responses.

    Raises:
        ContractError: one does not.
    """
    for row in rows:
        for pair in row.pairs:
            if len(set(pair)) != 2 or not set(pair) <= set(range(len(row.responses))):
                raise ContractError(
                    f"data.jsonl: row {row.row} has the pair {pair}; it must name two of its "
                    f"{len(row.responses)} responses, counted from 0."
                )


def pool_of(
    rows: list[SelectRow], states: np.ndarray, scores: np.ndarray
) -> tuple[Pool, list[tuple[int, tuple[int, int]]]]:
    """The candidates as a strategy sees them, and the row and pair of each."""
    places: list[tuple[int, tuple[int, int]]] = []
    sides: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
    first = 0
    for row in rows:
        for a, b in row.pairs:
            sides[row.known].append((first + a, first + b))
            if not row.known:
                places.append((row.row, (a, b)))
        first += len(row.responses)
    known, asked = (np.array(sides[side], dtype=int).reshape(-1, 2) for side in (True, False))
    return Pool(
        prompt=np.array([row for row, _ in places], dtype=int),
        difference=states[asked[:, 0]] - states[asked[:, 1]],
        margin=scores[asked[:, 0]] - scores[asked[:, 1]],
        known=states[known[:, 0]] - states[known[:, 1]],
    ), places


if __name__ == "__main__":
    sys.exit(run("select", choose, sys.argv[1:]))
