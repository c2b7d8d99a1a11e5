import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import SettingError
from config.settings import broker, database

ROOT = Path(__file__).resolve().parent.parent.parent
GIVEN = {
    "DATABASE_URL": "postgresql://db/x",
    "REDIS_URL": "redis://queue/0",
    "SECRET_KEY": "".join(map(chr, range(48, 110))),
}
UNSET = ("DEMO", "HTTPS", "SITE_ROOT", "DEBUG")


def value(name: str, **given: str) -> str:
    """What a setting is in a process with this environment."""
    return run(f"from config import settings; print(settings.{name})", given)


def run(program: str, given: dict[str, str]) -> str:
    env = {name: text for name, text in os.environ.items() if name not in UNSET}
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, env={**env, **GIVEN, **given}, cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_database_url_gives_every_part_and_its_options_to_libpq():
    entry = database("postgresql://an%40n:p%2Fw@db.example:5433/vibe?sslmode=require")
    assert (entry["NAME"], entry["USER"], entry["PASSWORD"]) == ("vibe", "an@n", "p/w")
    assert (entry["HOST"], entry["PORT"]) == ("db.example", "5433")
    assert entry["OPTIONS"]["sslmode"] == "require"


def test_a_database_url_may_name_a_socket():
    entry = database("postgresql://me@/vibe?host=%2Fa%20folder%2Frun")
    assert (entry["HOST"], entry["PORT"], entry["USER"]) == ("/a folder/run", "", "me")


@pytest.mark.parametrize("url", ["", "mysql://db/x"])
def test_another_database_is_refused_with_the_fix(url):
    with pytest.raises(SettingError, match="must be postgresql://"):
        database(url)


def test_celery_gets_its_own_name_for_a_redis_socket():
    assert broker("redis://queue/0") == "redis://queue/0"
    assert broker("unix:///a/redis.sock?db=1") == "redis+socket:///a/redis.sock?virtual_host=1"
    assert broker("unix:///a/redis.sock") == "redis+socket:///a/redis.sock?virtual_host=0"


def test_outside_the_demo_https_is_on_and_in_it_off():
    assert value("HTTPS") == "True"
    assert value("HTTPS", DEMO="1") == "False"
    assert value("SESSION_COOKIE_SECURE", HTTPS="0") == "False"


def test_debug_is_off_unless_asked_for():
    assert value("DEBUG") == "False"


def test_the_host_of_the_site_is_allowed():
    hosts = value("ALLOWED_HOSTS", SITE_ROOT="https://vibe.example.org/")
    assert "vibe.example.org" in hosts
    assert "https://vibe.example.org'" in value(
        "CSRF_TRUSTED_ORIGINS", SITE_ROOT="https://vibe.example.org/"
    )


@pytest.mark.parametrize(
    ("name", "text"), [("DEMO", "perhaps"), ("LEASE_SECONDS", "long"), ("SECRET_KEY", "")]
)
def test_a_bad_value_stops_manage_with_one_sentence_that_names_it(name, text):
    env = {**os.environ, **GIVEN, name: text}
    command = [sys.executable, "manage.py", "check"]
    ran = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 1
    (sentence,) = ran.stderr.strip().splitlines()
    assert sentence.startswith(name)
