"""Projects made over HTTP as people make them: a manager's, with comparisons and members."""

import json
from typing import Any

import requests

from rewardtrain.demo.accounts import DEMO_ACCOUNTS

PASSWORDS = {username: password for username, password, _ in DEMO_ACCOUNTS}


class Client:
    """One of the demo's people, signed in by password as a browser is."""

    def __init__(self, address: str, username: str) -> None:
        self.address = address
        self.session = requests.Session()
        self.call("GET", "session/")
        self.call("POST", "session/", username=username, password=PASSWORDS[username])

    def call(self, method: str, path: str, **body: Any) -> Any:
        headers = {"X-CSRFToken": self.session.cookies.get("csrftoken", "")}
        given = {"json": body} if method != "GET" else {}
        answer = self.session.request(
            method, f"{self.address}/api/{path}", headers=headers, **given
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:300]}"
        return answer.json() if answer.content else None


def open_project(
    address: str, name: str, comparisons: list[tuple[str, list[str]]], **settings: Any
) -> str:
    """Maya's open project with these prompts and responses, joined by Lena and Luis; its slug."""
    maya = Client(address, "maya")
    slug = maya.call("POST", "projects/", name=name, **settings)["slug"]
    lines = [json.dumps({"prompt": prompt, "responses": texts}) for prompt, texts in comparisons]
    report = maya.call("POST", f"projects/{slug}/comparisons/", text="\n".join(lines))
    assert report["created"] == len(comparisons), report
    maya.call("POST", f"projects/{slug}/state/", state="open")
    link = maya.call("POST", f"projects/{slug}/invitations/", role="labeler", seats=2, days=1)
    key = link["link"].rsplit("/", 1)[-1]
    for username in ("lena", "luis"):
        Client(address, username).call("POST", f"invitations/{key}/")
    return slug


def pairs(number: int) -> list[tuple[str, list[str]]]:
    return [
        (f"Tell tale {n}.", [f"Pip the owl flew to tower {n}.", f"The owl of tower {n} slept."])
        for n in range(number)
    ]
