"""Every endpoint with every role and every method, against a literal table.

An endpoint that the table does not know fails, and so does a line of the table that no endpoint
stands behind. A new endpoint gets a line with the methods it has and who may call each.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from tests.cast import Person

OK = "ok"  # let in: 2xx, or 400 and 409 for what was sent
ROLES = ("signed out", "outsider", "labeler", "reviewer", "manager")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")

# Who is let in, in the order of ROLES; the rows in the addresses are the labeler's own.
ANYONE = (OK, OK, OK, OK, OK)
SIGNED_IN = (401, OK, OK, OK, OK)
MAKERS = (401, 403, 403, 403, OK)
LABELER = (401, 404, OK, OK, OK)
REVIEWER = (401, 404, 403, OK, OK)
MANAGER = (401, 404, 403, 403, OK)
OWNER = (401, 404, OK, 404, 404)

ENDPOINTS: dict[str, dict[str, tuple]] = {
    "health/": {"GET": ANYONE},
    "schema/": {"GET": ANYONE},
    "session/": {"GET": ANYONE, "POST": ANYONE, "DELETE": ANYONE},
    "session/password/": {"POST": SIGNED_IN},
    "session/keys/": {"PUT": SIGNED_IN},
    "session/reset/": {"POST": ANYONE},
    "session/reset/confirm/": {"POST": ANYONE},
    "tokens/": {"GET": SIGNED_IN, "POST": SIGNED_IN},
    "tokens/<str:key>/": {"DELETE": OWNER},
    "invitations/<str:key>/": {"GET": ANYONE, "POST": ANYONE},
    "projects/": {"GET": SIGNED_IN, "POST": MAKERS},
    "projects/<slug:slug>/": {"GET": LABELER, "PATCH": MANAGER},
    "projects/<slug:slug>/state/": {"POST": MANAGER},
    "projects/<slug:slug>/guidelines/": {"GET": LABELER, "POST": MANAGER},
    "projects/<slug:slug>/guidelines/acknowledge/": {"POST": LABELER},
    "projects/<slug:slug>/members/": {"GET": MANAGER},
    "projects/<slug:slug>/members/<int:id>/": {"PATCH": MANAGER, "DELETE": MANAGER},
    "projects/<slug:slug>/members/<int:id>/reset/": {"POST": MANAGER},
    "projects/<slug:slug>/invitations/": {"GET": MANAGER, "POST": MANAGER},
    "projects/<slug:slug>/invitations/<int:id>/": {"DELETE": MANAGER},
    "projects/<slug:slug>/prompts/": {"GET": REVIEWER, "POST": MANAGER},
    "projects/<slug:slug>/comparisons/": {"GET": REVIEWER, "POST": MANAGER},
    "projects/<slug:slug>/preferences/": {"GET": REVIEWER},
    "projects/<slug:slug>/preferences/export/": {"GET": MANAGER},
    "projects/<slug:slug>/gap/": {"GET": MANAGER},
    "projects/<slug:slug>/alarms/": {"GET": REVIEWER, "POST": LABELER},
    "alarms/<int:pk>/end/": {"POST": MANAGER},
    "projects/<slug:slug>/events/": {"GET": MANAGER},
    "projects/<slug:slug>/assignments/": {"POST": LABELER},
    "projects/<slug:slug>/answers/": {"GET": LABELER},
    "projects/<slug:slug>/progress/": {"GET": LABELER},
    "assignments/<str:key>/": {"GET": OWNER},
    "assignments/<str:key>/renew/": {"POST": OWNER},
    "assignments/<str:key>/release/": {"POST": OWNER},
    "assignments/<str:key>/skip/": {"POST": OWNER},
    "assignments/<str:key>/resume/": {"POST": OWNER},
    "assignments/<str:key>/demonstration/": {"POST": OWNER},
    "assignments/<str:key>/draft/": {"PUT": OWNER},
    "assignments/<str:key>/preference/": {"POST": OWNER},
    "assignments/<str:key>/retract/": {"POST": OWNER},
    "projects/<slug:slug>/circle/": {"GET": REVIEWER},
    "projects/<slug:slug>/learnt/": {"GET": LABELER},
    "projects/<slug:slug>/runs/": {"GET": REVIEWER, "POST": MANAGER},
    "projects/<slug:slug>/models/": {"GET": REVIEWER},
    "projects/<slug:slug>/spare/": {"GET": MANAGER},
    "projects/<slug:slug>/arena/": {"GET": REVIEWER},
    "projects/<slug:slug>/loop/": {"GET": REVIEWER, "PATCH": MANAGER},
    "projects/<slug:slug>/model-checks/": {"POST": MANAGER},
    "runs/<int:pk>/": {"GET": REVIEWER},
    "runs/<int:pk>/metrics/": {"GET": REVIEWER},
    "runs/<int:pk>/log/": {"GET": REVIEWER},
    "runs/<int:pk>/samples/": {"GET": REVIEWER},
    "runs/<int:pk>/cancel/": {"POST": MANAGER},
    "runs/<int:pk>/retry/": {"POST": MANAGER},
    "models/<int:pk>/": {"GET": REVIEWER},
    "models/<int:pk>/matches/": {"GET": REVIEWER},
    "models/<int:pk>/promote/": {"POST": MANAGER},
    "models/<int:pk>/archive/": {"POST": MANAGER},
    "batches/<int:pk>/": {"GET": REVIEWER},
    "batches/<int:pk>/preferences/": {"GET": REVIEWER},
    "model-checks/<int:pk>/": {"GET": MANAGER},
    "models/<int:pk>/scorings/": {"POST": REVIEWER},
    "scorings/<int:pk>/": {"GET": REVIEWER},
    "projects/<slug:slug>/talks/": {"POST": LABELER},
    "talks/<str:key>/": {"GET": OWNER},
    "talks/<str:key>/draft/": {"PUT": OWNER},
    "talks/<str:key>/turns/": {"POST": OWNER},
    "talks/<str:key>/again/": {"POST": OWNER},
}


def routes(under: Any, before: str = "") -> Iterator[str]:
    for pattern in under.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, route)
        elif isinstance(pattern, URLPattern) and route.startswith("api/"):
            yield route.removeprefix("api/")


def test_the_table_knows_every_endpoint_and_no_other() -> None:
    found = list(routes(get_resolver()))
    assert len(found) == len(set(found)), "an address is routed twice"
    assert set(found) == set(ENDPOINTS)


@pytest.mark.parametrize("route", ENDPOINTS)
def test_an_endpoint_lets_in_whom_the_table_says(
    route: str,
    everything: dict[str, Any],
    anyone: APIClient,
    otto: Person,
    lena: Person,
    rita: Person,
    maya: Person,
) -> None:
    cache.clear()
    clients = dict(zip(ROLES, [anyone, otto.api, lena.api, rita.api, maya.api], strict=True))
    address = address_of(route, everything)
    expected = {(m, role): expect(route, m, role) for m in METHODS for role in ROLES}
    found = {(m, role): probe(clients[role], m, address) for m, role in expected}
    assert found == expected


@pytest.mark.parametrize("route", [route for route in ENDPOINTS if "<slug:slug>" in route])
def test_a_row_of_another_project_is_not_reached_through_mine(
    route: str, everything: dict[str, Any], maya: Person
) -> None:
    address = address_of(route, everything | {"projects": "no-such-project"})
    for method in ENDPOINTS[route]:
        assert probe(maya.api, method, address) == 404


def expect(route: str, method: str, role: str) -> int | str:
    allowed = ENDPOINTS[route]
    if method == "HEAD" and "GET" in allowed:
        method = "GET"
    if method in allowed:
        return allowed[method][ROLES.index(role)]
    hidden = role == "signed out" and ANYONE not in allowed.values()
    return 401 if hidden else 405


def probe(client: APIClient, method: str, address: str) -> int | str:
    """The answer's status, or OK; what the request changed is rolled back."""
    with transaction.atomic():
        body = None if method in ("GET", "HEAD", "TRACE") else {}
        send = getattr(client, method.lower())
        status = send(address, body).status_code if body is not None else send(address).status_code
        transaction.set_rollback(True)
    return OK if status < 300 or status in (400, 409) else status


def address_of(route: str, rows: dict[str, Any]) -> str:
    """The route with the rows of the fixture `everything` in their places."""
    head, _, rest = route.partition("/")
    own = re.sub(r"<\w+:(slug|key|pk)>", lambda _: str(rows[head]), rest)
    kind = own.split("/")[1] if "<int:id>" in own else ""
    below = re.sub(r"<int:id>", lambda _: str(rows[f"project {kind}"]), own)
    return f"/api/{head}/{below}"
