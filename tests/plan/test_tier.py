"""The plan of a tier change: nobody lacks anything on the way, and it can be made anew from any point of it."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate.access import Accepted
from secmigrate.iam import Group, InstanceProfile, Seen, Snapshot
from secmigrate.operations import CreateStack, DeleteStack
from secmigrate.plan import Plan, Way, fold
from secmigrate.plan.bridge import PREFIX, copy_name
from secmigrate.plan.standing import Stack
from tests.plan.cases import EVERY_LOSS, after, dangers, group, role, shell, trusting, user
from tests.plan.tiers import (
    DS,
    FULL,
    HOMES,
    MEDIUM,
    ML,
    NEW,
    OLD,
    OPS,
    QA,
    ROLE,
    STARTUP,
    account,
    as_seen,
    part,
    planned,
    watched,
)
from tests.small import READ_ONLY, allow, trust

LIVE = account()


def end(plan: Plan, live: Snapshot = LIVE) -> Snapshot:
    return after(live, plan.operations)


def changed(live: Snapshot = LIVE) -> Snapshot:
    """The account as it should be in the end: the new stack's groups and roles, everybody in the same groups."""
    groups = {**{n: g for n, g in live.groups.items() if n not in STARTUP.part.groups}, **MEDIUM.part.groups}
    return structs.replace(live, groups=groups, roles={**live.roles, **MEDIUM.part.roles})


def test_everybody_is_back_and_the_bridge_is_gone() -> None:
    plan = planned(LIVE)
    assert dangers(plan) == {"role-gap": (ROLE,)}
    assert end(plan) == changed()
    assert [type(one) for one in plan.operations if not one.ours] == [DeleteStack, CreateStack]


def test_nobody_lacks_anything_at_any_step() -> None:
    """Asked here step by step, and not by the planner's own check."""
    plan = planned(LIVE)
    watch = watched(LIVE, Way(homes=HOMES))
    seen = 0
    for _, _, now in fold(LIVE, plan.operations):
        for name in LIVE.users:
            assert watch.keeps(watch.side(LIVE, LIVE.users[name]), watch.side(now, now.users[name])), name
            seen += 1
    assert seen == len(plan.operations) * len(LIVE.users)


def test_no_quota_is_passed_and_whoever_is_in_ten_groups_is_carried_directly() -> None:
    plan = planned(LIVE)
    for _, _, now in fold(LIVE, plan.operations):
        for one in now.users.values():
            assert len(one.groups) <= 10
            assert len(one.attached) <= 10
    lines = shell(plan)
    assert any(line.startswith("attach-user-policy --user-name cy") for line in lines)
    assert not any(line.startswith("attach-user-policy --user-name ed") for line in lines)


def test_nobody_is_in_a_group_of_the_stack_when_it_goes() -> None:
    for operation, before, _ in fold(LIVE, planned(LIVE).operations):
        if isinstance(operation, DeleteStack):
            assert not any(before.members[name] for name in (DS, ML, OPS))
            assert before.users["fay"] == LIVE.users["fay"]


@pytest.mark.parametrize("joins", [False, True])
def test_it_can_be_planned_anew_from_every_point(joins: bool) -> None:
    first = planned(LIVE)
    now = LIVE
    for n, operation in enumerate(first.operations, 1):
        now = as_seen(operation.applied(now), f"B{n}")
        live = now
        if joins:  # somebody puts fay where the others are at that moment
            place = next(name for name in (f"{PREFIX}{ML}", ML, "other-1") if name in live.groups)
            fay = live.users["fay"]
            live = live.put(structs.replace(fay, groups=(*fay.groups, place)))
        again = planned(live, before=[first])
        assert "access-dips" not in dangers(again), (n, dangers(again))
        assert not again.blocking, (n, again.blocking)
        last = end(again, live)
        assert not any(name.startswith(PREFIX) for name in last.groups), n
        assert not last.own_policies, n
        expected = changed()
        if joins:
            assert {*last.users["fay"].groups} - {"other-0"} <= {ML, "other-1"}
            assert len(last.users["fay"].groups) == 2, n
            last = last.put(LIVE.users["fay"])
        assert last == expected, n
    assert planned(now, before=[first]).operations == ()


