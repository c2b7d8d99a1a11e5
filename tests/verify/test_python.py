"""Python that a model wrote: what passes, and that what is hostile harms nothing and fails."""

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from verify import sandbox
from verify.checks import unavailable, validate, verdict
from verify.kinds import python

ADD = {"kind": "python", "tests": "assert add(2, 3) == 5\nassert add(-1, 1) == 0"}
REASON = sandbox.unavailable()
shut_in = pytest.mark.skipif(REASON is not None, reason=str(REASON))

HOSTILE = {
    "a loop": "def add(a, b):\n    while True: pass",
    "a loop before all": "while True: pass",
    "sleep": "import time\ntime.sleep(1000)",
    "many processes": "import os\nwhile True:\n    try: os.fork()\n    except OSError: break",
    "many threads": "import threading\n[threading.Thread(target=id).start() for _ in range(99)]",
    "another program": "import os\nos.execv('/bin/sh', ['sh', '-c', 'true'])",
    "much memory": "held = bytearray(8 << 30)\ndef add(a, b): return a + b",
    "memory bit by bit": "held = []\nwhile True: held.append(bytearray(1 << 20))",
    "memory outside": "import os\nf = os.memfd_create('a')\ndef add(a, b): return a + b",
    "a large file": "with open('a', 'wb') as f:\n    while True: f.write(bytes(1 << 20))",
    "many files": "for i in range(1000): open(str(i), 'w').close()\ndef add(a, b): return a + b",
    "many open files": "held = [open('a', 'w') for _ in range(99)]\ndef add(a, b): return a + b",
    "a file outside": "open('{folder}/left', 'w').write('here')\ndef add(a, b): return a + b",
    "a library": "import os\nopen(os.__file__, 'a').write('x = 1')\ndef add(a, b): return a + b",
    "a file beside": "open('/left', 'w')\ndef add(a, b): return a + b",
    "passwords": "open('/etc/passwd').read()\ndef add(a, b): return a + b",
    "the secret": "assert open('{folder}/secret').read()\ndef add(a, b): return a + b",
    "the environment": "import os\nassert 'SECRET' in os.environ\ndef add(a, b): return a + b",
    "the parent's environment": "open('/proc/1/environ').read()\ndef add(a, b): return a + b",
    "the loopback": "import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)\n"
    "def add(a, b): return a + b",
    "a socket by name": "import socket\ns = socket.socket(socket.AF_UNIX)\n"
    "s.connect('\\0{name}')\ndef add(a, b): return a + b",
    "a signal to its group": "import os\nos.kill(0, 9)",
    "a signal to all": "import os\nos.kill(-1, 9)\nos.kill(os.getppid() or 2, 9)",
    "a signal to its parent": "import os\nos.killpg(os.getpgid(0), 15)\nos.kill({pid}, 9)",
    "the parent's memory": "import ctypes\nlibc = ctypes.CDLL(None)\n"
    "assert libc.ptrace(16, {pid}, 0, 0) == 0\ndef add(a, b): return a + b",
    "a namespace within": "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == 0\n"
    "def add(a, b): return a + b",
    "much printed": "while True: print('x' * 100_000)",
    "much returned": "def add(a, b): return 'x' * (64 << 20)",
    "much said": "import os\nwhile True:\n    for f in range(32):\n"
    "        try: os.write(f, b'x' * 65536)\n        except OSError: pass",
    "a forged verdict": "import os\nfor f in range(32):\n    try: os.write(f, b'passed\\n')\n"
    "    except OSError: pass",
    "a forged reply": "import os\nfor f in range(32):\n"
    "    try: os.write(f, b\"('returned', 0)\\n\")\n"
    "    except OSError: pass",
    "a forged exception": "def add(a, b): raise SystemExit(0)",
    "an end": "import sys\nsys.exit(0)",
    "an end at once": "import os\nos._exit(0)",
    "an end when asked": "import os\ndef add(a, b): os._exit(0)",
    "another assert": "import unittest, builtins\n"
    "unittest.TestCase.assertEqual = lambda *a: None\nbuiltins.AssertionError = Warning\n"
    "def add(a, b): return 0",
    "equal to all": "class All(int):\n    def __eq__(self, other): return True\n"
    "def add(a, b): return All()",
    "told as equal": "class Tale(int):\n    def __repr__(self): return '5'\n"
    "def add(a, b): return Tale()",
    "the tests": "import gc, sys\ntold = [o for o in gc.get_objects() if 'assert' in str(o)[:50]]\n"
    "def add(a, b): return next(iter(told), None)",
    "the caller's frames": "import sys\ndef add(a, b):\n    f = sys._getframe()\n"
    "    while f: a, f = f.f_locals.get('tests', a), f.f_back\n    return a",
    "deep": "def add(a, b):\n    x = []\n    for _ in range(100_000): x = [x]\n    return x",
    "no end of depth": "def add(a, b): return add(a, b)",
    "a crash": "import ctypes\nctypes.string_at(0)",
    "no Python": "def add(a, b) return",
    "nothing": "",
}


