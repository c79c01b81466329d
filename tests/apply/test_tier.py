"""A tier change on a twin: it waits for the provisioner, goes on days later, and survives a crash at every call.

A spread of the calls here, every one of them in `make stress`. A run is stopped dead by an exception that nobody
catches, before or after the call was made; what is on the disk then is what a kill leaves (test_every_crash kills).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secmigrate.apply import Hands, execute, remaining
from secmigrate.errors import Refused
from secmigrate.iam import Snapshot
from secmigrate.journal import End
from secmigrate.operations import Call, CreateStack, DeleteStack
from secmigrate.plan import Way, rollback
from secmigrate.plan.bridge import PREFIX
from secmigrate.rehearsal import Pace, rehearse
from secmigrate.twin import Fault, Faults, Twin
from tests.apply.stage import Stage, now, writing
from tests.apply.test_every_crash import ALL, some_of
from tests.plan.test_tier import changed
from tests.plan.tiers import DS, HOMES, MEDIUM, ML, NEW, OLD, STARTUP, account, planned, watched


def _standing() -> Snapshot:
    """The account as the startup stack leaves it, tags included."""
    with Twin(account()) as twin:
        twin.holds_stack(OLD, STARTUP.part)
        return twin.snapshot()


def signed_off(snapshot: Snapshot) -> Snapshot:
    """Without the tags of stacks."""
    for role in snapshot.roles.values():
        snapshot = snapshot.put(role.settable())
    return snapshot


BEFORE = _standing()
PLAN = planned(BEFORE)
AFTER = signed_off(changed(BEFORE))
STACKS = [n for n, operation in enumerate(PLAN.operations, 1) if not operation.ours]
SHARES = 8


class Crash(BaseException):
    """The run is gone."""


@pytest.fixture
def stage(path: Path) -> Iterator[Stage]:
    with staged(path) as made:
        yield made


class staged:
    """A twin on which the startup stack stands."""

    def __init__(self, path: Path, *faults: Fault) -> None:
        self._twin = Twin(BEFORE, faults=Faults(faults=faults))
        self._path = path

    def __enter__(self) -> Stage:
        self._twin.start().holds_stack(OLD, STARTUP.part)
        return Stage(self._twin, self._path)

    def __exit__(self, *_: object) -> None:
        self._twin.stop()


def provision(stage: Stage, part: Snapshot = MEDIUM.part) -> str:
    """What the provisioner does when it is its turn."""
    pending = stage.journal.waits_for
    if isinstance(pending, DeleteStack):
        return stage.twin.delete_stack(pending.stack)
    assert isinstance(pending, CreateStack)
    return stage.twin.create_stack(pending.stack, part)


def finished(stage: Stage, start: Callable[[], End]) -> None:
    """From wherever it is to the end, the provisioner doing its part."""
    ended = start()
    while ended == "waiting":
        provision(stage)
        ended = stage.resume()
    assert ended == "done"


def test_it_waits_twice_and_ends_as_planned(stage: Stage) -> None:
    assert stage.start(PLAN) == "waiting"
    assert isinstance(stage.journal.waits_for, DeleteStack)
    assert stage.journal.unfinished
    # Nothing has happened, however often somebody asks.
    there = stage.twin.snapshot()
    assert stage.resume() == "waiting"
    assert stage.twin.snapshot() == there
    assert provision(stage) == "DELETE_COMPLETE"
    assert stage.resume() == "waiting"
    assert isinstance(stage.journal.waits_for, CreateStack)
    assert provision(stage) == "CREATE_COMPLETE"
    assert stage.resume() == "done"
    assert stage.journal.waits_for is None
    assert not stage.journal.unfinished
    assert signed_off(stage.twin.snapshot()) == AFTER


def test_both_of_the_provisioners_steps_at_once(stage: Stage) -> None:
    stage.start(PLAN)
    provision(stage)
    stage.twin.create_stack(NEW, MEDIUM.part)
    assert stage.resume() == "done"
    assert signed_off(stage.twin.snapshot()) == AFTER


def test_a_stack_whose_groups_are_not_drained_would_not_go(stage: Stage) -> None:
    """What the guide's own order runs into."""
    assert stage.twin.delete_stack(OLD) == "DELETE_FAILED"
    assert set(stage.twin.snapshot().groups) > {DS, ML}


POINTS = [(n, done) for n in some_of(len(PLAN.operations), *(at / 4 for at in range(5))) for done in (True, False)]


