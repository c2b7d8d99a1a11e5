"""One file that holds everything: the database and the model store.

A backup is a tar of

    database.dump   pg_dump's custom format, of one snapshot
    store/…         every file of STORE_DIR
    manifest.json   rows of each table in that snapshot, sha256 of each file

The database is dumped before the store is read, so every model that a row names is in the file.
A restore checks all hashes before it changes anything, and replaces the tables in one transaction.
"""

import dataclasses
import hashlib
import json
import os
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from config.embedded import sole_server, var_dir
from config.servers import postgres_binary

DUMP, STORE, MANIFEST = "database.dump", "store", "manifest.json"
FORMAT = 1
LOCK_SECONDS = 30


class BackupError(Exception):
    """A backup cannot be written or restored; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    rows: dict[str, int]
    """Rows of each table."""
    sha256: dict[str, str]
    """Of each file, by its name in the tar."""
    migrations: list[str]
    """Those that the tables have seen, as "annotation.0001_initial"."""
    format: int = FORMAT

    def in_words(self) -> str:
        return f"{sum(self.rows.values())} rows and {len(self.sha256) - 1} files of the store"


def write(path: Path) -> Manifest:
    """Back up into the new file `path`, readable by its owner only.

    Raises:
        BackupError: the file exists, lies in the store, or Postgres refuses the dump.
    """
    if path.exists():
        raise BackupError(f"{path} exists already: give the name of a new file.")
    if path.resolve().is_relative_to(settings.STORE_DIR.resolve()):
        raise BackupError(f"{path} lies in the store that is backed up: choose another folder.")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    sha256 = {}
    try:
        with (
            open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file,
            tarfile.open(fileobj=file, mode="w") as tar,
            tempfile.TemporaryDirectory(dir=path.parent, prefix=".backup-") as folder,
        ):
            dump = Path(folder) / DUMP
            rows = dump_database(dump)
            sha256[DUMP] = _add(tar, dump, DUMP)
            for source in sorted(settings.STORE_DIR.rglob("*")):
                if source.is_file():
                    name = f"{STORE}/{source.relative_to(settings.STORE_DIR)}"
                    sha256[name] = _add(tar, source, name)
            manifest = Manifest(rows=rows, sha256=sha256, migrations=sorted(applied_migrations()))
            listing = Path(folder) / MANIFEST
            listing.write_text(json.dumps(dataclasses.asdict(manifest), indent=1))
            _add(tar, listing, MANIFEST)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def restore(path: Path, force: bool = False) -> Manifest:
    """Replace database and store by those of the backup `path`.

    Raises:
        BackupError: the file is damaged; people work here already and `force` is not given; the
            server runs; or Postgres refuses. Nothing has changed then, unless the text says so.
    """
    with sole_server(var_dir()) as alone:
        if not alone:
            raise BackupError("bin/start serves from this folder: stop it, restore, start again.")
        return _restore(path, force)


def _restore(path: Path, force: bool) -> Manifest:
    manifest = verify(path)
    known = {".".join(key) for key in MigrationLoader(None).disk_migrations}
    if newer := set(manifest.migrations) - known:
        raise BackupError(
            f"{path} was made by another version of Vibecheck, which knows {min(newer)}: "
            "restore with that version."
        )
    if not force and (held := _what_is_here()):
        raise BackupError(
            f"This database holds {held}, which a restore would erase: "
            "back it up, then add --force."
        )
    settings.STORE_DIR.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.STORE_DIR.parent, prefix=".restore-") as folder:
        with tarfile.open(path) as tar:
            tar.extractall(folder, filter="data")
        (Path(folder) / STORE).mkdir(exist_ok=True)
        load_database(Path(folder) / DUMP)
        if settings.STORE_DIR.exists():
            settings.STORE_DIR.rename(Path(folder) / "replaced")
        (Path(folder) / STORE).rename(settings.STORE_DIR)
    if (found := count_rows()) != manifest.rows:
        wrong = [name for name in manifest.rows if found.get(name) != manifest.rows[name]]
        raise BackupError(f"Restored, but these tables differ from the backup: {', '.join(wrong)}.")
    call_command("migrate", interactive=False, verbosity=0)
    # Postgres owns the queue, and what Redis holds speaks of rows that are gone.
    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    return manifest


def verify(path: Path) -> Manifest:
    """The manifest of a backup whose every file has the hash that it says.

    Raises:
        BackupError: it is no backup of ours, or not whole.
    """
    try:
        sha256, manifest = _hashes(path)
    except FileNotFoundError:
        raise BackupError(f"{path} does not exist: give the file of a backup.") from None
    except (tarfile.TarError, json.JSONDecodeError, TypeError) as error:
        raise BackupError(f"{path} is no whole backup of Vibecheck ({error}).") from None
    if manifest.format != FORMAT:
        raise BackupError(f"{path} has format {manifest.format}; this version reads {FORMAT}.")
    if sha256 != manifest.sha256:
        wrong = sorted(
            name
            for name in sha256.keys() | manifest.sha256.keys()
            if sha256.get(name) != manifest.sha256.get(name)
        )
        raise BackupError(f"{path} is damaged in {', '.join(wrong[:3])}: use another backup.")
    return manifest


def dump_database(target: Path) -> dict[str, int]:
    """pg_dump into `target`; the rows of each table in the very same snapshot."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        rows = count_rows()
        _postgres(
            "pg_dump", "--format=custom", "--no-owner", "--no-acl", "--schema=public",
            "--extension=*",            f"--snapshot={snapshot}", f"--file={target}",
        )  # fmt: skip
    return rows