@shut_in
@pytest.mark.parametrize(
    ("tests", "answer"),
    [
        (ADD["tests"], "def add(a, b):\n    print('here')\n    return a + b"),
        (ADD["tests"], "So:\n```python\ndef add(a, b):\n    return a + b\n```\nThat is all."),
        ("def test_it():\n    assert twice([1]) == ([1], [1])", "twice = lambda x: (x, x)"),
        (
            "import unittest\nclass Adds(unittest.TestCase):\n"
            "    def test_error(self):\n"
            "        with self.assertRaises(ZeroDivisionError): divide(1, 0)\n"
            "    def test_set(self): self.assertEqual(divide({1}, by={2}), {1, 2})",
            "def divide(a, b=None, by=None): return a | by if by else a / b",
        ),
    ],
)
def test_functions_that_do_what_the_tests_ask_pass(tests, answer):
    check = {"kind": "python", "tests": tests}
    validate([check])
    assert verdict(check, answer) is None


@shut_in
def test_why_an_answer_fails_is_said():
    wrong = verdict(ADD, "def add(a, b): return a * b")
    assert wrong == "assert add(2, 3) == 5: AssertionError "
    assert "the answer defines no add" in verdict(ADD, "def plus(a, b): return a + b")
    assert "add returned a object" in verdict(ADD, "def add(a, b): return object()")


@shut_in
def test_the_hostile_harm_nothing_and_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "CPU_SECONDS", 1)
    monkeypatch.setattr(python, "SECONDS", 6.0)
    monkeypatch.setenv("SECRET", "s3cret")
    (tmp_path / "secret").write_text("s3cret")
    calls: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as named:
        name = f"vibecheck-test-{os.getpid()}"
        named.bind(f"\0{name}")
        named.listen()
        for listener in (server, named):
            listener.setblocking(False)
        places = {"folder": tmp_path, "pid": os.getpid(), "name": name}
        places["port"] = server.getsockname()[1]
        before = Path(os.__file__).read_bytes()

        def try_it(code: str) -> str | None:
            for key, value in places.items():
                code = code.replace(f"{{{key}}}", str(value))
            return verdict(ADD, code)

        with ThreadPoolExecutor(4) as threads:
            told = dict(zip(HOSTILE, threads.map(try_it, HOSTILE.values()), strict=True))
        for listener in (server, named):
            try:
                calls.append(listener.accept())
            except BlockingIOError:
                pass
    assert [what for what, why in told.items() if why is None] == []
    assert calls == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret"]
    assert Path(os.__file__).read_bytes() == before
    assert threading.main_thread().is_alive()
    children = psutil.Process().children(recursive=True)
    assert [child for child in children if str(sandbox.JAIL) in child.cmdline()] == []


@shut_in
def test_killed_from_outside_nothing_of_it_stays():
    mark = f"mark-{os.getpid()}"
    process = sandbox.start("import time; time.sleep(600)", mark, stdin=-3, stdout=-3, stderr=-3)

    def alive() -> list[psutil.Process]:
        found = psutil.process_iter(["cmdline", "status"])
        return [p for p in found if mark in (p.info["cmdline"] or ())]

    while len(alive()) < 2 or any("-c" not in p.info["cmdline"] for p in alive()[1:]):
        assert process.poll() is None
    sandbox.end([process])
    psutil.wait_procs(alive(), timeout=30)
    assert alive() == []


def test_where_nothing_can_be_shut_in_it_refuses_and_says_why(monkeypatch):
    """Namespaces are forbidden to a process that may make none."""
    monkeypatch.setattr(sandbox, "JAIL", Path(__file__).with_name("no_jail.py"))
    sandbox.unavailable.cache_clear()
    try:
        assert "does not let them be shut in" in unavailable([ADD])
        assert "unshare -Urmpn true must succeed" in unavailable([ADD])
        with pytest.raises(sandbox.Unavailable, match="code that a model wrote"):
            verdict(ADD, "def add(a, b): return a + b")
        assert unavailable([{"kind": "exact", "text": "5"}]) is None
    finally:
        sandbox.unavailable.cache_clear()
