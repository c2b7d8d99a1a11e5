"""Score responses with a reward model.

    python -m rewardtrain.scripts.evaluate runs/17

Reads an EvaluateConfig and ScoringRows, and appends ScoreRows to scores.jsonl: raw scores in the
order of the responses. Killed and started again, it scores what is missing.

report.json:
    rows, responses, shortened (responses whose prompt was cut to fit)
    mean, spread   of the raw scores
    normalisation  mean and spread of the reward model, by which its scores come to unit scale
    accuracy       n, accuracy, low, high, nll over the rows that have tiers; n = 0 without any
    device, seconds (of this attempt), hashes (sha256 of data, config)
"""

import sys

from rewardtrain.contract import (
    CONFIG,
    DATA,
    SCORES,
    EvaluateConfig,
    ScoreRow,
    ScoringRow,
    read_rows,
)
from rewardtrain.core.losses import decided_pairs
from rewardtrain.core.metrics import figures, judge, mean_and_spread
from rewardtrain.core.pretrained import describe_device, prepare_device, sha256
from rewardtrain.core.reward_model import load_reward_model
from rewardtrain.core.runlog import RunLog, run

ROWS_A_PART = 256
"""Rows scored and written together."""


def evaluate(log: RunLog) -> None:
    config: EvaluateConfig = log.config
    device = prepare_device(config.device)
    log.stage("loading the reward model", device=describe_device(device))
    model = load_reward_model(config.reward_model, "reward_model", device, config.max_length)
    rows: list[ScoringRow] = log.rows(ScoringRow)

    log.stage("scoring", steps=len(rows))
    path = log.directory / SCORES
    scored = {s.row: s.scores for s in read_rows(path, ScoreRow)} if path.is_file() else {}
    shortened = 0
    for start in range(0, len(rows), ROWS_A_PART):
        log.check()
        part = rows[start : start + ROWS_A_PART]
        encoded = [[model.encode(row.messages, r) for r in row.responses] for row in part]
        shortened += sum(cut for responses in encoded for _, cut in responses)
        if not all(row.row in scored for row in part):
            texts = [[tuple(ids) for ids, _ in responses] for responses in encoded]
            # Rows may share a response: each is scored once.
            once = list(dict.fromkeys(text for row in texts for text in row))
            score = dict(zip(once, model.scores(once), strict=True))
            fresh = [
                ScoreRow(row=row.row, scores=[score[text] for text in own])
                for row, own in zip(part, texts, strict=True)
            ]
            log.scores(s for s in fresh if s.row not in scored)
            scored |= {s.row: s.scores for s in fresh}
        log.progress(start + len(part))

    everything = [score for row in rows for score in scored[row.row]]
    mean, spread = mean_and_spread(everything)
    judged = [
        judge(scored[row.row], decided_pairs(row.tiers))
        for row in rows
        if row.tiers and decided_pairs(row.tiers)
    ]
    log.report(
        {
            "rows": len(rows),
            "responses": len(everything),
            "shortened": shortened,
            "mean": mean,
            "spread": spread,
            "normalisation": {"mean": model.settings.mean, "spread": model.settings.spread},
            "accuracy": figures(judged),
            "device": describe_device(device),
            "seconds": round(log.seconds, 2),
            "hashes": {
                "data": sha256(log.directory / DATA),
                "config": sha256(log.directory / CONFIG),
            },
        }
    )


if __name__ == "__main__":
    sys.exit(run("evaluate", evaluate, sys.argv[1:]))
