import pytest
import torch

from rewardtrain.contract import ContractError
from rewardtrain.core import policy as policies
from rewardtrain.core.data import encode_prompt
from rewardtrain.core.policy import load_policy, measure, sample, seed_of, up_to_end, visit
from rewardtrain.core.reward_model import start_reward_model

CPU = torch.device("cpu")
QUESTIONS = ["The small fox?", "They sang by the river until the moon rose. And then?", "Well?"]


@pytest.fixture(scope="module")
def loaded(tiny_policy):
    return load_policy(tiny_policy, "policy", CPU)


@pytest.fixture(scope="module")
def other(make_policy):
    return load_policy(make_policy(7), "reference", CPU)[0]


@pytest.fixture(scope="module")
def prompts(loaded):
    return [
        encode_prompt(loaded[1], [{"role": "user", "content": text}], 100)[0] for text in QUESTIONS
    ]


def by_hand(model, prompt: list[int], response: list[int]) -> torch.Tensor:
    """log P of every token at the response's positions, one unpadded sequence."""
    with torch.no_grad():
        logits = model(torch.tensor([prompt + response])).logits[0]
    return logits[len(prompt) - 1 : -1].log_softmax(-1)


def test_measures_are_those_of_each_sequence_alone(loaded, other, prompts):
    model, tokenizer = loaded
    responses = sample(model, tokenizer, prompts, [1, 2, 3], max_new_tokens=20)
    found = measure(model, other, prompts, responses, tokenizer.pad_token_id)
    for prompt, response, got in zip(prompts, responses, found, strict=True):
        ours, theirs = by_hand(model, prompt, response), by_hand(other, prompt, response)
        drawn = ours[torch.arange(len(response)), response].sum().item()
        kl = (ours.exp() * (ours - theirs)).sum().item()
        entropy = -(ours.exp() * ours).sum(-1).mean().item()
        assert (got.logprob, got.kl, got.entropy) == pytest.approx((drawn, kl, entropy), rel=1e-4)


def test_measures_do_not_hang_on_how_many_rows_make_a_pass(loaded, other, prompts, monkeypatch):
    model, tokenizer = loaded
    responses = sample(model, tokenizer, prompts, [1, 2, 3], max_new_tokens=20)
    together = measure(model, other, prompts, responses, tokenizer.pad_token_id)
    monkeypatch.setattr(policies, "LOGITS_ON_CPU", 1)
    for got, alone in zip(
        together, measure(model, other, prompts, responses, tokenizer.pad_token_id), strict=True
    ):
        assert got.kl == pytest.approx(alone.kl, rel=1e-4)


def test_only_the_drawn_tokens_feel_the_temperature(loaded, other, prompts):
    model, _ = loaded
    response = [7, 8, 9, 10]
    batch = {"input_ids": torch.tensor([prompts[0] + response])}
    batch["attention_mask"] = torch.ones_like(batch["input_ids"])
    warm, cool = (visit(model, other, batch, 4, temperature) for temperature in (1.0, 0.5))
    assert torch.equal(warm.kl, cool.kl)
    assert torch.equal(warm.entropy, cool.entropy)
    for of, drawn in ((model, cool.logprob), (other, cool.reference_logprob)):
        table = (2 * by_hand(of, prompts[0], response)).log_softmax(-1)
        expected = table[torch.arange(4), response]
        assert drawn[0].tolist() == pytest.approx(expected.tolist(), rel=1e-4)


def test_a_policy_is_nowhere_from_itself_and_never_nearer_than_that(loaded, other, prompts):
    model, tokenizer = loaded
    responses = sample(model, tokenizer, prompts, [4, 5, 6], max_new_tokens=30)
    itself = measure(model, model, prompts, responses, tokenizer.pad_token_id)
    assert [m.kl for m in itself] == [0.0, 0.0, 0.0]
    apart = measure(model, other, prompts, responses, tokenizer.pad_token_id)
    assert all(m.kl > 0 for m in apart)
    alone = measure(model, None, prompts, responses, tokenizer.pad_token_id)
    assert [m.kl for m in alone] == [None, None, None]


def test_exact_kl_has_the_mean_of_the_log_ratio_and_less_variance(loaded, other, prompts):
    model, tokenizer = loaded
    asked = [prompts[0]] * 600
    responses = sample(model, tokenizer, asked, list(range(600)), max_new_tokens=6)
    ours = measure(model, other, asked, responses, tokenizer.pad_token_id)
    theirs = measure(other, None, asked, responses, tokenizer.pad_token_id)
    exact = torch.tensor([m.kl for m in ours])
    ratio = torch.tensor([m.logprob - t.logprob for m, t in zip(ours, theirs, strict=True)])
    error = (ratio - exact).std() / 600**0.5
    assert abs(ratio.mean() - exact.mean()) < 3.5 * error
    assert exact.var() < ratio.var() / 2


def test_a_response_hangs_on_its_seed_and_not_on_its_neighbours(loaded, prompts):
    model, tokenizer = loaded
    together = sample(model, tokenizer, prompts, [11, 12, 13], max_new_tokens=24)
    alone = [
        sample(model, tokenizer, [prompt], [seed], max_new_tokens=24)[0]
        for prompt, seed in zip(prompts, (11, 12, 13), strict=True)
    ]
    assert together == alone
    assert sample(model, tokenizer, prompts, [11, 12, 14], max_new_tokens=24)[2] != alone[2]


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_tokens_are_drawn_from_the_models_distribution(loaded, prompts, temperature):
    model, tokenizer = loaded
    count = 2000
    drawn = sample(
        model,
        tokenizer,
        [prompts[2]] * count,
        [seed_of("draw", i) for i in range(count)],
        max_new_tokens=1,
        temperature=temperature,
    )
    with torch.no_grad():
        logits = model(torch.tensor([prompts[2]])).logits[0, -1]
    expected = count * (logits / temperature).softmax(-1)
    seen = torch.bincount(torch.tensor([d[0] for d in drawn]), minlength=len(expected))
    often = expected >= 5
    assert often.sum() > 5
    chi_square = ((seen - expected) ** 2 / expected)[often].sum() / often.sum()
    assert chi_square < 1.6


def test_top_p_keeps_the_likeliest_tokens_alone(loaded, prompts):
    model, tokenizer = loaded
    drawn = sample(
        model, tokenizer, [prompts[0]] * 300, list(range(300)), max_new_tokens=1, top_p=0.3
    )
    with torch.no_grad():
        likely = model(torch.tensor([prompts[0]])).logits[0, -1].softmax(-1).sort(descending=True)
    nucleus = int((likely.values.cumsum(0) < 0.3).sum()) + 1
    assert {d[0] for d in drawn} == set(likely.indices[:nucleus].tolist())


def test_a_response_stops_at_its_end_token(loaded, prompts):
    model, tokenizer = loaded
    written = sample(model, tokenizer, prompts * 40, list(range(120)), max_new_tokens=60)
    ended = [r for r in written if r[-1] == tokenizer.eos_token_id]
    assert ended
    assert all(tokenizer.eos_token_id not in r[:-1] for r in written)
    assert all(len(r) == 60 for r in written if r[-1] != tokenizer.eos_token_id)
    assert up_to_end([5, 2, 6], [2]) == [5, 2]


def test_a_policy_with_weights_missing_is_refused(tiny_policy, tmp_path):
    reward = start_reward_model(tiny_policy, 100, CPU)
    reward.model.config.tie_word_embeddings = False
    reward.save(tmp_path, reward.settings)
    with pytest.raises(ContractError, match=r"policy = .* holds no weights for lm_head"):
        load_policy(str(tmp_path), "policy", CPU)
