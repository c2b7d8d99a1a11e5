"""Inside a sandbox: hold an answer's code and call its functions for somebody outside.

Reads from stdin, a literal a line: the code, then (function, arguments, keyword arguments). Says on
stdout of each call ("returned", value) or ("raised", exception, message). Values are None, truth
values, numbers, texts, bytes, and lists, tuples, sets and dicts of these. Code that lies here
about what its functions return has not learnt what they should: that never comes in.
"""

import ast
import os

PLAIN = (bool, int, float, complex, str, bytes, type(None))
MANY = (list, tuple, set)


def plain(value: object) -> bool:
    if type(value) is dict:
        return all(plain(key) and plain(item) for key, item in value.items())
    return type(value) in PLAIN or (type(value) in MANY and all(map(plain, value)))  # type: ignore[call-overload]


def main() -> None:
    requests, replies = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    # What the code itself prints and reads is nobody's.
    for stream in (0, 1):
        os.dup2(2, stream)
    scope: dict = {"__name__": "answer"}
    failed: BaseException | None = None
    try:
        exec(compile(ast.literal_eval(requests.readline()), "answer", "exec"), scope)  # noqa: S102
    except BaseException as error:
        failed = error
    for line in requests:
        name, given, named = ast.literal_eval(line)
        try:
            if failed is not None:
                raise failed
            if name not in scope:
                raise NameError(f"the answer defines no {name}")
            value = scope[name](*given, **named)
            if not plain(value):
                raise TypeError(f"{name} returned a {type(value).__name__}")
            reply = repr(("returned", value))
        except BaseException as error:
            reply = repr(("raised", type(error).__name__, str(error)[:200]))
        replies.write(reply + "\n")
        replies.flush()


main()