def test_without_a_bridge_the_plan_says_who_lacks_what() -> None:
    plan = planned(LIVE, way=Way(homes=HOMES, bridge=False))
    (dips,) = (one for one in plan.dangers if one.code == "access-dips")
    assert dips.blocks == "nothing"
    assert {one.split(" ", 1)[0] for one in dips.subjects} == {"ana", "bo", "cy", "di", "ed"}
    assert not plan.blocking
    assert end(plan) == changed()
    assert not any(PREFIX in line for line in shell(plan))
    # And from the middle of it, where only the journal knows who was where.
    at = next(n for n, one in enumerate(plan.operations) if isinstance(one, DeleteStack))
    half = after(LIVE, plan.operations[: at + 1])
    again = planned(half, way=Way(homes=HOMES, bridge=False), before=[plan])
    assert end(again, half) == changed()


def test_what_a_lower_tier_lacks_goes_where_it_was_said() -> None:
    start = as_seen(changed(), "M").put(user("gus", QA))
    there = as_seen(start, "M")
    way = Way(homes={**HOMES, QA: (ML,)}, bridge=True)
    refused = planned(there, MEDIUM, STARTUP, way=way, name="tier-downgrade")
    assert dangers(refused)["stranded-user"][0].startswith("gus (lambda:")
    assert refused.blocking
    plan = planned(there, MEDIUM, STARTUP, way=way, accept=[EVERY_LOSS], name="tier-downgrade")
    assert not plan.blocking
    assert end(plan, there).users["gus"].groups == (ML,)
    assert QA not in end(plan, there).groups
    ended = planned(there, MEDIUM, STARTUP, way=Way(homes={**HOMES, QA: ()}), accept=[EVERY_LOSS])
    assert end(ended, there).users["gus"].groups == ()


def test_two_groups_may_become_one() -> None:
    way = Way(homes={DS: (DS,), ML: (DS,), OPS: (DS,)})
    both = Stack(NEW, "medium", "", part(group(DS, allow("*"))))
    plan = planned(LIVE, new=both, way=way, accept=[EVERY_LOSS])
    assert not plan.blocking
    assert {name: one.groups for name, one in end(plan).users.items()} == {
        "ana": (DS,),
        "bo": (DS,),
        "cy": (DS, *sorted(FULL[:9])),
        "di": (DS, *sorted(FULL[:8])),
        "ed": (DS, *sorted(FULL[:8])),
        "fay": ("other-0",),
    }


def test_who_has_no_room_at_all_blocks_it() -> None:
    many = tuple(f"arn:aws:iam::aws:policy/P{n}" for n in range(10))
    plan = planned(account(user("full", DS, *FULL[:9], attached=many)))
    assert dangers(plan)["too-many-groups"] == ("full",)
    assert plan.blocking
    assert plan.operations == ()


def test_a_policy_of_her_own_is_not_taken_from_her() -> None:
    """Who is in ten groups and has one of the group's policies herself cannot be carried over by that group."""
    plan = planned(account(user("own", DS, *FULL[:9], attached=(READ_ONLY,))))
    assert dangers(plan)["too-many-groups"] == ("own",)
    # By the other group she can.
    live = account(user("own", DS, ML, *FULL[:8], attached=(READ_ONLY,)))
    plan = planned(live)
    assert end(plan, live) == changed(live)
    assert end(plan, live).users["own"].attached == (READ_ONLY,)


@pytest.mark.parametrize(
    ("thing", "code"),
    [
        (InstanceProfile(name="box", roles=(ROLE,)), "role-in-use"),
        (role("outside", trusting(ROLE)), "named-elsewhere"),
        (Group(name=QA), "target-exists"),
    ],
)
def test_what_would_keep_the_stack_from_going_or_coming_blocks_it(thing: object, code: str) -> None:
    plan = planned(account(thing))
    assert code in dangers(plan)
    assert plan.blocking
    assert plan.operations == ()


