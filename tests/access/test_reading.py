"""Documents read for one principal: what it itself decides, and what cannot be read, which is named and kept open."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.access.facts import own_keys
from secmigrate.access.patterns import resource
from secmigrate.access.reading import Flaw, read, unknown
from secmigrate.iam import Document
from tests.access.compared import allow, document

HOME = "arn:aws:s3:::data/${aws:username}/*"
TEAM = "aws:principaltag/team"
IS_RED = {"StringEquals": {"aws:PrincipalTag/team": "red"}}


def patterns(entry: str, facts: tuple[tuple[str, str | None], ...] = (), version: str = "2012-10-17") -> list[str]:
    """What the document's one Resource becomes."""
    reading = read(document(allow(resource=entry), version=version), facts)
    return [region.pattern.text for statement in reading.statements for region in statement.regions]


# Documents of which one thing cannot be read: where, and what is said of it.
BAD: dict[str, tuple[Document, str, str]] = {
    "unknown version": (document(allow(), version="2020-01-01"), "the whole", "there is no policy language version"),
    "version that is no text": (
        Document({"Version": {"Ref": "X"}, "Statement": [allow()]}),
        "the whole",
        "there is no policy language version",
    ),
    "unknown element of the whole": (
        Document({"Version": "2012-10-17", "Statment": [], "Statement": [allow()]}),
        "the whole",
        "there is no element Statment",
    ),
    "no statement": (Document({"Version": "2012-10-17"}), "the whole", "it has no Statement"),
    "an empty list of statements": (document(), "the whole", "it has no Statement"),
    "statements that are text": (Document({"Statement": "all"}), "the whole", "it has no Statement"),
    "a statement that is text": (document("all"), "statement 1", "it is not an object"),
    "unknown element": (document(allow(Actions="*")), "statement 1", "there is no element Actions"),
    "a principal": (document(allow(Principal="*")), "statement 1", "there is no element Principal"),
    "no effect": (document(allow(Effect=None)), "statement 1", "Effect is neither Allow nor Deny: null"),
    "an effect in small letters": (document(allow(Effect="allow")), "statement 1", "Effect is neither Allow nor Deny"),
    "an effect to be resolved": (document(allow(Effect={"Ref": "X"})), "statement 1", "Effect is neither"),
    "no action": (document(allow(None)), "statement 1", "it needs either Action or NotAction"),
    "both actions": (document(allow(NotAction="*")), "statement 1", "it needs either Action or NotAction"),
    "an empty list of actions": (document(allow([])), "statement 1", "Action holds nothing"),
    "an empty action": (document(allow("")), "statement 1", 'Action holds ""'),
    "an action of no service": (document(allow("GetObject")), "statement 1", 'Action holds "GetObject"'),
    "an action to be resolved": (document(allow({"Ref": "X"})), "statement 1", 'Action holds {"Ref":"X"}'),
    "one of several": (document(allow(["s3:*", {"Ref": "X"}])), "statement 1", 'Action holds {"Ref":"X"}'),
    "no resource": (document(allow(resource=None)), "statement 1", "it needs either Resource or NotResource"),
    "a resource to be resolved": (document(allow(resource={"Ref": "X"})), "statement 1", 'Resource holds {"Ref":"X"}'),
    "a left out resource to be resolved": (
        document(allow(resource=None, NotResource=[{"Fn::GetAtt": ["B", "Arn"]}])),
        "statement 1",
        "NotResource holds",
    ),
    "a resource that is no ARN": (document(allow(resource="data/*")), "statement 1", 'Resource holds "data/*"'),
    "an ARN to be resolved": (document(allow(resource="${B.Arn}/*")), "statement 1", 'Resource holds "${B.Arn}/*"'),
    "a condition to be resolved": (document(allow(condition={"Ref": "X"})), "statement 1", "Condition.Ref is not"),
    "a value to be resolved": (
        document(allow(condition={"StringEquals": {"a:b": {"Ref": "X"}}})),
        "statement 1",
        "Condition.StringEquals.a:b is not text",
    ),
    "an unknown operator": (document(allow(condition={"Is": {"a:b": "x"}})), "statement 1", "there is no condition"),
    "in the second, which has a name": (
        document(allow(), allow([], Sid="Read")),
        "statement 2 (Read)",
        "Action holds nothing",
    ),
}


