"""What a check is, and which answers pass."""

import math
import time

import pytest

from verify.checks import share_passed, unavailable, validate, verdict

EXACT = {"kind": "exact", "text": "Paris"}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "pattern": "^P"}},
    "required": ["city"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("check", "passes", "fails"),
    [
        (EXACT, ["Paris", " Paris\n"], ["paris", "Paris.", ""]),
        ({"kind": "regex", "pattern": r"\b[Pp]aris\b"}, ["It is paris."], ["Parisian"]),
        (
            {"kind": "number", "value": 42},
            ["42", "6 × 7 is 42.", "It is 42.0", "**42**", "$42", "\\boxed{42}", "84/2", "4.2e1"],
            ["41", "42 or 43", "none", "1e999", "1/0", "x42", "42 - 1", "-42", "−42"],
        ),
        ({"kind": "number", "value": -1234.5, "tolerance": 0.5}, ["-1,234", "−1235"], ["1234.5"]),
        ({"kind": "number", "value": 2}, ["It is 1,2"], ["1,200"]),
        (
            {"kind": "json_schema", "schema": SCHEMA},
            ['{"city": "Paris"}', 'Here:\n```json\n{"city": "Pau"}\n```\nDone.'],
            ['{"city": "Rome"}', '{"city": "P", "a": 1}', "[]", "no", '{"city": NaN}', ""],
        ),
    ],
)
def test_it_says_which_answers_pass(check, passes, fails):
    assert validate([check]) == [check]
    assert [verdict(check, answer) for answer in passes] == [None] * len(passes)
    assert all(verdict(check, answer) for answer in fails)


def test_of_several_checks_the_share_that_passes_counts():
    assert share_passed([EXACT, {"kind": "regex", "pattern": "ar"}], "Bari") == 0.5
    assert unavailable([EXACT]) is None


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        ("Paris", r"checks\[0\] is 'Paris'; it must be an object whose kind is exact, regex"),
        ({"kind": "eval", "text": "1"}, "whose kind is exact, regex, number, json_schema, python"),
        ({"kind": "exact"}, r"checks\[0\].text is missing; exact needs it"),
        ({"kind": "exact", "text": 3}, r"checks\[0\].text is 3; it must be text"),
        ({"kind": "exact", "text": " "}, "text is blank; write what the answer must be"),
        ({**EXACT, "case": True}, r"checks\[0\].case is not a field of exact; remove it"),
        ({"kind": "regex", "pattern": "(a"}, r"pattern is '\(a', no regular expression: "),
        ({"kind": "regex", "pattern": "a" * 1001}, "pattern has 1001 characters"),
        ({"kind": "number", "value": "42"}, "value is '42'; it must be a whole number or a number"),
        ({"kind": "number", "value": True}, "value is True; it must be"),
        ({"kind": "number", "value": math.inf}, "value is inf; it must be finite"),
        ({"kind": "number", "value": 1, "tolerance": -1}, "tolerance is -1; it must be 0 or more"),
        ({"kind": "json_schema", "schema": {"type": "text"}}, "no JSON schema: at type: 'text' is"),
        (
            {"kind": "json_schema", "schema": {"$ref": "http://127.0.0.1/a.json"}},
            "refers to 'http://127.0.0.1/a.json'; only its own parts",
        ),
        (
            {"kind": "json_schema", "schema": {"patternProperties": {"(a+)+$": {}}}},
            "uses patternProperties, which checks do not run",
        ),
        (
            {"kind": "json_schema", "schema": {"items": {"pattern": "("}}},
            r"checks\[0\].schema is no JSON schema: at items/pattern: '\(' is not a 'regex'",
        ),
        ({"kind": "python", "tests": "assert add(1,"}, "tests is no Python: "),
        ({"kind": "python", "tests": "print(add(1, 2))"}, "tests asserts nothing; write a line"),
        ({"kind": "python", "tests": "assert 1 == 1"}, "tests calls nothing that the answer could"),
    ],
)
def test_what_is_no_check_is_said_in_a_sentence(check, sentence):
    with pytest.raises(ValueError, match=sentence):
        validate([check])


def test_a_prompt_has_a_list_of_few_checks():
    for checks in ({"kind": "exact"}, [EXACT] * 17):
        with pytest.raises(ValueError, match="checks must be a list of at most 16 objects"):
            validate(checks)


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        ({"kind": "regex", "pattern": "^(a+)+$"}, "a" * 5_000 + "!"),
        ({"kind": "regex", "pattern": r"(.*)*\1=(?:x+x+)+y"}, "x" * 5_000),
        ({"kind": "json_schema", "schema": {"pattern": "^(a+)+$"}}, '"' + "a" * 5_000 + '!"'),
        ({"kind": "json_schema", "schema": {"type": "object"}}, "[" * 200_000),
        ({"kind": "json_schema", "schema": {"type": "object"}}, '{"a":' * 50_000 + "1"),
        ({"kind": "json_schema", "schema": {"multipleOf": 0.1}}, "9" * 200_000),
        (
            {"kind": "json_schema", "schema": {"items": {"$ref": "#"}, "maxItems": 1}},
            "[" * 900 + "1,2" + "]" * 900,
        ),
        ({"kind": "json_schema", "schema": {"type": "object"}}, "```\n" * 50_000),
        ({"kind": "number", "value": 1}, "1,111" * 40_000 + "e" * 40_000 + "2"),
        ({"kind": "number", "value": 1}, "9" * 200_000),
    ],
)
def test_an_answer_made_to_take_forever_fails_soon(check, answer):
    validate([check])
    began = time.process_time()
    assert verdict(check, answer) is not None
    assert time.process_time() - began < 3
