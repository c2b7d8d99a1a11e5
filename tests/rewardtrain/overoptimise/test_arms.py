import json
from dataclasses import replace

import pytest

from rewardtrain.overoptimise import arms
from rewardtrain.overoptimise.results import figures_of
from rewardtrain.overoptimise.settings import ARMS, SETTINGS


@pytest.mark.slow
def test_a_seed_of_a_setting_runs_through_all_arms(tmp_path, monkeypatch):
    """With two steps of eight tokens: the figures mean nothing, the way there is the real one."""
    small = {"steps": 2, "checkpoint_every": 1, "max_new_tokens": 8}
    monkeypatch.setattr(arms, "FINE_TUNING", {**arms.FINE_TUNING, **small})
    monkeypatch.setattr(arms, "JUDGED_PROMPTS", 4)
    monkeypatch.setattr("rewardtrain.scripts.train_policy.JUDGED", 4)
    setting = replace(SETTINGS["happy"], pairs=8, prompts=4, epochs=1)
    monkeypatch.setitem(SETTINGS, "happy", setting)
    arms.main(tmp_path, "happy", 1)
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["arms"].keys() == set(ARMS)
    truth = {arm: result["arms"][arm]["truth"] for arm in ARMS}
    assert truth["unguarded"].keys() == truth["true"].keys() == {"0", "1", "2"}
    assert truth["unguarded"]["2"] == truth["guarded"]["2"]
    assert json.loads((tmp_path / "kl/config.json").read_text())["beta"] == 0.05
    assert {truth[arm]["0"]["mean"] for arm in ARMS} == {truth["true"]["0"]["mean"]}
    assert figures_of(result)["seed"] == 1
