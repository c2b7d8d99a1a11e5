"""Signing in and out, the lock-out, and passwords."""

import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.core.cache import cache
from django.utils import timezone
from rest_framework.test import APIClient

from annotation.accounts import reset_path
from annotation.models import ApiToken, Membership, Project
from annotation.models.projects import Role
from tests.cast import PASSWORD, Person

LENA = {"username": "lena", "password": PASSWORD}
NEW = "seven quiet herons"


@pytest.fixture(autouse=True)
def no_rates_from_other_tests() -> None:
    cache.clear()


def test_signed_out_sees_what_the_sign_in_page_needs(anyone: APIClient) -> None:
    assert anyone.get("/api/session/").json() == {
        "user": None,
        "demo": False,
        "demo_accounts": [],
        "mail": False,
        "sso": [],
    }


def test_the_demo_tells_its_accounts(anyone: APIClient, settings) -> None:
    settings.DEMO, settings.DEMO_ACCOUNTS = True, [("maya", "maya-keeps-the-circle", "manager")]
    said = anyone.get("/api/session/").json()
    assert said["demo"] is True
    assert said["demo_accounts"] == [
        {"username": "maya", "password": "maya-keeps-the-circle", "role": "manager"}
    ]


def test_signing_in_and_out(lena: Person, anyone: APIClient) -> None:
    signed_in = anyone.post("/api/session/", LENA)
    assert signed_in.status_code == 200
    assert signed_in.json()["user"] == {
        "username": "lena",
        "name": "lena",
        "keys": {},
        "can_create_projects": False,
        "is_staff": False,
    }
    assert anyone.get("/api/projects/").status_code == 200
    assert anyone.delete("/api/session/").status_code == 204
    assert anyone.get("/api/projects/").status_code == 401


def test_a_manager_may_create_projects(maya: Person) -> None:
    assert maya.api.get("/api/session/").json()["user"]["can_create_projects"] is True


@pytest.mark.parametrize("username", ["lena", "nobody"])
def test_a_wrong_password_says_the_same_for_every_name(
    username: str, lena: Person, anyone: APIClient
) -> None:
    refused = anyone.post("/api/session/", {"username": username, "password": "guess"})
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == "This name and password do not fit together."


def test_a_closed_account_cannot_sign_in(lena: Person, anyone: APIClient) -> None:
    lena.user.is_active = False
    lena.user.save()
    assert anyone.post("/api/session/", LENA).status_code == 400


def test_guessing_locks_the_name_out_and_says_for_how_long(
    lena: Person, luis: Person, anyone: APIClient, settings
) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    guesses = [
        anyone.post("/api/session/", {"username": "lena", "password": str(n)}) for n in range(3)
    ]
    assert [guess.status_code for guess in guesses] == [400, 400, 429]
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=10))
    right = anyone.post("/api/session/", LENA)
    assert right.status_code == 429
    assert 290 <= int(right["Retry-After"]) <= 300
    error = right.json()["error"]
    assert (error["code"], error["message"]) == (
        "locked_out",
        "Too many wrong passwords. Try again in 5 minutes.",
    )
    other = anyone.post("/api/session/", {"username": "luis", "password": PASSWORD})
    assert other.status_code == 200


def test_the_lock_opens_by_itself_and_by_a_reset_link(
    lena: Person, anyone: APIClient, settings
) -> None:
    settings.AXES_FAILURE_LIMIT = 1
    wrong = {"username": "lena", "password": "guess"}
    assert anyone.post("/api/session/", wrong).status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert anyone.post("/api/session/", LENA).status_code == 200
    anyone.delete("/api/session/")
    assert anyone.post("/api/session/", wrong).status_code == 429
    reset = reset_of(lena)
    assert anyone.post("/api/session/reset/confirm/", reset).status_code == 204
    signed_in = anyone.post("/api/session/", {"username": "lena", "password": NEW})
    assert signed_in.status_code == 200


