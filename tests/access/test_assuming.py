"""Who may assume which roles, before and after: what policies and trusts say together."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from secmigrate.iam import Document, Entity, Policy, Seen
from tests.access.compared import (
    ACCOUNT,
    LIMIT,
    ROOT,
    account,
    allow,
    deny,
    document,
    group,
    trust,
    user,
)
from tests.access.test_people import ANA, APP, MAY, MFA, NO_MFA, RED, UNKNOWN_ROLE, compared, role


class Reach(NamedTuple):
    """What a policy of ana's, and a trust of app's, mean for her."""

    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    wider: tuple[str, ...] = ()


def reach(before: tuple[Entity, ...], after: tuple[Entity, ...], **successors: str) -> Reach:
    roles = compared(account(*before), account(*after), **successors).user("ana").roles
    return Reach(roles.lost, roles.gained, roles.unsure, roles.wider)


OF_RED = {"StringEquals": {"iam:ResourceTag/team": "red"}}
OF_OWN = {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}
CANNOT = (user("ana"), role())  # the role trusts the account, and ana has no permission
CAN: dict[str, tuple[Entity, ...]] = {
    "her own policy, and the role trusts the account": (user("ana", MAY), role()),
    "the account by its number": (user("ana", MAY), role(trusts=trust({"AWS": ACCOUNT}))),
    "everybody is trusted, which is enough": (user("ana"), role(trusts=trust("*"))),
    "every AWS principal is trusted": (user("ana"), role(trusts=trust({"AWS": "*"}))),
    "everybody is trusted, outside of her boundary": (
        user("ana", boundary=LIMIT),
        Policy(arn=LIMIT, document=document(allow("s3:*"))),
        role(trusts=trust("*")),
    ),
    "by the role's tag": (user("ana", allow("sts:AssumeRole", condition=OF_RED)), role(tags={"Team": "red"})),
    "by the role's tag, as her own": (
        user("ana", allow("sts:AssumeRole", condition=OF_OWN), tags={"team": "red"}),
        role(tags={"team": "red"}),
    ),
    "a deny of a role's tag that it has not": (
        user("ana", MAY, deny("sts:*", condition=OF_RED)),
        role(tags={"team": "blue"}),
    ),
    "a deny of all but a role's tag": (
        user("ana", MAY, deny("sts:*", condition={"StringNotEquals": {"iam:ResourceTag/team": "red"}})),
        role(tags={"team": "red"}),
    ),
    "a group's policy": (user("ana", groups=("devs",)), group("devs", allow("sts:*", APP)), role()),
    "a glob of roles": (user("ana", allow("sts:assume*", f"arn:aws:iam::{ACCOUNT}:role/a*")), role()),
    "a role in a path": (
        user("ana", allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/team/*")),
        role(path="/team/"),
    ),
    "she is trusted by name, which is enough": (user("ana"), role(trusts=trust({"AWS": ANA}))),
    "she is trusted by her id": (user("ana", seen=Seen(id="AIDAEXAMPLE")), role(trusts=trust({"AWS": "AIDAEXAMPLE"}))),
    "one of several": (user("ana"), role(trusts=trust({"AWS": [f"{ANA}x", ANA]}))),
    "trusted by name outside of her boundary": (
        user("ana", boundary=LIMIT),
        Policy(arn=LIMIT, document=document(allow("s3:*"))),
        role(trusts=trust({"AWS": ANA})),
    ),
    "within her boundary": (
        user("ana", MAY, boundary=LIMIT),
        Policy(arn=LIMIT, document=document(allow("sts:*"))),
        role(),
    ),
    "a deny of another role": (user("ana", MAY, deny("sts:*", f"{APP}2")), role()),
    "a deny of another call": (
        user("ana", MAY),
        role(trusts=document(*trust().statements, deny("sts:AssumeRoleWithSAML", None, Principal="*"))),
    ),
    "a deny of somebody else": (
        user("ana", MAY),
        role(trusts=document(*trust().statements, deny("sts:*", None, Principal={"AWS": f"{ANA}x"}))),
    ),
    "a condition on her own tag": (user("ana", MAY, tags={"team": "red"}), role(trusts=trust(condition=RED))),
    "a condition on her own name": (
        user("ana", MAY),
        role(trusts=trust(condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/an?"}})),
    ),
    "a deny that leaves her out": (
        user("ana", MAY),
        role(trusts=document(*trust().statements, deny("sts:*", None, NotPrincipal={"AWS": [ANA, ROOT]}))),
    ),
}
CANNOT_EITHER: dict[str, tuple[Entity, ...]] = {
    "no permission": CANNOT,
    "no trust": (user("ana", MAY), role(trusts=trust({"Service": "ec2.amazonaws.com"}))),
    "another account": (user("ana", MAY), role(trusts=trust({"AWS": "arn:aws:iam::444455556666:root"}))),
    "another user": (user("ana", MAY), role(trusts=trust({"AWS": f"{ANA}x"}))),
    "another role": (user("ana", allow("sts:AssumeRole", f"{APP}2")), role()),
    "another call": (user("ana", MAY), role(trusts=trust(Action="sts:AssumeRoleWithSAML"))),
    "her own deny": (user("ana", MAY, deny("sts:*")), role()),
    "her own deny of a role that trusts her": (user("ana", deny("sts:*")), role(trusts=trust({"AWS": ANA}))),
    "the trust's deny of her": (
        user("ana", MAY),
        role(trusts=document(*trust().statements, deny("sts:*", None, Principal={"AWS": ANA}))),
    ),
    "the trust's deny of everybody": (
        user("ana", MAY),
        role(trusts=document(*trust({"AWS": ANA}).statements, deny("sts:*", None, Principal="*"))),
    ),
    "the trust's deny of all but another": (
        user("ana", MAY),
        role(trusts=document(*trust().statements, deny("sts:*", None, NotPrincipal={"AWS": f"{ANA}x"}))),
    ),
    "outside of her boundary": (
        user("ana", MAY, boundary=LIMIT),
        Policy(arn=LIMIT, document=document(allow("s3:*"))),
        role(),
    ),
    "her boundary's deny": (
        user("ana", boundary=LIMIT),
        Policy(arn=LIMIT, document=document(allow("*"), deny("sts:*"))),
        role(trusts=trust({"AWS": ANA})),
    ),
    "a condition on another's tag": (user("ana", MAY, tags={"team": "blue"}), role(trusts=trust(condition=RED))),
    "a condition on a tag that she has not": (user("ana", MAY), role(trusts=trust(condition=RED))),
    "a role of another tag": (user("ana", allow("sts:*", condition=OF_RED)), role(tags={"team": "blue"})),
    "a role without the tag": (user("ana", allow("sts:*", condition=OF_RED)), role()),
    "a role of another tag than her own": (
        user("ana", allow("sts:AssumeRole", condition=OF_OWN), tags={"team": "red"}),
        role(tags={"team": "blue"}),
    ),
    "a deny of all but another tag": (
        user("ana", MAY, deny("sts:*", condition={"StringNotEquals": {"iam:ResourceTag/team": "red"}})),
        role(),
    ),
    "the role is not there": (user("ana", MAY),),
}
# What nobody can tell.
PERHAPS: dict[str, tuple[Entity, ...]] = {
    "a trust to be resolved": (user("ana"), role(trusts=trust({"AWS": {"Ref": "X"}}))),
    "a trust in a variable": (user("ana"), role(trusts=trust({"AWS": "arn:aws:iam::${Account}:root"}))),
    "a trust's principal of no kind": (user("ana"), role(trusts=trust({"Ref": "X"}))),
    "a trust's action to be resolved": (user("ana", MAY), role(trusts=trust(Action={"Ref": "X"}))),
    "a trust's effect": (user("ana", MAY), role(trusts=trust(Effect="allow"))),
    "a trust's condition": (user("ana", MAY), role(trusts=trust(condition={"Is": {"a:b": "x"}}))),
    "a trust's unknown element": (user("ana", MAY), role(trusts=trust(Resource="*"))),
    "a trust's version": (user("ana", MAY), role(trusts=Document({"Version": "3", "Statement": trust().statements}))),
    "a trust's statement that is no object": (user("ana", MAY), role(trusts=document("all"))),
    "a deny of somebody to be resolved": (
        user("ana", MAY),
        role(trusts=document(*trust().statements, deny("sts:*", None, Principal={"AWS": {"Ref": "X"}}))),
    ),
    "a role in a variable": (user("ana", allow("sts:AssumeRole", UNKNOWN_ROLE)), role()),
    "a role left out in a variable": (user("ana", allow("sts:AssumeRole", None, NotResource=UNKNOWN_ROLE)), role()),
    "a deny of a role in a variable": (user("ana", MAY, deny("sts:AssumeRole", UNKNOWN_ROLE)), role()),
    "a boundary of a role in a variable": (
        user("ana", MAY, boundary=LIMIT),
        Policy(arn=LIMIT, document=document(allow("sts:*", UNKNOWN_ROLE))),
        role(),
    ),
    "a missing policy": (user("ana", attached=(LIMIT,)), role()),
}


@pytest.mark.parametrize("how", CAN)
def test_a_role_that_could_be_assumed_is_lost(how: str) -> None:
    assert reach(CAN[how], CANNOT) == Reach(lost=("app",))
    assert reach(CANNOT, CAN[how]) == Reach(gained=("app",))
    assert reach(CAN[how], CAN[how]) == Reach()


@pytest.mark.parametrize("why", CANNOT_EITHER)
def test_a_role_that_could_not_be_assumed_is_no_loss(why: str) -> None:
    assert reach(CANNOT_EITHER[why], CANNOT) == Reach()


@pytest.mark.parametrize("why", PERHAPS)
def test_a_role_that_could_perhaps_be_assumed_is_unsure(why: str) -> None:
    assert reach(PERHAPS[why], CANNOT) == Reach(unsure=("app",))
    assert reach(CANNOT, PERHAPS[why]) == Reach(wider=("app",))
    assert reach(PERHAPS[why], PERHAPS[why]) == Reach()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((user("ana", MAY), role()), (user("ana"), role(trusts=trust({"AWS": ANA}))), Reach()),
        ((user("ana", MAY), role()), (user("ana", MAY), role(trusts=trust(condition=MFA))), Reach(unsure=("app",))),
        ((user("ana", MAY), role()), (user("ana", allow("sts:*", condition=MFA)), role()), Reach(unsure=("app",))),
        (
            (user("ana", MAY), role()),
            (user("ana", MAY, deny("sts:*", condition=NO_MFA)), role()),
            Reach(unsure=("app",)),
        ),
        (
            (user("ana", allow("sts:*", condition=MFA)), role()),
            (user("ana", MAY), role(trusts=trust(condition=MFA))),
            Reach(),
        ),
        (
            (user("ana", MAY, tags={"team": "red"}), role(trusts=trust(condition=RED))),
            (user("ana", MAY, tags={"team": "blue"}), role(trusts=trust(condition=RED))),
            Reach(lost=("app",)),
        ),
        (
            (
                user("ana", MAY),
                role(trusts=trust(condition={"StringEquals": {"sts:RoleSessionName": "${aws:username}"}})),
            ),
            (user("ana", MAY), role(trusts=trust(condition={"StringEquals": {"sts:RoleSessionName": "ana"}}))),
            Reach(),
        ),
    ],
)
def test_a_role_assumed_in_another_way(before: Any, after: Any, expected: Reach) -> None:
    assert reach(before, after) == expected
    back = {"lost": expected.gained, "gained": expected.lost, "unsure": expected.wider, "wider": expected.unsure}
    assert reach(after, before) == Reach(**back)


def test_conditions_of_which_neither_holds_the_other() -> None:
    """What is wider here is narrower there: it may be lost both ways."""
    office = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    there, with_mfa = ((user("ana", MAY, deny("sts:*", condition=condition)), role()) for condition in (office, NO_MFA))
    assert reach(there, with_mfa) == reach(with_mfa, there) == Reach(unsure=("app",))


def test_a_role_is_followed_to_its_successor() -> None:
    before = user("ana", MAY), role("app")
    assert reach(before, (user("ana", MAY), role("sec-app"))) == Reach(lost=("app",), gained=("sec-app",))
    assert reach(before, (user("ana", MAY), role("sec-app")), app="sec-app") == Reach()
    assert reach(before, (user("ana"), role("sec-app")), app="sec-app") == Reach(lost=("app",))


def test_a_successor_needs_the_tag_by_which_the_role_is_assumed() -> None:
    ana = user("ana", allow("sts:AssumeRole", condition=OF_RED))
    before = ana, role("app", tags={"team": "red"})
    assert reach(before, (ana, role("sec-app")), app="sec-app") == Reach(lost=("app",))
    assert reach(before, (ana, role("sec-app", tags={"team": "red"})), app="sec-app") == Reach()


def test_only_the_user_who_is_named_may_assume_it() -> None:
    before = account(user("ana"), user("bo"), role(trusts=trust({"AWS": ANA})))
    after = account(user("ana"), user("bo"), role())
    assert {change.name: change.roles.lost for change in compared(before, after).users()} == {"ana": ("app",), "bo": ()}


def test_a_lost_role_takes_something() -> None:
    change = compared(account(user("ana", MAY), role()), account(user("ana", MAY))).user("ana")
    assert (change.lost, change.takes, bool(change)) == ((), True, True)
