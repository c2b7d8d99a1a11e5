"""Find out whether a model can be used here, and say why not.

    python -m rewardtrain.scripts.check_model NAME_OR_FOLDER

Loads configuration, tokenizer and weights as the other scripts would: safetensors only, and never
code that comes with a model. Prints one JSON object: {"loadable": bool, "reason": sentence}.
"""

import json
import sys

from transformers import AutoModelForCausalLM

from rewardtrain.contract import ContractError
from rewardtrain.core.pretrained import load_model, load_tokenizer


def check(source: str) -> dict[str, bool | str]:
    try:
        tokenizer = load_tokenizer(source, "model")
        model = load_model(AutoModelForCausalLM, source, "model")
    except ContractError as error:
        return {"loadable": False, "reason": str(error)}
    millions = model.num_parameters() / 1e6
    return {
        "loadable": True,
        "reason": f"{type(model).__name__}, {millions:,.1f} M parameters, "
        f"{len(tokenizer):,} tokens in its vocabulary.",
    }


if __name__ == "__main__":
    print(json.dumps(check(sys.argv[1]), ensure_ascii=False))
