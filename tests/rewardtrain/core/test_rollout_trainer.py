import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from rewardtrain.core.policy import measure
from rewardtrain.core.proxy import Proxy
from rewardtrain.core.rollout_trainer import MeasuredRLOO
from rewardtrain.core.runlog import run
from rewardtrain.scripts import train_policy as script

PROMPTS = [
    {"prompt": i, "messages": [{"role": "user", "content": "The fox sang? " * (1 + 3 * i)}]}
    for i in range(2)
]


@pytest.fixture(scope="module")
def absolute_policy(tiny_tokenizer, tmp_path_factory) -> str:
    """A policy whose positions are learnt one by one, to which padding must not count."""
    directory = tmp_path_factory.mktemp("gpt2")
    torch.manual_seed(2)
    ends = {
        "bos_token_id": tiny_tokenizer.bos_token_id,
        "eos_token_id": tiny_tokenizer.eos_token_id,
    }
    model = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tiny_tokenizer),
            n_embd=32,
            n_layer=2,
            n_head=2,
            n_positions=128,
            **ends,
        )
    )
    torch.nn.init.normal_(model.transformer.wpe.weight, std=0.5)
    torch.nn.init.normal_(model.transformer.wte.weight, std=0.2)
    model.save_pretrained(directory)
    tiny_tokenizer.save_pretrained(directory)
    return str(directory)


@pytest.mark.parametrize(("beta", "temperature"), [(0.1, 1.0), (0.0, 0.7)])
def test_one_visit_tells_the_trainer_and_the_guard(
    write_run, absolute_policy, tiny_reward_model, monkeypatch, beta, temperature
):
    """What the guard is told is what `measure` finds, and what the update starts from is what the
    gradient's own pass finds: so the update is on policy."""
    told, started = [], []
    see, learn = Proxy.see, MeasuredRLOO._compute_loss

    def seeing(proxy, policy, prompts, responses, measured=None):
        if policy.training:
            ids = [prompt.ids for prompt in prompts]
            pad = proxy.tokenizer.pad_token_id
            told.append((measured, measure(policy, proxy.reference, ids, responses, pad)))
        return see(proxy, policy, prompts, responses, measured)

    def learning(trainer, model, inputs):
        ids, mask = (
            torch.cat([inputs[f"prompt_{name}"], inputs[f"completion_{name}"]], dim=1)
            for name in ("ids", "mask")
        )
        inside = inputs["completion_mask"]
        found = trainer._get_per_token_logps_and_entropies(model, ids, mask, inside.shape[1])[0]
        started.append((inputs["old_logps"], (found * inside).sum(1)))
        return learn(trainer, model, inputs)

    monkeypatch.setattr(script, "JUDGED", 4)
    monkeypatch.setattr(Proxy, "see", seeing)
    monkeypatch.setattr(MeasuredRLOO, "_compute_loss", learning)
    config = {"kind": "policy", "policy": absolute_policy, "reference": absolute_policy}
    config |= {"reward_model": tiny_reward_model, "steps": 2, "samples_per_step": 8}
    config |= {"batch_size": 8, "max_new_tokens": 8, "learning_rate": 5e-3, "guard": "watch"}
    directory = write_run({**config, "beta": beta, "temperature": temperature}, PROMPTS)
    assert run("policy", script.train_policy, [str(directory)]) == 0
    assert len(told) == len(started) == 2
    for ours, theirs in told:
        for name in ("logprob", "kl", "entropy"):
            found = [getattr(m, name) for m in theirs]
            if name != "logprob" or temperature == 1:
                assert [getattr(m, name) for m in ours] == pytest.approx(found, rel=1e-4, abs=1e-5)
    assert told[1][0][0].kl > 0
    for old, now in started:
        assert torch.allclose(old, now, atol=1e-4)
