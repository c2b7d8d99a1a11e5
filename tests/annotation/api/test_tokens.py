"""Keys by which a person's programs act for them."""

from datetime import timedelta

from django.utils import timezone
from rest_framework.test import APIClient

from annotation.models import ApiToken
from tests.cast import Person


def program(token: str) -> APIClient:
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return api


def test_a_token_is_shown_once_and_acts_for_its_owner(lena: Person) -> None:
    made = lena.api.post("/api/tokens/", {"name": "nightly export"})
    assert made.status_code == 201
    token = made.json()["token"]
    assert program(token).get("/api/projects/").json()["results"][0]["slug"] == "tales"
    [row] = lena.api.get("/api/tokens/").json()["results"]
    assert row["name"] == "nightly export"
    assert token.startswith(row["key"])
    assert "token" not in row
    assert token not in str(ApiToken.objects.values_list().get()), "only its hash is stored"


def test_a_token_ends_after_ninety_days(lena: Person) -> None:
    token = lena.api.post("/api/tokens/").json()["token"]
    row = ApiToken.objects.get()
    assert timedelta(days=89) < row.expiry - timezone.now() <= timedelta(days=90)
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    refused = program(token).get("/api/projects/")
    assert refused.status_code == 401
    assert refused.json()["error"]["code"] == "authentication_failed"


def test_a_token_cannot_make_another(lena: Person) -> None:
    token = lena.api.post("/api/tokens/").json()["token"]
    assert program(token).post("/api/tokens/").status_code == 401


def test_a_token_is_deleted_by_its_owner_only(lena: Person, luis: Person) -> None:
    made = lena.api.post("/api/tokens/").json()
    assert luis.api.delete(f"/api/tokens/{made['key']}/").status_code == 404
    assert luis.api.get("/api/tokens/").json()["results"] == []
    assert lena.api.delete(f"/api/tokens/{made['key']}/").status_code == 204
    assert program(made["token"]).get("/api/projects/").status_code == 401
