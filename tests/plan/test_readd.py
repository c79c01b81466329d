"""Step 9: who is moved, who is not and why, and how somebody who is in ten groups gets into an eleventh."""

from __future__ import annotations

import pytest

from secmigrate.iam import Document, Entity, Gap, Policy, Snapshot, User
from secmigrate.operations import AddUserToGroup, RemoveUserFromGroup
from secmigrate.plan import Move, rollback
from secmigrate.plan.destination import destination
from secmigrate.plan.fold import sealed
from tests.plan.cases import (
    ADMIN,
    after,
    arn,
    dangers,
    decommission,
    group,
    groups,
    policy,
    readd,
    role,
    shell,
    snapshot,
    tried,
    user,
    watching,
)
from tests.small import ACCOUNT, allow, deny

FULL = [f"g{n}" for n in range(10)]


def full(*others: Entity, same: str = "s3:Get*") -> Snapshot:
    """Ana in ten groups, each of which says the same, and the new ones, which she is not in."""
    return snapshot(
        user("ana", *FULL), *(group(name, allow(same)) for name in FULL), group("new"), group("newer"), *others
    )


def test_members_move_and_nobody_else() -> None:
    live = snapshot(user("ana", "devs"), user("bo", "devs", "new"), user("cy"), group("devs"), group("new"))
    plan = readd(live, groups(devs="new"), {"devs": ("ana", "bo")}, [])
    assert shell(plan) == ["add-user-to-group --user-name ana --group-name new"]
    assert dangers(plan) == {}
    assert after(live, plan.operations).members["new"] == ("ana", "bo")


def test_two_old_groups_may_become_one() -> None:
    live = snapshot(user("ana", "a", "b"), group("a"), group("b"), group("new"))
    assert shell(readd(live, groups(a="new", b="new"), {}, [])) == [
        "add-user-to-group --user-name ana --group-name new"
    ]


def test_once_done_there_is_nothing_left() -> None:
    live = snapshot(user("ana", "devs"), group("devs"), group("new"))
    plan = readd(live, groups(devs="new"), {}, [])
    assert readd(after(live, plan.operations), groups(devs="new"), {"devs": ("ana",)}, []).operations == ()


def test_who_joined_or_left_since_the_inventory_is_told() -> None:
    live = snapshot(user("ana", "devs"), user("bo"), group("devs"), group("new"))
    plan = readd(live, groups(devs="new"), {"devs": ("bo", "gone")}, [])
    assert shell(plan) == ["add-user-to-group --user-name ana --group-name new"]
    assert dangers(plan) == {
        "joined-since-snapshot": ("ana (devs)",),
        "left-since-snapshot": ("bo (devs)", "gone (devs)"),
    }
    assert not plan.blocking


def test_where_the_old_group_is_gone_the_saved_members_decide() -> None:
    live = snapshot(user("ana"), group("new"))
    plan = readd(live, groups(devs="new"), {"devs": ("ana", "who left the company")}, [])
    assert shell(plan) == ["add-user-to-group --user-name ana --group-name new"]


def test_where_the_new_group_is_missing_nothing_may_be_done() -> None:
    live = snapshot(user("ana", "devs", "ops"), group("devs"), group("ops"), group("new"))
    plan = readd(live, groups(devs="new", ops="nowhere"), {}, [])
    assert dangers(plan) == {"target-missing": ("nowhere",)}
    assert [danger.code for danger in plan.blocking] == ["target-missing"]


def test_members_of_groups_without_a_counterpart_are_told() -> None:
    live = snapshot(user("ana", "odd"), group("odd"), group("empty"))
    plan = readd(live, [], {}, ["odd", "empty", "gone"])
    assert dangers(plan) == {"unmapped-members": ("1 in odd",)}
    assert not plan.blocking


def test_an_account_that_was_read_in_part_blocks() -> None:
    live = Snapshot(account="111122223333", incomplete=(Gap("iam:ListRoles", "denied"),))
    assert [danger.code for danger in readd(live, [], {}, []).blocking] == ["incomplete-snapshot"]


def test_in_ten_groups_one_that_says_the_same_as_another_makes_room_first() -> None:
    live = full()
    plan = readd(live, groups(g3="new", g4="newer"), {}, [])
    assert shell(plan) == [
        "remove-user-from-group --user-name ana --group-name g3",
        "add-user-to-group --user-name ana --group-name new",
        "remove-user-from-group --user-name ana --group-name g4",
        "add-user-to-group --user-name ana --group-name newer",
    ]
    assert dangers(plan) == {}


