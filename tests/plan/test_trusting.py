"""Roles whose trust policies name others: who must be there before them, and what IAM does not take again."""

from __future__ import annotations

import pytest

from secmigrate.aws import Aws
from secmigrate.iam import Document, Snapshot
from secmigrate.operations import DeleteRole
from secmigrate.plan import Plan, Tried, rollback
from secmigrate.sources.live import read_live
from secmigrate.twin import Twin
from tests.plan.cases import (
    after,
    arn,
    dangers,
    decommission,
    kept,
    policy,
    role,
    role_arn,
    roles,
    shell,
    snapshot,
    tried,
    trusting,
    user,
)
from tests.small import ACCOUNT, allow


def test_trust_in_a_role_that_is_made_anew_is_put_again() -> None:
    """IAM keeps the unique id of the role that is gone in the trust of others."""
    before = snapshot(
        role("old"), role("theirs", trusting("old")), role("linked", path="/aws-service-role/x.amazonaws.com/")
    )
    with Twin(before) as twin:
        aws = Aws(endpoint=twin.url)
        live = read_live(aws, {})
        gone = DeleteRole(role=live.roles["old"].bare(), id=live.roles["old"].seen.id)
        aws.send(gone.call())
        live = read_live(aws, {})
        assert live.roles["theirs"].trust != before.roles["theirs"].trust
        back = rollback(live, [Tried(gone)])
        assert [line.split()[0] for line in shell(back)] == ["create-role", "update-assume-role-policy"]
        for operation in back.operations:
            aws.send(operation.call())
        assert twin.snapshot() == before
        done = [Tried(one) for one in (gone, *back.operations)]
        assert rollback(twin.snapshot(), done).operations == ()


def test_trust_in_somebody_else_who_is_gone_cannot_be_put_again() -> None:
    ids = ("AROAAAAAAAAAAAAAAAAAA", "AIDABBBBBBBBBBBBBBBBB")
    principal = {"AWS": list(ids)}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    live = snapshot(role("theirs", Document({"Version": "2012-10-17", "Statement": [statement]})))
    back = rollback(live, [Tried(DeleteRole(role=role("old").bare(), id=ids[0]))])
    assert [line.split()[0] for line in shell(back)] == ["create-role"]
    assert kept(back) == {"theirs": f"its trust policy cannot be put again: IAM does not take {ids[1]} again"}
    assert dangers(back) == {"cannot-undo": ("role theirs",)}


def naming(*principals: str) -> Document:
    """A trust policy that names these."""
    statement = {"Effect": "Allow", "Principal": {"AWS": list(principals)}, "Action": "sts:AssumeRole"}
    return Document({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("gone", ["AROAAAAAAAAAAAAAAAAAA", "AIDABBBBBBBBBBBBBBBBB", f"arn:aws:iam::{ACCOUNT}:user/dee"])
def test_a_role_that_trusts_somebody_who_is_gone_stays_for_it_could_not_be_made_anew(gone: str) -> None:
    live = snapshot(role("old", naming(role_arn("new"), gone)), role("new"))
    plan = decommission(live, roles(old="new"))
    assert (shell(plan), dangers(plan)) == ([], {"cannot-undo": ("old",)})
    assert kept(plan) == {"old": f"trusts {gone}, who is gone, so that IAM would not take it anew"}


@pytest.mark.parametrize(
    "there", [f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, "*", "arn:aws:iam::444455556666:role/theirs", role_arn("new")]
)
def test_whom_nobody_can_look_up_here_is_no_reason_to_stay(there: str) -> None:
    live = snapshot(role("old", naming(there)), role("new"))
    assert shell(decommission(live, roles(old="new"))) == ["delete-role --role-name old"]


CHAIN = snapshot(
    role("a", trusting("b", "new"), inline={"own": allow("s3:*")}),
    role("b", trusting("c"), attached=(arn("p"),)),
    role("c", inline={"own": allow("sqs:*")}),
    role("d"),
    role("new"),
    policy("p", "sns:*"),
)


def left(twin: Twin) -> list[Tried]:
    """Takes all of it away, but for the role `new`."""
    plan = decommission(CHAIN, roles(a="new", b="new", c="new", d="new"))
    carried_out(twin, plan)
    assert set(twin.snapshot().roles) == {"new"}
    return tried(plan)


def carried_out(twin: Twin, plan: Plan) -> Snapshot:
    for operation in plan.operations:
        Aws(endpoint=twin.url).send(operation.call())
    return twin.snapshot()


def test_a_role_comes_back_with_those_that_it_trusts() -> None:
    with Twin(CHAIN) as twin:
        done = left(twin)
        back = rollback(twin.snapshot(), done, wanted=lambda one: ("role", "a") in one.changes | one.relies_on)
        assert dangers(back) == {}
        there = carried_out(twin, back)
    assert there == CHAIN.drop(CHAIN.roles["d"])


def test_a_role_that_trusts_somebody_who_left_meanwhile_stays_away_and_is_named() -> None:
    before = snapshot(
        user("dee"),
        role("a", naming(f"arn:aws:iam::{ACCOUNT}:user/dee")),
        role("b", trusting("a")),
        role("c"),
        role("new"),
    )
    plan = decommission(before, roles(a="new", b="new", c="new"))
    now = after(before, plan.operations)
    now = now.drop(now.users["dee"])
    back = rollback(now, tried(plan))
    assert set(after(now, back.operations).roles) == {"c", "new"}
    assert dangers(back) == {"cannot-undo": ("role a", "role b")}
