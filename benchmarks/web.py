"""One client of the web server, as a browser is: a session, its cookie, its CSRF token."""

import os
import socket
import subprocess
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from benchmarks.crowd import Times

PASSWORD = "only for the benchmark"


@contextmanager
def server() -> Iterator[str]:
    """The web server as bin/start runs it, on the database of this environment."""
    from config.serve import healthy, programs

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    web = programs("127.0.0.1", port)[0][0]
    process = subprocess.Popen(web.command, env={**os.environ, **web.env})
    try:
        while not healthy("127.0.0.1", port):
            assert process.poll() is None, "the web server ended while starting"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def label(base: str, member, turns: int) -> Times:
    """Milliseconds of `turns` submissions, and of the lease after each."""
    client = sign_in(base, member)
    assignments = f"{base}/api/projects/{member.project.slug}/assignments/"
    times: Times = defaultdict(list)
    served = client.post(assignments, json={"want": 3}).json()
    for _ in range(turns):
        shown = served["assignments"][0]
        answer = {
            "token": shown["token"], "idempotency_key": str(uuid.uuid4()), "outcome": "prefer",
            "tiers": [[0], [1]], "strength": 1, "active_ms": 4000,
        }  # fmt: skip
        began = time.perf_counter()
        answered = client.post(f"{base}/api/assignments/{shown['key']}/preference/", json=answer)
        times["submit"].append(1000 * (time.perf_counter() - began))
        assert answered.status_code == 201, answered.text
        began = time.perf_counter()
        served = client.post(assignments, json={"want": 3}).json()
        times["lease"].append(1000 * (time.perf_counter() - began))
    return times


def sign_in(base: str, member) -> requests.Session:
    member.user.set_password(PASSWORD)
    member.user.save(update_fields=["password"])
    client = requests.Session()
    client.get(f"{base}/sign-in")
    _carry_csrf(client)
    given = {"username": member.user.username, "password": PASSWORD}
    signed_in = client.post(f"{base}/api/session/", json=given)
    assert signed_in.status_code == 200, signed_in.text
    _carry_csrf(client)
    return client


def _carry_csrf(client: requests.Session) -> None:
    if token := client.cookies.get("csrftoken"):
        client.headers["X-CSRFToken"] = token
