"""While a labeler waits for a reply, the process with the models is killed or hangs, its whole
worker is killed, or a model trains beside it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import psutil

from annotation.models import Project
from rewardtrain.models import Generation, Run, Turn
from rewardtrain.resident import LOADING_SECONDS
from tests.cast import Person
from tests.chaos.test_killed_worker import at_step, long_run, wait
from tests.rewardtrain.talking import again, look, prefer, say, take_up, talking

__all__ = ["long_run", "talking"]

Start = Callable[..., subprocess.Popen]
SECONDS = 120


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, list(Turn.objects.values())
        time.sleep(0.05)


def with_models(worker: subprocess.Popen) -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process(worker.pid).children(recursive=True)
        if "rewardtrain.scripts.serve" in " ".join(process.cmdline())
    ]


def test_replies_come_all_the_same(talking: Project, lena: Person, worker: Start) -> None:
    live = worker("live")
    mine = take_up(lena)
    say(lena, mine, "Tell a tale about Pip the owl.", 1)
    until(lambda: with_models(live))
    os.kill(with_models(live)[0].pid, signal.SIGKILL)
    until(lambda: look(lena, mine)["turn"]["assignment"])
    assert Generation.objects.count() == 2
    prefer(lena, mine)

    # The next turn loses the whole worker.
    for process in [*psutil.Process(live.pid).children(recursive=True), live]:
        process.kill()
    live.wait()
    say(lena, mine, "And then?", 2)
    Turn.objects.filter(number=2).update(state="writing", heard_at="2026-01-01T00:00Z")
    assert look(lena, mine)["turn"]["late"]
    assert again(lena, mine, 2, 1).status_code == 200
    worker("live")
    until(lambda: look(lena, mine)["turn"]["assignment"])
    assert Generation.objects.count() == 4
    assert prefer(lena, mine).json()["counted"]


def test_a_process_that_hangs_gives_way_when_the_labeler_asks_again(
    talking: Project, lena: Person, worker: Start
) -> None:
    live = worker("live")
    mine = take_up(lena)
    say(lena, mine, "Tell a tale about Pip the owl.", 1)
    until(lambda: look(lena, mine)["turn"]["assignment"])
    prefer(lena, mine)
    hanging = with_models(live)[0]
    hanging.send_signal(signal.SIGSTOP)
    say(lena, mine, "And then?", 2)
    until(lambda: look(lena, mine)["turn"]["late"])
    began = time.monotonic()
    assert again(lena, mine, 2, 1).status_code == 200
    until(lambda: look(lena, mine)["turn"]["assignment"])
    assert not hanging.is_running()
    assert time.monotonic() - began < LOADING_SECONDS / 2
    prefer(lena, mine)


def test_a_talk_goes_on_while_a_model_trains(
    long_run: Run, project: Project, lena: Person, worker: Start
) -> None:
    Project.objects.filter(pk=project.pk).update(talk_replies=2)
    worker("live")
    mine = take_up(lena)
    say(lena, mine, "Tell a tale about Pip the owl.", 1)
    until(lambda: look(lena, mine)["turn"]["assignment"])
    prefer(lena, mine)
    worker("default", "train")
    wait(long_run, at_step(5))
    say(lena, mine, "And then?", 2)
    until(lambda: look(lena, mine)["turn"]["assignment"])
    assert Run.objects.get(pk=long_run.pk).state == "running"
    assert prefer(lena, mine).json()["counted"]
