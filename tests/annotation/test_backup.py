import hashlib
import tarfile
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from annotation import backup
from config.embedded import sole_server, var_dir

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(tmp_path: Path, settings) -> Path:
    settings.STORE_DIR = tmp_path / "store"
    model = settings.STORE_DIR / "models" / "1"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(bytes(range(256)) * 5000)
    return settings.STORE_DIR


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_restore_brings_back_every_row_and_every_file(store, tmp_path):
    get_user_model().objects.create_user("alice", password="a-long-enough-one")
    call_command("backup", tmp_path / "all.tar", stdout=StringIO())
    rows, files = backup.count_rows(), hashes(store)
    get_user_model().objects.all().delete()
    get_user_model().objects.create_user("mallory")
    (store / "models" / "1" / "model.safetensors").write_bytes(b"changed")
    (store / "later").write_text("not in the backup")

    call_command("restore", tmp_path / "all.tar", force=True, stdout=StringIO())

    assert backup.count_rows() == rows
    assert hashes(store) == files
    assert get_user_model().objects.get().check_password("a-long-enough-one")


def test_a_restored_table_goes_on_counting_where_it_was(store, tmp_path):
    alice = get_user_model().objects.create_user("alice")
    backup.write(tmp_path / "all.tar")
    backup.restore(tmp_path / "all.tar", force=True)
    assert get_user_model().objects.create_user("bob").pk > alice.pk


def test_a_restore_refuses_where_people_are_already(store, tmp_path):
    backup.write(tmp_path / "empty.tar")
    get_user_model().objects.create_user("alice")
    with pytest.raises(CommandError, match=r"holds accounts.*--force"):
        call_command("restore", tmp_path / "empty.tar")
    assert get_user_model().objects.get().username == "alice"


def test_an_empty_database_needs_no_force(store, tmp_path):
    get_user_model().objects.create_user("alice")
    backup.write(tmp_path / "all.tar")
    get_user_model().objects.all().delete()
    backup.restore(tmp_path / "all.tar")
    assert get_user_model().objects.get().username == "alice"


def test_a_restore_refuses_while_the_server_runs(store, tmp_path):
    backup.write(tmp_path / "all.tar")
    with sole_server(var_dir()), pytest.raises(backup.BackupError, match="stop it"):
        backup.restore(tmp_path / "all.tar")


def test_a_damaged_backup_changes_nothing(store, tmp_path):
    backup.write(tmp_path / "all.tar")
    content = bytearray((tmp_path / "all.tar").read_bytes())
    content[content.index(bytes(range(256)))] ^= 1
    (tmp_path / "all.tar").write_bytes(content)
    get_user_model().objects.create_user("alice")
    with pytest.raises(backup.BackupError, match=r"damaged in store/models/1/model\.safetensors"):
        backup.restore(tmp_path / "all.tar", force=True)
    assert get_user_model().objects.get().username == "alice"


@pytest.mark.parametrize("content", [b"", b"not a tar at all", None])
def test_what_is_no_backup_is_refused(store, tmp_path, content):
    path = tmp_path / "some.tar"
    if content is None:
        with tarfile.open(path, "w") as tar:
            tar.addfile(tarfile.TarInfo("something"), BytesIO())
    else:
        path.write_bytes(content)
    with pytest.raises(backup.BackupError, match="no whole backup"):
        backup.restore(path, force=True)


def test_a_cut_backup_is_refused(store, tmp_path):
    backup.write(tmp_path / "all.tar")
    content = (tmp_path / "all.tar").read_bytes()
    (tmp_path / "all.tar").write_bytes(content[: len(content) // 2])
    with pytest.raises(backup.BackupError):
        backup.restore(tmp_path / "all.tar", force=True)


def test_a_backup_of_a_newer_version_is_refused(store, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "applied_migrations", lambda: {"annotation.9999_from_tomorrow"})
    backup.write(tmp_path / "all.tar")
    with pytest.raises(backup.BackupError, match=r"another version.*9999_from_tomorrow"):
        backup.restore(tmp_path / "all.tar", force=True)


def test_a_backup_overwrites_no_file_and_leaves_no_draft(store, tmp_path):
    path = tmp_path / "all.tar"
    path.write_text("mine")
    with pytest.raises(backup.BackupError, match="exists already"):
        backup.write(path)
    assert path.read_text() == "mine"
    assert sorted(tmp_path.iterdir()) == [path, store]


def test_a_backup_holds_secrets_so_only_its_owner_reads_it(store, tmp_path):
    backup.write(tmp_path / "all.tar")
    assert (tmp_path / "all.tar").stat().st_mode & 0o077 == 0


def test_a_backup_inside_the_store_is_refused(store):
    with pytest.raises(backup.BackupError, match="another folder"):
        backup.write(settings.STORE_DIR / "all.tar")