def test_the_admins_own_sign_in_locks_out_too(anyone: APIClient, settings) -> None:
    settings.AXES_FAILURE_LIMIT = 1
    form = {"username": "root", "password": "guess"}
    locked = anyone.post("/admin/login/", form, format="multipart")
    assert locked.status_code == 429
    # Counted from the attempt, which may be a second ago by now.
    assert int(locked["Retry-After"]) in (899, 900)


def test_signing_in_takes_a_csrf_token(lena: Person) -> None:
    browser = APIClient(enforce_csrf_checks=True)
    forged = browser.post("/api/session/", LENA, format="json")
    assert forged.status_code == 403
    token = browser.get("/api/session/").cookies["csrftoken"].value
    signed_in = browser.post("/api/session/", LENA, format="json", headers={"X-CSRFToken": token})
    assert signed_in.status_code == 200
    assert signed_in.cookies["csrftoken"].value != token, "a new session has a new token"
    forged = browser.post("/api/projects/tales/assignments/", {}, format="json")
    assert forged.status_code == 403


def test_a_new_password_ends_other_sessions_and_tokens_but_not_this_one(
    lena: Person, anyone: APIClient
) -> None:
    anyone.post("/api/session/", LENA)
    lena.api.post("/api/tokens/", {"name": "script"})
    changed = lena.api.post(
        "/api/session/password/", {"old_password": PASSWORD, "new_password": NEW}
    )
    assert changed.status_code == 204
    assert lena.api.get("/api/projects/").status_code == 200
    assert anyone.get("/api/projects/").status_code == 401
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("not it", NEW, "old_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "1029384756565", "new_password"),
        (PASSWORD, "qwertyuiop", "new_password"),
    ],
)
def test_a_password_change_is_refused_with_the_field_at_fault(
    old: str, new: str, field: str, lena: Person
) -> None:
    refused = lena.api.post("/api/session/password/", {"old_password": old, "new_password": new})
    assert refused.status_code == 400
    assert refused.json()["error"]["field"] == field
    lena.user.refresh_from_db()
    assert lena.user.check_password(PASSWORD)


def test_guessing_the_old_password_locks_out(lena: Person, settings) -> None:
    settings.AXES_FAILURE_LIMIT = 2
    guess = {"old_password": "guess", "new_password": NEW}
    codes = [lena.api.post("/api/session/password/", guess).status_code for _ in range(2)]
    assert codes == [400, 429]


def reset_of(person: Person) -> dict[str, str]:
    person.user.refresh_from_db()
    uid, token = reset_path(person.user).split("/")[-2:]
    return {"uid": uid, "token": token, "new_password": NEW}


def test_a_reset_link_works_once(lena: Person, anyone: APIClient) -> None:
    reset = reset_of(lena)
    weak = anyone.post("/api/session/reset/confirm/", {**reset, "new_password": "short"})
    assert weak.json()["error"]["field"] == "new_password"
    assert anyone.post("/api/session/reset/confirm/", reset).status_code == 204
    again = anyone.post("/api/session/reset/confirm/", reset)
    assert again.json()["error"]["code"] == "link_expired"
    assert lena.api.get("/api/projects/").status_code == 401, "the old session has ended"


def test_a_reset_link_expires(lena: Person, anyone: APIClient, settings) -> None:
    reset = reset_of(lena)
    settings.PASSWORD_RESET_TIMEOUT = -1
    refused = anyone.post("/api/session/reset/confirm/", reset)
    assert refused.json()["error"]["code"] == "link_expired"


@pytest.mark.parametrize("uid", ["", "!!!!", "MTIz", "x" * 40])
def test_a_made_up_reset_link_is_refused(uid: str, lena: Person, anyone: APIClient) -> None:
    made_up = {**reset_of(lena), "uid": uid}
    assert anyone.post("/api/session/reset/confirm/", made_up).status_code == 400