def test_an_administrator_may_leave_a_group_that_says_something_else() -> None:
    live = full(
        user("ana", *FULL, attached=(ADMIN,)), group("g3", allow("ec2:*")), Policy(arn=ADMIN, document=allow("*"))
    )
    assert shell(readd(live, groups(g3="new"), {}, []))[0] == "remove-user-from-group --user-name ana --group-name g3"
    unknown = live.drop(live.policies[ADMIN])  # what its document says is not known
    assert dangers(readd(unknown, groups(g3="new"), {}, [])) == {"too-many-groups": ("ana",)}


def test_a_group_that_says_something_else_does_not_go() -> None:
    live = full(group("g3", allow("ec2:*")))
    plan = readd(live, groups(g3="new"), {}, [])
    assert (shell(plan), dangers(plan)) == ([], {"too-many-groups": ("ana",)})


def test_a_group_that_is_not_mapped_does_not_go() -> None:
    """She was in g3, which is gone: only g3 is mapped, so nothing that is there may make room."""
    live = full()
    live = live.put(user("ana", *(name for name in FULL if name != "g3"), "extra")).put(
        group("extra", allow("s3:Get*"))
    )
    plan = readd(live.drop(live.groups["g3"]), groups(g3="new"), {"g3": ("ana",)}, [])
    assert (shell(plan), dangers(plan)) == ([], {"too-many-groups": ("ana",)})


@pytest.mark.parametrize("other", ["g3", "g4"])
def test_a_group_that_denies_never_goes_even_if_another_denies_the_same(other: str) -> None:
    live = full(group("g3", allow("s3:Get*"), deny("s3:GetObject")))
    if other != "g3":
        live = live.put(group(other, allow("s3:Get*"), deny("s3:GetObject")))
        # Both deny the same: to leave one of them lifts nothing.
        assert shell(readd(live, groups(g3="new"), {}, []))[0].endswith("--group-name g3")
        return
    assert dangers(readd(live, groups(g3="new"), {}, [])) == {"too-many-groups": ("ana",)}


def test_too_few_spare_groups_stop_that_user_alone() -> None:
    live = full(user("bo", "g1"), group("g4", allow("ec2:*")))
    plan = readd(live, groups(g1="new", g3="newest", g4="newer"), {}, [])
    assert dangers(plan)["target-missing"] == ("newest",)
    plan = readd(live.put(group("newest")), groups(g1="new", g3="newest", g4="newer"), {}, [])
    assert dangers(plan) == {"too-many-groups": ("ana",)}
    assert shell(plan) == ["add-user-to-group --user-name bo --group-name new"]
    assert not plan.blocking


def test_grants_come_before_swaps() -> None:
    live = full(user("zoe", "g3"))
    assert [line.split()[0] for line in shell(readd(live, groups(g3="new"), {}, []))] == [
        "add-user-to-group",
        "remove-user-from-group",
        "add-user-to-group",
    ]


def test_a_new_group_that_denies_something_more_is_not_joined() -> None:
    live = snapshot(
        user("ana", "devs"),
        user("bo", "devs", "careful"),
        group("devs", allow("iam:*")),
        group("ops"),
        group("careful", deny("iam:*")),
        group("new", allow("s3:*"), deny("iam:*")),
    )
    plan = readd(live, groups(devs="new"), {}, [])
    assert dangers(plan) == {"access-dips": ("ana (new)",)}
    assert shell(plan) == ["add-user-to-group --user-name bo --group-name new"]


