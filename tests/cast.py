"""The people of the tests, and a project they work in.

Lena and Luis label, Rita reviews, Maya manages; Otto has an account and belongs to nothing. Each is
a Person with `user` and `api`, a client that is signed in as them; `anyone` is signed out.
"""

import uuid
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from annotation.asking import add_comparison, add_prompt, add_response
from annotation.batches import freeze
from annotation.invitations import invite
from annotation.models import (
    Alarm,
    Demonstration,
    Guidelines,
    Membership,
    Project,
    Prompt,
    Response,
)
from annotation.models.projects import Role
from rewardtrain.models import (
    Decision,
    Generation,
    LoopPolicy,
    Match,
    Metric,
    ModelCheck,
    ModelVersion,
    Round,
    Run,
    Score,
    Scoring,
    Suspect,
    Talk,
    Turn,
)

PASSWORD = "a lamp under the bridge"
TALES = [
    ("Tell a tale about Pip the owl.", "Pip found the key and flew home.", "Pip lost it all."),
    ("Tell a tale about Moss the hare.", "Moss ran and won the ribbon.", "Moss slept and slept."),
    ("Tell a tale about Ida the fox.", "Ida shared the plum.", "Ida ate the plum alone."),
    ("Tell a tale about Bo the toad.", "Bo sang until it rained.", "Bo sat in the dust."),
]


@dataclass
class Person:
    user: User
    api: APIClient

    def answer(self, project: Project, **said: Any) -> dict[str, Any]:
        """Lease the next comparison over HTTP and prefer its left response, unless told else."""
        served = self.api.post(f"/api/projects/{project.slug}/assignments/", {"want": 1})
        assignment = served.json()["assignments"][0]
        body = {
            "token": assignment["token"],
            "idempotency_key": str(uuid.uuid4()),
            "outcome": "prefer",
            "tiers": [[0], [1]],
            "strength": 1,
            **said,
        }
        answered = self.api.post(f"/api/assignments/{assignment['key']}/preference/", body)
        assert answered.status_code == 201, answered.json()
        return {"key": assignment["key"], **answered.json()}


@cache
def hashed_password() -> str:
    """Hashing is slow on purpose; once a run is enough."""
    return make_password(PASSWORD)


def person(username: str, **rights: bool) -> Person:
    user = User.objects.create(username=username, password=hashed_password(), **rights)
    api = APIClient()
    api.default_format = "json"
    api.force_login(user)
    return Person(user, api)


@pytest.fixture
def anyone(db: None) -> APIClient:
    api = APIClient()
    api.default_format = "json"
    return api


@pytest.fixture
def otto(db: None) -> Person:
    return person("otto")


@pytest.fixture
def project(db: None) -> Project:
    """Open, pairwise, four comparisons, guidelines in version 1, no members yet."""
    project = Project.objects.create(slug="tales", name="Tales", state=Project.State.OPEN)
    Guidelines.objects.create(project=project, version=1, text="Prefer the kinder tale.")
    for asked, *answers in TALES:
        prompt, _ = add_prompt(project, [{"role": "user", "content": asked}])
        responses = [
            add_response(prompt, [{"role": "assistant", "content": text}])[0] for text in answers
        ]
        add_comparison(project, prompt, responses)
    return project


@pytest.fixture
def lena(project: Project) -> Person:
    return member("lena", project, Role.LABELER)


@pytest.fixture
def luis(project: Project) -> Person:
    return member("luis", project, Role.LABELER)


@pytest.fixture
def rita(project: Project) -> Person:
    return member("rita", project, Role.REVIEWER)


@pytest.fixture
def maya(project: Project) -> Person:
    return member("maya", project, Role.MANAGER)


def member(username: str, project: Project, role: str) -> Person:
    someone = person(username)
    Membership.objects.create(user=someone.user, project=project, role=role)
    return someone


@pytest.fixture
def everything(project: Project, lena: Person, maya: Person) -> dict[str, Any]:
    """One row at least in each of our tables, by the names that addresses give to them."""
    key = lena.answer(project)["key"]
    token = lena.api.post("/api/tokens/", {"name": "script"}).json()["key"]
    lena.api.put("/api/session/keys/", {"keys": {"tie": "q"}})
    lena.api.post("/api/projects/tales/guidelines/acknowledge/", {"version": 1})
    maya.api.patch("/api/projects/tales/", {"grace_seconds": 0})
    project.refresh_from_db()
    invitation, link = invite(project=project, actor=maya.user, role="labeler", seats=1, days=1)
    batch = freeze(project)
    prompt = Prompt.objects.earliest("pk")
    response, other = Response.objects.order_by("pk")[:2]
    Demonstration.objects.create(
        project=project, prompt=prompt, author=lena.user, how="written", text="Pip flew."
    )
    LoopPolicy.objects.get_or_create(project=project)
    turn = Round.objects.create(project=project, number=1)
    run = Run.objects.create(project=project, round=turn, kind=Run.Kind.REWARD, batch=batch)
    Metric.objects.create(run=run, attempt=1, step=1, time=timezone.now(), values={"loss": 0.7})
    reward = ModelVersion.objects.create(
        project=project, kind="reward", number=1, run=run, batch=batch
    )
    policy = ModelVersion.objects.create(
        project=project, kind="policy", number=0, source="demo", is_reference=True
    )
    Generation.objects.create(response=response, version=policy, run=run, index=0)
    Score.objects.create(response=response, version=reward, value=0.5)
    scoring = Scoring.objects.create(
        version=reward, messages=[], responses=[], sha256="0", requested_by=maya.user
    )
    Match.objects.create(
        run=run,
        prompt=prompt,
        policy=policy,
        opponent=policy,
        policy_response=response,
        opponent_response=other,
    )
    Suspect.objects.create(
        run=run, prompt=prompt, response=response, reference_response=other, step=9, why="kl"
    )
    Decision.objects.create(project=project, what="promoted", reason="It was preferred.")
    alarm = Alarm.objects.create(project=project, labeler=lena.user, note="All answers are rude.")
    check = ModelCheck.objects.create(project=project, source="demo", requested_by=maya.user)
    talk = Talk.objects.create(project=project, labeler=lena.user)
    Turn.objects.create(talk=talk, number=1, prompt=prompt, policy=policy)
    return {
        "projects": project.slug,
        "assignments": key,
        "tokens": token,
        "invitations": link.removeprefix("/join/"),
        "project invitations": invitation.pk,
        "project members": Membership.objects.get(user=lena.user).pk,
        "alarms": alarm.pk,
        "batches": batch.pk,
        "scorings": scoring.pk,
        "runs": run.pk,
        "models": reward.pk,
        "model-checks": check.pk,
        "talks": talk.key,
    }
