"""A part of what was done is undone: memberships alone, one group, one person; with what that needs."""

from __future__ import annotations

from secmigrate.operations import Operation
from secmigrate.plan import rollback
from secmigrate.plan.needed import left_groups
from secmigrate.plan.rollback import is_membership
from tests.plan.cases import after, dangers, shell, tried, user
from tests.plan.test_rollback import BEFORE, migrated


def test_only_memberships() -> None:
    plans, now = migrated(keep=True)
    back = rollback(now, tried(*plans), wanted=is_membership)
    assert shell(back) == [
        "remove-user-from-group --user-name bo --group-name new",
        "remove-user-from-group --user-name ana --group-name new",
    ]
    assert after(now, back.operations).users == BEFORE.users


def test_only_memberships_take_nobody_out_of_a_new_group_when_the_old_one_is_gone() -> None:
    plans, now = migrated()
    back = rollback(now, tried(*plans), wanted=is_membership)
    assert back.operations == ()
    assert dangers(back) == {"cannot-undo": ("user ana", "user bo")}


def test_one_person_goes_back_into_a_group_that_is_made_anew() -> None:
    plans, now = migrated()
    done = tried(*plans)

    def anas(one: Operation) -> bool:
        return ("user", "ana") in one.changes | one.relies_on

    homes = left_groups(now, (one.operation for one in done), anas)
    assert homes == {("group", "devs")}
    back = rollback(now, done, wanted=lambda one: anas(one) or one.subject in homes)
    end = after(now, back.operations)
    assert end.groups["devs"] == BEFORE.groups["devs"]
    assert end.users == {"ana": BEFORE.users["ana"], "bo": user("bo", "new")}
    assert dangers(back) == {}
    assert left_groups(BEFORE, (one.operation for one in done), anas) == frozenset()


def test_only_what_is_wanted_is_undone() -> None:
    plans, now = migrated()
    back = rollback(now, tried(*plans), wanted=lambda one: ("group", "devs") in one.changes | one.relies_on)
    end = after(now, back.operations)
    assert end.groups.keys() == {"devs", "new"}
    assert end.users["ana"].groups == ("devs", "new")
    assert "old" not in end.roles
    assert end.groups["devs"] == BEFORE.groups["devs"]  # with the managed policy that went with it
    assert end.policies == BEFORE.policies
    assert dangers(back) == {}