@pytest.mark.parametrize("why", BAD)
def test_what_cannot_be_read_is_named_and_never_allows_nothing(why: str) -> None:
    bad, place, what = BAD[why]
    reading = read(bad)
    (flaw,) = reading.flaws
    assert flaw.place == place
    assert flaw.what.startswith(what)
    open_ones = [one for one in reading.statements if any(test.family == "unreadable" for test in one.condition)]
    assert open_ones
    assert {one.place for one in open_ones} == {place}


@pytest.mark.parametrize("effect", [None, "allow", {"Ref": "X"}])
def test_a_statement_without_an_effect_may_allow_and_may_deny(effect: Any) -> None:
    reading = read(document(allow("s3:GetObject", Effect=effect)))
    assert sorted(one.effect for one in reading.statements) == ["Allow", "Deny"]
    one, other = reading.statements
    assert one.condition != other.condition  # each for itself


@pytest.mark.parametrize("element", ["Action", "NotAction"])
def test_unreadable_entries_may_be_anything(element: str) -> None:
    (one,) = read(document(allow(None, **{element: ["s3:GetObject", 5]}))).statements
    assert (one.actions, one.all_but) == (("*",), False)


@pytest.mark.parametrize("element", ["Resource", "NotResource"])
def test_unreadable_resources_may_be_any(element: str) -> None:
    (one,) = read(document(allow(resource=None, **{element: ["arn:aws:s3:::data", 5]}))).statements
    assert [str(region) for region in one.regions] == ["*"]


def test_statements_that_are_no_objects_are_unknown_each_in_its_own_way() -> None:
    one, other = (read(document(row)).statements[0].condition for row in ("all", "some"))
    assert one != other


def test_the_same_unreadable_text_is_the_same_unknown() -> None:
    bad = allow("s3:GetObject", Actions="*")
    assert read(document(bad)).statements[0].condition == read(document(allow(), bad)).statements[1].condition


def test_a_policy_that_is_not_there_may_say_anything() -> None:
    found = unknown("arn:aws:iam::111122223333:policy/Gone")
    assert sorted(one.effect for one in found.statements) == ["Allow", "Deny"]
    assert found.flaws == (Flaw("the whole", "its document is not in the snapshot"),)


@pytest.mark.parametrize(
    "good",
    [
        Document({"Statement": allow()}),
        Document({"Version": "2008-10-17", "Id": "x", "Statement": [allow(Sid="")]}),
        document(allow("*")),
        document(allow(["*:*", "S3:get*", "s3:GetObject", "s3:GetObject"])),
        document(allow("??*")),
        document(allow(resource=["*", "arn:aws:s3:::data", "*data"])),
        document(allow(condition={})),
    ],
)
def test_what_iam_takes_has_no_flaw(good: Document) -> None:
    reading = read(good)
    assert reading.flaws == ()
    assert [one.condition for one in reading.statements] == [frozenset()] * len(good.statements)


