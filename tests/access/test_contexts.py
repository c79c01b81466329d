"""Contexts: whether one test holds for one value, and a context that tells two conditions apart."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.access.conditions import Test as OneTest  # by another name, or pytest collects it
from secmigrate.access.conditions import read_condition, unreadable
from secmigrate.access.contexts import context, holds

KEY = "a:b"
ARN = "arn:aws:iam::111122223333:user/ana"

# Operator, the policy's value or values, the request's value (None: absent), and whether it holds (None: who knows).
CASES: list[tuple[str, Any, str | None, bool | None]] = [
    ("StringEquals", "red", "red", True),
    ("StringEquals", "red", "Red", False),
    ("StringEquals", ["red", "blue"], "blue", True),
    ("StringEquals", "red", None, False),
    ("StringEqualsIfExists", "red", None, True),
    ("StringEqualsIfExists", "red", "blue", False),
    ("StringNotEquals", "red", None, True),
    ("StringNotEquals", ["red", "blue"], "blue", False),
    ("StringEqualsIgnoreCase", "red", "RED", True),
    ("StringLike", "r?d*", "reds", True),
    ("StringLike", "r?d", "rd", False),
    ("StringLike", "r*", "a\nr", False),
    ("StringLike", "a*z", "a\nz", True),
    ("StringEquals", "r*", "red", False),
    ("StringEquals", "${aws:userid}", "red", None),
    ("StringEquals", ["${aws:userid}", "red"], "red", True),
    ("StringNotEquals", ["${aws:userid}", "red"], "red", False),
    ("StringNotEquals", "${aws:userid}", "red", None),
    ("ForAnyValue:StringEquals", "red", None, False),
    ("ForAnyValue:StringNotEquals", "red", None, False),
    ("ForAnyValue:StringEqualsIfExists", "red", None, None),
    ("ForAllValues:StringEquals", "red", None, True),
    ("ForAllValues:StringNotEquals", "red", None, True),
    ("ForAllValues:StringEquals", "red", "blue", False),
    ("Null", "true", None, True),
    ("Null", "true", "x", False),
    ("Null", "false", None, False),
    ("Null", "false", "x", True),
    ("Bool", "true", "True", True),
    ("Bool", "true", None, False),
    ("BoolIfExists", "true", None, True),
    ("NumericEquals", "10", "10.0", True),
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "9", "10", True),
    ("NumericGreaterThan", "10", "10", False),
    ("NumericGreaterThanEquals", "10", "10", True),
    ("NumericGreaterThanEquals", "10", "9", False),
    ("NumericEquals", "ten", "10", None),
    ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
    ("DateLessThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
    ("DateGreaterThan", "1767225600", "2026-06-01T00:00:00Z", None),
    ("IpAddress", "10.0.0.0/8", "10.9.9.9", True),
    ("IpAddress", "10.0.0.0/8", "11.0.0.0", False),
    ("IpAddress", "10.0.0.0/8", "2001:db8::1", False),
    ("NotIpAddress", "10.0.0.0/8", "11.0.0.0", True),
    ("IpAddress", "10.0.0.300", "10.0.0.1", None),
    ("ArnLike", "arn:aws:iam::*:user/*", ARN, True),
    ("ArnLike", "arn:aws:iam::1*", ARN, None),
    ("ArnLike", "arn:aws:iam:*:user/ana", ARN, None),
    ("ArnLike", "arn:aws:iam:*:*:user/bo", ARN, False),
    ("ArnNotLike", "arn:aws:iam::*:user/bo", ARN, True),
    ("BinaryEquals", "cmVk", "cmVk", True),
]


def one(operator: str, values: Any, key: str = KEY) -> OneTest:
    (test,) = read_condition({operator: {key: values}})
    return test


@pytest.mark.parametrize(("operator", "values", "got", "expected"), CASES)
def test_one_key(operator: str, values: Any, got: str | None, expected: bool | None) -> None:
    assert holds(one(operator, values), got) is expected


def test_nobody_knows_what_is_unreadable() -> None:
    (test,) = unreadable("x")
    assert holds(test, None) is None
    assert context([test], []) is None
    assert context([], [frozenset([test])]) is None


# Tests that shall hold, conditions that shall not, and the context that shows it (None: there is none to be found).
SHOWN: dict[str, tuple[list[OneTest], list[list[OneTest]], dict[str, str | None] | None]] = {
    "nothing is asked for": ([], [], {}),
    "a value": ([one("StringEquals", "red")], [], {KEY: "red"}),
    "without MFA": ([], [[one("Bool", "true")]], {KEY: "false"}),
    "absent": ([], [[one("Null", "false")]], {KEY: None}),
    "neither value": ([], [[one("StringEquals", "red")], [one("StringEquals", "blue")]], {KEY: None}),
    "present and other": ([one("Null", "false")], [[one("StringEquals", "red")]], {KEY: "other"}),
    "the other value": ([one("StringEquals", ["red", "blue"])], [[one("StringEquals", "blue")]], {KEY: "red"}),
    "a text in the glob": ([one("StringLike", "r?d/*")], [], {KEY: "rxd/x"}),
    "a number beyond": ([one("NumericGreaterThan", "10")], [], {KEY: "11"}),
    "a number below": ([one("NumericLessThan", "10")], [], {KEY: "9"}),
    "in the net, not the subnet": (
        [one("IpAddress", "10.0.0.0/8")],
        [[one("IpAddress", "10.0.0.0/16")]],
        {KEY: "10.255.255.255"},
    ),
    "outside of the net": ([one("Null", "false")], [[one("IpAddress", "10.0.0.0/8")]], {KEY: "192.0.2.1"}),
    "a date before": ([one("DateLessThan", "2026-01-01T00:00:00Z")], [], {KEY: "1990-01-01T00:00:00Z"}),
    "one of two keys is enough to fail": (
        [one("StringEquals", "red")],
        [[one("StringEquals", "red"), one("Bool", "true", "c:d")]],
        {KEY: "red", "c:d": "false"},
    ),
    "opposites": ([one("StringEquals", "red"), one("StringNotEquals", "red")], [], None),
    "complements": ([], [[one("StringEquals", "red")], [one("StringNotEquals", "red")]], None),
    "implied": ([one("StringEquals", "red")], [[one("StringEquals", ["red", "blue"])]], None),
    "what always holds cannot fail": ([], [[]], None),
    "what is asked for cannot fail": ([one("StringEquals", "red")], [[one("StringEquals", "red")]], None),
    "an unknown variable": ([one("StringEquals", "${aws:userid}")], [], None),
}


@pytest.mark.parametrize("why", SHOWN)
def test_a_context_that_shows_it(why: str) -> None:
    true, false, expected = SHOWN[why]
    assert context(true, [frozenset(each) for each in false]) == expected