def load_database(dump: Path) -> None:
    """Drop every table and load those of `dump`, in one transaction."""
    script = dump.with_suffix(".sql")
    with script.open("w") as file:
        file.write("DROP SCHEMA public CASCADE;\n")
    _postgres("pg_restore", "--no-owner", "--no-acl", f"--file={script}.rows", str(dump))
    connection.close()
    _postgres(
        "psql", "--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1",
        f"--file={script}", f"--file={script}.rows",
    )  # fmt: skip


def applied_migrations() -> set[str]:
    return {".".join(key) for key in MigrationRecorder(connection).applied_migrations()}


def count_rows() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        names = [name for (name,) in cursor.fetchall()]
        rows = {}
        for name in names:
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608
            (rows[name],) = cursor.fetchone()
    return rows


def _what_is_here() -> str:
    """What people would lose, in words; empty in a database that nobody uses yet."""
    kept = {"auth_user": "accounts", "annotation_project": "projects"}
    rows = count_rows()
    return " and ".join(word for name, word in kept.items() if rows.get(name))


def _add(tar: tarfile.TarFile, source: Path, name: str) -> str:
    """Put a file into the tar as long as it is now, though it may grow; returns its sha256."""
    with source.open("rb") as file:
        info = tar.gettarinfo(arcname=name, fileobj=file)
        reader = _Hashing(file)
        tar.addfile(info, reader)
    return reader.sha256.hexdigest()


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sha256.update(data)
        return data


def _hashes(path: Path) -> tuple[dict[str, str], Manifest]:
    sha256, manifest = {}, None
    with tarfile.open(path) as tar:
        for member in tar:
            file = tar.extractfile(member)
            if file is None:
                raise tarfile.TarError(f"{member.name} is no file")
            if member.name == MANIFEST:
                manifest = Manifest(**json.load(file))
            else:
                sha256[member.name] = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore
    if manifest is None:
        raise tarfile.TarError(f"it has no {MANIFEST}")
    return sha256, manifest


def _postgres(program: str, *arguments: str) -> None:
    """Run one of Postgres's programs against Django's database.

    Raises:
        BackupError: it failed, with its reason.
    """
    given = connection.get_connection_params()
    names = {
        "dbname": "PGDATABASE", "user": "PGUSER", "password": "PGPASSWORD", "host": "PGHOST",
        "port": "PGPORT", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT",
    }  # fmt: skip
    env = {variable: str(given[name]) for name, variable in names.items() if given.get(name)}
    env["PGOPTIONS"] = f"-c lock_timeout={LOCK_SECONDS}s"
    ran = subprocess.run(
        [postgres_binary(program), *arguments],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
    )
    if ran.returncode != 0:
        raise BackupError(f"{program} failed: {ran.stderr.strip()[-500:]}")
