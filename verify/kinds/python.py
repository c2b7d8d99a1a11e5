"""The answer, or its last fenced block, is Python whose functions pass tests in a sandbox.

The tests are Python too: `assert` statements, functions named test…, or unittest's TestCases, which
call functions that the answer shall define. They run in a process that the answer's code never
enters, and reach its functions by messages (tests_side.py, answer_side.py): arguments and results
are plain values, and what a result should be is never where the answer could read it.
"""

import ast
import builtins
import json
import os
import subprocess
from pathlib import Path
from typing import Any

from verify import sandbox
from verify.fenced import handed_over

FIELDS = {"tests": (str,)}
OPTIONAL: dict[str, tuple[type, ...]] = {}
LONGEST = 20_000
SECONDS = 10.0
"""Of the clock; of the processor the sandbox grants less."""
ANSWER_SIDE, TESTS_SIDE = (
    Path(sandbox.__file__).with_name(name).read_text("utf-8")
    for name in ("answer_side.py", "tests_side.py")
)


def validate(check: dict[str, Any]) -> None:
    tests = check["tests"]
    if len(tests) > LONGEST:
        raise ValueError(f"tests is longer than {LONGEST:,} characters; shorten it.")
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(f"tests is no Python: {error}.") from None
    if not any(map(_asserts, ast.walk(tree))):
        raise ValueError("tests asserts nothing; write a line such as assert add(2, 3) == 5.")
    if not functions_asked(tests):
        raise ValueError(
            "tests calls nothing that the answer could define; call its functions by their names."
        )


def verdict(check: dict[str, Any], answer: str) -> str | None:
    sandbox.require()
    job = {"code": handed_over(answer), "tests": check["tests"]}
    job["names"] = functions_asked(check["tests"])
    to_answer, from_answer = os.pipe(), os.pipe()
    streams = {"stderr": subprocess.DEVNULL}
    started = []
    try:
        started.append(
            sandbox.start(ANSWER_SIDE, stdin=to_answer[0], stdout=from_answer[1], **streams)
        )
        ends = (to_answer[1], from_answer[0])
        tests = sandbox.start(
            TESTS_SIDE,
            *map(str, ends),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=ends,
            **streams,
        )
        started.append(tests)
    finally:
        for descriptor in (*to_answer, *from_answer):
            os.close(descriptor)
        if len(started) < 2:
            sandbox.end(started)
    try:
        said, _ = tests.communicate(json.dumps(job).encode(), timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"It took longer than {SECONDS:g} s."
    finally:
        sandbox.end(started)
    return None if tests.returncode == 0 else said.decode(errors="replace") or "It was stopped."


def functions_asked(tests: str) -> list[str]:
    """The names that the tests use and neither they nor Python define."""
    used, bound = set(), set(dir(builtins))
    for node in ast.walk(ast.parse(tests)):
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                used.add(name)
            case ast.Name(id=name) | ast.arg(arg=name):
                bound.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                bound.add(name)
            case ast.ExceptHandler(name=str(name)):
                bound.add(name)
            case ast.alias(name=name, asname=other):
                bound.add(other or name.split(".")[0])
    return sorted(used - bound)


def _asserts(node: ast.AST) -> bool:
    return isinstance(node, ast.Assert) or (
        isinstance(node, ast.Attribute) and node.attr.startswith("assert")
    )


def unavailable() -> str | None:
    return sandbox.unavailable()
