"""The policy that a plan needs, and callers who cannot carry it out or would lock themselves out."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate import documents
from secmigrate.dangers import Danger
from secmigrate.iam import Document, InstanceProfile, Snapshot
from secmigrate.operations import (
    AddRoleToInstanceProfile,
    AttachPolicy,
    CreateRole,
    DeleteInlinePolicy,
    DeleteRole,
    DetachPolicy,
    RemoveUserFromGroup,
)
from secmigrate.plan.fold import Plan, is_intact, sealed, with_dangers
from secmigrate.plan.permissions import (
    MANAGED_SIZE,
    READING_STACKS,
    caller_dangers,
    policy_of,
    reading_many_policy,
    reading_policy,
)
from tests.apply.stage import BEFORE, PLAN
from tests.plan.cases import arn, group, groups, policy, readd, role, role_arn, snapshot, user
from tests.small import ACCOUNT, READ_ONLY, allow, deny

ACTIONS = documents.aws_actions()
USER = f"arn:aws:iam::{ACCOUNT}:user/"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/"


def needs(document: Document) -> dict[str, set[str]]:
    """Resources by action."""
    found: dict[str, set[str]] = {}
    for row in document.statements:
        for action in row["Action"]:
            found.setdefault(action, set()).update(row["Resource"])
    return found


def test_every_call_is_allowed_on_what_it_touches_and_nothing_else_is() -> None:
    found = needs(policy_of(PLAN, BEFORE))
    reading = needs(reading_policy()).keys() - READING_STACKS
    calls = {operation.call().permission for operation in PLAN.operations}
    assert found.keys() - reading == calls
    assert found["iam:AddUserToGroup"] == {f"arn:aws:iam::{ACCOUNT}:group/new"}
    assert found["iam:RemoveUserFromGroup"] == {f"arn:aws:iam::{ACCOUNT}:group/devs"}
    assert found["iam:DeleteRole"] == {role_arn("old")}
    assert found["iam:CreateRole"] == {role_arn("fresh")}
    assert found["iam:DeletePolicy"] == {arn("p")}
    assert found["iam:RemoveRoleFromInstanceProfile"] == {f"arn:aws:iam::{ACCOUNT}:instance-profile/box"}
    assert {action for action, resources in found.items() if "*" in resources} == reading


def test_many_accounts_are_read_by_a_role_and_a_list() -> None:
    assert needs(reading_many_policy("audit/reader")) == {
        "sts:AssumeRole": {"arn:aws:iam::*:role/audit/reader"},
        "organizations:ListAccounts": {"*"},
    }


def test_actions_are_ones_that_aws_has() -> None:
    for action in {**needs(policy_of(PLAN, BEFORE)), **needs(reading_many_policy("x"))}:
        assert ACTIONS.bits(action).bit_count() == 1, action


def test_what_the_cli_does_not_name_is_needed_too() -> None:
    tagged = structs.replace(role("made"), tags={"a": "1"})
    live = snapshot()
    assert "iam:TagRole" in needs(policy_of(sealed("deploy", live, [CreateRole(role=tagged)]), live))


def test_a_policy_that_would_be_too_long_is_widened() -> None:
    names = [f"a-group-with-quite-a-long-name-{n}" for n in range(200)]
    live = snapshot(*(group(name) for name in names), *(group(f"new-{name}") for name in names))
    for name in names:
        live = live.put(user(f"u-{name}", name))
    plan = readd(live, groups(**{name: f"new-{name}" for name in names}), {}, [])
    found = policy_of(plan, live)
    assert found.size <= MANAGED_SIZE
    assert needs(found)["iam:AddUserToGroup"] == {f"arn:aws:iam::{ACCOUNT}:group/*"}


ADMINS = group("admins", allow("iam:*"))


def dangers(caller: str, live: Snapshot, plan: Plan) -> dict[str, tuple[str, ...]]:
    return {one.code: one.subjects for one in caller_dangers(plan, live, caller, ACTIONS)}


def attaching(live: Snapshot) -> Plan:
    return sealed("readd", live, [AttachPolicy(principal="user", name="zoe", arn=arn("p"))])


@pytest.mark.parametrize(
    ("caller", "lacking"),
    [
        (f"{USER}ana", ()),  # by her group
        (f"{USER}bo", ("iam:AttachUserPolicy",)),
        (f"{USER}cy", ("iam:AttachUserPolicy",)),  # denied
        (f"{USER}people/dee", ("iam:AttachUserPolicy",)),  # within a boundary
        (f"{SESSION}ops/alice", ()),
        (f"{SESSION}reader/alice", ("iam:AttachUserPolicy",)),
        (f"arn:aws:iam::{ACCOUNT}:root", ()),
        (f"{USER}nobody-we-know", ()),
        ("arn:aws:iam::999988887777:user/bo", ()),
        ("", ()),
    ],
)
def test_who_may_not_is_told_beforehand(caller: str, lacking: tuple[str, ...]) -> None:
    live = snapshot(
        user("ana", "admins"),
        user("bo"),
        user("cy", "admins", inline={"no": deny("iam:Attach*")}),
        user("dee", "admins", path="/people/", boundary=arn("limit")),
        user("zoe"),
        ADMINS,
        policy("p", "s3:*"),
        policy("limit", "s3:*"),
        role("ops", inline={"p": allow("*")}),
        role("reader", inline={"p": allow("iam:Get*")}),
    )
    found = dangers(caller, live, attaching(live))
    assert found.get("lacks-permission", ()) == lacking
    assert "locks-you-out" not in found


def test_in_another_partition_arns_are_its_own() -> None:
    live = snapshot(
        user("ana", inline={"own": allow("iam:*", resource=f"arn:aws-cn:iam::{ACCOUNT}:*")}),
        user("zoe", attached=(READ_ONLY,)),
    )
    live = structs.replace(live, partition="aws-cn")
    plan = sealed("readd", live, [DetachPolicy(principal="user", name="zoe", arn=READ_ONLY)])
    assert dangers(f"arn:aws-cn:iam::{ACCOUNT}:user/ana", live, plan) == {}


def test_who_leaves_her_own_administrators_is_locked_out() -> None:
    live = snapshot(user("ana", "admins"), user("bo", "admins"), ADMINS)
    plan = sealed("decommission", live, [RemoveUserFromGroup(user="ana", group="admins")])
    assert "locks-you-out" in dangers(f"{USER}ana", live, plan)
    assert dangers(f"{USER}bo", live, plan) == {}


def test_who_deletes_the_role_she_works_with_is_locked_out() -> None:
    live = snapshot(role("ops"), role("admin", attached=(arn("all"),)), policy("all", "*"))
    plan = sealed("decommission", live, [DeleteRole(role=live.roles["ops"].bare())])
    assert dangers(f"{SESSION}admin/ana", live, plan) == {}
    held = live.put(role("ops", inline={"p": allow("iam:*")}))
    gone = DeleteInlinePolicy(principal="role", name="ops", policy="p", document=allow("iam:*"))
    plan = sealed("decommission", held, [gone, DeleteRole(role=held.roles["ops"].bare())])
    assert any("iam:DeleteRole" in one for one in dangers(f"{SESSION}ops/ana", held, plan)["locks-you-out"])


def test_dangers_of_the_caller_are_sealed_with_the_plan() -> None:
    live = snapshot(user("zoe"), policy("p", "s3:*"))
    plan = with_dangers(attaching(live), [Danger(code="locks-you-out", message="m", hint="h")])
    assert is_intact(plan)
    assert plan.blocking


def test_an_empty_plan_needs_nobody() -> None:
    assert dangers(f"{USER}bo", snapshot(user("bo")), sealed("readd", snapshot(user("bo")), [])) == {}


def test_a_role_in_an_instance_profile_is_passed() -> None:
    live = BEFORE.put(InstanceProfile(name="empty"))
    plan = sealed("rollback", live, [AddRoleToInstanceProfile(profile="empty", role="old")])
    found = needs(policy_of(plan, live))
    assert found["iam:PassRole"] == {role_arn("old")}
    assert found["iam:AddRoleToInstanceProfile"] == {f"arn:aws:iam::{ACCOUNT}:instance-profile/empty"}
