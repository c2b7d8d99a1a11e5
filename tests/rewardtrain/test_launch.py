import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from annotation.models import Project
from rewardtrain import contract, launch
from rewardtrain.demo.projects import POLICY
from rewardtrain.sources import UnusableSource, resolve
from tests.turning import add_run, claim

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
WITH_CHILD = (
    "import subprocess, sys, time;"
    f"subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); time.sleep(60)"
)


def start_marked(run, code: str) -> subprocess.Popen:
    env = launch.script_environment(launch.mark_of(run), offline=True)
    return subprocess.Popen([sys.executable, "-c", code], env=env, start_new_session=True)


def wait_for(condition, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_configuration_written_is_one_that_the_script_reads(project: Project) -> None:
    run = claim(add_run(project))
    launch.prepare(run)
    config = contract.read_config(launch.run_dir(run))
    assert (config.kind, config.attempt, config.seed) == ("generate", 1, 1)
    assert Path(config.model, "config.json").is_file()


def test_the_data_are_those_that_the_script_reads(project: Project) -> None:
    run = add_run(project)
    rows = contract.read_rows(launch.run_dir(run) / contract.DATA, contract.PromptRow)
    assert rows[0].messages == [{"role": "user", "content": "Tell a tale."}]


def test_a_new_attempt_takes_back_the_wish_to_stop(project: Project) -> None:
    run = claim(add_run(project))
    launch.prepare(run)
    launch.ask_to_stop(run)
    launch.prepare(run)
    assert not (launch.run_dir(run) / contract.CANCEL).exists()


def test_the_launcher_starts_reward_training_and_nothing_else(
    project: Project, settings, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    write = f"import sys; open({str(told)!r}, 'w').write(' '.join(sys.argv[1:]))"
    settings.TRAIN_LAUNCHER = [sys.executable, "-c", write]
    run = add_run(project, "reward", configuration={"backbone": str(POLICY)})
    assert launch.config_of(run).cache == str(settings.STORE_DIR / "tokens")
    assert launch.spawn(run).wait(120) == 0
    assert told.read_text() == f"-m rewardtrain.scripts.train_reward {launch.run_dir(run)}"
    told.unlink()
    other = add_run(project)
    launch.spawn(other).wait(120)
    assert "config.json does not exist" in (launch.run_dir(other) / "log.txt").read_text()
    assert not told.exists()


@pytest.mark.parametrize("source", ["/etc", "../..", "rewardtrain/../../", "/no/such/folder"])
def test_a_path_outside_of_the_model_roots_is_refused(source: str) -> None:
    with pytest.raises(UnusableSource, match="model root"):
        resolve(source)


def test_a_link_that_leads_out_of_a_model_root_is_refused(settings, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "out").symlink_to("/etc")
    settings.MODEL_ROOTS = [root]
    with pytest.raises(UnusableSource):
        resolve(str(root / "out"))


@pytest.mark.parametrize("source", ["gpt2", "some-org/some.model-7B"])
def test_a_hub_name_is_taken_as_it_is(source: str) -> None:
    assert resolve(source) == source


def test_stopping_ends_the_whole_group_within_ten_seconds(project: Project) -> None:
    run = claim(add_run(project))
    process = start_marked(run, WITH_CHILD)
    wait_for(lambda: len(launch.processes_of(run)) == 2)
    began = time.monotonic()
    launch.stop(run, patience=1)
    assert time.monotonic() - began < 4
    assert launch.processes_of(run) == []
    assert process.wait(1) < 0


def test_the_default_patience_leaves_a_stubborn_group_less_than_ten_seconds() -> None:
    assert launch.STOP_SECONDS + launch.GIVE_UP_SECONDS <= 10


def test_stopping_leaves_other_runs_and_later_attempts_alone(project: Project) -> None:
    first = claim(add_run(project))
    other = add_run(project)
    other.attempt = 1
    processes = [start_marked(other, STUBBORN)]
    first.attempt = 2
    processes.append(start_marked(first, STUBBORN))
    try:
        first.attempt = 1
        launch.stop(first, patience=0.2)
        assert [process.poll() for process in processes] == [None, None]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_a_script_ends_when_the_worker_that_watches_it_is_killed(project: Project) -> None:
    """The worker is killed in a way that leaves it no time to clean up."""
    run = claim(add_run(project))
    mark = launch.mark_of(run)
    code = (
        "import django, sys, time; django.setup();"
        "from rewardtrain import launch;"
        f"env = launch.script_environment({mark!r}, offline=True);"
        "launch.start_script('http.server', ['--bind', '127.0.0.1', '0'], env, 2); time.sleep(60)"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    watcher = subprocess.Popen([sys.executable, "-c", code], env=env)
    wait_for(lambda: len(launch.processes_of(run)) == 1, 30)
    watcher.kill()
    watcher.wait()
    wait_for(lambda: launch.processes_of(run) == [])
