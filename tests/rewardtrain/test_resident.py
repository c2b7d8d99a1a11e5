import os
import signal

import pytest
import torch
from django.conf import settings

from rewardtrain.contract import ReplyRequest, ScoreRequest
from rewardtrain.core.reward_model import Settings, load_reward_model, start_reward_model
from rewardtrain.demo.projects import POLICY
from rewardtrain.resident import Resident, ResidentError, ResidentGone
from tests.rewardtrain.conftest import said

DEMO = str(settings.BASE_DIR / POLICY)
ASKED = said("Tell a tale about the fox.")


@pytest.fixture(scope="module")
def tiny_reward_model(tiny_policy, tmp_path_factory) -> str:
    directory = tmp_path_factory.mktemp("reward")
    torch.manual_seed(1)
    model = start_reward_model(tiny_policy, 128, torch.device("cpu"))
    model.save(directory, Settings(max_length=128, mean=0.5, spread=2.0))
    return str(directory)


@pytest.fixture(scope="module")
def resident():
    resident = Resident()
    yield resident
    resident.stop()


def reply(resident: Resident, policy: str, *seeds: int, **options) -> list[dict]:
    request = ReplyRequest(
        model=policy, messages=ASKED, seeds=list(seeds), **{"max_new_tokens": 64, **options}
    )
    return list(resident.reply(request))


def texts(heard: list[dict]) -> list[str]:
    return [sample["text"] for sample in heard[-1]["done"]["samples"]]


def test_a_reply_depends_on_its_seed_alone(resident, tiny_policy):
    both = texts(reply(resident, tiny_policy, 1, 2))
    assert both[0] != both[1]
    assert texts(reply(resident, tiny_policy, 2)) == both[1:]


def test_what_is_heard_while_it_writes_grows_into_the_replies(resident):
    loaded, *growing, last = filter(None, reply(resident, DEMO, 1, 2, max_new_tokens=96))
    assert loaded["loaded"]
    assert len(growing) > 1
    for place, whole in enumerate(texts([last])):
        parts = [heard["texts"][place] for heard in growing]
        assert parts == sorted(parts, key=len)
        assert all(whole.startswith(part) for part in parts)


def test_a_model_stays_loaded(resident, tiny_policy):
    reply(resident, tiny_policy, 1)
    pid = resident.pid
    reply(resident, tiny_policy, 1)
    assert resident.pid == pid


def test_scores_are_those_of_the_reward_model(resident, tiny_reward_model):
    responses = [said("x", "The fox sang.")[1:], said("x", "All was lost, and it rained.")[1:]]
    scored = resident.score(
        ScoreRequest(reward_model=tiny_reward_model, messages=ASKED, responses=responses)
    )
    model = load_reward_model(tiny_reward_model, "reward_model", torch.device("cpu"))
    expected = model.scores([model.encode(ASKED, response)[0] for response in responses])
    assert scored["scores"] == pytest.approx(expected, abs=1e-5)
    assert scored["normalised"] == pytest.approx([(s - 0.5) / 2 for s in expected], abs=1e-5)


def test_a_model_that_is_not_there_is_said_and_the_process_goes_on(resident, tiny_policy):
    with pytest.raises(ResidentError, match="/gone"):
        reply(resident, "/gone", 1)
    assert texts(reply(resident, tiny_policy, 1))


def test_one_killed_while_it_writes_is_said_and_started_anew_by_the_next(resident):
    heard = resident.reply(ReplyRequest(model=DEMO, messages=ASKED, seeds=[1, 2]))
    next(heard)
    killed = resident.pid
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(ResidentGone):
        list(heard)
    assert texts(reply(resident, DEMO, 1))
    assert resident.pid != killed


def test_one_that_is_stuck_is_ended_when_its_request_is_given_up(resident, monkeypatch):
    monkeypatch.setattr("rewardtrain.resident.LISTEN_SECONDS", 0.05)
    monkeypatch.setattr("rewardtrain.resident.STUCK_SECONDS", 0.2)
    reply(resident, DEMO, 1)
    stuck = resident.pid
    os.kill(stuck, signal.SIGSTOP)
    heard = resident.reply(ReplyRequest(model=DEMO, messages=ASKED, seeds=[1, 2]))
    assert [next(heard) for _ in range(6)] == [{}] * 6
    heard.close()
    assert resident.pid is None
    assert texts(reply(resident, DEMO, 1))


def test_one_that_loads_goes_on_loading_when_its_request_is_given_up(resident, monkeypatch):
    monkeypatch.setattr("rewardtrain.resident.LISTEN_SECONDS", 0.01)
    monkeypatch.setattr("rewardtrain.resident.STUCK_SECONDS", 0.0)
    resident.stop()
    heard = resident.reply(ReplyRequest(model=DEMO, messages=ASKED, seeds=[1]))
    assert next(heard) == {}
    loading = resident.pid
    heard.close()
    assert texts(reply(resident, DEMO, 1))
    assert resident.pid == loading


def test_a_request_that_was_given_up_does_not_answer_the_next(resident):
    given_up = resident.reply(ReplyRequest(model=DEMO, messages=ASKED, seeds=[1, 2]))
    next(given_up)
    given_up.close()
    assert len(texts(reply(resident, DEMO, 7))) == 1
