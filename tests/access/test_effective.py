"""Effective access: whose policies count for whom, what is shared, and who says so."""

from __future__ import annotations

import gc

import pytest
from msgspec import structs

from secmigrate.access import Comparer, Comparison, Sides
from secmigrate.access.conditions import ALWAYS
from secmigrate.access.effective import Part, Side
from secmigrate.access.sources import known_facts
from secmigrate.iam import Policy, Principal, Role, Snapshot, User
from tests.access.compared import ACCOUNT, ALL, LIMIT, account, allow, deny, document, group, trust, user

BUCKETS = f"arn:aws:iam::{ACCOUNT}:policy/Buckets"
HOME = "arn:aws:s3:::h/${aws:username}/*"


def bits(*actions: str) -> int:
    return sum(ALL.bits(one) for one in actions)


def side(snapshot: Snapshot, one: Principal) -> Side:
    return Sides(ALL, [snapshot]).of(snapshot, one)


def granted(found: Side) -> int:
    total = 0
    for mask in found.allows.values():
        total |= mask
    return total


def test_a_users_own_policies_and_those_of_her_groups_add_up() -> None:
    snapshot = account(
        user("ana", allow("s3:GetObject"), groups=("devs",), attached=(BUCKETS,)),
        group("devs", allow("iam:GetUser")),
        group("others", allow("iam:PassRole")),
        Policy(arn=BUCKETS, document=document(allow("s3:PutObject"))),
    )
    found = side(snapshot, snapshot.users["ana"])
    assert granted(found) == bits("s3:GetObject", "iam:GetUser", "s3:PutObject")
    assert found.boundary is None


def test_what_several_statements_say_of_the_same_resources_is_one() -> None:
    snapshot = account(user("ana", allow("s3:GetObject"), allow("s3:PutObject"), deny("iam:*")))
    found = side(snapshot, snapshot.users["ana"])
    assert list(found.allows.values()) == [bits("s3:GetObject", "s3:PutObject")]
    assert list(found.denies.values()) == [ALL.service_bits("iam")]


def test_denies_of_a_group_and_of_the_boundary_count_but_its_allows_do_not() -> None:
    snapshot = account(
        user("ana", allow("s3:GetObject"), groups=("devs",), boundary=LIMIT),
        group("devs", deny("s3:GetObject")),
        Policy(arn=LIMIT, document=document(allow("sqs:*"), deny("iam:PassRole"))),
    )
    found = side(snapshot, snapshot.users["ana"])
    assert granted(found) == bits("s3:GetObject")
    assert list(found.denies.values()) == [bits("s3:GetObject", "iam:PassRole")]
    assert found.boundary is not None
    assert list(found.boundary.allows.values()) == [ALL.service_bits("sqs")]


@pytest.mark.parametrize("attached", [True, False])
def test_a_managed_policy_that_is_missing_may_allow_and_deny_all(attached: bool) -> None:
    one = User(name="ana", attached=(BUCKETS,)) if attached else User(name="ana", boundary=BUCKETS)
    found = side(account(one), one)
    part = found.boundary if not attached else next(iter(found.parts))
    assert part is not None
    assert list(part.allows.values()) == list(part.denies.values()) == [ALL.everything]
    assert all(extent.condition != ALWAYS for extent in (*part.allows, *part.denies))


def test_a_group_that_is_missing_may_allow_and_deny_all() -> None:
    one = User(name="ana", groups=("gone",))
    found = side(account(one), one)
    assert granted(found) == ALL.everything
    assert [str(source) for source in found.sources] == ["group gone, its policies"]


def test_users_with_the_same_documents_share_what_they_say() -> None:
    snapshot = account(
        user("ana", groups=("devs",)), user("bo", groups=("devs",)), user("cy"), group("devs", allow("s3:*"))
    )
    sides = Sides(ALL, [snapshot])
    ana, bo, cy = (sides.of(snapshot, one) for one in snapshot.users.values())
    assert ana.key == bo.key != cy.key
    assert ana.allows is bo.allows


def test_what_depends_on_the_name_is_not_shared() -> None:
    snapshot = account(user("ana", groups=("devs",)), user("bo", groups=("devs",)), group("devs", allow("*", HOME)))
    sides = Sides(ALL, [snapshot])
    ana, bo = (sides.of(snapshot, one) for one in snapshot.users.values())
    assert [str(extent) for extent in ana.allows] == ["arn:aws:s3:::h/ana/*"]
    assert [str(extent) for extent in bo.allows] == ["arn:aws:s3:::h/bo/*"]


def test_what_depends_on_the_name_in_a_boundary() -> None:
    snapshot = account(user("ana", boundary=LIMIT), Policy(arn=LIMIT, document=document(allow("*", HOME))))
    found = side(snapshot, snapshot.users["ana"])
    assert found.boundary is not None
    assert [str(extent) for extent in found.boundary.allows] == ["arn:aws:s3:::h/ana/*"]


