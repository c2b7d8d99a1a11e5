"""Simulated people: a manager who clicks, labelers who answer, each over HTTP with a token."""

import http.client
import json
import random
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from knox.models import get_token_model

from annotation.models import Membership, Project
from annotation.models.projects import Role
from rewardtrain.demo import taste
from rewardtrain.simulation.servers import HOST

LABELERS = 3
CLEAR, VERY_CLEAR = 1.0, 2.5
"""Differences in quality from which a preference is of strength 2 and 3."""


class RefusedByServer(Exception):
    """The server said no; the text is its sentence."""


class Caller:
    """One signed-in person."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection(HOST, port, timeout=60)
        self.headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}

    def get(self, path: str) -> dict[str, Any]:
        return self._call("GET", path)

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        return self._call("POST", path, json.dumps(body))

    def _call(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        try:
            self.connection.request(method, f"/api/{path}", body, self.headers)
            answer = self.connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            # The server closes a connection that was idle; every write is safe to repeat.
            self.connection.close()
            self.connection.request(method, f"/api/{path}", body, self.headers)
            answer = self.connection.getresponse()
        content = json.loads(answer.read() or b"{}")
        if answer.status >= 400:
            raise RefusedByServer(content["error"]["message"])
        return content


@dataclass(frozen=True)
class Manager:
    caller: Caller
    slug: str

    def circle(self) -> dict[str, Any]:
        return self.caller.get(f"projects/{self.slug}/circle/")

    def start(self, **what: Any) -> dict[str, Any]:
        return self.caller.post(f"projects/{self.slug}/runs/", **what)

    def promote(self, version: int, reason: str = "") -> dict[str, Any]:
        return self.caller.post(f"models/{version}/promote/", reason=reason)


@dataclass(frozen=True)
class Labeler:
    caller: Caller
    slug: str
    number: int
    seed: int

    def answer_one(self) -> bool:
        """Lease, read, answer; False when nothing is left."""
        served = self.caller.post(f"projects/{self.slug}/assignments/", want=1)
        if not served["assignments"]:
            return False
        assignment = served["assignments"][0]
        receipt = self.caller.post(
            f"assignments/{assignment['key']}/preference/",
            token=assignment["token"],
            idempotency_key=str(uuid.uuid4()),
            guidelines_version=assignment["guidelines_version"],
            **self.judge(assignment),
        )
        assert receipt["counted"], "an answer of a simulated labeler came too late"
        return True

    def judge(self, assignment: dict[str, Any]) -> dict[str, Any]:
        """What this labeler says of the pair, whatever the order shown and the database."""
        prompt = assignment["prompt"]["messages"]
        texts = [shown["messages"][-1]["content"] for shown in assignment["responses"]]
        first, second = sorted(range(2), key=lambda position: texts[position])
        a, b = (taste.quality(prompt, texts[position]) for position in (first, second))
        what = json.dumps([self.seed, self.number, prompt, texts[first], texts[second]])
        verdict = taste.prefer(a, b, random.Random(what))
        if verdict == "tie":
            return {"outcome": "tie", "tiers": [[0, 1]], "strength": None}
        better, worse = (first, second) if verdict == "a" else (second, first)
        gap = a - b if verdict == "a" else b - a
        return {
            "outcome": "prefer",
            "tiers": [[better], [worse]],
            "strength": 1 + (gap >= CLEAR) + (gap >= VERY_CLEAR),
        }


def add_people(project: Project, port: int, seed: int) -> tuple[Manager, list[Labeler]]:
    """Members of the project that a program answers for; their tokens last a day."""
    manager = Manager(add_member(project, "manager", Role.MANAGER, port), project.slug)
    labelers = [
        Labeler(
            add_member(project, f"labeler-{number}", Role.LABELER, port),
            project.slug,
            number,
            seed,
        )
        for number in range(1, LABELERS + 1)
    ]
    return manager, labelers


def add_member(project: Project, name: str, role: str, port: int) -> Caller:
    user, _ = get_user_model().objects.get_or_create(
        username=f"simulated-{name}-of-{project.slug}",
        defaults={"password": "!", "first_name": "Simulated", "last_name": name},
    )
    Membership.objects.update_or_create(
        user=user, project=project, defaults={"role": role, "simulated": True}
    )
    _, token = get_token_model().objects.create(user, expiry=timedelta(days=1))
    return Caller(port, token)
