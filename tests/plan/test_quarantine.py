"""Out of use before it is deleted: what goes in, for how long, what keeps it there, and the way out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from secmigrate import plan as planning
from secmigrate.iam import Document, Snapshot
from secmigrate.operations import DeleteRole, QuarantineRole, RenameGroup
from secmigrate.plan import Move, Plan, Quarantine, net, rollback
from secmigrate.plan.quarantine import POLICY, entered, entry, resting
from tests.plan.cases import (
    EVERY_LOSS,
    LAST_YEAR,
    after,
    arn,
    dangers,
    group,
    groups,
    kept,
    policy,
    readd,
    role,
    role_arn,
    roles,
    shell,
    snapshot,
    tried,
    trusting,
    user,
    watching,
)
from tests.small import ACCOUNT, allow

ROLES, ALL = frozenset({"role"}), frozenset({"role", "group"})
LIVE = snapshot(
    user("ana", "devs", "new"),
    group("devs", allow("s3:*")),
    group("new", allow("s3:*")),
    role("old", inline={"x": allow("logs:*"), "zz": allow("logs:*")}, attached=(arn("p"),)),
    role("fresh"),
    policy("p", "sqs:*"),
)
MOVES = [*groups(devs="new"), *roles(old="fresh")]


def decommission(
    live: Snapshot, today: str, kinds: frozenset[str] = ROLES, *, days: int = 7, moves: Sequence[Move] = MOVES
) -> Plan:
    watch = watching(live, accept=[EVERY_LOSS])
    due = (date.fromisoformat(today) - timedelta(days)).isoformat()
    return planning.decommission(live, moves, LAST_YEAR, watch, Quarantine(kinds, today, due))


def test_a_role_may_do_nothing_for_some_days_and_then_goes() -> None:
    first = decommission(LIVE, "2026-03-01")
    assert [line.split()[0] for line in shell(first)] == [
        "put-role-policy",
        "remove-user-from-group",
        "delete-group-policy",
        "delete-group",
    ]
    assert all(operation.destructive for operation in first.operations)
    assert "sessions" in first.operations[0].caveat
    assert dangers(first) == {}
    now = after(LIVE, first.operations)
    assert entered(now.roles["old"]) == "2026-03-01"
    waiting = decommission(now, "2026-03-07")
    assert (shell(waiting), kept(waiting)) == ([], {"old": "in quarantine since 2026-03-01"})
    last = decommission(now, "2026-03-08")
    assert shell(last) == [
        "delete-role-policy --role-name old --policy-name x",
        "delete-role-policy --role-name old --policy-name zz",
        f"detach-role-policy --role-name old --policy-arn {arn('p')}",
        f"delete-role-policy --role-name old --policy-name {POLICY}",
        "delete-role --role-name old",
        f"delete-policy --policy-arn {arn('p')}",
    ]
    end = after(now, last.operations)
    back = rollback(end, tried(first, last))
    assert after(end, back.operations) == LIVE
    assert POLICY not in "".join(shell(back))  # it comes back as it was before the quarantine
    assert rollback(LIVE, tried(first, last, back)).operations == ()
    assert resting(net([*first.operations, *last.operations])) == []


def test_undoing_it_is_one_call() -> None:
    first = decommission(LIVE, "2026-03-01", ALL)
    assert len(first.operations) == 2
    now = after(LIVE, first.operations)
    assert shell(rollback(now, tried(first))) == [
        f"delete-role-policy --role-name old --policy-name {POLICY}",
        "update-group --group-name secmigrate-quarantine-20260301-devs --new-group-name devs",
    ]
    assert [one.phase for one in rollback(now, tried(first)).operations] == ["grant", "revoke"]


def test_a_group_keeps_its_members_under_another_name_and_then_goes() -> None:
    first = decommission(LIVE, "2026-03-01", ALL)
    now = after(LIVE, first.operations)
    name = "secmigrate-quarantine-20260301-devs"
    assert now.users["ana"].groups == ("new", name)
    assert kept(decommission(now, "2026-03-02", ALL))[name] == "in quarantine since 2026-03-01"
    last = decommission(now, "2026-03-08", ALL)
    end = after(now, last.operations)
    assert (sorted(end.groups), sorted(end.roles)) == (["new"], ["fresh"])
    assert after(end, rollback(end, tried(first, last)).operations) == LIVE


def test_none_and_none_any_more() -> None:
    assert "delete-role --role-name old" in shell(decommission(LIVE, "2026-03-01", frozenset()))
    now = after(LIVE, decommission(LIVE, "2026-03-01").operations)
    assert "delete-role --role-name old" in shell(decommission(now, "2026-03-01", frozenset()))
    assert "delete-role --role-name old" in shell(decommission(now, "2026-03-01", days=0))


@pytest.mark.parametrize(("last_used", "stays"), [("2026-03-01", False), ("2026-03-02", True)])
def test_what_is_used_all_the_same_stays(last_used: str, stays: bool) -> None:
    """Even where use is no reason otherwise: somebody has asked for it, and been refused."""
    now = after(LIVE, decommission(LIVE, "2026-03-01").operations)
    document = now.roles["old"].inline[POLICY]
    now = now.put(role("old", inline={POLICY: document}, last_used=f"{last_used}T10:00:00Z"))
    watch = watching(now, accept=[EVERY_LOSS])
    weeks_later = Quarantine(ROLES, "2026-03-20", "2026-03-13")
    plan = planning.decommission(now, roles(old="fresh"), "2027-01-01", watch, weeks_later)
    assert bool(shell(plan)) != stays
    assert ("role-in-use" in dangers(plan)) == stays


def test_what_rests_keeps_the_role_that_it_trusts() -> None:
    """Else IAM would put an id that nobody has any more in the place of its name."""
    live = snapshot(role("a"), role("b", trusting("a")), role("new"))
    moves = roles(a="new", b="new")
    now = after(live, decommission(live, "2026-03-01", moves=roles(a="new")).operations)
    assert resting([]) == []
    named = decommission(live, "2026-03-01", moves=moves)
    assert [line.split()[0] for line in shell(named)] == ["put-role-policy", "put-role-policy"]
    # `b` enters a week after `a`, whose days are over.
    assert dangers(decommission(now, "2026-03-10", moves=roles(a="new"))) == {"named-elsewhere": ("a",)}
    both = live.put(role("a", inline=after(live, named.operations).roles["a"].inline))
    plan = decommission(both, "2026-03-08", moves=moves)
    assert [line.split()[0:3] for line in shell(plan)] == [["put-role-policy", "--role-name", "b"]]
    assert kept(plan)["a"] == f"named in {role_arn('b')}, which goes later"


def test_a_policy_waits_for_what_rests() -> None:
    live = LIVE.put(group("devs", attached=(arn("p"),)))
    plan = decommission(live, "2026-03-01")
    assert kept(plan) == {arn("p"): "role old uses it, until it leaves quarantine"}
    assert dangers(plan) == {}


def test_where_there_is_no_room_for_it_nothing_is_done() -> None:
    full = role("old", inline={"x": allow(*(f"logs:Get{n:05}" for n in range(635)))})
    long = "n" * 120
    live = snapshot(full, role("fresh"), group(long), group("new"))
    plan = decommission(live, "2026-03-01", ALL, moves=[*roles(old="fresh"), Move("group", long, "new")])
    assert plan.operations == ()
    assert kept(plan) == {
        "old": "its inline policies leave no room for that of the quarantine",
        long: "its name has no room for that of the quarantine",
    }


def test_what_rests_is_what_was_put_there_and_neither_deleted_nor_taken_out() -> None:
    first = decommission(LIVE, "2026-03-01", ALL)
    assert resting(first.operations) == ["group secmigrate-quarantine-20260301-devs", "role old"]
    assert resting([*first.operations, DeleteRole(role=LIVE.roles["old"].bare())])[0].startswith("group")
    renamed = next(one for one in first.operations if isinstance(one, RenameGroup))
    assert resting([*first.operations, renamed.undo()]) == ["role old"]
    assert isinstance(first.operations[-1], QuarantineRole | RenameGroup)


def test_who_may_assume_what_rests_must_be_able_to_assume_what_takes_its_place() -> None:
    anybody = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    open_ = Document({"Version": "2012-10-17", "Statement": [anybody]})
    before = snapshot(
        user("ana", inline={"a": allow("sts:AssumeRole")}), role("old", open_), role("fresh"), role("other", open_)
    )
    rests = QuarantineRole(principal="role", name="old", policy=POLICY, document=_entry("old"))
    now = after(before, [rests])
    watch = watching(before, now)

    def verified(live: Snapshot, new: str) -> list[str]:
        return planning.verify(live, snapshot(before.roles[new]), roles(old=new), {}, before, watch)

    assert verified(now, "fresh") == ["user ana may not assume what took the place of old"]
    assert verified(now, "other") == []
    assert verified(before, "fresh") == []  # as long as it may be used nothing is lost


def _entry(name: str) -> Document:
    operation = entry(role(name), "2026-03-01")
    assert isinstance(operation, QuarantineRole)
    return operation.document


def test_who_joins_a_group_in_quarantine_is_moved_and_then_it_goes() -> None:
    moves, saved = groups(devs="new"), LIVE.members
    live = after(LIVE, decommission(LIVE, "2026-03-01", ALL, moves=moves).operations)
    live = live.put(user("bo", "secmigrate-quarantine-20260301-devs"))
    later = decommission(live, "2026-03-08", ALL, moves=moves)
    assert dangers(later) == {"not-a-member-yet": ("bo (secmigrate-quarantine-20260301-devs)",)}
    moved = readd(live, moves, saved, [])
    assert shell(moved) == ["add-user-to-group --user-name bo --group-name new"]
    assert dangers(moved) == {"joined-since-snapshot": ("bo (secmigrate-quarantine-20260301-devs)",)}
    live = after(live, moved.operations)
    assert "delete-group" in shell(decommission(live, "2026-03-08", ALL, moves=moves))[-1]
