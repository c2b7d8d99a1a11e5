"""What the chaos test does inside its own database, in processes of their own.

python -m tests.chaos.other_side prepare|verify, each with one JSON object in and out.
"""

import json
import sys
from typing import Any
from uuid import UUID

import django


def prepare(given: dict[str, Any]) -> dict[str, Any]:
    """Tables, an open project with room for all submissions, a token for each labeler."""
    from django.core.management import call_command
    from knox.models import get_token_model

    from tests.annotation import desk

    call_command("migrate", verbosity=0)
    project = desk.open_project(given["comparisons"], overlap=2)
    members = desk.people(project, given["labelers"])
    tokens = [get_token_model().objects.create(user=member.user)[1] for member in members]
    return {"slug": project.slug, "tokens": tokens}


def verify(given: dict[str, Any]) -> dict[str, Any]:
    """Every acknowledged answer is there once, as it was said, and every counter is right."""
    from annotation.forms import Answer
    from annotation.models import Assignment, Preference, Project
    from tests.annotation.promises import Witness, check

    project = Project.objects.get(slug=given["slug"])
    witness = Witness()
    held = {a.key: a for a in Assignment.objects.filter(comparison__project=project)}
    for sent in given["acknowledged"]:
        answer = Answer(outcome="prefer", tiers=sent["tiers"], strength=sent["strength"])
        witness.was_told(held[sent["assignment"]], UUID(sent["key"]), answer)
    check(project, witness)
    stored = Preference.objects.values_list("idempotency_key", flat=True)
    return {"stored": [str(key) for key in stored]}


if __name__ == "__main__":
    django.setup()
    print(json.dumps({"prepare": prepare, "verify": verify}[sys.argv[1]](json.load(sys.stdin))))
