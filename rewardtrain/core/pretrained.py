"""Models and tokenizers from a directory or the hub, and the device that runs them."""

import hashlib
import os
from pathlib import Path
from typing import Any

# Before the libraries are imported: TRL reports every run to the hub otherwise.
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import torch
import transformers
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from rewardtrain.contract import ContractError

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

PLAIN_TEMPLATE = (
    "{% for message in messages %}"
    "{{ message['role'] | capitalize }}: {{ message['content'] }}\n\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant: {% endif %}"
)
"""What a tokenizer without a chat template gets."""


def prepare_device(name: str) -> torch.device:
    """The device of a configuration; "auto" is a GPU when there is one.

    On a CPU the work runs on one thread unless OMP_NUM_THREADS asks for more: one thread and a
    seed give the same weights every time, two do not.

    Raises:
        ContractError: the device is unknown or not there.
    """
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or 1))
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name not in ("cpu", "cuda"):
        raise ContractError(f"device = {name!r} must be auto, cpu or cuda.")
    if name == "cuda" and not torch.cuda.is_available():
        raise ContractError("device = 'cuda' but no GPU is there; use auto or cpu.")
    if name == "cpu":
        return torch.device(name)
    # A launcher numbers the processes of a host, one a GPU.
    return torch.device(name, int(os.environ.get("LOCAL_RANK", "0")))


def describe_device(device: torch.device) -> str:
    """The device in words for a person: "CPU, 1 thread" or the GPU's name."""
    if device.type == "cuda":
        return f"GPU, {torch.cuda.get_device_name(device)}"
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"


def autocast(device: torch.device, *, bf16: bool | None = None) -> torch.autocast:
    """Products in bf16 over float32 weights; by default on a GPU, and not on a CPU."""
    enabled = device.type == "cuda" if bf16 is None else bf16
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def multiplies_bf16(device: torch.device) -> bool:
    """Whether the device is faster in bf16 than in float32: a GPU, or a CPU with instructions for
    it, where others only imitate it."""
    return device.type == "cuda" or torch.cpu.get_capabilities().get("avx512_bf16", False)


def load_model(
    auto_class: Any, source: str, field: str, device: torch.device | str = "cpu", **options: Any
) -> PreTrainedModel:
    """A float32 model from safetensors, never running code that comes with it.

    Args:
        auto_class: the transformers Auto class to load it as.
        source: a directory, or a name on the hub.
        field: the configuration's field, for the error.

    Raises:
        ContractError: it cannot be loaded, or lacks weights that the class needs; a head that the
            class adds (`options["num_labels"]`) may be missing.
    """
    head_may_miss = "num_labels" in options
    model, found = _load(
        auto_class.from_pretrained,
        source,
        field,
        dtype=torch.float32,
        use_safetensors=True,
        output_loading_info=True,
        ignore_mismatched_sizes=head_may_miss,
        **options,
    )
    missing = {*found["missing_keys"], *(key for key, *_ in found["mismatched_keys"])}
    if head_may_miss:
        # A pooler is part of the head that BERT's language models were saved without.
        body = f"{model.base_model_prefix}."
        missing = {key for key in missing if key.startswith(body) and "pooler" not in key}
    if missing:
        raise ContractError(
            f"{field} = {source!r} holds no weights for {min(missing)} of "
            f"{type(model).__name__}; give a model of that kind."
        )
    return model.to(device)


def load_tokenizer(source: str, field: str, **options: Any) -> PreTrainedTokenizerBase:
    """A tokenizer with a padding token and a chat template.

    Without a padding token of its own it pads with its end token. That is safe for pooling at the
    last token that is not padding only because no input of ours ends with an end token.
    """
    tokenizer = _load(AutoTokenizer.from_pretrained, source, field, **options)
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if tokenizer.pad_token is None:
        raise ContractError(f"{field} = {source!r}: its tokenizer has no token to pad with.")
    return tokenizer


def _load(loader: Any, source: str, field: str, **options: Any) -> Any:
    if source.startswith(("/", ".", "~")) and not Path(source).is_dir():
        raise ContractError(
            f"{field} = {source!r} is not a directory; give one that holds a model."
        )
    try:
        return loader(source, trust_remote_code=False, **options)
    except Exception as error:
        # The libraries raise what they like here; the first line says what was wrong.
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ContractError(
            f"{field} = {source!r} could not be loaded ({reason}); give a directory in Hugging "
            "Face format with safetensors and a tokenizer, or a name on the hub."
        ) from error


def context_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The most tokens the model reads at once."""
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return min(positions or tokenizer.model_max_length, tokenizer.model_max_length)


def sha256(*paths: Path) -> str:
    """One hash over the bytes of the files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def weights_sha256(model_dir: Path) -> str:
    """The hash of a model directory's weights."""
    return sha256(*sorted(model_dir.glob("*.safetensors")))
