"""Let a policy answer prompts.

    python -m rewardtrain.scripts.generate runs/17

Reads a GenerateConfig and PromptRows, and appends SampleRows to samples.jsonl:
`samples_per_prompt` of the model and `reference_samples` of the reference for each prompt, each
drawn from a seed of its own, so that what is written does not hang on what was asked beside it.
Killed and started again, it writes what is missing.

report.json:
    samples, truncated, shortened (prompts cut to fit the context), kl (n, mean, low, high; of the
    model's samples, where there is a reference), device, seconds (of this attempt),
    hashes (sha256 of data, config)
"""

import sys
from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

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
from rewardtrain.core.proxy import Prompt, read_prompt
from rewardtrain.core.runlog import RunLog, run


def generate(log: RunLog) -> None:
    config: GenerateConfig = log.config
    if config.reference_samples and not config.reference:
        raise ContractError(
            f"reference_samples = {config.reference_samples} needs a reference to write them."
        )
    device = prepare_device(config.device)
    log.stage("loading models", device=describe_device(device))
    model, tokenizer = load_policy(config.model, "model", device)
    room = context_length(model, tokenizer) - config.max_new_tokens
    if room < 1:
        raise ContractError(
            f"max_new_tokens = {config.max_new_tokens} leaves no room for a prompt in the model's "
            f"{room + config.max_new_tokens} tokens."
        )
    prompts = [read_prompt(row, tokenizer, room) for row in log.rows(PromptRow)]
    log.stage(
        "writing",
        steps=len(prompts) * (config.samples_per_prompt + config.reference_samples),
    )
    written = read_written(log)
    if config.reference:
        reference, its_tokenizer = load_policy(config.reference, "reference", device)
        write(log, model, reference, tokenizer, prompts, written, by_reference=False)
        write(log, reference, None, its_tokenizer, prompts, written, by_reference=True)
    else:
        write(log, model, None, tokenizer, prompts, written, by_reference=False)
    report(log, prompts, device)


Drawn = tuple[int, int, bool]
"""(prompt, index, by_reference): which sample it is."""


def read_written(log: RunLog) -> set[Drawn]:
    """The samples that an earlier attempt wrote."""
    path = log.directory / SAMPLES
    rows = read_rows(path, SampleRow) if path.is_file() else []
    return {(row.prompt, row.index, row.by_reference) for row in rows}


def write(
    log: RunLog,
    model: PreTrainedModel,
    reference: PreTrainedModel | None,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Prompt],
    written: set[Drawn],
    *,
    by_reference: bool,
) -> None:
    """Append the samples of one model that are not yet in `written`.

    Raises:
        Cancelled: somebody asked to stop; what is written stays.
    """
    config: GenerateConfig = log.config
    ends = end_tokens(model, tokenizer)
    count = config.reference_samples if by_reference else config.samples_per_prompt
    wanted = [(prompt, i) for prompt in prompts for i in range(count)]
    # The same batches however often the run was killed: what they hold decides their rounding.
    for batch in by_length([len(prompt.ids) for prompt, _ in wanted], config.batch_size):
        asked = [wanted[i] for i in batch]
        missing = {(prompt.row, i, by_reference) for prompt, i in asked} - written
        if not missing:
            continue
        log.check()
        ids = [prompt.ids for prompt, _ in asked]
        responses = sample(
            model,
            tokenizer,
            ids,
            [seed_of(config.seed, prompt.row, i, by_reference) for prompt, i in asked],
            max_new_tokens=config.max_new_tokens,
            temperature=config.temperature,
            top_p=config.top_p,
        )
        measured = measure(model, reference, ids, responses, tokenizer.pad_token_id)
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
                by_reference=by_reference,
            )
            for (prompt, i), response, text, m in zip(
                asked, responses, texts, measured, strict=True
            )
            if (prompt.row, i, by_reference) in missing
        )
        written |= missing
        log.progress(len(written))


def report(log: RunLog, prompts: Sequence[Prompt], device: torch.device) -> None:
    samples = read_rows(log.directory / SAMPLES, SampleRow)
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
