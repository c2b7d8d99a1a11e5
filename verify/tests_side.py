"""Inside a sandbox of their own: run tests against functions that live in another.

Reads from stdin a JSON object: the answer's `code`, the `tests`, and the `names` of the functions
that they ask of the answer. The two arguments are the file descriptors that lead to answer_side.py
and back. Ends with status 0 when all passed; else it says why not. The answer's code never runs in
this process: it can say what its functions return, and nothing else.
"""

import ast
import builtins
import json
import os
import sys
import traceback
from collections.abc import Callable

LONGEST = 1 << 20
"""Characters of one reply."""
ERRORS = {
    name: value
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, Exception)
}
there, back = os.fdopen(int(sys.argv[1]), "w"), os.fdopen(int(sys.argv[2]), errors="replace")


def ask(line: object) -> None:
    there.write(repr(line) + "\n")
    there.flush()


def function(name: str) -> Callable[..., object]:
    """What stands for a function of the answer."""

    def called(*given: object, **named: object) -> object:
        ask((name, given, named))
        line = back.readline(LONGEST)
        if not line.endswith("\n"):
            raise SystemExit(f"{name} returned nothing that can be read")
        try:
            how, value, *message = ast.literal_eval(line)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            raise SystemExit(f"{name} returned nothing that can be read") from None
        if how == "returned":
            return value
        raise ERRORS.get(value, RuntimeError)(*message)

    return called


def run(tests: str, names: list[str]) -> None:
    scope = {"__name__": "tests", **{name: function(name) for name in names}}
    exec(compile(tests, "tests", "exec"), scope)  # noqa: S102
    for name, found in list(scope.items()):
        if name.startswith("test") and name not in names and callable(found):
            found()
    if "unittest" not in sys.modules:
        return
    import unittest

    result = unittest.TestResult()
    for found in list(scope.values()):
        if isinstance(found, type) and issubclass(found, unittest.TestCase):
            unittest.defaultTestLoader.loadTestsFromTestCase(found).run(result)
    for _, told in [*result.failures, *result.errors]:
        raise SystemExit(told.strip().splitlines()[-1])


def main() -> None:
    job = json.load(sys.stdin)
    ask(job["code"])
    try:
        run(job["tests"], job["names"])
    except SystemExit as error:
        reason = str(error)
    except BaseException as error:
        found = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno or 1 for frame in found if frame.filename == "tests"]
        line = job["tests"].splitlines()[(lines or [1])[-1] - 1].strip()
        reason = f"{line}: {type(error).__name__} {error}"
    else:
        os._exit(0)
    os.write(1, reason.encode(errors="replace")[:400])
    os._exit(1)


main()