def test_the_tags_of_a_stack_tell_which_one_stands() -> None:
    """Without any journal: a role says that the new stack is there, so nothing is taken away a second time."""
    tags = {"aws:cloudformation:stack-name": NEW}
    there = as_seen(changed(), "N")
    there = there.put(structs.replace(there.roles[ROLE], tags=tags))
    assert planned(there).operations == ()
    assert planned(there).dangers == ()
    old = {"aws:cloudformation:stack-name": OLD}
    there = there.put(structs.replace(there.roles[ROLE], tags=old)).drop(there.groups[QA])
    assert any(isinstance(one, DeleteStack) for one in planned(there).operations)


def test_levels_that_give_less_strand_people() -> None:
    less = Stack(NEW, "medium", "", part(*(structs.replace(one, inline={}) for one in STARTUP.part.groups.values())))
    plan = planned(LIVE, new=less)
    assert {line.split(" ", 1)[0] for line in dangers(plan)["stranded-user"]} == {"ana", "bo", "cy", "di", "ed"}
    assert plan.blocking
    assert not planned(LIVE, new=less, accept=[Accepted(actions=("*",), why="a test")]).blocking


def test_long_names_that_begin_alike_have_bridges_of_their_own() -> None:
    names = [f"{'x' * 124}{n:04}" for n in range(3)]
    assert len({copy_name(name) for name in names}) == len(names)
    assert {len(copy_name(name)) for name in names} == {128}
    assert copy_name("devs") == "secmigrate-bridge-devs"


def test_a_role_that_ends_for_good_is_not_told_to_come_back() -> None:
    leaving = [role("deployer"), role("auditor")]
    old = structs.replace(STARTUP, part=STARTUP.part.put(leaving[0]).put(leaving[1]))
    used = Seen(id="AROADEPLOYER1234567", last_used="2026-01-02T03:04:05Z")
    live = account(structs.replace(leaving[0], seen=used), leaving[1])
    told = dangers(planned(live, old))
    assert told["role-ends"] == ("auditor", "deployer (used on 2026-01-02)")
    assert told["role-gap"] == (ROLE,)
    followed = dangers(planned(live, old, way=Way(homes=HOMES, successors={"deployer": ROLE})))
    assert followed["role-ends"] == ("auditor",)
    assert followed["role-gap"] == (f"deployer (used on 2026-01-02, then it is {ROLE})", ROLE)


def test_who_may_not_use_what_takes_the_place_of_a_role_is_told_beforehand() -> None:
    deployer = role(
        "deployer", trust("codebuild.amazonaws.com"), inline={"d": allow("logs:PutLogEvents", "s3:GetObject")}
    )
    old = structs.replace(STARTUP, part=STARTUP.part.put(deployer))
    live = account(structs.replace(deployer, seen=Seen(id="AROADEPLOYER1234567")))
    way = Way(homes=HOMES, successors={"deployer": ROLE})
    assert dangers(planned(live, old, way=way))["role-narrows"] == (
        f"deployer as {ROLE} (not by service codebuild.amazonaws.com, s3:GetObject on *)",
    )
    alike = structs.replace(deployer, trust=STARTUP.part.roles[ROLE].trust, inline={"l": allow("logs:PutLogEvents")})
    live = account(structs.replace(alike, seen=Seen(id="AROADEPLOYER1234567")))
    old = structs.replace(STARTUP, part=STARTUP.part.put(alike))
    assert "role-narrows" not in dangers(planned(live, old, way=way))


def test_a_role_that_keeps_its_name_and_may_do_less_is_told_as_well() -> None:
    less = structs.replace(STARTUP.part.roles[ROLE], inline={"l": allow("logs:PutLogEvents")})
    new = structs.replace(MEDIUM, part=MEDIUM.part.put(less))
    (told,) = dangers(planned(account(), new=new))["role-narrows"]
    assert told.startswith(f"{ROLE} as {ROLE} (logs:")
    assert "role-narrows" not in dangers(planned(account()))
