"""Step 10: what goes, in which order, and what stays for which reason."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate import plan
from secmigrate.iam import Document, Entity, Gap, InstanceProfile, Policy, Seen, Snapshot, Version
from secmigrate.operations import PHASES, DetachPolicy
from tests.plan.cases import (
    ADMIN,
    EVERY_LOSS,
    LAST_YEAR,
    after,
    arn,
    dangers,
    decommission,
    group,
    groups,
    kept,
    policy,
    role,
    role_arn,
    roles,
    shell,
    snapshot,
    trusting,
    user,
    watching,
)
from tests.small import ACCOUNT, READ_ONLY, allow, deny, trust


def test_a_group_goes_when_its_members_are_in_the_new_one() -> None:
    live = snapshot(
        user("ana", "devs", "new"),
        user("bo", "devs", "new"),
        group("devs", allow("s3:*"), attached=(READ_ONLY,)),
        group("new"),
        group("odd"),
    )
    plan = decommission(live, groups(devs="new"))
    assert shell(plan) == [
        "remove-user-from-group --user-name ana --group-name devs",
        "remove-user-from-group --user-name bo --group-name devs",
        "delete-group-policy --group-name devs --policy-name p1",
        f"detach-group-policy --group-name devs --policy-arn {READ_ONLY}",
        "delete-group --group-name devs",
    ]
    assert (dangers(plan), kept(plan)) == ({}, {})
    assert sorted(after(live, plan.operations).groups) == ["new", "odd"]


def test_a_group_stays_as_long_as_one_member_is_not_in_the_new_one() -> None:
    live = snapshot(user("ana", "devs", "new"), user("bo", "devs"), group("devs"), group("new"), group("ops"))
    plan = decommission(live, groups(devs="new", ops="new"))
    assert shell(plan) == ["delete-group --group-name ops"]
    assert dangers(plan) == {"not-a-member-yet": ("bo (devs)",)}
    assert kept(plan) == {"devs": "not all of its members are in new yet"}
    assert not plan.blocking


def test_what_has_no_new_one_yet_blocks_the_plan() -> None:
    live = snapshot(group("devs"), role("old"), group("new"))
    plan = decommission(live, [*groups(devs="nowhere"), *roles(old="nobody")])
    assert [(danger.code, danger.subjects) for danger in plan.blocking] == [("target-missing", ("nobody", "nowhere"))]
    assert plan.operations == ()
    assert kept(plan)["old"] == "nobody does not exist yet"


def test_an_account_that_was_read_in_part_blocks() -> None:
    live = Snapshot(account="111122223333", incomplete=(Gap("iam:ListRoles", "denied"),))
    assert [danger.code for danger in decommission(live, []).blocking] == ["incomplete-snapshot"]


def test_what_becomes_itself_stays() -> None:
    assert decommission(snapshot(group("devs"), role("r")), [*groups(devs="devs"), *roles(r="r")]).operations == ()


def test_what_denies_goes_last() -> None:
    live = snapshot(
        *(user(name, "a", "b", "new") for name in ("ana", "bo")),
        group("a", deny("iam:*")),
        group("b", allow("s3:*")),
        group("new"),
    )
    assert [line.split()[-1] for line in shell(decommission(live, groups(a="new", b="new"))) if "remove" in line] == [
        "b",
        "b",
        "a",
        "a",
    ]


def test_phases_come_in_their_order() -> None:
    live = snapshot(
        *(user(name, "a", "b", "new") for name in ("ana", "bo")),
        group("a", allow("s3:*")),
        group("b", allow("s3:*"), attached=(arn("p"),)),
        group("new"),
        role("r", inline={"x": allow("s3:*")}),
        role("r2"),
        policy("p", "sqs:*", older=(Version(document=allow("sns:*"), seen=Seen(id="v7")),)),
    )
    found = [
        operation.phase for operation in decommission(live, [*groups(a="new", b="new"), *roles(r="r2")]).operations
    ]
    assert found == sorted(found, key=PHASES.index)
    assert set(found) == {"revoke", "strip", "delete"}


@pytest.mark.parametrize(
    ("last_used", "goes"), [("", True), ("2025-05-31T23:59:59Z", True), ("2025-06-01T00:00:00Z", False)]
)
def test_a_role_that_was_used_lately_stays(last_used: str, goes: bool) -> None:
    live = snapshot(role("old", last_used=last_used), role("new"))
    plan = decommission(live, roles(old="new"))
    if goes:
        assert (shell(plan), dangers(plan)) == (["delete-role --role-name old"], {})
    else:
        assert (shell(plan), dangers(plan)) == ([], {"role-in-use": ("old",)})
        assert kept(plan) == {"old": "used on 2025-06-01"}


@pytest.mark.parametrize(
    ("holder", "named"),
    [
        (role("stays", trusting("old")), "role/stays"),
        (role("stays", inline={"p": allow("iam:PassRole", resource=role_arn("old"))}), "role/stays"),
        (group("stays", allow("sts:AssumeRole", resource=role_arn("old"))), "group/stays"),
        (user("stays", inline={"p": allow("sts:AssumeRole", resource=role_arn("old"))}), "user/stays"),
        (
            Policy(arn=arn("stays"), document=allow("sts:*", resource=role_arn("old"))),
            "policy/stays",
        ),
    ],
)
def test_a_role_that_something_names_which_stays_is_kept(holder: Entity, named: str) -> None:
    live = snapshot(role("old"), role("new"), holder)
    plan = decommission(live, roles(old="new"))
    assert (shell(plan), dangers(plan)) == ([], {"named-elsewhere": ("old",)})
    assert kept(plan)["old"].endswith(named)


def test_a_role_that_stays_keeps_those_that_it_names() -> None:
    live = snapshot(
        role("a"), role("b", trusting("a")), role("c", trusting("b")), role("stays", trusting("c")), role("new")
    )
    plan = decommission(live, roles(a="new", b="new", c="new"))
    assert dangers(plan) == {"named-elsewhere": ("a", "b", "c")}
    assert plan.operations == ()


def test_of_roles_that_all_go_the_one_that_is_named_goes_after_those_that_name_it() -> None:
    """So the way back makes it before them."""
    live = snapshot(role("a"), role("b", trusting("a")), role("c", trusting("b", "a")), role("new"))
    plan = decommission(live, roles(a="new", b="new", c="new"))
    assert [line.split()[-1] for line in shell(plan)] == ["c", "b", "a"]


@pytest.mark.parametrize("ring", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b", "b": "c", "c": "a"}])
def test_roles_that_trust_each_other_in_a_ring_stay_for_nobody_could_make_the_first(ring: dict[str, str]) -> None:
    live = snapshot(
        *(role(name, trusting(other)) for name, other in ring.items()), role("new"), role("z", trusting("a"))
    )
    plan = decommission(live, roles(z="new", **dict.fromkeys(ring, "new")))
    assert shell(plan) == ["delete-role --role-name z"]
    assert dangers(plan) == {"named-elsewhere": tuple(sorted(ring)), "role-narrows": ("z as new (not by role a)",)}
    assert set(kept(plan)) == set(ring)


def test_roles_whose_permissions_name_each_other_may_both_go() -> None:
    live = snapshot(
        role("a", inline={"p": allow("sts:AssumeRole", resource=role_arn("b"))}),
        role("b", inline={"p": allow("sts:AssumeRole", resource=role_arn("a"))}),
        role("new"),
    )
    assert [line for line in shell(decommission(live, roles(a="new", b="new"))) if line.startswith("delete-role ")] == [
        "delete-role --role-name b",
        "delete-role --role-name a",
    ]


def test_what_others_manage_is_never_touched() -> None:
    live = snapshot(
        role("linked", path="/aws-service-role/x.amazonaws.com/"),
        role("sso", path="/aws-reserved/sso.amazonaws.com/"),
        role("stacked", tags={"aws:cloudformation:stack-name": "web"}),
        role("new"),
    )
    plan = decommission(live, roles(linked="new", sso="new", stacked="new"))
    assert plan.operations == ()
    assert dangers(plan) == {"owned-elsewhere": ("stacked",), "service-linked": ("linked", "sso")}
    assert kept(plan)["stacked"] == "managed by stack web"


def test_what_a_stack_let_go_may_go_though_its_tags_stay() -> None:
    live = snapshot(role("stacked", tags={"aws:cloudformation:stack-name": "web"}), role("new"))
    let_go = structs.replace(live, owners={live.arn(live.roles["stacked"]): ""})
    plan = decommission(let_go, roles(stacked="new"))
    assert dangers(plan) == {}
    assert [operation.call().method for operation in plan.operations] == ["DeleteRole"]


def test_an_instance_profile_loses_its_role_and_stays() -> None:
    profiles = (InstanceProfile(name="box", roles=("old",)), InstanceProfile(name="other", roles=("new",)))
    live = snapshot(role("old", attached=(READ_ONLY,)), role("new"), *profiles)
    plan = decommission(live, roles(old="new"))
    assert shell(plan) == [
        "remove-role-from-instance-profile --instance-profile-name box --role-name old",
        f"detach-role-policy --role-name old --policy-arn {READ_ONLY}",
        "delete-role --role-name old",
    ]
    assert after(live, plan.operations).instance_profiles["box"].roles == ()
    assert "no role from now on" in plan.operations[0].caveat


def test_a_policy_goes_with_the_last_that_uses_it_its_versions_first() -> None:
    older = tuple(
        Version(document=allow(what), seen=Seen(id=n)) for n, what in (("v2", "a:*"), ("v3", "b:*"), ("v5", "a:*"))
    )
    live = snapshot(
        group("devs", attached=(arn("p"),)), group("new"), policy("p", "s3:*", older=older), policy("unused")
    )
    plan = decommission(live, groups(devs="new"))
    assert shell(plan) == [
        f"detach-group-policy --group-name devs --policy-arn {arn('p')}",
        f"delete-policy-version --policy-arn {arn('p')} --version-id v2",
        f"delete-policy-version --policy-arn {arn('p')} --version-id v5",
        f"delete-policy-version --policy-arn {arn('p')} --version-id v3",
        "delete-group --group-name devs",
        f"delete-policy --policy-arn {arn('p')}",
    ]
    assert sorted(after(live, plan.operations).policies) == [arn("unused")]


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (user("ana", attached=(arn("p"),)), "user ana"),
        (group("odd", attached=(arn("p"),)), "group odd"),
        (user("ana", boundary=arn("p")), "user ana"),
        (role("r", boundary=arn("p")), "role r"),
    ],
)
def test_a_policy_that_something_else_uses_stays(other: Entity, named: str) -> None:
    live = snapshot(group("devs", attached=(arn("p"),)), group("new"), policy("p", "s3:*"), other)
    plan = decommission(live, groups(devs="new"))
    assert shell(plan)[-1] == "delete-group --group-name devs"
    assert kept(plan) == {arn("p"): f"{named} uses it as well"}


def test_a_policy_of_a_stack_stays() -> None:
    stacked = policy("p", "s3:*", tags={"aws:cloudformation:stack-name": "web"})
    live = snapshot(group("devs", attached=(arn("p"),)), group("new"), stacked)
    assert kept(decommission(live, groups(devs="new"))) == {arn("p"): "managed by stack web"}


def test_a_boundary_goes_after_the_role_that_it_bounds() -> None:
    live = snapshot(
        group("devs", attached=(arn("p"),)),
        group("new"),
        policy("p", "s3:*"),
        role("old", boundary=arn("p")),
        role("fresh"),
    )
    plan = decommission(live, [*groups(devs="new"), *roles(old="fresh")])
    assert [line.split()[0] for line in shell(plan)] == [
        "detach-group-policy",
        "delete-group",
        "delete-role",
        "delete-policy",
    ]


def test_a_role_with_more_policies_than_iam_grants_by_default_may_go() -> None:
    policies = [policy(f"p{n}", "s3:*") for n in range(14)]
    live = snapshot(role("old", attached=tuple(one.arn for one in policies)), role("new", trust()), *policies)
    plan = decommission(live, roles(old="new"))
    assert dangers(plan) == {}
    assert list(after(live, plan.operations).roles) == ["new"]


def boundary_of_others(name: str) -> Document:
    """Allows to make users, if they have that permissions boundary."""
    row = {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}
    condition = {"StringEquals": {"iam:PermissionsBoundary": arn(name)}}
    return Document({"Version": "2012-10-17", "Statement": [{**row, "Condition": condition}]})


def test_a_policy_that_something_names_which_stays_is_kept() -> None:
    live = snapshot(
        group("devs", attached=(arn("p"), arn("q"))),
        group("new"),
        user("hr", inline={"hire": boundary_of_others("p")}),
        policy("p", "s3:*"),
        policy("q", "sqs:*"),
    )
    plan = decommission(live, groups(devs="new"))
    assert after(live, plan.operations).own_policies.keys() == {arn("p")}
    assert kept(plan) == {arn("p"): f"named in arn:aws:iam::{ACCOUNT}:user/hr"}
    assert dangers(plan) == {"named-elsewhere": (arn("p"),)}


def test_a_policy_that_only_what_goes_names_may_go() -> None:
    devs = group("devs", boundary_of_others("p"), attached=(arn("p"),))
    live = snapshot(devs, group("new"), policy("p", "s3:*"))
    assert not after(live, decommission(live, groups(devs="new")).operations).own_policies


def test_that_a_policy_may_be_withdrawn_is_said_before_it_is_detached() -> None:
    old, there = "arn:aws:iam::aws:policy/AWSConfigRole", ADMIN
    live = snapshot(role("config", attached=(old, there)), role("new"))
    found = plan.decommission(live, roles(config="new"), LAST_YEAR, watching(live, accept=[EVERY_LOSS]), None, {old})
    told = {one.arn: one.caveat for one in found.operations if isinstance(one, DetachPolicy)}
    assert told == {old: "AWS may have withdrawn the policy, and then it cannot be attached again", there: ""}
    assert all(one.undo().undo() == one for one in found.operations)
