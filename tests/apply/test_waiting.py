"""What is waited for: calls that are throttled or have no answer, and what cannot be seen yet."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate import apply
from secmigrate.apply import Hands
from secmigrate.errors import AwsRefused, Interrupted, Refused
from secmigrate.iam import Snapshot
from secmigrate.operations import Call
from secmigrate.plan import creation
from secmigrate.plan.fold import sealed
from secmigrate.twin import Fault
from tests.apply.stage import BEFORE, END, MOVES, PLAN, staged
from tests.apply.test_apply import ALL, CALLS
from tests.plan.cases import after, group, readd, role, snapshot, trusting, user
from tests.small import allow


@pytest.mark.usefixtures("eager")
def test_throttling_is_waited_for(path: Path) -> None:
    with staged(path, Fault(match="AddUserToGroup", kind="throttle", times=1)) as stage:
        assert stage.start() == "done"
        assert stage.twin.snapshot() == END


at_night = pytest.mark.skipif(not ALL, reason="takes a minute: make stress")


@at_night
@pytest.mark.usefixtures("eager")
def test_three_in_ten_calls_are_throttled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda seconds, sleep=time.sleep: sleep(min(seconds, 0.05)))
    chance = random.Random(7)
    faults = [Fault(match="*", kind="throttle", after=n, times=1) for n in range(400) if chance.random() < 0.3]
    with staged(path, *faults) as stage:
        assert stage.start(at_once=4) == "done"
        assert stage.twin.snapshot() == END
        assert len(stage.writes) > len(CALLS)
        stage.roll_back()
        assert stage.twin.snapshot() == BEFORE


@at_night
def test_what_is_read_may_lag_five_seconds_behind(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "PATIENCE", 60.0)
    with staged(path, lag_seconds=5.0) as stage:
        assert stage.start(at_once=4) == "done"
        assert stage.twin.snapshot() == END
        time.sleep(5.0)
        stage.roll_back()
        assert stage.twin.snapshot() == BEFORE


def test_who_else_is_at_it_is_waited_for(path: Path) -> None:
    busy = Fault(match="PutGroupPolicy", kind="error", code="ConcurrentModification", status=409, times=2)
    with staged(path, busy) as stage:
        assert stage.start() == "done"
        assert stage.twin.snapshot() == END


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("method", ["CreateGroup", "CreateRole", "CreatePolicy", "DeleteGroup"])
def test_what_was_made_without_an_answer_is_found_not_doubled(path: Path, method: str) -> None:
    """botocore asks again by itself, and is told that it exists."""
    with staged(path, Fault(match=method, kind="drop-after", times=1)) as stage:
        assert stage.start() == "done"
        assert stage.twin.snapshot() == END
        assert stage.journal.results[CALLS.index(method) + 1] == "found"


@pytest.mark.usefixtures("eager")
def test_a_version_that_was_made_without_an_answer_is_not_made_twice(path: Path) -> None:
    with staged(path, Fault(match="CreatePolicyVersion", kind="drop-after", times=1)) as stage:
        assert stage.start() == "done"
        assert stage.twin.snapshot() == END


def test_an_error_500_may_have_taken_effect(path: Path) -> None:
    """It is done, and the answer is an error: the account is looked at before anything is believed."""
    with staged(path) as stage:

        def send(call: Call) -> str:
            stage.aws.send(call)
            if call.method == "CreateGroup":
                raise AwsRefused("ServiceFailure", "try again", where="iam:CreateGroup")
            return ""

        assert stage.start(hands=Hands(send, stage.look, time.sleep)) == "done"
        assert stage.journal.results[CALLS.index("CreateGroup") + 1] == "found"
        assert stage.twin.snapshot() == END


@pytest.mark.usefixtures("patient")
def test_what_is_read_may_lag_behind(path: Path) -> None:
    with staged(path, lag_seconds=0.5) as stage:
        assert stage.start() == "done"
        assert stage.twin.snapshot() == END
        assert stage.writes == CALLS


@pytest.mark.usefixtures("patient")
def test_lag_and_no_answer_together(path: Path) -> None:
    """The first look does not show it yet, the second try is told that it exists: that is no failure."""
    faults = [Fault(match=method, kind="drop-after", times=1) for method in ("CreateGroup", "CreateRole", "DeleteRole")]
    with staged(path, *faults, lag_seconds=0.5) as stage:
        assert stage.start() == "done"
        assert stage.twin.snapshot() == END


def test_what_is_never_to_be_seen_stops_before_anything_is_taken_away(path: Path) -> None:
    with staged(path, lag_seconds=30.0) as stage:
        with pytest.raises(Interrupted, match="not to be seen"):
            stage.start()
        assert stage.writes == CALLS[: CALLS.index("RemoveUserFromGroup")]
        with pytest.raises(Refused, match="not to be seen") as caught:
            stage.resume()
        assert "wait a minute" in caught.value.hint


@pytest.mark.usefixtures("patient")
def test_a_role_that_is_named_right_after_it_was_made(path: Path) -> None:
    """MalformedPolicyDocument: IAM does not know it everywhere yet."""
    wanted = snapshot(role("a"), role("b", trusting("a")))
    with staged(path, lag_seconds=0.6, before=snapshot()) as stage:
        assert stage.start(creation(snapshot(), wanted)) == "done"
        assert stage.twin.snapshot() == wanted
        assert stage.twin.calls.count("CreateRole") > 2


def test_not_yet_is_not_waited_for_if_nothing_was_made(path: Path) -> None:
    """Then something else is wrong."""
    before = snapshot(user("ana"), group("new"))
    plan = sealed("readd", before, readd(before, MOVES, {"devs": ("ana",)}, []).operations)
    with staged(
        path, Fault(match="AddUserToGroup", kind="error", code="NoSuchEntity", status=404), before=before
    ) as stage:
        with pytest.raises(Interrupted, match="NoSuchEntity"):
            stage.start(plan)
        assert stage.writes == ["AddUserToGroup"]


def test_not_yet_is_waited_for_if_something_was_made(path: Path) -> None:
    with staged(path, Fault(match="AddUserToGroup", kind="error", code="NoSuchEntity", status=404, times=3)) as stage:
        assert stage.start() == "done"
        assert stage.twin.snapshot() == END


@pytest.mark.usefixtures("patient")
def test_all_grants_are_to_be_seen_before_the_first_thing_is_taken_away(path: Path) -> None:
    seen: list[Snapshot] = []
    with staged(path, lag_seconds=0.5) as stage:

        def send(call: Call) -> str:
            if call.method == "RemoveUserFromGroup":
                seen.append(stage.look())
            return stage.aws.send(call)

        stage.start(hands=Hands(send, stage.look, time.sleep))
        grants = [operation for operation in PLAN.operations if not operation.destructive]
        assert all(operation.is_done(seen[0]) for operation in grants)
        calls = stage.twin.calls
        last_grant = max(n for n, call in enumerate(calls) if call == "AddUserToGroup")
        first_revoke = calls.index("RemoveUserFromGroup")
        assert last_grant < calls.index("GetAccountAuthorizationDetails", last_grant) < first_revoke


def test_in_a_swap_each_grant_is_seen_before_the_next_revoke(path: Path) -> None:
    names = [f"g{n}" for n in range(10)]
    before = snapshot(user("ana", *names), *(group(name, allow("s3:*")) for name in names), group("x"), group("y"))
    moves = [structs.replace(MOVES[0], old=old, new=new) for old, new in (("g0", "x"), ("g1", "y"))]
    plan = readd(before, moves, {}, [])
    with staged(path, before=before) as stage:
        assert stage.start(plan) == "done"
        assert stage.twin.snapshot() == after(before, plan.operations)
        calls = [call for call in stage.twin.calls if "Group" in call or "Details" in call]
        told = [call for n, call in enumerate(calls) if n == 0 or call != calls[n - 1]]
        assert told[:5] == [
            "RemoveUserFromGroup",
            "AddUserToGroup",
            "GetAccountAuthorizationDetails",
            "RemoveUserFromGroup",
            "AddUserToGroup",
        ]