def test_a_new_group_that_bars_a_role_which_trusts_somebody_by_name_is_not_joined() -> None:
    by_name = Document(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ana"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    )
    live = snapshot(
        user("ana", "devs"),
        user("bo", "devs"),
        group("devs", allow("s3:*")),
        group("new", allow("s3:*"), deny("sts:AssumeRole")),
        role("oncall", by_name),
    )
    plan = readd(live, groups(devs="new"), {}, [])
    assert dangers(plan) == {"access-dips": ("ana (new)",)}
    assert shell(plan) == ["add-user-to-group --user-name bo --group-name new"]


def test_one_who_is_over_a_quota_already_is_no_reason_to_stop() -> None:
    """AWS raises some quotas on request; what was there before says so."""
    policies = [policy(f"p{n}", "s3:*") for n in range(12)]
    many = tuple(one.arn for one in policies)
    live = snapshot(user("ana", "devs", attached=many), group("devs"), group("new"), *policies)
    assert dangers(readd(live, groups(devs="new"), {}, [])) == {}


def test_a_planner_that_plans_nothing_or_a_dip_is_told() -> None:
    live = snapshot(user("ana", "devs"), group("devs", allow("s3:*")))
    with pytest.raises(ValueError, match="no no-ops: aws iam add-user-to-group"):
        sealed("readd", live, [AddUserToGroup(user="ana", group="devs")])
    leaves = RemoveUserFromGroup(user="ana", group="devs")
    comes_back = AddUserToGroup(user="ana", group="devs")
    plan = sealed("readd", live, [leaves, comes_back], watch=watching(live))
    call = "aws iam remove-user-from-group --user-name ana --group-name devs"
    assert dangers(plan) == {"access-dips": (f"ana (at: {call})",)}
    assert plan.blocking
    # What is lost in the end as well is no dip, but a loss: `stranded-user` is about that.
    assert dangers(sealed("decommission", live, [leaves], watch=watching(live))) == {}


def test_a_quota_that_the_plan_would_pass_blocks_it() -> None:
    live = full()
    plan = sealed("readd", live, [AddUserToGroup(user="ana", group="new")])
    assert dangers(plan) == {"quota-exceeded": ("user ana in 11 groups",)}
    assert plan.blocking


SPLIT = [Move("group", "guild", "science", ("a*",)), Move("group", "guild", "data", ("bo",))]


def guild(*others: Entity) -> Snapshot:
    """A group that a person has split: Ana here, Bo there, and of Cy nothing was said."""
    members = (user("ana", "guild"), user("bo", "guild"), user("cy", "guild"))
    return snapshot(*members, group("guild", allow("s3:*")), group("science"), group("data"), *others)


def test_the_members_of_a_group_that_is_split_go_where_they_were_sent() -> None:
    plan = readd(guild(), SPLIT, {"guild": ("ana", "bo", "cy")}, [])
    assert shell(plan) == [
        "add-user-to-group --user-name ana --group-name science",
        "add-user-to-group --user-name bo --group-name data",
    ]
    assert dangers(plan) == {"unmapped-members": ("cy in guild",)}


def test_a_group_stays_of_whose_members_the_split_says_nothing() -> None:
    live = after(guild(), readd(guild(), SPLIT, {}, []).operations)
    plan = decommission(live, SPLIT)
    assert shell(plan) == []
    assert dangers(plan)["not-a-member-yet"] == ("cy (guild)",)
    everybody = [*SPLIT, Move("group", "guild", "data", ("cy",))]
    live = after(live, readd(live, everybody, {}, []).operations)
    assert "delete-group --group-name guild" in shell(decommission(live, everybody))


def test_where_a_split_leads() -> None:
    planned = snapshot(group("science"), group("data"))
    end = destination(guild(), planned, SPLIT)
    # Nobody leaves a group that cannot go.
    assert [end.users[name].groups for name in ("ana", "bo", "cy")] == [
        ("guild", "science"),
        ("data", "guild"),
        ("guild",),
    ]
    end = destination(guild(), planned, [*SPLIT, Move("group", "guild", "data", ("cy",))])
    assert [end.users[name].groups for name in ("ana", "bo", "cy")] == [("science",), ("data",), ("data",)]


def test_where_only_the_new_group_gives_the_same_its_policies_are_the_bridge() -> None:
    live = full(
        policy("p", "sqs:*"),
        group("g3", allow("ec2:*"), attached=(arn("p"),)),
        group("new", allow("ec2:*"), attached=(arn("p"),)),
    )
    plan = readd(live, groups(g3="new"), {}, [])
    assert dangers(plan) == {}
    document = allow("ec2:*").text
    assert shell(plan) == [
        f"attach-user-policy --user-name ana --policy-arn {arn('p')}",
        f"put-user-policy --user-name ana --policy-name secmigrate-bridge-new-p1 --policy-document '{document}'",
        "remove-user-from-group --user-name ana --group-name g3",
        "add-user-to-group --user-name ana --group-name new",
        "delete-user-policy --user-name ana --policy-name secmigrate-bridge-new-p1",
        f"detach-user-policy --user-name ana --policy-arn {arn('p')}",
    ]
    end = after(live, plan.operations)
    assert end.users["ana"] == user("ana", *(name for name in FULL if name != "g3"), "new")
    back = rollback(end, tried(plan))
    assert after(end, back.operations) == live


@pytest.mark.parametrize(
    "ana",
    [
        user("ana", *FULL, inline={"own": allow(*(f"sns:Get{n:04}" for n in range(150)))}),
        user("ana", *FULL, inline={"secmigrate-bridge-new-p1": allow("sns:*")}),
    ],
    ids=["no room", "name taken"],
)
def test_a_bridge_keeps_within_the_users_own_quotas(ana: User) -> None:
    live = full(group("g3", allow("ec2:*")), group("new", allow("ec2:*"))).put(ana)
    plan = readd(live, groups(g3="new"), {}, [])
    assert (shell(plan), dangers(plan)) == ([], {"too-many-groups": ("ana",)})


def test_a_bridge_lifts_no_deny() -> None:
    live = full(group("g3", allow("ec2:*"), deny("s3:GetObject")), group("new", allow("ec2:*")))
    assert dangers(readd(live, groups(g3="new"), {}, [])) == {"too-many-groups": ("ana",)}
