"""The brute-force evaluator's conditions, case by case (AWS, "IAM JSON policy elements: Condition operators")."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.access.brute_conditions import check_condition, holds

ARN = "arn:aws:sns:eu-west-1:111122223333:topic"

# Operator, the policy's value or values, the request's values (None: the key is absent), and whether it holds.
CASES: list[tuple[str, Any, str | tuple[str, ...] | None, bool]] = [
    # String
    ("StringEquals", "red", "red", True),
    ("StringEquals", "red", "Red", False),
    ("StringEquals", "re*", "red", False),
    ("StringEquals", "re*", "re*", True),
    ("StringEquals", ["blue", "red"], "red", True),
    ("StringEquals", ["blue", "red"], "reds", False),
    ("StringNotEquals", "red", "Red", True),
    ("StringNotEquals", ["blue", "red"], "red", False),  # none of the values
    ("StringEqualsIgnoreCase", "red", "RED", True),
    ("StringEqualsIgnoreCase", "r?d", "RED", False),
    ("StringNotEqualsIgnoreCase", "red", "RED", False),
    ("StringLike", "r?d", "red", True),
    ("StringLike", "r?d", "rd", False),
    ("StringLike", "R*", "red", False),
    ("StringLike", "red", "RED", False),
    ("StringLike", "a*z", "a:/z", True),
    ("StringLike", "*", "", True),
    ("StringNotLike", ["r*", "b*"], "blue", False),
    ("StringNotLike", ["r*", "b*"], "green", True),
    ("StringLike", "${aws:username}/*", "ann/x", True),
    ("StringLike", "${aws:username}/*", "bob/x", False),
    ("StringEquals", "${*}", "*", True),
    ("StringLike", "a${*}", "ab", False),
    ("StringLike", "${aws:star}", "x", False),
    ("StringEquals", "${aws:star}", "*", True),
    ("StringEquals", "${aws:gone}", "x", False),
    ("StringNotEquals", "${aws:gone}", "x", True),
    ("StringEquals", "${aws:gone, 'x'}", "x", True),
    ("StringEquals", True, "true", True),
    ("StringEquals", 5, "5", True),
    # Numeric
    ("NumericEquals", "10", "10.0", True),
    ("NumericNotEquals", [10, "11"], "10", False),
    ("NumericLessThan", 10, "9", True),
    ("NumericLessThan", 10, "10", False),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericGreaterThan", "9", "10", True),  # as numbers, not as texts
    ("NumericGreaterThanEquals", "10.5", "10", False),
    ("NumericEquals", "10", "ten", False),
    ("NumericNotEquals", "10", "ten", True),
    # Date
    ("DateEquals", "2026-01-01T00:00:00Z", "1767225600", True),  # epoch time
    ("DateEquals", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", True),
    ("DateEquals", "2026-01-01", "2026-01-01T00:00:00Z", True),
    ("DateNotEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
    ("DateLessThan", "2026-01-01T00:00:00Z", "2025-12-31T23:59:59Z", True),
    ("DateLessThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
    ("DateLessThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
    ("DateGreaterThan", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", False),
    ("DateGreaterThanEquals", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", True),
    # Bool, Binary
    ("Bool", "true", "true", True),
    ("Bool", "True", "TRUE", True),
    ("Bool", True, "false", False),
    ("Bool", ["true", "false"], "false", True),
    ("BinaryEquals", "QmluYXJ5", "QmluYXJ5", True),
    ("BinaryEquals", "QmluYXJ5", "qmluYXJ5", False),
    # IP address
    ("IpAddress", "203.0.113.0/24", "203.0.113.7", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.7", False),
    ("IpAddress", "203.0.113.7", "203.0.113.7", True),  # alone, it is a /32
    ("IpAddress", ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::1", True),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("NotIpAddress", ["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.7", False),
    ("NotIpAddress", "10.0.0.0/8", "11.0.0.1", True),
    # ARN
    ("ArnEquals", ARN, ARN, True),
    ("ArnEquals", "arn:aws:sns:*:*:t?pic", ARN, True),  # the same as ArnLike
    ("ArnLike", "arn:aws:sns:*:111122223333:top*", ARN, True),
    ("ArnLike", "arn:aws:sns:*:topic", ARN, False),  # part by part: no star crosses
    ("ArnLike", "arn:aws:sns:eu-west-1:111122223333:*", ARN + ":sub", True),  # the sixth is all the rest
    ("ArnLike", "arn:aws:sns:*:*:topic:s?b", ARN + ":sub", True),
    ("ArnLike", "arn:aws:sns:eu-west-1:111122223333:Topic", ARN, False),
    ("ArnNotLike", "arn:aws:sns:*:*:topic", ARN, False),
    ("ArnNotEquals", "arn:aws:sns:*:*:other", ARN, True),
    ("ArnLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/ann", True),
    # Missing keys: no for what must match, yes for what must not
    *((name, "1", None, False) for name in ("StringEquals", "StringEqualsIgnoreCase", "StringLike")),
    *((name, "1", None, True) for name in ("StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike")),
    *(("Numeric" + name, "1", None, False) for name in ("Equals", "LessThan", "LessThanEquals", "GreaterThan")),
    ("NumericGreaterThanEquals", "1", None, False),
    ("NumericNotEquals", "1", None, True),
    *(("Date" + name, "2026-01-01", None, False) for name in ("Equals", "LessThan", "LessThanEquals", "GreaterThan")),
    ("DateGreaterThanEquals", "2026-01-01", None, False),
    ("DateNotEquals", "2026-01-01", None, True),
    ("Bool", "true", None, False),
    ("Bool", "false", None, False),
    ("BinaryEquals", "QQ==", None, False),
    ("IpAddress", "10.0.0.0/8", None, False),
    ("NotIpAddress", "10.0.0.0/8", None, True),
    ("ArnEquals", ARN, None, False),
    ("ArnLike", "arn:*:*:*:*:*", None, False),
    ("ArnNotEquals", ARN, None, True),
    ("ArnNotLike", ARN, None, True),
    # IfExists
    *((name + "IfExists", "1", None, True) for name in ("StringEquals", "StringNotLike", "NumericLessThan")),
    ("BoolIfExists", "true", None, True),
    ("BoolIfExists", "true", "false", False),
    ("BoolIfExists", "true", "true", True),
    ("DateLessThanIfExists", "2026-01-01", None, True),
    ("IpAddressIfExists", "10.0.0.0/8", None, True),
    ("NotIpAddressIfExists", "10.0.0.0/8", "10.0.0.1", False),
    ("ArnLikeIfExists", ARN, None, True),
    ("StringEqualsIfExists", "red", "blue", False),
    ("StringNotEqualsIfExists", "red", "red", False),
    # Null
    ("Null", "true", None, True),
    ("Null", "true", "x", False),
    ("Null", "false", None, False),
    ("Null", False, "x", True),
    ("Null", ["true", "false"], None, True),
    # AWS, "Set operators for multivalued context keys"
    ("ForAnyValue:StringEquals", ["a", "b"], ("b", "x"), True),
    ("ForAnyValue:StringEquals", ["a", "b"], ("x", "y"), False),
    ("ForAnyValue:StringEquals", ["a", "b"], None, False),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "x"), True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "b"), False),
    ("ForAnyValue:StringNotEquals", ["a", "b"], None, False),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ("",), False),
    ("ForAnyValue:StringLike", "a*", ("x", "ab"), True),
    ("ForAllValues:StringEquals", ["a", "b", "c"], ("b", "a"), True),
    ("ForAllValues:StringEquals", ["a", "b"], ("a", "x"), False),
    ("ForAllValues:StringEquals", ["a", "b"], None, True),
    ("ForAllValues:StringEquals", ["a", "b"], ("",), True),  # "null data set, such as an empty string"
    ("ForAllValues:StringNotEquals", ["a", "b"], ("x", "y"), True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ("a", "x"), False),
    ("ForAllValues:StringLike", ["a*", "b*"], ("ab", "b"), True),
    ("ForAllValues:NumericLessThan", "5", ("4", "5"), False),
    ("ForAllValues:IpAddress", "10.0.0.0/8", ("10.0.0.1", "10.2.0.1"), True),
    # Several values without a set operator: AWS leaves it open, this is how they are read here
    ("StringEquals", "a", ("a", "x"), True),
    ("StringNotEquals", "a", ("a", "x"), False),
]


@pytest.mark.parametrize(("operator", "values", "got", "expected"), CASES)
def test_operators(operator: str, values: Any, got: str | tuple[str, ...] | None, expected: bool) -> None:
    condition = {operator: {"AWS:Key": values}}
    known: dict[str, tuple[str, ...]] = {"aws:username": ("ann",), "aws:star": ("*",)}
    if got is not None:
        known["aws:key"] = (got,) if isinstance(got, str) else got
    check_condition(condition, True)
    assert holds(condition, known, True) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"StringEquals": {"aws:a": "1", "aws:b": "2"}}, True),
        ({"StringEquals": {"aws:a": "1", "aws:b": "3"}}, False),
        ({"StringEquals": {"aws:a": "1"}, "StringLike": {"aws:b": "?"}}, True),
        ({"StringEquals": {"aws:a": "1"}, "StringNotEquals": {"aws:b": "2"}}, False),
        ({"StringEquals": {"aws:a": "2"}, "Null": {"aws:c": "true"}}, False),
        ({"StringEquals": {"aws:A": "1", "AWS:a": ["1", "2"]}}, True),
    ],
)
def test_operators_and_keys_must_all_hold(condition: dict[str, Any], expected: bool) -> None:
    """AWS, "Conditions with multiple context keys or values"."""
    assert holds(condition, {"aws:a": ("1",), "aws:b": ("2",)}, True) is expected


def test_without_variables_they_are_text() -> None:
    """AWS, "Version": documents of 2008 take `${…}` as it is written."""
    condition = {"StringEquals": {"aws:key": "${aws:username}"}}
    assert not holds(condition, {"aws:key": ("ann",), "aws:username": ("ann",)}, False)
    assert holds(condition, {"aws:key": ("${aws:username}",), "aws:username": ("ann",)}, False)


def test_a_date_without_a_zone_is_utc_wherever_the_test_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        assert holds({"DateEquals": {"aws:key": "2026-01-01"}}, {"aws:key": ("2026-01-01T00:00:00Z",)}, True)
    time.tzset()
