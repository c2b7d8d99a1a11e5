"""Sign-in at an OpenID Connect provider: a real one, if small, that speaks HTTP and checks PKCE."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import include, path

from annotation.invitations import invite
from annotation.models import Membership, Project
from config.urls import urlpatterns as without_sso
from tests.cast import Person

urlpatterns = [path("accounts/", include("allauth.urls")), *without_sso]
LOGIN = "/accounts/oidc/sso/login/"
SECRET = "the secret that the provider and Vibecheck share"


class Provider(ThreadingHTTPServer):
    """Vouches for whoever `says` describes, to who holds the secret and the code's verifier."""

    daemon_threads = True
    says = {"sub": "42", "preferred_username": "nora", "name": "Nora Berg"}
    challenge = ""

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        if self.path == "/.well-known/openid-configuration":
            addresses = {"authorization": "authorize", "token": "token", "userinfo": "userinfo"}
            self.send(
                {"issuer": self.server.issuer, "jwks_uri": f"{self.server.issuer}/keys"}
                | {f"{k}_endpoint": f"{self.server.issuer}/{v}" for k, v in addresses.items()}
            )
        else:
            assert self.headers["Authorization"] == "Bearer let-me-see"
            self.send(self.server.says)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        verifier = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        proved = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if proved != self.server.challenge or form["client_secret"] != [SECRET]:
            self.send({"error": "invalid_grant"}, 400)
            return
        now = int(time.time())
        claims = {"iss": self.server.issuer, "aud": "vibecheck", "iat": now, "exp": now + 60}
        token = jwt.encode(claims | self.server.says, SECRET)
        self.send({"access_token": "let-me-see", "token_type": "Bearer", "id_token": token})

    def send(self, body: dict, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *args: object) -> None:
        """Nothing: the test's output is the tests'."""


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    server = Provider(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever)
    thread.start()
    settings.ROOT_URLCONF = __name__
    settings.SSO_ISSUER, settings.SSO_NAME = server.issuer, "House keys"
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "sso",
                    "name": "House keys",
                    "client_id": "vibecheck",
                    "secret": SECRET,
                    "settings": {"server_url": server.issuer},
                }
            ],
        }
    }
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(browser: Client, provider: Provider, **asked: str) -> str:
    """Go to the provider and come back, as a browser would; where that ends."""
    sent = browser.get(LOGIN, asked)
    address = urlsplit(sent["Location"])
    assert sent["Location"].startswith(f"{provider.issuer}/authorize?")
    query = {name: values[0] for name, values in parse_qs(address.query).items()}
    assert query["code_challenge_method"] == "S256"
    provider.challenge = query["code_challenge"]
    back = urlsplit(query["redirect_uri"]).path
    return browser.get(back, {"code": "once", "state": query["state"]})["Location"]


def who(browser: Client) -> str | None:
    user = browser.get("/api/session/").json()["user"]
    return user and user["name"]


def test_without_a_provider_there_is_nothing_to_sign_in_at(client: Client, db: None) -> None:
    assert client.get("/api/session/").json()["sso"] == []
    for address in (LOGIN, "/accounts/login/", "/accounts/signup/"):
        assert client.get(address).status_code == 404


def test_the_sign_in_page_offers_the_provider(provider: Provider, client: Client, db: None) -> None:
    assert client.get("/api/session/").json()["sso"] == [{"name": "House keys", "url": LOGIN}]


@pytest.mark.parametrize("page", ["/", "/join/made-up", "https://elsewhere.example/join/x"])
def test_a_stranger_without_an_invitation_gets_no_account(
    page: str, provider: Provider, client: Client, db: None
) -> None:
    assert sign_in(client, provider, next=page) == "/sign-in?sso=not-invited"
    assert not User.objects.exists()
    assert who(client) is None


def test_an_invited_stranger_gets_an_account_joins_and_comes_back_without(
    provider: Provider, client: Client, project: Project
) -> None:
    _, page = invite(project=project, actor=None, role="reviewer", seats=1, days=1)
    assert sign_in(client, provider, next=page) == page
    assert who(client) == "Nora Berg"
    assert not User.objects.get(username="nora").has_usable_password()
    joined = client.post(f"/api/invitations{page.removeprefix('/join')}/")
    assert joined.json() == {"slug": "tales"}
    assert Membership.objects.get(user__username="nora").role == "reviewer"
    again = Client()
    assert sign_in(again, provider) == "/"
    assert who(again) == "Nora Berg"
    assert User.objects.count() == 1


def test_a_name_or_address_that_is_taken_does_not_let_into_its_account(
    provider: Provider, client: Client, project: Project, lena: Person
) -> None:
    User.objects.filter(username="lena").update(email="lena@example.org")
    provider.says = provider.says | {
        "preferred_username": "lena",
        "email": "lena@example.org",
        "email_verified": True,
    }
    assert sign_in(client, provider) == "/sign-in?sso=not-invited"
    _, page = invite(project=project, actor=None, role="labeler", seats=1, days=1)
    assert sign_in(client, provider, next=page) == page
    assert client.session["_auth_user_id"] != str(lena.user.pk)
    assert User.objects.count() == 2


def test_a_labeler_adds_the_provider_to_the_account_they_have(
    provider: Provider, lena: Person
) -> None:
    added = sign_in(lena.api, provider, process="connect", next="/account")
    assert added == "/account"
    browser = Client()
    assert sign_in(browser, provider) == "/"
    assert who(browser) == "lena"


def test_a_provider_that_refuses_leads_back_to_the_sign_in_page(
    provider: Provider, client: Client, db: None
) -> None:
    client.get(LOGIN)
    refused = client.get("/accounts/oidc/sso/login/callback/", {"error": "access_denied"})
    assert refused["Location"] == "/sign-in?sso=failed"


def test_an_answer_that_is_not_ours_is_refused(
    provider: Provider, client: Client, db: None
) -> None:
    client.get(LOGIN)
    forged = {"code": "once", "state": "made-up"}
    refused = client.get("/accounts/oidc/sso/login/callback/", forged)
    assert refused["Location"] == "/sign-in?sso=failed"
    assert who(client) is None
