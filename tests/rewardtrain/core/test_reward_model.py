import json
from pathlib import Path

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForMaskedLM,
    PreTrainedTokenizerFast,
)

from rewardtrain.contract import ContractError
from rewardtrain.core.reward_model import (
    Settings,
    load_reward_model,
    start_reward_model,
)

CPU = torch.device("cpu")
PROMPT = [{"role": "user", "content": "The small fox found a red lamp."}]
ANSWERS = ["All was well.", "No.", "The old bear lost a blue cup and sang by the river until"]


@pytest.fixture
def reward(tiny_policy):
    torch.manual_seed(0)
    model = start_reward_model(tiny_policy, 1000, CPU)
    model.model.eval()
    return model


def read(model, text: str) -> list[int]:
    return model.encode(PROMPT, [{"role": "assistant", "content": text}])[0]


def test_a_fresh_model_reads_no_more_than_its_backbone(reward):
    assert reward.settings == Settings(max_length=128, pooling="last token")


def test_the_score_is_the_heads_at_the_last_token_of_content(reward):
    ids = read(reward, ANSWERS[0])
    hidden = reward.model.model(torch.tensor([ids])).last_hidden_state[0, -1]
    (expected,) = reward.model.score(hidden).tolist()
    padded = reward.scores([ids, read(reward, ANSWERS[2])])
    assert padded[0] == pytest.approx(expected, abs=1e-5)


def test_scores_come_in_the_order_given_whatever_the_batches(reward):
    sequences = [read(reward, text) for text in ANSWERS]
    together = reward.scores(sequences)
    assert [reward.scores([ids])[0] for ids in sequences] == pytest.approx(together, abs=1e-5)
    assert reward.scores(sequences[::-1]) == pytest.approx(together[::-1], abs=1e-5)
    assert len(set(together)) == 3


def test_padding_with_the_end_token_does_not_move_the_score(reward):
    sequences = [read(reward, text) for text in ANSWERS]
    before = reward.scores(sequences)
    reward.tokenizer.pad_token = reward.tokenizer.eos_token
    reward.model.config.pad_token_id = reward.tokenizer.eos_token_id
    assert reward.scores(sequences) == pytest.approx(before, abs=1e-5)


def test_a_saved_model_is_any_librarys_sequence_classifier(reward, tmp_path):
    settings = Settings(max_length=100, mean=1.0, spread=2.0, tau=0.5)
    reward.save(tmp_path, settings)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".safetensors", ".jinja"}
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path, num_labels=1).eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    batch = tokenizer.pad({"input_ids": [read(reward, text) for text in ANSWERS]})
    logits = model(**batch.convert_to_tensors("pt")).logits[:, 0].tolist()
    ours = load_reward_model(str(tmp_path), "reward_model", CPU)
    assert ours.settings == settings
    assert ours.scores([read(ours, text) for text in ANSWERS]) == pytest.approx(logits, abs=1e-5)
    assert ours.normalise(5.0) == 2.0


def test_a_model_from_elsewhere_has_its_scores_taken_as_they_are(reward, tmp_path):
    reward.save(tmp_path, reward.settings)
    (tmp_path / "reward.json").unlink()
    loaded = load_reward_model(str(tmp_path), "reward_model", CPU, max_length=50)
    assert loaded.settings == Settings(max_length=50)


def test_saved_heads_come_back_with_their_names_and_scores(reward, tmp_path):
    sequences = [read(reward, text) for text in ANSWERS]
    alone = reward.scores(sequences)
    reward.add_heads(["member 1", "member 2", "flag:untrue", "attribute:depth"])
    reward.level_members(reward.head_scores(sequences))
    reward.save(tmp_path, reward.settings)
    loaded = load_reward_model(str(tmp_path), "reward_model", CPU)
    found = loaded.head_scores(sequences)
    assert found.names == ["preference", "member 1", "member 2", "flag:untrue", "attribute:depth"]
    assert torch.allclose(found.values, reward.head_scores(sequences).values, atol=1e-6)
    assert found.preference.tolist() == pytest.approx(alone, abs=1e-5) == loaded.scores(sequences)
    members = found.values[:, 1:3]
    assert torch.allclose(members.mean(dim=0), found.preference.mean().repeat(2), atol=1e-6)
    assert torch.allclose(found.spread, (members[:, 0] - members[:, 1]).abs() / 2**0.5)
    assert torch.allclose(found.lower(2.0), found.preference - 2 * found.spread)
    assert torch.equal(found.of("flag:untrue"), found.values[:, 3])
    with pytest.raises(ContractError, match="head = 'flag:rude' is not in the reward model"):
        found.of("flag:rude")


def test_a_model_without_heads_has_one_column_and_no_spread(reward):
    found = reward.head_scores([read(reward, text) for text in ANSWERS])
    assert found.names == ["preference"]
    assert found.spread.tolist() == [0.0, 0.0, 0.0]


def test_an_encoder_is_scored_at_its_class_token(tiny_tokenizer, tmp_path):
    letters = tiny_tokenizer.backend_tokenizer.to_str()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=type(tiny_tokenizer.backend_tokenizer).from_str(letters),
        cls_token="<|begin|>",
        sep_token="<|end|>",
        pad_token="<|pad|>",
        model_max_length=64,
    )
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=64,
    )
    BertForMaskedLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = start_reward_model(str(tmp_path), 1000, CPU)
    assert model.settings == Settings(max_length=64, pooling="first token")
    sequences = [read(model, text) for text in ANSWERS]
    alone = [model.scores([ids])[0] for ids in sequences]
    assert model.scores(sequences) == pytest.approx(alone, abs=1e-5)
    model.add_heads(["member 1"])
    assert model.head_scores(sequences).preference.tolist() == pytest.approx(alone, abs=1e-5)


def test_a_language_model_is_no_reward_model(tiny_policy):
    with pytest.raises(ContractError, match=r"reward_model = .* holds no weights for score"):
        load_reward_model(tiny_policy, "reward_model", CPU)


def test_a_directory_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ContractError, match=r"backbone = '.*nowhere' is not a directory"):
        start_reward_model(str(tmp_path / "nowhere"), 100, CPU)


def test_a_model_without_a_tokenizer_says_so(tiny_policy, tmp_path):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((Path(tiny_policy) / name).read_bytes())
    with pytest.raises(ContractError, match=r"backbone = .* could not be loaded"):
        start_reward_model(str(tmp_path), 100, CPU)


def test_pickled_weights_and_code_are_refused(tiny_policy, tiny_tokenizer, tmp_path):
    tiny_tokenizer.save_pretrained(tmp_path)
    values = json.loads((Path(tiny_policy) / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(values))
    torch.save({"weight": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ContractError, match="could not be loaded"):
        start_reward_model(str(tmp_path), 100, CPU)
    code = "raise SystemExit('ran')"
    (tmp_path / "own.py").write_text(code)
    values |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    (tmp_path / "config.json").write_text(json.dumps(values))
    with pytest.raises(ContractError, match="could not be loaded"):
        start_reward_model(str(tmp_path), 100, CPU)


def test_truncated_weights_are_refused(tiny_policy, tiny_tokenizer, tmp_path):
    tiny_tokenizer.save_pretrained(tmp_path)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((Path(tiny_policy) / name).read_bytes())
    with (tmp_path / "model.safetensors").open("r+b") as file:
        file.truncate(2000)
    with pytest.raises(ContractError, match="could not be loaded"):
        start_reward_model(str(tmp_path), 100, CPU)