def test_mail_with_a_link_goes_out_only_where_mail_is_configured(
    lena: Person, anyone: APIClient, settings, mailoutbox
) -> None:
    lena.user.email = "lena@example.org"
    lena.user.save()
    ask = {"email": "lena@example.org"}
    assert anyone.post("/api/session/reset/", ask).status_code == 204
    assert mailoutbox == []
    settings.MAIL_CONFIGURED, settings.SITE_ROOT = True, "https://labels.example.org"
    assert anyone.post("/api/session/reset/", ask).status_code == 204
    [mail] = mailoutbox
    assert mail.to == ["lena@example.org"]
    [(uid, token)] = re.findall(r"https://labels\.example\.org/reset/(\w+)/(\S+)", mail.body)
    confirm = {"uid": uid, "token": token, "new_password": NEW}
    assert anyone.post("/api/session/reset/confirm/", confirm).status_code == 204


def test_asking_for_mail_to_a_stranger_says_the_same_and_sends_nothing(
    anyone: APIClient, settings, mailoutbox
) -> None:
    settings.MAIL_CONFIGURED = True
    assert anyone.post("/api/session/reset/", {"email": "x@example.org"}).status_code == 204
    assert mailoutbox == []


def test_asking_for_mail_again_and_again_is_slowed_down(anyone: APIClient) -> None:
    ask = {"email": "x@example.org"}
    codes = [anyone.post("/api/session/reset/", ask).status_code for _ in range(11)]
    assert codes == [204] * 10 + [429]


def reset_by_manager(maya: Person, member: Person, project: Project):
    row = Membership.objects.get(user=member.user, project=project)
    return maya.api.post(f"/api/projects/tales/members/{row.pk}/reset/")


def test_a_manager_hands_a_member_a_link(
    maya: Person, lena: Person, project: Project, anyone: APIClient
) -> None:
    link = reset_by_manager(maya, lena, project).json()["link"]
    assert link.startswith("http://testserver/reset/")
    uid, token = link.split("/")[-2:]
    confirm = {"uid": uid, "token": token, "new_password": NEW}
    assert anyone.post("/api/session/reset/confirm/", confirm).status_code == 204


def test_a_manager_gets_no_link_to_an_account_that_reaches_further(
    maya: Person, lena: Person, rita: Person, project: Project
) -> None:
    elsewhere = Project.objects.create(slug="verse", name="Verse")
    Membership.objects.create(user=lena.user, project=elsewhere, role=Role.LABELER)
    rita.user.is_staff = True
    rita.user.save()
    for member in (lena, rita):
        refused = reset_by_manager(maya, member, project)
        assert refused.status_code == 403
        assert "bin/manage reset_link" in refused.json()["error"]["fix"]
    Membership.objects.create(user=maya.user, project=elsewhere, role=Role.MANAGER)
    assert reset_by_manager(maya, lena, project).status_code == 200


def test_own_keys_come_with_the_account(lena: Person, luis: Person) -> None:
    keys = {"tie": "q", "prefer:0:1": "shift+h", "skip": " "}
    assert lena.api.put("/api/session/keys/", {"keys": keys}).status_code == 204
    assert lena.api.get("/api/session/").json()["user"]["keys"] == keys
    assert luis.api.get("/api/session/").json()["user"]["keys"] == {}
    assert lena.api.put("/api/session/keys/", {"keys": {}}).status_code == 204
    assert lena.api.get("/api/session/").json()["user"]["keys"] == {}


@pytest.mark.parametrize(
    "keys",
    [{"Tie!": "q"}, {"a" * 41: "q"}, {"tie": ""}, {"tie": "q" * 21}, {"tie": ["q"]}, ["tie"],
     {f"prefer:{n}": "q" for n in range(201)}],
    ids=["no action", "long action", "no key", "long key", "two keys", "a list", "too many"],
)  # fmt: skip
def test_what_is_no_key_is_refused_and_the_kept_ones_stay(lena: Person, keys: object) -> None:
    lena.api.put("/api/session/keys/", {"keys": {"tie": "q"}})
    refused = lena.api.put("/api/session/keys/", {"keys": keys})
    assert refused.status_code == 400
    assert refused.json()["error"]["field"].startswith("keys")
    assert lena.api.get("/api/session/").json()["user"]["keys"] == {"tie": "q"}
