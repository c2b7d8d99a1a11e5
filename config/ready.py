"""Bring the data up to what the code expects: tables, static files, the demo."""

import hashlib
import sys
from pathlib import Path

import django
from django.apps import apps
from django.core.management import call_command
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor


def main() -> None:
    django.setup()
    migrate()
    collect_static_files()
    keep_demo_accounts_to_the_demo()
    load_demo_or_point_to_the_first_account()


def migrate() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        print("== Bringing the tables up to date", flush=True)
        call_command("migrate", interactive=False, verbosity=0)


def collect_static_files() -> None:
    """Only when the front end was built anew or a package changed."""
    from django.conf import settings

    stamps = [
        settings.BASE_DIR / "frontend" / "dist" / ".vibecheck",
        Path(sys.prefix) / "installed-requirements.txt",
    ]
    value = hashlib.sha256(b"".join(stamp.read_bytes() for stamp in stamps)).hexdigest()
    collected = settings.STATIC_ROOT / ".vibecheck"
    if collected.is_file() and collected.read_text() == value:
        return
    print("== Collecting the static files", flush=True)
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    collected.write_text(value)


def keep_demo_accounts_to_the_demo() -> None:
    """An account whose password everyone knows is shut wherever the demo is not served."""
    from django.conf import settings
    from django.contrib.auth import get_user_model

    from rewardtrain.demo.accounts import DEMO_ACCOUNTS

    for username, password, _ in DEMO_ACCOUNTS:
        user = get_user_model().objects.filter(username=username).first()
        if user and user.is_active != settings.DEMO and user.check_password(password):
            user.is_active = settings.DEMO
            user.save(update_fields=["is_active"])


def load_demo_or_point_to_the_first_account() -> None:
    from django.conf import settings
    from django.contrib.auth import get_user_model

    if settings.DEMO:
        if not apps.get_model("annotation.Project").objects.exists():
            print("== Loading the demo's projects", flush=True)
        call_command("load_demo")
    elif not get_user_model().objects.filter(is_active=True).exists():
        print("== No account yet: bin/manage create_manager NAME makes the first one.", flush=True)


if __name__ == "__main__":
    try:
        main()
    except OperationalError as error:
        sys.exit(f"The database does not answer as DATABASE_URL says: {error}".strip())