@pytest.mark.parametrize(
    ("entry", "facts", "expected"),
    [
        (HOME, (("aws:username", "ana"),), ["arn:aws:s3:::data/ana/*"]),
        ("arn:aws:s3:::data/${AWS:UserName}", (("aws:username", "ana"),), ["arn:aws:s3:::data/ana"]),
        ("arn:aws:s3:::data/${ aws:username }", (("aws:username", "ana"),), ["arn:aws:s3:::data/ana"]),
        (HOME, (("aws:username", None),), []),
        ("arn:aws:s3:::${aws:PrincipalTag/team, 'red'}", ((TEAM, None),), ["arn:aws:s3:::red"]),
        ("arn:aws:s3:::${aws:PrincipalTag/team, 'red'}", ((TEAM, "blue"),), ["arn:aws:s3:::blue"]),
        ("arn:aws:s3:::${aws:PrincipalTag/team}", ((TEAM, "r*d"),), ["arn:aws:s3:::r${*}d"]),
        ("arn:aws:s3:::${aws:PrincipalTag/team}", ((TEAM, "${aws:username}"),), ["arn:aws:s3:::${$}{aws:username}"]),
        ("arn:aws:s3:::${aws:PrincipalTag/team}", ((TEAM, ""),), ["arn:aws:s3:::"]),
        ("arn:aws:s3:::${aws:userid}", (("aws:username", "ana"),), ["arn:aws:s3:::${aws:userid}"]),
        ("arn:aws:s3:::${*}", (), ["arn:aws:s3:::${*}"]),
    ],
)
def test_variables_become_what_the_principal_decides(entry: str, facts: Any, expected: list[str]) -> None:
    assert patterns(entry, facts) == expected


@pytest.mark.parametrize("version", ["2008-10-17", ""])
def test_before_2012_a_variable_is_plain_text(version: str) -> None:
    (found,) = patterns("arn:aws:s3:::${aws:username}", (("aws:username", "ana"),), version)
    assert resource(found).variables == frozenset()
    assert "ana" not in found


def test_a_left_out_resource_that_needs_what_is_absent_leaves_out_nothing() -> None:
    (one,) = read(document(allow(resource=None, NotResource=HOME)), (("aws:username", None),)).statements
    assert [str(region) for region in one.regions] == ["*"]


@pytest.mark.parametrize(
    ("tag", "condition", "left"),
    [
        ("red", IS_RED, []),
        ("blue", IS_RED, None),
        (None, IS_RED, None),
        (None, {"StringNotEquals": {"aws:PrincipalTag/team": "red"}}, []),
        (None, {"Null": {"aws:PrincipalTag/team": "true"}}, []),
        ("red", {"StringEquals": {"aws:PrincipalTag/team": ["blue", "red"]}, "Bool": {"a:b": "true"}}, ["a:b is true"]),
        ("red", {"StringLike": {"aws:PrincipalTag/team": "b*"}, "Bool": {"a:b": "true"}}, None),
        ("red", {"StringEquals": {"a:b": "${aws:PrincipalTag/team}"}}, ["a:b is red"]),
        (None, {"StringEquals": {"a:b": "${aws:PrincipalTag/team}"}}, ["a:b is ${aws:PrincipalTag/team}"]),
        ("RED", {"StringEqualsIgnoreCase": {"a:b": "${aws:PrincipalTag/team}"}}, ["a:b is red"]),
        ("r*", {"StringLike": {"a:b": "${aws:PrincipalTag/team}*"}}, ["a:b is r${*}*"]),
    ],
)
def test_conditions_are_decided_by_the_principals_tags(tag: str | None, condition: Any, left: list[str] | None) -> None:
    found = read(document(allow(condition=condition)), ((TEAM, tag),)).statements
    assert [sorted(map(str, one.condition)) for one in found] == ([] if left is None else [left])


def test_before_2012_a_variable_in_a_condition_is_plain_text() -> None:
    condition = {"StringEquals": {"a:b": "${aws:username}"}}
    (old,) = read(document(allow(condition=condition), version="2008-10-17"), (("aws:username", "ana"),)).statements
    (new,) = read(document(allow(condition=condition))).statements
    assert old.condition != new.condition
    assert "ana" not in str(*old.condition)


def test_the_keys_that_a_principal_decides() -> None:
    text = document(
        allow(resource="arn:aws:s3:::${AWS:UserName}/${aws:PrincipalTag/Team, 'x'}", condition={"Bool": {"a:b": 1}}),
        allow(condition={"ArnLike": {"aws:PrincipalArn": "*"}}),
    )
    assert own_keys(text) == {"aws:username", "aws:principaltag/team", "aws:principalarn"}
    assert own_keys(document(allow(condition={"Bool": {"aws:MultiFactorAuthPresent": True}}))) == frozenset()
