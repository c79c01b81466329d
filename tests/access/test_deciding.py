"""What is lost, what may be lost and what is not, by small pairs of policies of one user."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.access import Comparison
from secmigrate.access.patterns import arn_format, matches
from tests.access.brute import Request, allowed
from tests.access.compared import (
    ALL,
    NOTHING,
    Side,
    Told,
    allow,
    ana,
    as_role,
    compare,
    deny,
    lost,
    may_lose,
    outcome,
    role_outcome,
    told,
)

DATA = "arn:aws:s3:::data/*"
RED = "arn:aws:s3:::data/red/*"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
TAGGED = "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"
GET, PUT = "s3:GetObject", "s3:PutObject"

LIST, USERS = "iam:ListUsers", "arn:aws:iam::*:user/*"  # it takes no resource, and is allowed by this all the same

BOTH_UNSURE = Told(set(), {GET}, set(), {GET})


def prefix(*values: str, operator: str = "StringEquals") -> dict[str, Any]:
    return {operator: {"s3:prefix": list(values)}}


# Before and after: nothing is lost and nothing gained.
SAME: dict[str, tuple[Side, Side]] = {
    "the same": (ana(allow()), ana(allow())),
    "case of actions": (ana(allow("S3:GETOBJECT")), ana(allow("s3:GetObject"))),
    "a list of one": (ana(allow(["*"])), ana(allow("*"))),
    "everything in two words": (ana(allow("*")), ana(allow("*:*"))),
    "doubled statements": (ana(allow(), allow()), ana(allow())),
    "in another order": (ana(allow(GET), allow(PUT)), ana(allow(PUT), allow(GET))),
    "a label": (ana(allow(Sid="A")), ana(allow(Sid="B"))),
    "versions": (ana(allow(), version="2008-10-17"), ana(allow())),
    "no version": (ana(allow(), version=""), ana(allow())),
    "statements split": (ana(allow([GET, PUT])), ana(allow(GET), allow(PUT))),
    "resources split": (
        ana(allow(resource=[RED, "arn:aws:s3:::b/*"])),
        ana(allow(resource=RED), allow(resource="arn:aws:s3:::b/*")),
    ),
    "narrower beside wider": (ana(allow(resource=[RED, DATA])), ana(allow(resource=DATA))),
    "NotAction of what the rest names": (
        ana(allow(None, NotAction="iam:*")),
        ana(allow("*"), deny("iam:*")),
    ),
    "NotResource of what a deny names": (
        ana(allow(GET, None, NotResource=RED)),
        ana(allow(GET), deny(GET, RED)),
    ),
    "NotResource of NotResource": (ana(allow(GET, RED)), ana(allow(GET), deny(GET, None, NotResource=RED))),
    "the MFA deny on both sides": (
        ana(allow("*"), deny("*", condition=NO_MFA)),
        ana(allow("*"), deny("*", condition=NO_MFA)),
    ),
    "the MFA deny spelt differently": (
        ana(allow("*"), deny("*", condition={"BoolIfExists": {"AWS:MULTIFACTORAUTHPRESENT": False}})),
        ana(allow("*"), deny(["*"], condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": ["False"]}})),
    ),
    "an allow under the condition of the deny": (ana(allow(condition=MFA), deny()), ana(allow(), deny())),
    "a deny of what was never allowed": (ana(allow(GET)), ana(allow(GET), deny("iam:*"))),
    "a bucket's action on objects": (ana(allow("s3:ListBucket", "arn:aws:s3:::b/*")), ana()),
    "an action without resources on a resource": (ana(allow("s3:ListAllMyBuckets", "arn:aws:s3:::b")), ana()),
    "of an action without resources only * counts": (
        ana(allow("s3:ListAllMyBuckets", "*")),
        ana(allow("s3:ListAllMyBuckets", None, NotResource="arn:aws:s3:::b")),
    ),
    "a deny of one resource, to an action without resources": (
        ana(allow(LIST)),
        ana(allow(LIST), deny(LIST, "arn:aws:iam::*:user/ana")),
    ),
    "an action without resources on all users, twice": (ana(allow(LIST, USERS)), ana(allow(LIST, USERS))),
    "an action without resources on all users, and on *": (ana(allow(LIST, USERS), allow(LIST)), ana(allow(LIST))),
    "an ARN of another partition": (ana(allow(GET, "arn:aws-cn:s3:::b/*")), ana()),
    "all formats of the action": (ana(allow(GET, "*")), ana(allow(GET, "arn:aws:s3:*:*:*"))),
    "her own name": (ana(allow(GET, "arn:aws:s3:::h/${aws:username}/*")), ana(allow(GET, "arn:aws:s3:::h/ana/*"))),
    "a condition on her own name": (ana(allow(condition={"StringEquals": {"aws:username": "ana"}})), ana(allow())),
    "a condition on another name": (ana(allow(condition={"StringEquals": {"aws:username": "bo"}})), ana()),
    "her own ARN": (ana(allow(condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/ana"}})), ana(allow())),
    "a tag she has": (
        ana(allow(condition={"StringEquals": {"aws:PrincipalTag/Team": "red"}}), team="red"),
        ana(allow(), team="red"),
    ),
    "a tag as a resource": (
        ana(allow(GET, "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"), team="red"),
        ana(allow(GET, RED), team="red"),
    ),
    "a default for a tag": (
        ana(allow(GET, "arn:aws:s3:::data/${aws:PrincipalTag/team, 'red'}/*")),
        ana(allow(GET, RED)),
    ),
    "an unknown variable on both sides": (
        ana(allow(GET, "arn:aws:s3:::data/${aws:userid}/*")),
        ana(allow(GET, "arn:aws:s3:::data/${aws:UserId}/*")),
    ),
    "a tag's value as it was": (
        ana(allow(condition={"StringEquals": {"s3:prefix": "${aws:PrincipalTag/team}"}}), team="red"),
        ana(allow(condition=prefix("red")), team="red"),
    ),
    "a boundary that allows it": (ana(allow()), ana(allow(), limit=(allow("s3:*"),))),
    "a boundary that changes elsewhere": (
        ana(allow(), limit=(allow("s3:*"),)),
        ana(allow(), limit=(allow("s3:Get*"), allow("iam:*"))),
    ),
    "a boundary that says it in a deny": (
        ana(allow(None, NotAction="iam:*")),
        ana(allow("*"), limit=(allow("*"), deny("iam:*"))),
    ),
    "a boundary of nothing, both times": (ana(allow(GET), limit=(allow("iam:*"),)), ana(limit=(allow("iam:*"),))),
    "a wide boundary gives nothing": (ana(limit=(allow("*"),)), ana()),
    "an unknown action": (ana(allow("nosuch:Thing")), ana(allow("NOSUCH:thing"))),
}
# Before and after, and all that is lost for certain. The other way round it is gained.
LOST: dict[str, tuple[Side, Side, set[str]]] = {
    "an action": (ana(allow([GET, PUT])), ana(allow(GET)), {PUT}),
    "what a glob held": (ana(allow("sqs:*Message")), ana(allow("sqs:?e*eMessage")), {"sqs:SendMessage"}),
    "all but one": (ana(allow("*")), ana(allow(None, NotAction=PUT)), {PUT}),
    "a resource": (ana(allow(GET, DATA)), ana(allow(GET, RED)), {GET}),
    "a resource left out": (ana(allow(GET)), ana(allow(GET, None, NotResource=RED)), {GET}),
    "an unknown action": (ana(allow(["nosuch:Thing", GET])), ana(allow(GET)), {"nosuch:Thing"}),
    "an unknown glob as written": (ana(allow("nosuch:Do*")), ana(), {"nosuch:Do*"}),
    "one of an unknown service": (ana(allow("nosuch:*")), ana(allow("nosuch:Thing")), {"nosuch:*"}),
    "by a deny": (ana(allow()), ana(allow(), deny()), {GET}),
    "by a deny of everything but another": (
        ana(allow([GET, PUT])),
        ana(allow([GET, PUT]), deny(None, NotAction=GET)),
        {PUT},
    ),
    "by a deny everywhere but there": (
        ana(allow(GET, DATA)),
        ana(allow(GET, DATA), deny(GET, None, NotResource=RED)),
        {GET},
    ),
    "by a deny under a condition": (ana(allow()), ana(allow(), deny(condition=NO_MFA)), {GET}),
    "by a condition": (ana(allow()), ana(allow(condition=MFA)), {GET}),
    "by a second condition": (ana(allow(condition=MFA)), ana(allow(condition={**MFA, **prefix("a")})), {GET}),
    "by fewer values": (ana(allow(condition=prefix("a", "b"))), ana(allow(condition=prefix("a"))), {GET}),
    "by a narrower glob": (
        ana(allow(condition=prefix("home/*", operator="StringLike"))),
        ana(allow(condition=prefix("home/a*", operator="StringLike"))),
        {GET},
    ),
    "by a subnet": (
        ana(allow(condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
        ana(allow(condition={"IpAddress": {"aws:SourceIp": "10.1.0.0/16"}})),
        {GET},
    ),
    "by more values left out": (
        ana(allow(condition=prefix("a", operator="StringNotEquals"))),
        ana(allow(condition=prefix("a", "b", operator="StringNotEquals"))),
        {GET},
    ),
    "by a boundary": (ana(allow([GET, PUT])), ana(allow([GET, PUT]), limit=(allow(GET),)), {PUT}),
    "by a boundary's resource": (ana(allow(GET, DATA)), ana(allow(GET, DATA), limit=(allow("*", RED),)), {GET}),
    "by a boundary's condition": (ana(allow()), ana(allow(), limit=(allow("*", condition=MFA),)), {GET}),
    "by a boundary's deny": (ana(allow()), ana(allow(), limit=(allow("*"), deny(GET))), {GET}),
    "by a boundary of denies": (ana(allow()), ana(allow(), limit=(deny("iam:*"),)), {GET}),
    "by a narrower boundary": (
        ana(allow("s3:*"), limit=(allow([GET, PUT]),)),
        ana(allow("s3:*"), limit=(allow(GET),)),
        {PUT},
    ),
    "by a tag that changes": (
        ana(allow(condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}), team="red"),
        ana(allow(condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}), team="blue"),
        {GET},
    ),
    "by a tag that goes": (
        ana(allow(GET, "arn:aws:s3:::data/${aws:PrincipalTag/team}/*"), team="red"),
        ana(allow(GET, "arn:aws:s3:::data/${aws:PrincipalTag/team}/*")),
        {GET},
    ),
    "what a star was, beside what it is as a letter": (
        ana(allow(GET, DATA)),
        ana(allow(GET, "arn:aws:s3:::data/${*}")),
        {GET},
    ),
    "under an unknown variable": (ana(allow(GET, "arn:aws:s3:::data/${aws:userid}/*")), ana(), {GET}),
    "Null with both values always holds": (
        ana(allow(condition={"Null": {"s3:prefix": ["true", "false"]}})),
        ana(allow(condition={"Null": {"s3:prefix": "true"}})),
        {GET},
    ),
}
# Before and after: perhaps lost, and nobody can tell.
UNSURE: dict[str, tuple[Side, Side]] = {
    "another value": (ana(allow(condition=prefix("a"))), ana(allow(condition=prefix("b")))),
    "another operator": (
        ana(allow(condition=prefix("a"))),
        ana(allow(condition=prefix("a", operator="ForAnyValue:StringEquals"))),
    ),
    "complementary conditions": (
        ana(allow()),
        ana(allow(condition=prefix("a")), allow(condition=prefix("a", operator="StringNotEquals"))),
    ),
    "a variable that may be just that": (ana(allow(GET, RED)), ana(allow(GET, "arn:aws:s3:::data/${aws:userid}/*"))),
    "a deny on what a variable may be": (
        ana(allow(GET, "arn:aws:s3:::data/${aws:userid}/*")),
        ana(allow(GET, "arn:aws:s3:::data/${aws:userid}/*"), deny(GET, RED)),
    ),
    "a deny on a variable": (
        ana(allow(GET, RED)),
        ana(allow(GET, RED), deny(GET, "arn:aws:s3:::data/${aws:userid}/*")),
    ),
    "a variable left out": (
        ana(allow(GET, RED)),
        ana(allow(GET, None, NotResource="arn:aws:s3:::data/${aws:userid}/*")),
    ),
    "a boundary with a variable": (
        ana(allow(GET, RED)),
        ana(allow(GET, RED), limit=(allow(GET, "arn:aws:s3:::data/${aws:userid}/*"),)),
    ),
    "a boundary that left a variable out": (
        ana(allow(GET, RED), limit=(allow(GET, None, NotResource="arn:aws:s3:::data/${aws:userid}/*"),)),
        ana(),
    ),
    "a deny on a variable before": (
        ana(allow(GET, RED), deny(GET, "arn:aws:s3:::data/${aws:userid}/*")),
        ana(),
    ),
    "a tag's value that changes": (
        ana(allow(condition={"StringEquals": {"s3:prefix": "${aws:PrincipalTag/team}"}}), team="red"),
        ana(allow(condition={"StringEquals": {"s3:prefix": "${aws:PrincipalTag/team}"}}), team="blue"),
    ),
    "a variable as plain text before 2012": (
        ana(allow(condition=prefix("${aws:username}"))),
        ana(allow(condition=prefix("${aws:username}")), version="2008-10-17"),
    ),
    "what is no ARN": (ana(allow(GET, "data/*")), ana()),
    "what is to be resolved": (ana(allow(GET, {"Ref": "X"})), ana()),
    "a pattern that AWS's page does not explain": (
        ana(allow(condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}})),
        ana(),
    ),
    "an allow that may still be there": (ana(allow(GET)), ana(allow(GET, "*", Extra=1))),
    "a deny that may be there": (ana(allow(GET)), ana(allow(GET), deny(GET, Extra=1))),
}


# Before and after: lost for certain, and gained as well.
SWAPPED: dict[str, tuple[Side, Side]] = {
    "another's name": (ana(allow(GET, "arn:aws:s3:::h/${aws:username}")), ana(allow(GET, "arn:aws:s3:::h/bo"))),
    "a variable that is plain text before 2012": (
        ana(allow(GET, "arn:aws:s3:::h/${aws:username}")),
        ana(allow(GET, "arn:aws:s3:::h/${aws:username}"), version="2008-10-17"),
    ),
    "a deny of another condition": (
        ana(allow(), deny(condition=prefix("a"))),
        ana(allow(), deny(condition=prefix("b"))),
    ),
    "a NotResource of another": (
        ana(allow(GET, None, NotResource=RED)),
        ana(allow(GET, None, NotResource="arn:aws:s3:::data/blue/*")),
    ),
    "a boundary of another resource": (
        ana(allow(), limit=(allow("*", RED),)),
        ana(allow(), limit=(allow("*", "arn:aws:s3:::data/blue/*"),)),
    ),
}


@pytest.mark.parametrize("why", SAME)
def test_nothing_is_lost_by(why: str) -> None:
    before, after = SAME[why]
    assert outcome(before, after) == NOTHING
    assert outcome(after, before) == NOTHING


@pytest.mark.parametrize("why", LOST)
def test_lost(why: str) -> None:
    before, after, actions = LOST[why]
    assert outcome(before, after) == lost(*actions)
    assert outcome(after, before) == Told(set(), set(), actions, set())


@pytest.mark.parametrize("why", SWAPPED)
def test_lost_and_gained(why: str) -> None:
    assert outcome(*SWAPPED[why]) == Told({GET}, set(), {GET}, set())


def test_a_wider_pattern_keeps_what_a_variable_stands_for() -> None:
    found = outcome(ana(allow(GET, "arn:aws:s3:::data/${aws:userid}/*")), ana(allow(GET, DATA)))
    assert (found.lost, found.may_lose) == (set(), set())


@pytest.mark.parametrize("why", LOST)
def test_the_example_shows_it_to_somebody_else(why: str) -> None:
    before, after, _ = LOST[why]
    comparison, change = compare(before, after)
    for row in change.lost:
        for action in comparison.catalogue.named(row.actions):
            context = {key: (value,) for key, value in row.context if value is not None}
            asked = {**context, "aws:principalarn": ("arn:aws:iam::111122223333:user/ana",)}
            outcomes = []
            for side in (before, after):
                tags = {f"aws:principaltag/{tag}": (value,) for tag, value in side.tags.items()}
                snapshot = side.snapshot()
                request = Request(action.name, row.example, {**asked, **tags})
                outcomes.append(allowed(snapshot, snapshot.users["ana"], request))
            assert outcomes == [True, False], (action.name, row)
            assert not action.formats or any(matches(arn_format(one, "aws"), row.example) for one in action.formats)


@pytest.mark.parametrize("why", UNSURE)
def test_unsure(why: str) -> None:
    before, after = UNSURE[why]
    found = outcome(before, after)
    assert found.lost == set()
    assert found.may_lose == {GET}


# AWS's reference wants `*` for it, while AWS's own policies write it so.
UNSETTLED: dict[str, tuple[Side, Side, Told]] = {
    "taken away": (ana(allow(LIST, USERS)), ana(), may_lose(LIST)),
    "from * to all users": (ana(allow(LIST)), ana(allow(LIST, USERS)), may_lose(LIST)),
    **{
        f"from * to {one}": (ana(allow(LIST)), ana(allow(LIST, one)), may_lose(LIST))
        for one in ("arn:*:iam::*:user/*", "arn:aws:*", "arn:aws:iam::*:user*", "arn:aws:iam::*:u*")
    },
    "from all users to *": (ana(allow(LIST, USERS)), ana(allow(LIST)), NOTHING._replace(may_gain={LIST})),
    "from all users to all groups": (
        ana(allow(LIST, USERS)),
        ana(allow(LIST, "arn:aws:iam::*:group/*")),
        Told(set(), {LIST}, set(), {LIST}),
    ),
    "denied on all users": (ana(allow(LIST)), ana(allow(LIST), deny(LIST, USERS)), may_lose(LIST)),
    "denied on all users before": (ana(allow(LIST), deny(LIST, USERS)), ana(), may_lose(LIST)),
    "all but all users": (ana(allow(LIST)), ana(allow(LIST, None, NotResource=USERS)), may_lose(LIST)),
    "within a boundary of all users": (ana(allow(LIST)), ana(allow(LIST), limit=(allow(LIST, USERS),)), may_lose(LIST)),
    "taken away from *": (ana(allow(LIST)), ana(allow(GET, USERS)), lost(LIST)),
}


@pytest.mark.parametrize("why", UNSETTLED)
def test_what_is_about_no_resource_may_be_allowed_on_all_of_a_type(why: str) -> None:
    before, after, expected = UNSETTLED[why]
    assert outcome(before, after) == expected
    back = Told(expected.gained, expected.may_gain, expected.lost, expected.may_lose)
    assert outcome(after, before) == back


def test_an_unequal_condition_is_told_beside_the_other() -> None:
    _, change = compare(ana(allow(condition=prefix("a"))), ana(allow(condition=prefix("b"))))
    (row,) = change.may_lose
    assert (str(row.extent), [str(one) for one in row.because]) == ("* if s3:prefix is a", ["* if s3:prefix is b"])


def test_a_new_deny_is_told_with_a_context_that_shows_it() -> None:
    _, change = compare(ana(allow()), ana(allow(), deny(condition=NO_MFA)))
    (row,) = change.lost
    assert row.context == (("aws:multifactorauthpresent", "false"),)
    assert [str(one) for one in row.because] == ["* if aws:multifactorauthpresent is false (if present)"]


@pytest.mark.parametrize(
    ("action", "entry", "example"),
    [
        (GET, DATA, "arn:aws:s3:::data/example"),
        (GET, "arn:aws:s3:::data/a?/*", "arn:aws:s3:::data/ax/example"),
        ("s3:ListBucket", "arn:aws:s3:::b*", "arn:aws:s3:::bexample"),
        ("s3:ListAllMyBuckets", "*", "*"),
        ("iam:PassRole", "*", "arn:aws:iam::111122223333:role/example"),
    ],
)
def test_an_example_is_a_resource_of_the_action(action: str, entry: str, example: str) -> None:
    _, change = compare(ana(allow(action, entry)), ana())
    assert [row.example for row in change.lost] == [example]


def test_a_boundary_added_and_taken_away() -> None:
    free, limited = ana(allow([GET, PUT])), ana(allow([GET, PUT]), limit=(allow(GET),))
    assert outcome(free, limited) == lost(PUT)
    assert outcome(limited, free).gained == {PUT}


def test_a_boundary_gives_nothing_by_itself() -> None:
    assert outcome(ana(), ana(limit=(allow("*"),))) == NOTHING


TEAM_IS_RED = {"StringEquals": {"aws:PrincipalTag/team": "red"}}


@pytest.mark.parametrize(
    ("before", "after", "tags", "expected"),
    [
        (allow(condition=TEAM_IS_RED), allow(condition=TEAM_IS_RED), ("red", "red"), NOTHING),
        (allow(condition=TEAM_IS_RED), allow(condition=TEAM_IS_RED), ("red", "Red"), BOTH_UNSURE),
        (allow(condition=TEAM_IS_RED), allow(condition=TEAM_IS_RED), ("red", None), BOTH_UNSURE),
        (allow(GET, TAGGED), allow(GET, TAGGED), ("red", "red"), NOTHING),
        (allow(GET, TAGGED), allow(GET, TAGGED), ("red", "Red"), BOTH_UNSURE),
        (allow(GET, TAGGED), allow(GET, TAGGED), (None, "red"), BOTH_UNSURE),
        (allow(condition=TEAM_IS_RED), deny(), ("red", "blue"), lost(GET)),
        (allow(condition=TEAM_IS_RED), allow(condition={**TEAM_IS_RED, **MFA}), ("red", "red"), lost(GET)),
        (allow(GET, TAGGED), deny(), ("red", "red"), lost(GET)),
    ],
)
def test_a_roles_own_tag_may_change(
    before: Any, after: Any, tags: tuple[str | None, str | None], expected: Told
) -> None:
    old, new = (
        as_role(ana(row), tags={"Team": tag} if tag else {}) for row, tag in zip((before, after), tags, strict=True)
    )
    comparison = Comparison(old, new, ALL)
    change = comparison.change(old.roles["app"], new.roles["app"])
    assert told(comparison, change) == expected
    assert all(
        key in ("aws:principaltag/team", "aws:multifactorauthpresent") for row in change.lost for key, _ in row.context
    )


# A role's sessions may bring tags of their own: nobody knows what they are.
def test_a_roles_tags_are_unknown() -> None:
    tagged = allow(GET, "arn:aws:s3:::data/${aws:PrincipalTag/team}/*")
    assert role_outcome(ana(tagged), ana(tagged)) == NOTHING
    assert role_outcome(ana(tagged), ana(tagged, deny(GET, RED))) == may_lose(GET)
    assert role_outcome(ana(allow(condition={"Null": {"aws:username": "false"}})), ana()) == NOTHING
