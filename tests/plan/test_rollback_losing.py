"""The way back takes from nobody what was hers before the migration, whoever took the old groups away."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate.iam import Policy, Snapshot, User
from secmigrate.operations import AddUserToGroup, Operation
from secmigrate.plan import Plan, rollback
from tests.plan.cases import after, dangers, decommission, group, groups, kept, readd, snapshot, tried, user, watching
from tests.small import READ_ONLY, allow, deny

START = snapshot(
    user("ana", "devs", "staff"),
    user("bo", "devs", "staff"),
    group("devs", allow("s3:*")),
    group("staff", allow("iam:ListUsers")),
)
NEW = group("new", allow("s3:*", "sqs:*"))  # gives more than the old group


def moved(start: Snapshot = START) -> tuple[Plan, Snapshot]:
    """The plan that put everybody into the new group, and the account behind it."""
    live = start.put(NEW)
    plan = readd(live, groups(devs="new"), start.members, [])
    return plan, after(live, plan.operations)


def without_devs(live: Snapshot, *, deleted: bool) -> Snapshot:
    """Somebody else took everybody out of the old group, and perhaps deleted it."""
    for name in live.members["devs"]:
        one = live.users[name]
        live = live.put(structs.replace(one, groups=tuple(kept for kept in one.groups if kept != "devs")))
    return live.drop(live.groups["devs"]) if deleted else live


def back_from(live: Snapshot, plan: Plan, start: Snapshot = START) -> Plan:
    return rollback(live, tried(plan), watch=watching(live, start), start=start)


def test_what_only_the_migration_gave_goes() -> None:
    plan, live = moved()
    back = back_from(live, plan)
    assert after(live, back.operations) == START.put(NEW)
    assert (dangers(back), kept(back)) == ({}, {})


def test_a_policy_of_aws_that_nobody_has_meanwhile_is_known_all_the_same() -> None:
    start = START.put(group("devs", attached=(READ_ONLY,))).put(Policy(arn=READ_ONLY, document=allow("glue:Get*")))
    new = group("new", allow("glue:*"))
    there = readd(start.put(new), groups(devs="new"), start.members, [])
    gone = decommission(after(start.put(new), there.operations), groups(devs="new"))
    live = after(start.put(new), [*there.operations, *gone.operations])
    live = structs.replace(live, policies={})
    back = rollback(live, tried(there, gone), watch=watching(live, start), start=start)
    assert dangers(back) == {}
    assert after(live, back.operations).users == start.users


@pytest.mark.parametrize("deleted", [True, False])
def test_who_would_be_left_with_less_than_at_the_start_stays_in_the_new_group(deleted: bool) -> None:
    plan, live = moved()
    live = without_devs(live, deleted=deleted)
    back = back_from(live, plan)
    assert back.operations == ()
    assert dangers(back) == {"cannot-undo": ("user ana", "user bo")}
    assert kept(back)["ana"] == "stays in new, for want of an old group"


def test_only_those_who_lose_stay() -> None:
    plan, live = moved()
    live = live.put(structs.replace(live.users["bo"], groups=("staff", "new")))
    end = after(live, back_from(live, plan).operations)
    assert end.members["new"] == ("bo",)


def test_an_old_group_that_gives_less_by_now_is_none_to_go_back_to() -> None:
    plan, live = moved()
    live = live.put(group("devs", allow("s3:Get*")))
    assert back_from(live, plan).operations == ()


def test_what_was_lost_before_the_way_back_is_no_loss_of_it() -> None:
    plan, live = moved()
    live = live.put(group("new", allow("sqs:*"))).put(group("devs"))  # nobody has s3 any more
    assert after(live, back_from(live, plan).operations).members["new"] == ()


def test_the_new_group_alone_is_undone_and_nobody_loses_by_it() -> None:
    plan, live = moved()
    live = without_devs(live, deleted=True)

    def news(one: Operation) -> bool:
        return ("group", "new") in one.changes | one.relies_on

    back = rollback(live, tried(plan), wanted=news, watch=watching(live, START), start=START)
    assert back.operations == ()


def test_an_inventory_that_was_taken_again_since_tells_what_the_migration_gave() -> None:
    plan, live = moved()
    back = back_from(live, plan, start=live)
    assert after(live, back.operations) == START.put(NEW)
    assert dangers(back) == {}


def test_who_loses_by_what_is_given_back_is_named() -> None:
    """Whoever left the old group for the new one goes back into it, where somebody has put a Deny since."""
    start = START.put(NEW)
    left: tuple[User, ...] = (user("ana", "new", "staff"), user("bo", "new", "staff"))
    live = start
    for one in left:
        live = live.put(one)
    plan = readd(start, groups(devs="new"), start.members, [])
    operations = [
        AddUserToGroup(user=one.user, group="devs").undo() for one in plan.operations if isinstance(one, AddUserToGroup)
    ]
    plan = structs.replace(plan, operations=(*plan.operations, *operations))
    live = live.put(group("devs", allow("s3:*"), deny("s3:*")))
    back = back_from(live, plan)
    assert dangers(back)["stranded-user"] == ("ana", "bo")
    assert not back.blocking
