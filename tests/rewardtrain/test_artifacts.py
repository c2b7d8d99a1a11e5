from pathlib import Path

import pytest

from annotation.models import Project
from rewardtrain import artifacts, contract, launch
from rewardtrain.sources import UnusableSource, resolve
from tests.turning import add_run, claim


@pytest.fixture
def hosts(settings, tmp_path: Path):
    """Two hosts with a store each and a shared one; call with a name to be on that host."""
    settings.ARTIFACT_STORE = str(tmp_path / "shared")
    demo = settings.MODEL_ROOTS[1]

    def be(name: str) -> Path:
        settings.STORE_DIR = tmp_path / name
        settings.RUNS_DIR = settings.STORE_DIR / "runs"
        settings.MODEL_ROOTS = [settings.STORE_DIR, demo]
        return settings.STORE_DIR

    return be


def test_a_gpu_host_finds_the_data_that_the_web_host_wrote(project: Project, hosts) -> None:
    hosts("web")
    run = claim(add_run(project))
    written = (launch.run_dir(run) / contract.DATA).read_bytes()
    hosts("gpu")
    launch.prepare(run)
    assert (launch.run_dir(run) / contract.DATA).read_bytes() == written


def test_the_web_host_finds_the_model_that_the_gpu_host_left(hosts) -> None:
    model = hosts("gpu") / "runs/7/model"
    (model / "deeper").mkdir(parents=True)
    (model / "config.json").write_text("{}")
    (model / "deeper/weights").write_bytes(b"\0\1")
    artifacts.push(model)
    here = hosts("web")
    assert resolve("runs/7/model") == str(here / "runs/7/model")
    assert (here / "runs/7/model/deeper/weights").read_bytes() == b"\0\1"
    assert [path.name for path in (here / "runs/7").iterdir()] == ["model"]


def test_what_is_in_no_store_is_not_found(hosts) -> None:
    hosts("web")
    with pytest.raises(UnusableSource):
        resolve("/runs/8/model")
    with pytest.raises(UnusableSource):
        resolve("../shared")


def test_without_a_shared_store_nothing_is_copied(settings, tmp_path: Path) -> None:
    settings.STORE_DIR = tmp_path
    (tmp_path / "file").write_text("here")
    artifacts.push(tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert not artifacts.fetch(tmp_path / "other")
