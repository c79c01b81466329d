"""Who would lose something by the going of old groups and roles, and what `verify` says of it afterwards."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate import plan
from secmigrate.access import Accepted
from secmigrate.iam import Document, Snapshot
from secmigrate.plan import Plan
from tests.plan.cases import (
    LAST_YEAR,
    after,
    arn,
    dangers,
    group,
    groups,
    kept,
    policy,
    role,
    role_arn,
    roles,
    shell,
    snapshot,
    user,
    watching,
)
from tests.small import ACCOUNT, allow, deny

EVERYTHING = Accepted(actions=("*",), why="all is well")


def decommission(live: Snapshot, moves: list[plan.Move], *accept: Accepted) -> Plan:
    return plan.decommission(live, moves, LAST_YEAR, watching(live, accept=accept))


def trust_of(principal: object) -> Document:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return Document({"Version": "2012-10-17", "Statement": [statement]})


def two_groups() -> Snapshot:
    """Ana would lose s3:PutObject, bo nothing; both are in place."""
    return snapshot(
        user("ana", "devs", "new"),
        user("bo", "ops", "new"),
        group("devs", allow("s3:GetObject", "s3:PutObject")),
        group("ops", allow("s3:GetObject")),
        group("new", allow("s3:GetObject")),
    )


def test_a_group_stays_whose_member_would_lose_something() -> None:
    found = decommission(two_groups(), groups(devs="new", ops="new"))
    assert dangers(found) == {"stranded-user": ("ana (s3:PutObject on *)",)}
    assert kept(found) == {"devs": "ana would lose access with it"}
    assert not found.blocking
    assert shell(found)[0] == "remove-user-from-group --user-name bo --group-name ops"
    assert all("devs" not in line for line in shell(found))


@pytest.mark.parametrize(
    "accepted",
    [
        Accepted(actions=("s3:PutObject",), why="nobody writes there"),
        Accepted(actions=("s3:Put*",), users=("AN*",), why="nobody writes there"),
        Accepted(actions=("*",), users=("bo", "ana"), why="nobody writes there"),
    ],
)
def test_what_is_accepted_holds_nothing_back(accepted: Accepted) -> None:
    found = decommission(two_groups(), groups(devs="new", ops="new"), accepted)
    assert dangers(found) == {}
    assert kept(found) == {}


@pytest.mark.parametrize(
    "accepted",
    [
        Accepted(actions=("s3:GetObject", "sqs:*"), why="about something else"),
        Accepted(actions=("*",), users=("bo", "an"), why="about somebody else"),
    ],
)
def test_what_is_accepted_for_others_counts_for_nothing(accepted: Accepted) -> None:
    assert "stranded-user" in dangers(decommission(two_groups(), groups(devs="new", ops="new"), accepted))


def test_what_nobody_can_read_is_not_lost_in_silence() -> None:
    live = two_groups().put(group("ops", allow("s3:GetObject"), attached=(arn("gone"),)))
    found = decommission(live, groups(ops="new"))
    assert dangers(found)["stranded-user"][0].startswith("bo (perhaps ")
    assert found.operations == ()


def test_a_stranded_user_keeps_all_of_her_groups_and_others_theirs() -> None:
    live = two_groups().put(user("ana", "devs", "ops", "new")).put(user("cy", "devs", "new"))
    found = decommission(live, groups(devs="new", ops="new"))
    assert [name.split()[0] for name in dangers(found)["stranded-user"]] == ["ana", "cy"]
    assert set(kept(found)) == {"devs", "ops"}


def test_a_deny_that_goes_with_its_group_is_told() -> None:
    live = snapshot(
        user("ana", "careful", "new"), group("careful", deny("iam:CreateUser")), group("new", allow("iam:*"))
    )
    found = decommission(live, groups(careful="new"))
    assert dangers(found) == {"deny-removed": ("ana (iam:CreateUser on *)",)}
    assert not found.blocking
    assert shell(found)[-1] == "delete-group --group-name careful"


def test_a_deny_of_a_group_that_stays_is_not_told() -> None:
    both = Document(
        {"Version": "2012-10-17", "Statement": [*allow("s3:PutObject").statements, *deny("iam:CreateUser").statements]}
    )
    live = snapshot(
        user("ana", "careful", "new"),
        user("bo", "mixed", "new"),
        group("careful", deny("iam:CreateUser")),
        group("mixed", both),
        group("new", allow("iam:*")),
    )
    assert dangers(decommission(live, groups(careful="new", mixed="new"))) == {
        "stranded-user": ("bo (s3:PutObject on *)",),
        "deny-removed": ("ana (iam:CreateUser on *)",),
    }


def test_a_deny_that_denied_nothing_is_not_told() -> None:
    live = snapshot(user("ana", "careful", "new"), group("careful", deny("iam:*")), group("new", allow("s3:*")))
    assert dangers(decommission(live, groups(careful="new"))) == {}


def test_a_role_stays_that_somebody_may_assume_and_not_its_successor() -> None:
    may = allow("sts:AssumeRole", resource=role_arn("old"))
    live = snapshot(
        user("ana", inline={"own": may}),
        user("bo"),
        structs.replace(role("old"), trust=trust_of({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
        structs.replace(role("fresh"), trust=trust_of({"AWS": f"arn:aws:iam::{ACCOUNT}:root"})),
    )
    found = decommission(live, roles(old="fresh"))
    assert dangers(found)["stranded-user"] == ("ana (to assume role old)",)
    assert kept(found)["old"] == "ana may assume it, but not fresh"
    both = live.put(user("ana", inline={"own": allow("sts:AssumeRole")}))
    assert "stranded-user" not in dangers(decommission(both, roles(old="fresh")))
    accepted = Accepted(actions=("sts:AssumeRole",), why="nobody does")
    assert "stranded-user" not in dangers(decommission(live, roles(old="fresh"), accepted))


def test_verify_says_who_lost_what_since_the_inventory() -> None:
    start = two_groups()
    moves = groups(devs="new", ops="new")
    live = after(start, plan.decommission(start, moves, LAST_YEAR, watching(start, accept=[EVERYTHING])).operations)
    lines = plan.verify(live, snapshot(), moves, start.members, start, watching(start, live))
    assert lines == ["user ana lost s3:PutObject on *"]
    assert plan.verify(live, snapshot(), moves, start.members, start, watching(start, live, accept=[EVERYTHING])) == []


def test_verify_says_which_role_nobody_may_assume_any_more() -> None:
    direct = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ana"}
    start = snapshot(user("ana"), structs.replace(role("old"), trust=trust_of(direct)))
    live = snapshot(user("ana"), role("fresh"))
    lines = plan.verify(live, snapshot(), roles(old="fresh"), {}, start, watching(start, live))
    assert lines == ["user ana may not assume what took the place of old"]


def test_policies_that_only_the_leaving_use_go_and_those_of_the_staying_stay() -> None:
    live = two_groups().put(policy("p", "sqs:*")).put(group("devs", allow("s3:PutObject"), attached=(arn("p"),)))
    found = decommission(live, groups(devs="new"))
    assert found.operations == ()


def test_an_old_role_that_is_there_still_is_nothing_lost() -> None:
    direct = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ana"}
    start = snapshot(user("ana"), structs.replace(role("old"), trust=trust_of(direct)))
    live = start.put(role("fresh"))
    assert plan.verify(live, snapshot(), roles(old="fresh"), {}, start, watching(start, live)) == []


def test_what_takes_the_place_of_a_role_and_gives_less_is_told_before_it_goes() -> None:
    both = trust_of({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]})
    live = snapshot(
        role("worker", both, inline={"p": allow("s3:GetObject", "s3:PutObject")}),
        role("new", inline={"p": allow("s3:GetObject")}),
        role("same", trust_of({"AWS": role_arn("worker")})),
        role("newer", trust_of({"AWS": role_arn("new")})),
    )
    found = decommission(live, roles(worker="new", same="newer"))
    told = "worker as new (not by service lambda.amazonaws.com, s3:PutObject on *)"
    assert dangers(found) == {"role-narrows": (told,)}
    assert not found.blocking
    accepted = decommission(live, roles(worker="new", same="newer"), EVERYTHING)
    assert dangers(accepted) == {"role-narrows": ("worker as new (not by service lambda.amazonaws.com)",)}