@pytest.mark.parametrize("share", range(SHARES) if ALL else [0])
def test_a_crash_at_every_call(share: int, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    mine = [point for point in POINTS if point[0] not in STACKS][share :: SHARES if ALL else 1]
    record_property("killed", len(mine))
    for n, done in mine:
        with staged(tmp_path / f"{n}-{done}.jsonl") as stage:
            _crashed(stage, n, done=done)
            finished(stage, stage.resume)
            assert signed_off(stage.twin.snapshot()) == AFTER, (n, done)


def _crashed(stage: Stage, n: int, *, done: bool) -> None:
    """Carries the plan out up to its nth call, the provisioner's part included, and stops dead there."""
    left = sum(operation.ours for operation in PLAN.operations[:n])

    def send(call: Call) -> str:
        nonlocal left
        left -= 1
        if left == 0 and not done:
            raise Crash
        told = stage.aws.send(call)
        if left == 0:
            raise Crash
        return told

    with pytest.raises(Crash):
        _carried_on(stage, Hands(send, stage.look, lambda seconds: None))


def _carried_on(stage: Stage, hands: Hands) -> None:
    ended = stage.start(PLAN, hands=hands)
    while ended == "waiting":
        provision(stage)
        stopped = stage.journal
        with writing(stage.path) as journal:
            ended = execute(PLAN, hands, journal, done=remaining(stopped, stage.look(), journal), at_once=1)


@pytest.mark.parametrize("at", [1, len(PLAN.operations) // 3, STACKS[0] - 1, STACKS[1] + 1, len(PLAN.operations) - 1])
def test_back_from_anywhere(stage: Stage, at: int) -> None:
    """The fold backwards: over the bridge again, and with the provisioner's part the other way round."""
    _crashed(stage, at, done=True)
    _back(stage)
    assert signed_off(stage.twin.snapshot()) == signed_off(BEFORE)


def _back(stage: Stage) -> None:
    back = Stage(stage.twin, stage.path.with_name("back.jsonl"))
    plan = rollback(stage.look(), stage.journal.tried)
    assert not plan.blocking
    ended = back.start(plan)
    while ended == "waiting":
        provision(back, STARTUP.part)
        ended = back.resume()
    assert ended == "done"


def test_there_and_all_the_way_back(stage: Stage) -> None:
    finished(stage, lambda: stage.start(PLAN))
    _back(stage)
    assert signed_off(stage.twin.snapshot()) == signed_off(BEFORE)
    tried = [*stage.journal.tried, *Stage(stage.twin, stage.path.with_name("back.jsonl")).journal.tried]
    assert rollback(stage.look(), tried).operations == ()


def test_a_deployment_that_fails_half_way(path: Path) -> None:
    with staged(path, Fault(match="CreateRole", kind="deny", times=1)) as stage:
        stage.start(PLAN)
        provision(stage)
        stage.resume()
        assert provision(stage) == "ROLLBACK_COMPLETE"
        assert stage.resume() == "waiting"
        members = stage.twin.snapshot().members
        assert "bo" in members[f"{PREFIX}{DS}"]
        assert provision(stage) == "CREATE_COMPLETE"
        assert stage.resume() == "done"
        assert signed_off(stage.twin.snapshot()) == AFTER


def test_a_stack_that_is_half_gone_is_waited_for(stage: Stage) -> None:
    """Somebody joins a group of the old stack behind the plan's back, so it does not delete."""
    stage.start(PLAN)
    stage.aws.send(Call("AddUserToGroup", {"UserName": "fay", "GroupName": ML}))
    assert provision(stage) == "DELETE_FAILED"
    with pytest.raises(Refused, match="half done"):
        stage.resume()
    stage.aws.send(Call("RemoveUserFromGroup", {"UserName": "fay", "GroupName": ML}))
    assert provision(stage) == "DELETE_COMPLETE"
    finished(stage, stage.resume)
    assert signed_off(stage.twin.snapshot()) == AFTER


@pytest.mark.parametrize("waiting_for", [DeleteStack, CreateStack])
def test_who_joins_while_the_provisioner_is_away_is_carried_over_as_well(stage: Stage, waiting_for: type) -> None:
    stage.start(PLAN)
    if waiting_for is CreateStack:
        provision(stage)
        stage.resume()
    stage.aws.send(Call("AddUserToGroup", {"UserName": "fay", "GroupName": f"{PREFIX}{ML}"}))
    with pytest.raises(Refused, match="stale-plan"):
        stage.resume()
    again = planned(stage.look(), before=[PLAN])
    assert not again.blocking
    anew = Stage(stage.twin, stage.path.with_name("anew.jsonl"))
    finished(anew, lambda: anew.start(again))
    last = signed_off(stage.twin.snapshot())
    assert last.users["fay"].groups == (ML, "other-0")
    assert last.put(BEFORE.users["fay"]) == AFTER


def test_a_rehearsal_says_how_long_each_was_without(tmp_path: Path) -> None:
    for way, bound in ((Way(homes=HOMES), 0.0), (Way(homes=HOMES, bridge=False), 360.0)):
        plan = planned(BEFORE, way=way)
        folder = tmp_path / str(way.bridge)
        with staged(tmp_path / "unused") as stage:
            leg = rehearse(plan, stage.twin, BEFORE, watched(BEFORE, way), folder, Pace(), now)
        assert leg.as_planned
        assert set(leg.without) == set(BEFORE.users)
        assert leg.without["fay"] == 0
        affected = {user: seconds for user, seconds in leg.without.items() if user != "fay"}
        assert all(seconds >= bound if bound else seconds == 0 for seconds in affected.values()), affected
        assert set(leg.roles.values()) == {180.0}
