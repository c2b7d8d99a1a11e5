"""The kinds of checks. One literal dict; a new kind is one module and one line here.

A module has FIELDS and OPTIONAL (names and types), `validate` (a ValueError that begins with the
field at fault), `verdict` (None: passed, else why not) and `unavailable` (why this machine cannot
run it).
"""

from types import ModuleType

from verify.kinds import exact, json_schema, number, python, regex

KINDS: dict[str, ModuleType] = {
    "exact": exact,
    "regex": regex,
    "number": number,
    "json_schema": json_schema,
    "python": python,
}
