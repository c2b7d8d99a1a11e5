"""A run's directory and processes: write the one, start and stop the others.

A process of a run is known by a mark in its environment, which its children inherit: no process
id that was used again is ever taken for a run's, and none of a run's processes is missed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psutil
from django.conf import settings

from annotation.batches import encode as encode_line
from rewardtrain import artifacts, contract
from rewardtrain.models import ModelVersion, Run
from rewardtrain.sources import is_path, resolve

MARK = "VIBECHECK_RUN"
STOP_SECONDS = 8.0
"""From SIGTERM, at which a script keeps a checkpoint, to SIGKILL."""
GIVE_UP_SECONDS = 2.0
"""After SIGKILL; what is left then hangs in the kernel, and no signal reaches it."""


def run_dir(run: Run) -> Path:
    return Path(settings.RUNS_DIR) / str(run.pk)


def version_source(run: Run) -> str:
    """The source of the model that a run leaves, relative to the store."""
    return str((run_dir(run) / contract.MODEL).relative_to(settings.STORE_DIR))


def checkpoints_of(run: Run) -> dict[int, str]:
    """The source of each complete checkpoint of a run, by its step, relative to the store."""
    folder = run_dir(run) / contract.CHECKPOINTS
    found = [mark.parent for mark in folder.glob(f"checkpoint-*/{contract.COMPLETE}")]
    return {
        int(path.name.removeprefix("checkpoint-")): str(path.relative_to(settings.STORE_DIR))
        for path in found
    }


def write_data(run: Run, rows: Iterable[dict[str, Any]]) -> None:
    """Write what the run works on, once, when it is asked for: all attempts read the same."""
    directory = run_dir(run)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = directory / f".{contract.DATA}"
    with draft.open("w", encoding="utf-8") as file:
        file.writelines(encode_line(row) + "\n" for row in rows)
    os.replace(draft, directory / contract.DATA)
    artifacts.push(directory / contract.DATA)


def prepare(run: Run) -> None:
    """Write the configuration of a claimed run's attempt, which fences off earlier ones.

    Raises:
        ContractError: its configuration does not fit.
        UnusableSource: one of its models cannot be reached.
    """
    run_dir(run).mkdir(mode=0o700, parents=True, exist_ok=True)
    artifacts.fetch(run_dir(run) / contract.DATA)
    (run_dir(run) / contract.CANCEL).unlink(missing_ok=True)
    contract.write_json(run_dir(run) / contract.CONFIG, config_of(run))


def config_of(run: Run) -> contract.Config:
    """The contract's configuration: what was asked for, and the models where they lie now."""
    paths = {name: resolve(source) for name, source in sources_of(run).items()}
    values = {**run.configuration, **paths, "attempt": run.attempt, "kind": run.kind}
    if run.kind == Run.Kind.SELECT:
        assert run.reward_model is not None
        values["cache"] = cache_of(run.reward_model)
    if run.kind == Run.Kind.REWARD:
        values["cache"] = str(Path(settings.STORE_DIR) / "tokens")
    return contract.decode(contract.CONFIGS[run.kind], values, f"run {run.pk}")


def cache_of(version: ModelVersion) -> str:
    """Where what a reward model has read is kept; nowhere while its weights are not known."""
    name = version.weights_sha256
    return str(Path(settings.STORE_DIR) / "features" / f"{name}.safetensors") if name else ""


def reward_models(run: Run) -> dict[str, str]:
    """The sources of what a policy run's rewards read: nothing, or a reward model, with its second
    opinion where it has one and its score is paid for."""
    version = run.reward_model
    if version is None:
        return {}
    scores = any(part["kind"] in contract.MODEL_SCORES for part in run.configuration["rewards"])
    second = {"second_opinion": f"{version.source}/{contract.SECOND}"}
    return {
        "reward_model": version.source,
        **(second if scores and version.metrics.get("halves") else {}),
    }


