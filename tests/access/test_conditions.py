"""Condition blocks: which are equal however they are spelt, which imply which, and what is no condition at all."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.access.conditions import ALWAYS, Unreadable, implies, read_condition, unreadable

KEY = "aws:PrincipalTag/team"
IP = "aws:SourceIp"
ARN = "arn:aws:sns:eu-west-1:111122223333:topic"

# Two blocks that hold in the same contexts, and why.
EQUAL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a list of one": ({"StringEquals": {KEY: ["red"]}}, {"StringEquals": {KEY: "red"}}),
    "order": ({"StringEquals": {KEY: ["red", "blue"]}}, {"StringEquals": {KEY: ["blue", "red"]}}),
    "doubled": ({"StringEquals": {KEY: ["red", "red"]}}, {"StringEquals": {KEY: "red"}}),
    "case of the key": ({"StringEquals": {KEY: "red"}}, {"StringEquals": {KEY.upper(): "red"}}),
    "JSON booleans": ({"Bool": {"aws:SecureTransport": True}}, {"Bool": {"aws:SecureTransport": "True"}}),
    "JSON booleans in Null": ({"Null": {KEY: False}}, {"Null": {KEY: "false"}}),
    "a glob without wildcards": ({"StringLike": {KEY: "red"}}, {"StringEquals": {KEY: "red"}}),
    "a negated one": ({"StringNotLike": {KEY: "red"}}, {"StringNotEquals": {KEY: "red"}}),
    "ArnEquals": ({"ArnEquals": {"aws:SourceArn": ARN}}, {"ArnLike": {"aws:SourceArn": ARN}}),
    "ArnNotEquals": ({"ArnNotEquals": {"aws:SourceArn": ARN}}, {"ArnNotLike": {"aws:SourceArn": ARN}}),
    "IfExists of a negation": ({"StringNotEqualsIfExists": {KEY: "red"}}, {"StringNotEquals": {KEY: "red"}}),
    "IfExists of ForAllValues": (
        {"ForAllValues:StringEqualsIfExists": {KEY: "red"}},
        {"ForAllValues:StringEquals": {KEY: "red"}},
    ),
    "one address": ({"IpAddress": {IP: "10.0.0.1"}}, {"IpAddress": {IP: "10.0.0.1/32"}}),
    "bits behind the mask": ({"IpAddress": {IP: "10.0.0.7/8"}}, {"IpAddress": {IP: "10.0.0.0/8"}}),
    "IPv6": ({"IpAddress": {IP: "2001:DB8::1"}}, {"IpAddress": {IP: "2001:db8:0::1/128"}}),
    "numbers": ({"NumericEquals": {"s3:max-keys": 10}}, {"NumericEquals": {"s3:max-keys": "10.0"}}),
    "case of what ignores it": (
        {"StringEqualsIgnoreCase": {KEY: "RED"}},
        {"StringEqualsIgnoreCase": {KEY: "red"}},
    ),
    "two operators in any order": (
        {"Bool": {"a:b": "true"}, "StringEquals": {KEY: "red"}},
        {"StringEquals": {KEY: "red"}, "Bool": {"a:b": "true"}},
    ),
    "present or absent": ({"Null": {KEY: ["true", "false"]}}, {}),
    "no test at all": ({}, {"StringEquals": {}}),
}
# Two blocks that look alike and are not equal.
UNEQUAL: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "case of a value": ({"StringEquals": {KEY: "Red"}}, {"StringEquals": {KEY: "red"}}),
    "a star is a letter in StringEquals": ({"StringLike": {KEY: "r*"}}, {"StringEquals": {KEY: "r*"}}),
    "IfExists": ({"StringEqualsIfExists": {KEY: "red"}}, {"StringEquals": {KEY: "red"}}),
    "negation": ({"StringNotEquals": {KEY: "red"}}, {"StringEquals": {KEY: "red"}}),
    "a set": ({"ForAnyValue:StringEquals": {KEY: "red"}}, {"StringEquals": {KEY: "red"}}),
    "some and every": ({"ForAnyValue:StringEquals": {KEY: "red"}}, {"ForAllValues:StringEquals": {KEY: "red"}}),
    "a set's IfExists": (
        {"ForAnyValue:StringEqualsIfExists": {KEY: "red"}},
        {"ForAnyValue:StringEquals": {KEY: "red"}},
    ),
    "some is not": ({"ForAnyValue:StringNotEquals": {KEY: "red"}}, {"StringNotEquals": {KEY: "red"}}),
    "less or equal": ({"NumericLessThan": {KEY: "1"}}, {"NumericLessThanEquals": {KEY: "1"}}),
    "numbers too large for a float": (
        {"NumericEquals": {KEY: "9007199254740993"}},
        {"NumericEquals": {KEY: "9007199254740992"}},
    ),
    "what is no number": ({"NumericEquals": {KEY: "1_0"}}, {"NumericEquals": {KEY: "10"}}),
    "text and number": ({"StringEquals": {KEY: "1"}}, {"NumericEquals": {KEY: "1"}}),
    "text of another case": ({"StringEqualsIgnoreCase": {KEY: "red"}}, {"StringEquals": {KEY: "red"}}),
    "case of a variable's star": ({"StringLike": {KEY: "${*}"}}, {"StringLike": {KEY: "*"}}),
}
STRING = {"StringEquals": {KEY: "red"}}
# The first holds only where the second does, and not the other way round.
NARROWER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "fewer values": (STRING, {"StringEquals": {KEY: ["red", "blue"]}}),
    "fewer globs": ({"StringLike": {KEY: "r*"}}, {"StringLike": {KEY: ["r*", "b*"]}}),
    "one key more": ({**STRING, "Bool": {"a:b": "true"}}, STRING),
    "a narrower glob": ({"StringLike": {KEY: "red*"}}, {"StringLike": {KEY: "r*"}}),
    "a letter for a question mark": ({"StringLike": {KEY: "red*"}}, {"StringLike": {KEY: "r?d*"}}),
    "a text in a glob": (STRING, {"StringLike": {KEY: "r?d"}}),
    "a star as a letter in a glob": ({"StringEquals": {KEY: "r*"}}, {"StringLike": {KEY: "r*"}}),
    "more left out": ({"StringNotEquals": {KEY: ["red", "blue"]}}, {"StringNotEquals": {KEY: "red"}}),
    "a wider glob left out": ({"StringNotLike": {KEY: "r*"}}, {"StringNotEquals": {KEY: "red"}}),
    "a subnet": ({"IpAddress": {IP: "10.1.0.0/16"}}, {"IpAddress": {IP: "10.0.0.0/8"}}),
    "a wider net left out": ({"NotIpAddress": {IP: "10.0.0.0/8"}}, {"NotIpAddress": {IP: "10.1.0.0/16"}}),
    "the key must be there": (STRING, {"StringEqualsIfExists": {KEY: "red"}}),
    "fewer values, and the key must be there": (STRING, {"StringEqualsIfExists": {KEY: ["red", "blue"]}}),
    "what equals something is there": (STRING, {"Null": {KEY: "false"}}),
    "what is less is there": ({"NumericLessThan": {KEY: "1"}}, {"Null": {KEY: "false"}}),
    "some of fewer": ({"ForAnyValue:StringEquals": {KEY: "red"}}, {"ForAnyValue:StringEquals": {KEY: ["red", "x"]}}),
    "every of fewer": ({"ForAllValues:StringEquals": {KEY: "red"}}, {"ForAllValues:StringEquals": {KEY: ["red", "x"]}}),
    "anything": (STRING, {}),
}
# The first does not imply the second, though it nearly looks so.
NOT_NARROWER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one value is outside": ({"StringEquals": {KEY: ["red", "x"]}}, {"StringEquals": {KEY: ["red", "blue"]}}),
    "another key": (STRING, {"StringEquals": {"aws:PrincipalTag/cost": "red"}}),
    "IfExists holds where the key is absent": ({"StringEqualsIfExists": {KEY: "red"}}, STRING),
    "IfExists does not need the key": ({"StringEqualsIfExists": {KEY: "red"}}, {"Null": {KEY: "false"}}),
    "a negation does not need the key": ({"StringNotEquals": {KEY: "red"}}, {"Null": {KEY: "false"}}),
    "ForAllValues does not need the key": ({"ForAllValues:StringEquals": {KEY: "red"}}, {"Null": {KEY: "false"}}),
    "present is not absent": (STRING, {"Null": {KEY: "true"}}),
    "absent is not present": ({"Null": {KEY: "true"}}, {"Null": {KEY: "false"}}),
    "a question mark takes one letter": ({"StringLike": {KEY: "r*d"}}, {"StringLike": {KEY: "r?d"}}),
    "a star in a text is no star": ({"StringLike": {KEY: "r*"}}, {"StringEquals": {KEY: ["r*", "red"]}}),
    "what variables stand for": ({"StringLike": {KEY: "${aws:userid}"}}, {"StringLike": {KEY: "$*"}}),
    "another net": ({"IpAddress": {IP: "10.0.0.0/8"}}, {"IpAddress": {IP: "10.1.0.0/16"}}),
    "another version of IP": ({"IpAddress": {IP: "10.0.0.0/8"}}, {"IpAddress": {IP: "::/0"}}),
    "opposites": ({"StringNotEquals": {KEY: "red"}}, STRING),
    "less is not equal": ({"NumericLessThan": {KEY: "5"}}, {"NumericEquals": {KEY: "5"}}),
    "two bounds": ({"NumericLessThan": {KEY: ["5", "9"]}}, {"NumericLessThan": {KEY: "5"}}),
    "some is not every": ({"ForAnyValue:StringEquals": {KEY: "x"}}, {"ForAllValues:StringEquals": {KEY: "x"}}),
}


def _id(row: object) -> str:
    return str(row)


@pytest.mark.parametrize("why", EQUAL, ids=_id)
def test_equal_however_it_is_spelt(why: str) -> None:
    one, other = map(read_condition, EQUAL[why])
    assert one == other


@pytest.mark.parametrize("why", UNEQUAL, ids=_id)
def test_not_equal_though_alike(why: str) -> None:
    one, other = map(read_condition, UNEQUAL[why])
    assert one != other


@pytest.mark.parametrize("why", NARROWER, ids=_id)
def test_narrower(why: str) -> None:
    narrow, wide = map(read_condition, NARROWER[why])
    assert implies(narrow, wide)
    assert not implies(wide, narrow)


@pytest.mark.parametrize("why", NOT_NARROWER, ids=_id)
def test_not_narrower(why: str) -> None:
    one, other = map(read_condition, NOT_NARROWER[why])
    assert not implies(one, other)


def test_what_cannot_be_read_implies_itself_only() -> None:
    assert implies(unreadable("x"), unreadable("x"))
    assert not implies(unreadable("x"), unreadable("y"))
    assert not implies(unreadable("x"), read_condition({"Null": {"": "false"}}))
    assert implies(unreadable("x"), ALWAYS)


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ([], "Condition is not an object"),
        (None, "Condition is not an object"),
        ({"Ref": "X"}, "Condition.Ref is not an object"),
        ({"StringEquals": {KEY: {"Ref": "X"}}}, f"Condition.StringEquals.{KEY} is not text"),
        ({"StringEquals": {KEY: ["red", None]}}, f"Condition.StringEquals.{KEY} is not text"),
        ({"StringEquals": {KEY: []}}, f"Condition.StringEquals.{KEY} names no value"),
        ({"StringIs": {KEY: "red"}}, "there is no condition operator StringIs"),
        ({"ForNoValue:StringEquals": {KEY: "red"}}, "there is no condition operator ForNoValue:StringEquals"),
        ({"NullIfExists": {KEY: "true"}}, "there is no condition operator NullIfExists"),
    ],
)
def test_what_is_no_condition_is_named(block: object, what: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_condition(block)
    assert str(raised.value) == what


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"StringEquals": {KEY: ["red", "blue"]}}, "aws:principaltag/team is blue or red"),
        ({"StringNotLike": {KEY: "r*"}}, "aws:principaltag/team is not r*"),
        ({"BoolIfExists": {"a:b": True}}, "a:b is true (if present)"),
        ({"Null": {"a:b": True}}, "a:b is absent"),
        ({"Null": {"a:b": False}}, "a:b is present"),
        ({"NumericLessThanEquals": {"a:b": 3}}, "a:b <= 3"),
        ({"ForAnyValue:StringEquals": {"a:b": "x"}}, "some a:b is x"),
        ({"ForAllValues:StringEquals": {"a:b": "x"}}, "every a:b is x"),
    ],
)
def test_in_words(block: dict[str, Any], words: str) -> None:
    (test,) = read_condition(block)
    assert str(test) == words
