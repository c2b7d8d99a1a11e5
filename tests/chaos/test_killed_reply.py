"""The process with the models, or its whole worker, killed while a labeler waits for a reply."""

import os
import signal
import subprocess
import time
from collections.abc import Callable

import psutil

from annotation.models import Project
from rewardtrain.models import Generation, Turn
from tests.cast import Person
from tests.rewardtrain.talking import again, look, prefer, say, take_up, talking

__all__ = ["talking"]

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
