"""The same work in a running Label Studio: its next task, an annotation, again and again.

Its project is made for this and stays there. The token is a legacy access token of its user's
account page.
"""

import time
from typing import Any

import requests

from benchmarks.queue_rows import PAIRS_A_PROMPT

TASKS = 2312
"""As many as were measured before, so that figures can be compared."""
CONFIG = """
<View>
  <Header value="$prompt"/>
  <Pairwise name="better" toName="left,right"/>
  <Text name="left" value="$left"/>
  <Text name="right" value="$right"/>
</View>
"""


def measure(base: str, token: str, turns: int) -> dict[str, list[float]]:
    """Milliseconds of `turns` requests for the next task, and of the annotation after each."""
    client = requests.Session()
    client.headers["Authorization"] = f"Token {token}"
    api = f"{base.rstrip('/')}/api"
    project = ask(client, "POST", f"{api}/projects/", title="Queue", label_config=CONFIG)["id"]
    sent = client.post(f"{api}/projects/{project}/import", json=tasks(), timeout=600)
    sent.raise_for_status()
    times: dict[str, list[float]] = {"lease": [], "submit": []}
    for _ in range(turns):
        began = time.perf_counter()
        task = ask(client, "GET", f"{api}/projects/{project}/next")["id"]
        times["lease"].append(1000 * (time.perf_counter() - began))
        began = time.perf_counter()
        ask(client, "POST", f"{api}/tasks/{task}/annotations/", result=LEFT, lead_time=4)
        times["submit"].append(1000 * (time.perf_counter() - began))
    return times


LEFT = [
    {
        "from_name": "better",
        "to_name": "left",
        "type": "pairwise",
        "value": {"selected": "left"},
    }
]


def tasks() -> list[dict[str, dict[str, str]]]:
    """Texts as long as those of the queue's rows."""
    return [
        {
            "data": {
                "prompt": f"Explain in a few sentences why bridge {n // PAIRS_A_PROMPT} sways.",
                "left": f"Wind number {n} pushes deck 1. " * 12,
                "right": f"Wind number {n} pushes deck 2. " * 12,
            }
        }
        for n in range(TASKS)
    ]


def ask(client: requests.Session, method: str, address: str, **body: Any) -> dict[str, Any]:
    answer = client.request(method, address, json=body or None, timeout=60)
    answer.raise_for_status()
    return answer.json()
