"""What means an old role or group without naming it in full, and not what takes its place: it stays."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.iam import Document, Entity, Policy, Role, Seen
from tests.plan.cases import (
    after,
    arn,
    dangers,
    decommission,
    group,
    groups,
    kept,
    role,
    role_arn,
    roles,
    shell,
    snapshot,
    user,
)
from tests.small import ACCOUNT, allow

ID = "AROAOLDOLDOLDOLDOLD12"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
HERE = f"arn:aws:iam::{ACCOUNT}"


def statement(effect: str = "Allow", action: object = "iam:PassRole", condition: object = None, **more: object) -> Any:
    row = {"Effect": effect, "Action": action, "Condition": condition, **more}
    return {key: value for key, value in row.items() if value is not None}


def document(*rows: Any) -> Document:
    return Document({"Version": "2012-10-17", "Statement": list(rows)})


def passing(*resources: str, **more: Any) -> Document:
    return document(statement(Resource=list(resources), **more))


def trusting(principal: object, condition: object = None, effect: str = "Allow") -> Document:
    return document(statement(effect, "sts:AssumeRole", condition, Principal=principal))


def both(*things: Entity, **old: Any) -> list[Entity]:
    """An old role, the new one that does the same, and others; both may assume whatever lets them."""
    mine = {"p": allow("sts:AssumeRole")}
    first = Role(name="old-x", trust=trusting(ROOT), seen=Seen(id=ID), inline=mine, **old)
    return [first, role("new", trusting(ROOT), inline=mine, tags={"team": "y", "tier": "1"}), *things]


def why(*things: Entity, **old: Any) -> str:
    """Why the old role stays; empty if it goes."""
    plan = decommission(snapshot(*both(*things, **old)), roles(**{"old-x": "new"}))
    stays = dangers(plan).get("named-elsewhere", ())
    assert ("delete-role --role-name old-x" in shell(plan)) != bool(stays)
    return kept(plan)["old-x"] if stays else ""


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        ("arn:aws:iam::*:role/old-x", "iam:PassRole on arn:aws:iam::*:role/old-x"),
        (role_arn("old-*"), f"iam:PassRole on {role_arn('old-*')}"),
        ("arn:*:iam::*:role/*-x", "iam:PassRole on arn:*:iam::*:role/*-x"),
        (role_arn("old-?"), f"iam:PassRole on {role_arn('old-?')}"),
        (role_arn("old-${aws:username}"), f"iam:PassRole on {role_arn('old-${aws:username}')}"),
    ],
)
def test_a_pattern_that_only_the_old_role_fits_keeps_it(resource: str, told: str) -> None:
    assert why(user("ana", inline={"p": passing(resource)})) == f"meant by {HERE}:user/ana ({told})"


@pytest.mark.parametrize(
    "resources",
    [
        ["*"],
        ["arn:aws:iam::*:role/*"],
        [role_arn("*")],
        [role_arn("old-*"), role_arn("new")],
        [role_arn("old-*"), role_arn("ne*")],
        ["arn:aws:iam::444455556666:role/old-*"],
        [f"{HERE}:user/old-*"],
        ["arn:aws:s3:::old-x", "arn:aws:s3:::*"],
    ],
)
def test_a_pattern_that_means_both_or_neither_keeps_nothing(resources: list[str]) -> None:
    assert why(user("ana", inline={"p": passing(*resources)})) == ""


@pytest.mark.parametrize(
    ("holder", "told"),
    [
        (role("ci", inline={"p": passing(role_arn("old-*"))}), "role/ci (iam:PassRole"),
        (role("ci", inline={"p": passing(role_arn("old-*"), action="sts:AssumeRole")}), "role/ci (sts:AssumeRole"),
        (group("stays", passing(role_arn("old-*"))), "group/stays (iam:PassRole"),
        (user("ana", inline={"p": passing(role_arn("old-*"), effect="Deny")}), "user/ana (iam:PassRole"),
        (user("ana", inline={"p": passing(role_arn("old-*"), action=["iam:Get*", "iam:PassRole"])}), "(iam:Get* and 1"),
        (
            user("ana", inline={"p": document(statement("Deny", NotResource=role_arn("old-*")))}),
            "user/ana (iam:PassRole on",
        ),
        (
            user("ana", inline={"p": document(statement(NotAction="s3:*", action=None, Resource=role_arn("old-*")))}),
            "user/ana (everything but s3:* on",
        ),
        (Policy(arn=arn("Unused"), document=passing(role_arn("old-*"))), "policy/Unused (iam:PassRole"),
        (
            user(
                "ana",
                inline={
                    "p": document(
                        statement(
                            action="cloudformation:*",
                            Resource="*",
                            condition={"ArnLike": {"cloudformation:RoleArn": role_arn("old-*")}},
                        )
                    )
                },
            ),
            "user/ana (cloudformation:rolearn is",
        ),
    ],
)
def test_whatever_stays_and_holds_such_a_pattern_keeps_the_role(holder: Entity, told: str) -> None:
    assert told in why(holder)


def test_what_leaves_itself_or_is_used_only_by_what_leaves_keeps_nothing() -> None:
    means = passing(role_arn("old-*"))
    live = snapshot(
        *both(group("devs", means), group("home"), user("ana", "devs", "home"), role("old-y", inline={"p": means})),
        Policy(arn=arn("Used"), document=means),
        role("old-z", attached=(arn("Used"),)),
    )
    plan = decommission(live, [*groups(devs="home"), *roles(**{"old-x": "new", "old-y": "new", "old-z": "new"})])
    assert "named-elsewhere" not in dangers(plan)
    assert set(after(live, plan.operations).roles) == {"new"}


def test_what_stays_for_another_reason_keeps_what_it_means() -> None:
    """A role that is named stays, and so does what the managed policy means that it has; not what makes them one."""
    live = snapshot(
        *both(user("ana", inline={"p": passing(role_arn("old-y"))})),
        Policy(arn=arn("Used"), document=passing(role_arn("old-x*"))),
        role("old-y", attached=(arn("Used"),)),
        role("old-z", inline={"p": passing(role_arn("old-z*"))}),
    )
    plan = decommission(live, roles(**{"old-x": "new", "old-y": "new", "old-z": "new"}))
    assert dangers(plan)["named-elsewhere"] == ("old-x", "old-y")


def test_of_a_policy_of_aws_what_takes_the_old_roles_place_has_no_more_than_that_had() -> None:
    """Of its own it may pass neither itself nor others by it; whoever else has the policy would lose."""
    own = "arn:aws:iam::aws:policy/Tool"
    things = [
        Policy(arn=own, document=passing("arn:aws:iam::*:role/*old*")),
        role("old-x", attached=(own,)),
        role("new", attached=(own,)),
    ]
    assert dangers(decommission(snapshot(*things), roles(**{"old-x": "new"}))) == {}
    plan = decommission(snapshot(*things, role("third", attached=(own,))), roles(**{"old-x": "new"}))
    assert (
        kept(plan)["old-x"]
        == f"meant by {own} (iam:PassRole on arn:aws:iam::*:role/*old*), which {role_arn('third')} has"
    )


@pytest.mark.parametrize(
    ("more", "goes"),
    [
        (passing("*"), True),
        (passing(role_arn("new")), True),
        (allow("iam:*"), True),
        (passing("*", condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}), False),
        (passing("*", action="iam:GetRole"), False),
        (passing("*", effect="Deny"), False),
    ],
)
def test_whoever_may_do_the_same_to_the_new_role_by_another_statement_loses_nothing(more: Document, goes: bool) -> None:
    holder = group("stays", passing(role_arn("old-*")))
    assert (why(holder, user("ana", "stays", inline={"p": more})) == "") == goes
    assert why(holder, user("ana", "stays", inline={"p": more}), user("bo", "stays")) != ""


@pytest.mark.parametrize(
    ("trust", "told"),
    [
        (trusting({"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/old-x/nightly"}), "assumed-role/old-x/nightly"),
        (
            trusting(ROOT, {"ArnLike": {"aws:PrincipalArn": role_arn("old-*")}}),
            f"aws:principalarn is {HERE}:role/old-*",
        ),
        (trusting(ROOT, {"StringLike": {"aws:PrincipalArn": "*/old-x"}}), "aws:principalarn is */old-x"),
        (trusting(ROOT, {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/old-x"}}), "arn:aws:iam::*:role/old-x"),
        (trusting("*", {"ArnLike": {"aws:PrincipalArn": role_arn("o*")}}), "aws:principalarn is"),
        (trusting(ROOT, {"StringEquals": {"aws:PrincipalTag/Team": "x"}}), "aws:principaltag/team is x"),
        (trusting(ROOT, {"Null": {"aws:PrincipalTag/tier": "true"}}), "aws:principaltag/tier is absent"),
        (
            document(
                *trusting(ROOT).statements,
                *trusting(ROOT, {"ArnNotLike": {"aws:PrincipalArn": role_arn("old-*")}}, "Deny").statements,
            ),
            "aws:principalarn is not",
        ),
    ],
)
def test_a_trust_policy_that_lets_in_only_the_old_role_keeps_it(trust: Document, told: str) -> None:
    reason = why(role("billing", trust), tags={"team": "x"})
    assert reason.startswith(f"meant by {HERE}:role/billing (its trust policy: ")
    assert told in reason


@pytest.mark.parametrize(
    "trust",
    [
        trusting(ROOT),
        trusting(ROOT, {"ArnLike": {"aws:PrincipalArn": role_arn("*")}}),
        trusting(ROOT, {"ArnLike": {"aws:PrincipalArn": [role_arn("old-*"), role_arn("new")]}}),
        trusting(ROOT, {"StringLike": {"aws:PrincipalTag/team": "*"}}),
        trusting(ROOT, {"StringEquals": {"aws:PrincipalTag/team": ["x", "y"]}}),
        trusting({"AWS": [f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/nightly" for name in ("old-x", "new")]}),
        trusting(ROOT, {"ArnLike": {"aws:PrincipalArn": role_arn("old-*")}}, "Deny"),
        document(
            *trusting(ROOT, {"ArnLike": {"aws:PrincipalArn": role_arn("old-*")}}).statements, *trusting(ROOT).statements
        ),
        trusting({"Service": "ec2.amazonaws.com"}, {"StringEquals": {"aws:PrincipalTag/team": "x"}}),
    ],
)
def test_a_trust_policy_that_lets_in_both_or_neither_keeps_nothing(trust: Document) -> None:
    assert why(role("billing", trust), tags={"team": "x"}) == ""


def test_a_tag_keeps_no_role_that_may_not_assume_what_asks_for_it() -> None:
    asks = role("billing", trusting(ROOT, {"StringEquals": {"aws:PrincipalTag/team": "x"}}))
    live = snapshot(role("old-x", tags={"team": "x"}, inline={"p": allow("s3:*")}), role("new"), asks)
    assert dangers(decommission(live, roles(**{"old-x": "new"}))) == {}


def test_a_role_that_is_named_by_its_id_stays() -> None:
    trust = trusting(ROOT, {"StringLike": {"aws:userId": f"{ID}:*"}})
    assert why(role("billing", trust)) == f"named in {HERE}:role/billing"


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (f"{HERE}:group/devs", f"named in {HERE}:user/lead"),
        (f"{HERE}:group/d*", f"meant by {HERE}:user/lead (iam:AddUserToGroup on {HERE}:group/d*)"),
        (f"{HERE}:group/*", ""),
        (f"{HERE}:group/new*", ""),
    ],
)
def test_a_group_that_something_names_or_means_which_stays_is_kept(resource: str, reason: str) -> None:
    lead = user("lead", inline={"p": passing(resource, action="iam:AddUserToGroup")})
    live = snapshot(lead, user("ana", "devs", "new"), group("devs", allow("s3:*")), group("new", allow("s3:*")))
    plan = decommission(live, groups(devs="new"))
    assert kept(plan).get("devs", "") == reason
    assert dangers(plan) == ({"named-elsewhere": ("devs",)} if reason else {})