def test_the_facts_of_a_user_and_of_a_role() -> None:
    snapshot = account(
        User(name="ana", path="/people/", tags={"Team": "red"}), Role(name="app", trust=trust(), tags={"Team": "red"})
    )
    keys = ("aws:username", "aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:principaltag/team")
    found = dict(known_facts(snapshot, snapshot.users["ana"], (*keys, "aws:principaltag/none")))
    assert found == {
        "aws:username": "ana",
        "aws:principalarn": f"arn:aws:iam::{ACCOUNT}:user/people/ana",
        "aws:principalaccount": ACCOUNT,
        "aws:principaltype": "User",
        "aws:principaltag/team": "red",
        "aws:principaltag/none": None,
    }
    role = dict(known_facts(snapshot, snapshot.roles["app"], keys))
    assert (role["aws:username"], role["aws:principaltype"]) == (None, "AssumedRole")
    assert role.get("aws:principaltag/team") is None  # a session may bring another


def test_who_says_so() -> None:
    snapshot = account(
        user("ana", allow("s3:GetObject", Sid="Mine"), groups=("devs",), attached=(BUCKETS,), boundary=LIMIT),
        group("devs", allow("iam:GetUser"), allow("s3:*")),
        Policy(arn=BUCKETS, document=document(allow("s3:Get*", "arn:aws:s3:::b/*"))),
        Policy(arn=LIMIT, document=document(deny("s3:GetObject"))),
    )
    found = side(snapshot, snapshot.users["ana"])
    assert [(str(one), [each.place for each in one.reading.statements]) for one in found.sources] == [
        ("user ana, inline policy own", ["statement 1 (Mine)"]),
        (f"user ana, {BUCKETS}", ["statement 1"]),
        ("group devs, inline policy own", ["statement 1", "statement 2"]),
        (f"user ana, permissions boundary {LIMIT}", ["statement 1"]),
    ]


def test_not_action_is_all_but_what_it_names() -> None:
    sides = Sides(ALL, [])
    assert sides.mask(("iam:*",), True) == ALL.everything & ~ALL.service_bits("iam")
    assert sides.mask(("iam:*", "s3:GetObject"), False) == ALL.service_bits("iam") | bits("s3:GetObject")


def test_an_action_that_nobody_announced_is_an_error() -> None:
    with pytest.raises(ValueError, match="nosuch:Thing"):
        Sides(ALL, []).mask(("nosuch:Thing",), False)


def test_equal_sides_lack_nothing_of_each_other() -> None:
    snapshot = account(user("ana", allow("s3:*")), user("bo", allow("s3:*")))
    sides = Sides(ALL, [snapshot])
    ana, bo = (sides.of(snapshot, one) for one in snapshot.users.values())
    assert Comparer(sides).lacking(ana, bo) == ()


def test_the_same_loss_of_two_users_is_one_object() -> None:
    before = account(user("ana", groups=("devs",)), user("bo", groups=("devs",)), group("devs", allow("s3:*")))
    after = account(*(structs.replace(one, groups=()) for one in before.users.values()), group("devs"))
    sides = Sides(ALL, [before, after])
    comparer = Comparer(sides)
    rows = [
        comparer.lacking(sides.of(before, before.users[name]), sides.of(after, after.users[name]))
        for name in ("ana", "bo")
    ]
    assert rows[0]
    assert rows[0] is rows[1]


def _held() -> int:
    return sum(isinstance(one, (Comparer, Sides, Part)) for one in gc.get_objects())


def test_a_comparison_is_gone_when_nobody_needs_it() -> None:
    """And not at the next full collection of garbage: on large accounts that comes late."""
    before = account(user("ana", allow("s3:GetObject", HOME), groups=("devs",)), group("devs", allow("s3:*")))
    after = account(user("ana", allow("s3:GetObject", HOME), groups=("devs",)), group("devs"))
    gc.collect()
    gc.disable()
    there = _held()
    try:
        comparison = Comparison(before, after, ALL)
        assert [change.lost for change in comparison.users()]
        assert _held() > there
        del comparison
        assert _held() == there
    finally:
        gc.enable()


@pytest.mark.parametrize("gone", range(20))
def test_whichever_statement_is_gone_it_is_lacked(gone: int) -> None:
    own = [allow("s3:GetObject", resource=f"arn:aws:s3:::data-{number}/x*") for number in range(20)]
    wider = [allow("s3:GetObject", resource=f"arn:aws:s3:::data-{number}/*") for number in range(20)]
    moments = [
        account(user("ana", groups=("devs", "more")), group("devs", allow("iam:GetUser"), *kept), group("more", *given))
        for kept, given in ((own, []), ([], wider[:gone] + wider[gone + 1 :]), ([], wider))
    ]
    sides = Sides(ALL, moments)
    old, new, all_of_it = (sides.of(one, one.users["ana"]) for one in moments)
    assert Comparer(sides).lacks(old, new)
    assert not Comparer(sides).lacks(old, all_of_it)
