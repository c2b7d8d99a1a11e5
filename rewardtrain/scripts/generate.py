"""Let a policy answer prompts.

    python -m rewardtrain.scripts.generate runs/17

Reads a GenerateConfig and PromptRows, and appends SampleRows to samples.jsonl:
`samples_per_prompt` for each prompt, each drawn from a seed of its own, so that what is written
does not hang on what was asked beside it. Killed and started again, it writes what is missing.

report.json:
    samples, truncated, shortened (prompts cut to fit the context), kl (n, mean, low, high),
    device, seconds (of this attempt),
    hashes (sha256 of data, config)
"""

import sys

from rewardtrain.contract import (
    CONFIG,
    DATA,
    SAMPLES,
    ContractError,
    GenerateConfig,
    PromptRow,
    SampleRow,
    read_rows,
)
from rewardtrain.core.data import by_length
from rewardtrain.core.metrics import mean_figure
from rewardtrain.core.policy import end_tokens, load_policy, measure, sample, seed_of
from rewardtrain.core.pretrained import context_length, describe_device, prepare_device, sha256
from rewardtrain.core.proxy import read_prompt
from rewardtrain.core.runlog import RunLog, run


def generate(log: RunLog) -> None:
    config: GenerateConfig = log.config
    device = prepare_device(config.device)
    log.stage("loading models", device=describe_device(device))
    model, tokenizer = load_policy(config.model, "model", device)
    reference = load_policy(config.reference, "reference", device)[0] if config.reference else None
    ends = end_tokens(model, tokenizer)
    room = context_length(model, tokenizer) - config.max_new_tokens
    if room < 1:
        raise ContractError(
            f"max_new_tokens = {config.max_new_tokens} leaves no room for a prompt in the model's "
            f"{context_length(model, tokenizer)} tokens."
        )
    prompts = [read_prompt(row, tokenizer, room) for row in log.rows(PromptRow)]
    wanted = [(prompt, i) for prompt in prompts for i in range(config.samples_per_prompt)]

    log.stage("writing", steps=len(wanted))
    path = log.directory / SAMPLES
    written = {(s.prompt, s.index) for s in read_rows(path, SampleRow)} if path.is_file() else set()
    # The same batches however often the run was killed: what they hold decides their rounding.
    for batch in by_length([len(prompt.ids) for prompt, _ in wanted], config.batch_size):
        log.check()
        asked = [wanted[i] for i in batch]
        if all((prompt.row, i) in written for prompt, i in asked):
            continue
        responses = sample(
            model,
            tokenizer,
            [prompt.ids for prompt, _ in asked],
            [seed_of(config.seed, prompt.row, i) for prompt, i in asked],
            max_new_tokens=config.max_new_tokens,
            temperature=config.temperature,
            top_p=config.top_p,
        )
        measured = measure(
            model,
            reference,
            [prompt.ids for prompt, _ in asked],
            responses,
            tokenizer.pad_token_id,
        )
        texts = tokenizer.batch_decode(responses, skip_special_tokens=True)
        log.samples(
            SampleRow(
                prompt=prompt.row,
                index=i,
                text=text,
                tokens=len(response),
                truncated=response[-1] not in ends,
                logprob=m.logprob,
                kl=m.kl,
                attempt=config.attempt,
            )
            for (prompt, i), response, text, m in zip(
                asked, responses, texts, measured, strict=True
            )
            if (prompt.row, i) not in written
        )
        written |= {(prompt.row, i) for prompt, i in asked}
        log.progress(len(written))

    samples = read_rows(path, SampleRow)
    log.report(
        {
            "samples": len(samples),
            "truncated": sum(s.truncated for s in samples),
            "shortened": sum(prompt.shortened for prompt in prompts),
            "kl": mean_figure([s.kl for s in samples if s.kl is not None]),
            "device": describe_device(device),
            "seconds": round(log.seconds, 2),
            "hashes": {
                "data": sha256(log.directory / DATA),
                "config": sha256(log.directory / CONFIG),
            },
        }
    )


if __name__ == "__main__":
    sys.exit(run("generate", generate, sys.argv[1:]))
