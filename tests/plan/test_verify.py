"""Everyone is where the mapping puts them, and nowhere else that the migration had put them before."""

from __future__ import annotations

import pytest

from secmigrate import plan
from secmigrate.iam import User
from secmigrate.operations import AddUserToGroup, Operation, RemoveUserFromGroup
from secmigrate.plan.bridge import PREFIX
from tests.plan.cases import group, groups, snapshot, user, watching
from tests.small import allow

EVERYTHING = allow("s3:*")
START = snapshot(user("ana", "devs"), user("bo", "ops"), group("devs", EVERYTHING), group("ops", EVERYTHING))
NEW = (group("new", EVERYTHING), group("newer", EVERYTHING), group("new-ops", EVERYTHING), group(f"{PREFIX}new"))


def verified(*people: User, done: list[Operation]) -> list[str]:
    live = START
    for one in (*NEW, *people):
        live = live.put(one)
    moves = groups(devs="newer", ops="new-ops")
    return plan.verify(live, snapshot(), moves, START.members, START, watching(live, START), done)


def test_who_is_still_where_an_earlier_mapping_put_her_is_named() -> None:
    done = [AddUserToGroup(user="ana", group=name) for name in ("new", "newer")]
    people = [user("ana", "devs", "new", "newer"), user("bo", "new-ops")]
    assert verified(*people, done=[*done]) == [
        "user ana is in new, where readd put her, and what is mapped now does not lead there"
    ]
    people[0] = user("ana", "devs", "newer")
    assert verified(*people, done=[*done]) == []


@pytest.mark.parametrize("name", ["new", "devs", "new-ops", f"{PREFIX}new"])
def test_where_others_put_somebody_is_their_concern(name: str) -> None:
    assert verified(user("ana", "newer", name), user("bo", "new-ops"), done=[]) == []


def test_who_joined_since_the_inventory_is_where_the_old_group_leads() -> None:
    cy = user("cy", "newer")
    done = [AddUserToGroup(user="cy", group="newer"), RemoveUserFromGroup(user="cy", group="devs")]
    assert verified(user("ana", "newer"), user("bo", "new-ops"), cy, done=[*done]) == []
    still = user("cy", "devs", "newer")
    assert verified(user("ana", "newer"), user("bo", "new-ops"), still, done=[*done[:1]]) == []


def test_a_bridge_and_the_way_back_are_no_concern() -> None:
    done = [AddUserToGroup(user="ana", group=name) for name in (f"{PREFIX}new", "devs")]
    people = [user("ana", "devs", "newer", f"{PREFIX}new"), user("bo", "new-ops")]
    assert verified(*people, done=[*done]) == []


def test_who_was_moved_by_what_is_out_of_scope_now_is_no_concern() -> None:
    done = [AddUserToGroup(user="cy", group="new")]
    assert verified(user("ana", "newer"), user("bo", "new-ops"), user("cy", "new"), done=[*done]) == []
