"""What a difference of policies means, case by case: lost for certain, perhaps, or not at all."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from secmigrate.access import Comparison
from secmigrate.iam import Role
from tests.access.compared import (
    ACCOUNT,
    ALL,
    NOTHING,
    Side,
    Told,
    account,
    allow,
    ana,
    compare,
    deny,
    group,
    lost,
    may_lose,
    outcome,
    trust,
    user,
)

MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
OFFICE = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
RED = {"StringEquals": {"s3:prefix": "red"}}
GET = "s3:GetObject"
B = "arn:aws:s3:::b"


def when(**tests: Any) -> dict[str, Any]:
    """A condition on s3:prefix, by operator."""
    return {operator: {"s3:prefix": values} for operator, values in tests.items()}


NOTHING_LOST: dict[str, tuple[Side, Side]] = {
    "a wildcard that holds it": (ana(allow(GET, f"{B}/*")), ana(allow("s3:Get*", "arn:aws:s3:::*"))),
    "other capitals": (ana(allow("S3:getobject", f"{B}/*")), ana(allow(GET, f"{B}/*"))),
    "a union of patterns": (ana(allow(GET, f"{B}/a?c")), ana(allow(GET, [f"{B}/a?b", f"{B}/*c"]))),
    "several statements": (ana(allow([GET, "s3:PutObject"])), ana(allow(GET), allow("s3:PutObject"))),
    "everything but others": (ana(allow(GET)), ana(allow(None, NotAction="iam:*"))),
    "a deny of what is not allowed": (
        ana(allow(GET, f"{B}/*")),
        ana(allow(GET, f"{B}/*"), deny(GET, "arn:aws:s3:::c/*")),
    ),
    "the same deny in another document": (ana(allow(GET), deny("s3:*", "*", NO_MFA)),) * 2,
    "no resource that AWS could ask for": (ana(allow("s3:ListBucket", [B, f"{B}/*"])), ana(allow("s3:ListBucket", B))),
    "an action of no resource on one": (ana(allow("s3:ListAllMyBuckets", B)), ana(allow("sqs:ListQueues"))),
    "another partition's": (
        ana(allow(GET, "arn:aws-cn:s3:::b/*"), allow("sqs:ListQueues")),
        ana(allow("sqs:ListQueues")),
    ),
    "a list of one and another order": (
        ana(allow(GET, "*", when(StringEquals=["a", "b"]))),
        ana(allow(GET, "*", {"stringequals": {"S3:Prefix": ["b", "a", "a"]}})),
    ),
    "StringLike without a wildcard": (
        ana(allow(GET, "*", when(StringEquals="a"))),
        ana(allow(GET, "*", when(StringLike=["a"]))),
    ),
    "a JSON boolean": (ana(allow(GET, "*", MFA)), ana(allow(GET, "*", {"Bool": {"aws:multifactorauthpresent": True}}))),
    "an address and its network": (
        ana(allow(GET, "*", {"IpAddress": {"aws:SourceIp": "10.0.0.1"}})),
        ana(allow(GET, "*", {"IpAddress": {"aws:SourceIp": "10.0.0.1/32"}})),
    ),
    "a condition that is gone": (ana(allow(GET, "*", MFA)), ana(allow(GET))),
    "a wider network": (
        ana(allow(GET, "*", OFFICE)),
        ana(allow(GET, "*", {"IpAddress": {"aws:SourceIp": "203.0.0.0/16"}})),
    ),
    "more values": (ana(allow(GET, "*", RED)), ana(allow(GET, "*", when(StringEquals=["red", "blue"])))),
    "a glob that holds the value": (ana(allow(GET, "*", RED)), ana(allow(GET, "*", when(StringLike="r*")))),
    "fewer values that must not be": (
        ana(allow(GET, "*", when(StringNotEquals=["red", "blue"]))),
        ana(allow(GET, "*", when(StringNotEquals="red"))),
    ),
    "her own name": (
        ana(allow(GET, f"{B}/${{aws:username}}/*")),
        ana(allow(GET, f"{B}/ana/*")),
    ),
    "the value of her tag": (
        ana(allow(GET, f"{B}/*", {"StringEquals": {"aws:PrincipalTag/team": "red"}}), team="red"),
        ana(allow(GET, f"{B}/*"), team="red"),
    ),
    "what her tag never let her": (
        ana(allow(GET, "*", {"StringEquals": {"aws:PrincipalTag/team": "blue"}}), allow("sqs:*"), team="red"),
        ana(allow("sqs:*"), team="red"),
    ),
    "a boundary that holds it": (ana(allow(GET)), ana(allow(GET), limit=(allow("s3:*"),))),
    "an action in no catalogue": (ana(allow("nosuch:Thing")), ana(allow("nosuch:*"))),
}


@pytest.mark.parametrize("name", NOTHING_LOST)
def test_nothing_is_lost(name: str) -> None:
    found = outcome(*NOTHING_LOST[name])
    assert (found.lost, found.may_lose) == (set(), set())


LOST: dict[str, tuple[Side, Side, Told]] = {
    "an action": (ana(allow([GET, "s3:PutObject"])), ana(allow(GET)), lost("s3:PutObject")),
    "some of its resources": (ana(allow(GET, f"{B}*/*")), ana(allow(GET, f"{B}/*")), lost(GET)),
    "what a deny takes": (ana(allow(GET)), ana(allow(GET), deny(GET, f"{B}/*")), lost(GET)),
    "what everything but these leaves": (
        ana(allow(GET)),
        ana(allow(GET), deny(GET, None, NotResource=f"{B}/*")),
        lost(GET),
    ),
    "outside of a new boundary": (ana(allow(GET)), ana(allow(GET), limit=(allow("s3:Put*"),)), lost(GET)),
    "what the boundary denies": (ana(allow(GET)), ana(allow(GET), limit=(allow("*"), deny(GET, f"{B}/*"))), lost(GET)),
    "without a condition that is new": (ana(allow(GET)), ana(allow(GET, "*", MFA)), lost(GET)),
    "with one more key": (ana(allow(GET, "*", MFA)), ana(allow(GET, "*", {**MFA, **OFFICE})), lost(GET)),
    "for a value that is gone": (
        ana(allow(GET, "*", when(StringEquals=["red", "blue"]))),
        ana(allow(GET, "*", RED)),
        lost(GET),
    ),
    "under a condition of her own": (ana(allow(GET, "*", MFA), allow("sqs:*")), ana(allow("sqs:*")), lost(GET)),
    "where a new deny holds": (ana(allow(GET)), ana(allow(GET), deny("*", "*", NO_MFA)), lost(GET)),
    "an action in no catalogue": (ana(allow("nosuch:Thing"), allow(GET)), ana(allow(GET)), lost("nosuch:Thing")),
    "another one's folder": (
        ana(allow(GET, f"{B}/*")),
        ana(allow(GET, f"{B}/${{aws:username}}/*")),
        lost(GET),
    ),
}


@pytest.mark.parametrize("name", LOST)
def test_it_is_lost_for_certain(name: str) -> None:
    before, after, told = LOST[name]
    assert outcome(before, after) == told
    back = outcome(after, before)
    assert (back.gained, back.may_gain, back.lost, back.may_lose) == (told.lost, set(), set(), set())


UNSURE: dict[str, tuple[Side, Side]] = {
    "another condition": (ana(allow(GET, "*", MFA)), ana(allow(GET, "*", OFFICE))),
    "one value or another": (
        ana(allow(GET)),
        ana(allow(GET, "*", RED), allow(GET, "*", when(StringNotEquals="red"))),
    ),
    "an unresolved intrinsic": (ana(allow(GET, f"{B}/*")), ana(allow(GET, {"Ref": "Bucket"}))),
    "an unknown element": (ana(allow(GET)), ana(allow(GET, Foo="bar"))),
    "an unknown operator": (ana(allow(GET)), ana(allow(GET, "*", {"StringAlmost": {"s3:prefix": "a"}}))),
    "an unknown version": (ana(allow(GET)), ana(allow(GET), version="2025-01-01")),
    "an unknown effect": (ana(allow(GET)), ana(allow(GET, Effect="Perhaps"))),
}


@pytest.mark.parametrize("name", UNSURE)
def test_it_cannot_be_told(name: str) -> None:
    found = outcome(*UNSURE[name])
    if name == "one value or another":
        assert found.lost == set()
    else:
        assert (found.lost, found.may_lose) == (set(), {GET})


def test_both_conditions_are_shown() -> None:
    _, change = compare(*UNSURE["another condition"])
    (row,) = change.may_lose
    assert row.extent.tests == "aws:multifactorauthpresent is true"
    assert [one.tests for one in row.because] == ["aws:sourceip is 203.0.113.0/24"]


def test_what_cannot_be_read_is_named_and_allows_and_denies_perhaps() -> None:
    before, after = ana(allow(GET), allow("sqs:*", Foo="x")), ana(allow(GET))
    comparison, change = compare(before, after)
    assert change.unread == ("user ana, inline policy own, statement 2: there is no element Foo in an identity policy",)
    assert change.may_lose
    assert not change.lost
    assert comparison.user("ana") == change


def test_an_example_is_an_arn_of_the_action_and_its_context_shows_it() -> None:
    _, change = compare(ana(allow(GET)), ana(allow(GET, f"{B}/*"), deny("*", "*", NO_MFA)))
    (row,) = change.lost
    assert row.example.startswith("arn:aws:s3:")
    _, change = compare(ana(allow(GET, f"{B}/*")), ana(allow(GET, f"{B}/*"), deny("*", "*", NO_MFA)))
    (row,) = change.lost
    assert (row.example, row.context) == (f"{B}/example", (("aws:multifactorauthpresent", "false"),))


def test_people_with_the_same_policies_share_one_answer() -> None:
    before = account(user("ana", groups=("g",)), user("bo", groups=("g",)), group("g", allow("s3:*")))
    after = before.put(group("g", allow(GET)))
    one, other = Comparison(before, after, ALL).users()
    assert one.lost
    assert one.lost == other.lost
    assert all(mine is theirs for mine, theirs in zip(one.lost, other.lost, strict=True))


def test_who_joined_or_left_the_account_is_not_compared() -> None:
    before = account(user("ana", allow(GET)), user("gone", allow(GET)))
    after = account(user("ana", allow(GET)), user("new", allow(GET)))
    assert [change.name for change in Comparison(before, after, ALL).users()] == ["ana"]


ROLE = f"arn:aws:iam::{ACCOUNT}:role/old"
MAY = allow("sts:AssumeRole", ROLE)
DIRECT = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ana"}


def reached(before: tuple[Any, ...], trusting: Any, after: tuple[Any, ...], trusting_then: Any) -> tuple[Any, ...]:
    """The roles that ana may not assume any more, may now, and perhaps."""
    old, new = (
        account(user("ana", *rows), *([] if found is None else [Role(name="old", trust=found)]))
        for rows, found in ((before, trusting), (after, trusting_then))
    )
    roles = Comparison(old, new, ALL).user("ana").roles
    return roles.lost, roles.gained, roles.unsure


NO, OLD = ((), (), ()), ("old",)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (((MAY,), trust(), (MAY,), trust()), NO),
        (((MAY,), trust(), (), trust()), (OLD, (), ())),
        (((), trust(), (), trust()), NO),
        (((), trust(DIRECT), (), trust(DIRECT)), NO),
        (((), trust(DIRECT), (), trust()), (OLD, (), ())),
        (((), trust(), (), trust(DIRECT)), ((), OLD, ())),
        (((MAY,), trust(), (MAY,), None), (OLD, (), ())),
        (((MAY,), trust(), (MAY, deny("sts:*")), trust()), (OLD, (), ())),
        (((MAY,), trust(), (MAY, deny("sts:*", "*", NO_MFA)), trust()), ((), (), OLD)),
        (((MAY,), trust(condition=MFA), (MAY,), trust(condition=OFFICE)), ((), (), OLD)),
        (((MAY,), trust({"Service": "ec2.amazonaws.com"}), (MAY,), trust()), ((), OLD, ())),
    ],
)
def test_who_may_assume_what(case: tuple[Any, Any, Any, Any], expected: Any) -> None:
    assert reached(*case) == expected


def test_a_role_is_compared_with_its_successor() -> None:
    old = Role(
        name="old", trust=trust(), inline={"x": ana(allow([GET, "s3:PutObject"])).snapshot().users["ana"].inline["own"]}
    )
    new = structs.replace(old, name="new", inline={"x": ana(allow(GET)).snapshot().users["ana"].inline["own"]})
    before, after = (
        account(user("ana", allow("sts:AssumeRole")), old),
        account(user("ana", allow("sts:AssumeRole")), new),
    )
    comparison = Comparison(before, after, ALL, {"old": "new"})
    assert not comparison.user("ana")
    (change,) = comparison.roles()
    assert (change.name, change.becomes) == ("old", "new")
    assert {action.name for row in change.lost for action in comparison.catalogue.named(row.actions)} == {
        "s3:PutObject"
    }
    alone = Comparison(before, after, ALL)
    assert alone.user("ana").roles.lost == ("old",)
    assert [one.becomes for one in alone.roles()] == [""]


def test_nothing_changes_if_nothing_does() -> None:
    assert outcome(ana(allow("s3:*")), ana(allow("s3:*"))) == NOTHING
    assert may_lose() == NOTHING