def sources_of(run: Run) -> dict[str, str]:
    """The configuration's model fields, from the run's lineage."""
    if run.kind == Run.Kind.GENERATE:
        assert run.policy is not None
        reference = {"reference": run.reference.source} if run.reference else {}
        return {"model": run.policy.source, **reference}
    if run.kind == Run.Kind.REWARD:
        champion = {"champion": run.reward_model.source} if run.reward_model else {}
        return {"backbone": run.configuration["backbone"], **champion}
    if run.kind == Run.Kind.POLICY:
        assert run.policy is not None
        assert run.reference is not None
        return {
            "policy": run.policy.source,
            "reference": run.reference.source,
            **reward_models(run),
        }
    assert run.reward_model is not None
    return {"reward_model": run.reward_model.source}


def spawn(run: Run) -> subprocess.Popen:
    """Start the run's script in a session of its own, writing to log.txt."""
    directory = run_dir(run)
    offline = all(is_path(resolve(source)) for source in sources_of(run).values())
    env = script_environment(mark_of(run), offline=offline)
    with (directory / contract.LOG).open("ab") as log:
        launcher = settings.TRAIN_LAUNCHER if run.kind in Run.TRAINING else []
        return start_script(contract.SCRIPTS[run.kind], [str(directory)], env, log, launcher)


def mark_of(run: Run) -> str:
    return f"{run.attempt} {run_dir(run)}"


def script_environment(mark: str, *, offline: bool) -> dict[str, str]:
    """One torch thread a process is faster than two on a shared machine, and reproducible."""
    threads = os.environ.get("OMP_NUM_THREADS") or "1"
    return {
        **os.environ,
        MARK: mark,
        "OMP_NUM_THREADS": threads,
        "TOKENIZERS_PARALLELISM": "false",
        "PYTHONUNBUFFERED": "1",
        **({"HF_HUB_OFFLINE": "1"} if offline else {}),
    }


def start_script(
    module: str,
    arguments: list[str],
    env: dict[str, str],
    output: Any,
    launcher: Sequence[str] = (),
) -> subprocess.Popen:
    return subprocess.Popen(
        script_command(module, arguments, launcher),
        cwd=settings.BASE_DIR,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def script_command(
    module: str, arguments: Iterable[str] = (), launcher: Sequence[str] = ()
) -> list[str]:
    """Where setpriv exists the kernel ends the script, in order, when its worker is gone."""
    bound = ["setpriv", "--pdeathsig=SIGTERM", "--"] if shutil.which("setpriv") else []
    return [*bound, *(launcher or [sys.executable]), "-m", module, *arguments]


def ask_to_stop(run: Run) -> None:
    """Leave the file at which the script stops on its own."""
    (run_dir(run) / contract.CANCEL).touch()


def stop(run: Run, patience: float = STOP_SECONDS) -> None:
    """End every process of the run in this attempt and earlier ones, not in a later one.

    SIGTERM first, and SIGKILL to what is left after `patience` seconds.
    """
    for process in processes_of(run):
        _signal(process, signal.SIGTERM)
    deadline = time.monotonic() + patience
    while processes_of(run) and time.monotonic() < deadline:
        time.sleep(0.1)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while (left := processes_of(run)) and time.monotonic() < deadline:
        for process in left:
            _signal(process, signal.SIGKILL)
        time.sleep(0.05)


def processes_of(run: Run) -> list[psutil.Process]:
    """The run's living processes on this host; one that has ended, unreaped, shows no mark."""
    marks = {f"{attempt} {run_dir(run)}" for attempt in range(run.attempt + 1)}
    return [
        process
        for process in psutil.process_iter(["environ"])
        if (process.info["environ"] or {}).get(MARK) in marks and process.pid != os.getpid()
    ]


def _signal(process: psutil.Process, number: signal.Signals) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        pass


def read_report(run: Run) -> dict[str, Any] | None:
    try:
        return json.loads((run_dir(run) / contract.REPORT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def read_guard(run: Run) -> dict[str, Any] | None:
    """A policy run's levels and where its guard stands; None before it has measured them."""
    try:
        return json.loads((run_dir(run) / contract.GUARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def read_data(run: Run) -> list[dict[str, Any]]:
    with (run_dir(run) / contract.DATA).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
