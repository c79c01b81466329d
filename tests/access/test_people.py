"""Everybody's access before and after: users, roles and their successors, and who may assume which role."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.access import Comparison, Reached
from secmigrate.iam import Document, Policy, Role, Snapshot, User
from tests.access.compared import (
    ACCOUNT,
    ALL,
    LIMIT,
    NOTHING,
    ROOT,
    Told,
    account,
    allow,
    deny,
    document,
    group,
    lost,
    may_lose,
    told,
    trust,
    user,
)

ANA = f"arn:aws:iam::{ACCOUNT}:user/ana"
APP = f"arn:aws:iam::{ACCOUNT}:role/app"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
NO_MFA = {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}
RED = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
MAY = allow("sts:AssumeRole")
UNKNOWN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/${{aws:userid}}*"


def compared(before: Snapshot, after: Snapshot, **successors: str) -> Comparison:
    return Comparison(before, after, ALL, successors)


def test_users_who_joined_or_left_are_not_compared() -> None:
    before, after = account(user("ana"), user("left", allow())), account(user("ana"), user("joined", allow()))
    comparison = compared(before, after)
    assert [change.name for change in comparison.users()] == ["ana"]
    assert [change.name for change in comparison.users(["left", "joined"])] == []
    with pytest.raises(KeyError):
        comparison.user("left")


def test_only_those_asked_for() -> None:
    snapshot = account(user("ana"), user("bo"))
    assert [change.name for change in compared(snapshot, snapshot).users(["bo"])] == ["bo"]


def test_nothing_becomes_of_the_same_account() -> None:
    snapshot = account(
        user("ana", MAY, groups=("devs",)), group("devs", allow("s3:*")), Role(name="app", trust=trust())
    )
    comparison = compared(snapshot, snapshot)
    assert not any(comparison.users())
    assert list(comparison.roles()) == []


def test_a_user_who_leaves_one_group_and_joins_another() -> None:
    groups = group("old", allow(["s3:GetObject", "s3:PutObject"])), group("new", allow("s3:Get*"))
    before, after = account(user("ana", groups=("old",)), *groups), account(user("ana", groups=("new",)), *groups)
    comparison = compared(before, after)
    found = told(comparison, comparison.user("ana"))
    assert found.lost == {"s3:PutObject"}
    assert "s3:GetBucketPolicy" in found.gained


def test_users_to_whom_the_same_happens_share_their_rows() -> None:
    before = account(user("ana", groups=("devs",)), user("bo", groups=("devs",)), group("devs", allow("s3:*")))
    after = before.put(group("devs", allow("s3:Get*")))
    ana, bo = compared(before, after).users()
    assert ana.lost
    assert ana.lost[0] is bo.lost[0]
    assert ana.told == bo.told


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        (
            user("ana", attached=(LIMIT,)),
            user("ana"),
            f"user ana, {LIMIT}, the whole: its document is not in the snapshot",
        ),
        (user("ana", groups=("gone",)), user("ana"), "group gone, its policies, the whole: it is not in the snapshot"),
        (
            user("ana", allow(resource={"Ref": "X"})),
            user("ana"),
            'user ana, inline policy own, statement 1: Resource holds {"Ref":"X"}',
        ),
        (user("ana", allow(), "all"), user("ana"), "user ana, inline policy own, statement 2: it is not an object"),
    ],
)
def test_what_cannot_be_read_is_named_and_may_be_lost(before: User, after: User, place: str) -> None:
    comparison = compared(account(before), account(after))
    change = comparison.user("ana")
    assert change.unread == (place,)
    assert "s3:GetObject" in told(comparison, change).may_lose
    back = compared(account(after), account(before))
    assert back.user("ana").unread == (place,)
    assert "s3:GetObject" in told(back, back.user("ana")).may_gain


def test_what_cannot_be_read_is_named_even_if_it_stays() -> None:
    snapshot = account(user("ana", allow(), allow(Effect="allow")))
    comparison = compared(snapshot, snapshot)
    change = comparison.user("ana")
    assert told(comparison, change) == NOTHING
    assert change.unread == ('user ana, inline policy own, statement 2: Effect is neither Allow nor Deny: "allow"',)
    assert change


def test_an_unreadable_boundary_leaves_everything_unsure() -> None:
    before, after = account(user("ana", allow())), account(user("ana", allow(), boundary=LIMIT))
    comparison = compared(before, after)
    change = comparison.user("ana")
    assert told(comparison, change) == may_lose("s3:GetObject")
    assert change.unread == (f"user ana, permissions boundary {LIMIT}, the whole: its document is not in the snapshot",)


# what a document says to one person alone

HOME = "arn:aws:s3:::homes/${aws:username}/*"


@pytest.mark.parametrize(
    ("name", "expected"), [("ana", NOTHING), ("bo", lost("s3:GetObject"))], ids=["her own", "somebody else's"]
)
def test_what_names_her_covers_what_a_group_gave(name: str, expected: Told) -> None:
    old, new = group("old", allow(resource="arn:aws:s3:::homes/ana/*")), group("new", allow(resource=HOME))
    before = account(old, new, user(name, groups=("new", "old")))
    comparison = compared(before, before.put(user(name, groups=("new",))))
    assert told(comparison, comparison.user(name)) == expected


def test_a_deny_that_names_her_takes_away() -> None:
    everything, home = group("all", allow(resource="arn:aws:s3:::homes/*")), group("not", deny(resource=HOME))
    before = account(everything, home, user("ana", groups=("all",)))
    comparison = compared(before, before.put(user("ana", groups=("all", "not"))))
    assert told(comparison, comparison.user("ana")) == lost("s3:GetObject")


def test_what_cannot_be_read_of_what_names_her_is_named() -> None:
    one = account(user("ana", allow(resource=HOME, Effect="allow")))
    comparison = compared(one, one)
    assert comparison.user("ana").unread == (
        'user ana, inline policy own, statement 1: Effect is neither Allow nor Deny: "allow"',
    )


def test_she_may_assume_the_role_that_is_named_as_she_is() -> None:
    own = group("own", allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/${{aws:username}}"))
    before = account(own, role("ana"), role("bo"), user("ana"))
    comparison = compared(before, before.put(user("ana", groups=("own",))))
    assert comparison.user("ana").roles == Reached(gained=("ana",))


# roles


def role(name: str = "app", *rows: Any, trusts: Document | None = None, **fields: Any) -> Role:
    return Role(name=name, trust=trusts or trust(), inline={"own": document(*rows)} if rows else {}, **fields)


def test_a_role_without_a_successor_loses_all() -> None:
    comparison = compared(account(role("app", allow())), account())
    (change,) = comparison.roles()
    assert (change.kind, change.name, change.becomes) == ("role", "app", "")
    assert told(comparison, change) == lost("s3:GetObject")
    assert [one.principal for one in change.trust_lost] == [("AWS", ROOT)]
    assert change.trust_gained == ()


def test_a_role_is_compared_with_its_successor() -> None:
    before, after = account(role("app", allow(["s3:GetObject", "s3:PutObject"]))), account(role("sec-app", allow()))
    comparison = compared(before, after, app="sec-app")
    (change,) = comparison.roles()
    assert (change.name, change.becomes, change.trust_lost) == ("app", "sec-app", ())
    assert told(comparison, change) == lost("s3:PutObject")


def test_a_successor_that_is_not_there_is_none() -> None:
    comparison = compared(account(role("app")), account(role("app")), app="gone")
    assert comparison.successor("app") == ""
    assert [change.becomes for change in comparison.roles()] == [""]


def test_a_role_whose_managed_policy_changes() -> None:
    one = role("app", attached=(LIMIT,))
    before = account(one, Policy(arn=LIMIT, document=document(allow(["s3:GetObject", "s3:PutObject"]))))
    comparison = compared(before, before.put(Policy(arn=LIMIT, document=document(allow()))))
    (change,) = comparison.roles()
    assert told(comparison, change) == lost("s3:PutObject")


def test_a_role_whose_boundary_changes() -> None:
    one = role("app", allow(["s3:GetObject", "s3:PutObject"]), boundary=LIMIT)
    before = account(one, Policy(arn=LIMIT, document=document(allow("*"))))
    comparison = compared(before, before.put(Policy(arn=LIMIT, document=document(allow()))))
    (change,) = comparison.roles()
    assert told(comparison, change) == lost("s3:PutObject")


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        (trust({"Service": "ec2.amazonaws.com"}), trust({"Service": ["ec2.amazonaws.com"]}), [], []),
        (trust(), trust({"AWS": ANA}), [("AWS", ROOT)], [("AWS", ANA)]),
        (
            trust({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}),
            trust({"Service": "ec2.amazonaws.com"}),
            [("Service", "lambda.amazonaws.com")],
            [],
        ),
        (trust(), trust(condition=MFA), [("AWS", ROOT)], [("AWS", ROOT)]),
        (trust(), trust(Action="sts:AssumeRoleWithSAML"), [("AWS", ROOT)], [("AWS", ROOT)]),
        (trust(), trust(Action=["sts:*"]), [("AWS", ROOT)], [("AWS", ROOT)]),
        (trust(), trust(Action=["sts:AssumeRole", "sts:TagSession"]), [], [("AWS", ROOT)]),
        (trust(Action=["sts:AssumeRole", "sts:TagSession"]), trust(), [("AWS", ROOT)], []),
        (trust(Action=["sts:AssumeRole", "sts:SetSource*"]), trust(), [("AWS", ROOT)], []),
        (trust(Action=["sts:AssumeRole", "sts:TagSession"]), trust({"AWS": ANA}), [("AWS", ROOT)], [("AWS", ANA)]),
        (trust(), trust(None, None, Sid="x", Action="STS:assumerole"), [], []),
        (
            trust(),
            document(*trust().statements, deny("sts:AssumeRole", None, Principal={"AWS": ANA})),
            [("AWS", ANA)],
            [],
        ),
        (
            document(*trust().statements, deny("sts:AssumeRole", None, Principal={"AWS": ANA})),
            trust(),
            [],
            [("AWS", ANA)],
        ),
        (trust(), document(*trust().statements, deny("sts:TagSession", None, Principal="*")), [("AWS", "*")], []),
    ],
)
def test_a_trust_that_changes(before: Document, after: Document, gone: list[Any], come: list[Any]) -> None:
    changes = list(compared(account(role(trusts=before)), account(role(trusts=after))).roles())
    assert [one.principal for change in changes for one in change.trust_lost] == gone
    assert [one.principal for change in changes for one in change.trust_gained] == come


def test_what_two_groups_allow_in_the_same_words_is_lost_once() -> None:
    start = account(
        user("ana", groups=("one", "two")),
        group("one", allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::box/*")),
        group("two", allow(["s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::box/*")),
    )
    end = start.put(user("ana"))
    (row,) = compared(start, end).user("ana").lost
    assert [one.name for one in ALL.named(row.actions)] == ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]


def test_equal_rows_of_different_people_are_one_object() -> None:
    start = account(
        user("ana", groups=("one", "two")),
        user("bo", allow("sqs:*"), groups=("one", "two")),
        group("one", allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::box/*")),
        group("two", allow(["s3:PutObject", "s3:DeleteObject"], "arn:aws:s3:::box/*")),
    )
    (hers,), his = (one.lost for one in compared(start, start.put(user("ana")).put(user("bo"))).users())
    assert any(row is hers for row in his)


def test_what_a_comparison_forgot_it_finds_again() -> None:
    before = account(user("ana", allow("s3:*", "arn:aws:s3:::data/*"), groups=("devs",)), group("devs", allow("iam:*")))
    after = account(user("ana", allow("s3:Get*", "arn:aws:s3:::data/*")), group("devs"))
    comparison = Comparison(before, after, ALL)
    found = list(comparison.users())
    assert found[0].lost
    worked_out = comparison.comparer
    comparison.forget()
    assert comparison.comparer is not worked_out
    again = list(comparison.users())
    assert again == found
    assert again[0].lost[0] is found[0].lost[0]  # rows stay in changes: there is to be one of each
