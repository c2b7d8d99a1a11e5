"""What tests about talks need: a project that talks, and what its labeler does over HTTP."""

import uuid
from typing import Any

import pytest

from annotation.models import Project
from rewardtrain import reply
from rewardtrain.models import Talk, Turn
from rewardtrain.resident import resident
from tests.cast import Person
from tests.turning import name_reference


@pytest.fixture(scope="module")
def stay_loaded():
    """The process with the models that this module's tests share."""
    yield resident
    resident.stop()


@pytest.fixture
def talking(project: Project) -> Project:
    """The project, whose policy gives two replies a turn."""
    name_reference(project)
    project.talk_replies = 2
    project.save()
    return project


def take_up(person: Person, **body: Any) -> dict[str, Any]:
    return person.api.post("/api/projects/tales/talks/", body).json()


def look(person: Person, talk: dict[str, Any]) -> dict[str, Any]:
    return person.api.get(f"/api/talks/{talk['key']}/").json()


def say(person: Person, talk: dict[str, Any], message: str, number: int) -> Any:
    return person.api.post(
        f"/api/talks/{talk['key']}/turns/", {"number": number, "message": message}
    )


def again(person: Person, talk: dict[str, Any], number: int, attempt: int) -> Any:
    return person.api.post(
        f"/api/talks/{talk['key']}/again/", {"number": number, "attempt": attempt}
    )


def write(talk: dict[str, Any]) -> Turn:
    """Let the policy write the newest turn's replies here, as the live worker would."""
    turn = Talk.objects.get(key=talk["key"]).turns.latest("number")
    reply.write(turn.pk, turn.attempt)
    return Turn.objects.get(pk=turn.pk)


def prefer(person: Person, talk: dict[str, Any], position: int = 0, **said: Any) -> Any:
    """Prefer the reply at this position of the pair that is shown."""
    pair = look(person, talk)["turn"]["assignment"]
    body = {
        "token": pair["token"],
        "idempotency_key": str(uuid.uuid4()),
        "outcome": "prefer",
        "tiers": [[position], [1 - position]],
        "strength": 1,
        **said,
    }
    return person.api.post(f"/api/assignments/{pair['key']}/preference/", body)
