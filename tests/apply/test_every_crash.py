"""A run is killed before and after its calls, one run a call: `resume` ends where an undisturbed run does, `rollback`
where all began. A spread of the calls here, every one of them in `make stress`.

The twin holds the nth call back, the process is killed, and only then is the call done (its answer never comes), or
dropped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from secmigrate import documents, plan
from secmigrate.apply import execute
from secmigrate.aws import Aws
from secmigrate.cli import account, change
from secmigrate.cli.out import Out
from secmigrate.iam import Snapshot
from secmigrate.plan import Plan, Quarantine, rollback
from secmigrate.twin import Fault, Faults, Twin
from secmigrate.workspace import Workspace
from tests.apply.stage import BEFORE, END, MOVES, PLAN, Stage, writing
from tests.apply.test_crash import plan_and_execute_rollback
from tests.cli.runs import run
from tests.plan.cases import EVERY_LOSS, LAST_YEAR, after, watching
from tests.small import ACCOUNT

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
HELD = 1.0  # seconds for which the call is held back: time enough to kill
SHARES = 12  # into how many tests the calls of the example account are dealt out
READY = sum(not operation.destructive for operation in PLAN.operations)  # everybody is in the new groups then
TREE = Path(__file__).parent.parent.parent


def some_of(operations: int, *spread: float) -> list[int]:
    """All numbers of operations, or those at these places between the first (0) and the last (1)."""
    return list(range(1, operations + 1)) if ALL else sorted({1 + round((operations - 1) * at) for at in spread})


def killed(plan: Plan, n: int, *, done: bool, space: Workspace, twin: Twin) -> None:
    """Runs the plan that is saved under its name, and kills that while its nth call is under way."""
    method = plan.operations[n - 1].call().method
    nth = sum(operation.call().method == method for operation in plan.operations[:n])
    command = [sys.executable, "-m", "secmigrate", plan.name, "--execute", "-w", str(space.folder)]
    running = subprocess.Popen(
        [*command, "--confirm-account", plan.account, "--endpoint-url", twin.url],
        cwd=TREE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    deadline = time.monotonic() + 60
    while twin.calls.count(method) < nth and running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    running.kill()
    told, _ = running.communicate()
    assert running.returncode == -9, told.decode()
    if done:
        time.sleep(HELD + 0.2)  # the call arrives when nobody waits for it any more


def held(plan: Plan, n: int, *, done: bool) -> Faults:
    """What holds the nth call of the plan back, and drops it unless it is to be done."""
    method = plan.operations[n - 1].call().method
    before = sum(operation.call().method == method for operation in plan.operations[: n - 1])
    late = Fault(match=method, kind="latency", seconds=HELD, after=before, times=1)
    dropped = Fault(match=method, kind="drop-before", after=before, times=1)
    return Faults(faults=(late,) if done else (late, dropped))


def stops(operations: int, *spread: float) -> pytest.MarkDecorator:
    """Where runs are killed, and whether the call is done then: at all numbers both ways, or at some in turn."""
    numbers = some_of(operations, *spread)
    both = [(n, done) for n in numbers for done in (False, True)]
    return pytest.mark.parametrize(("n", "done"), both if ALL else [(n, bool(at % 2)) for at, n in enumerate(numbers)])


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "migration")
    made.save_plan(PLAN, "")
    return made


@stops(len(PLAN.operations), 0, 0.4, 0.7, 1)
def test_every_kind_of_operation_is_resumed_and_rolled_back(n: int, done: bool, space: Workspace) -> None:
    with Twin(BEFORE, faults=held(PLAN, n, done=done)) as twin:
        killed(PLAN, n, done=done, space=space, twin=twin)
        change.resume(space.folder, endpoint=twin.url, confirm=ACCOUNT)
        assert twin.snapshot() == END
        plan_and_execute_rollback(space, twin)
        assert twin.snapshot() == BEFORE


@stops(len(PLAN.operations), 0.2, 0.9)
def test_every_kind_of_operation_is_rolled_back_from_half_way(n: int, done: bool, space: Workspace) -> None:
    with Twin(BEFORE, faults=held(PLAN, n, done=done)) as twin:
        killed(PLAN, n, done=done, space=space, twin=twin)
        plan_and_execute_rollback(space, twin)
        assert twin.snapshot() == BEFORE


@stops(len(PLAN.operations), 0.3, 0.8)
def test_the_way_back_is_resumed(n: int, done: bool, space: Workspace) -> None:
    with Twin(BEFORE) as twin:
        change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT)
        with pytest.raises(Exception, match="3"):
            change.rollback(space.folder, endpoint=twin.url)
        there = twin.snapshot()
    back = space.plan("rollback")
    with Twin(there, faults=held(back, n, done=done)) as twin:
        killed(back, n, done=done, space=space, twin=twin)
        change.resume(space.folder, endpoint=twin.url, confirm=ACCOUNT)
        assert twin.snapshot() == BEFORE
        assert plan_and_execute_rollback(space, twin).operations == ()


@stops(2, 0, 1)
def test_a_quarantine_is_resumed_and_rolled_back(n: int, done: bool, space: Workspace) -> None:
    moved = after(BEFORE, PLAN.operations[:READY])
    apart = Quarantine(frozenset({"role", "group"}), "2026-03-01", "2026-02-22")
    watch = watching(moved, accept=[EVERY_LOSS])
    resting = plan.decommission(moved, MOVES, LAST_YEAR, watch, apart)
    assert [one.call().method for one in resting.operations] == ["UpdateGroup", "PutRolePolicy"]
    space.save_plan(resting, "")
    with Twin(moved, faults=held(resting, n, done=done)) as twin:
        killed(resting, n, done=done, space=space, twin=twin)
        change.resume(space.folder, endpoint=twin.url, confirm=ACCOUNT)
        assert twin.snapshot() == after(moved, resting.operations)
        plan_and_execute_rollback(space, twin)
        assert twin.snapshot() == moved


@pytest.mark.parametrize("n", some_of(len(PLAN.operations), *(at / 5 for at in range(6))))
def test_every_answer_may_be_lost(n: int, tmp_path: Path) -> None:
    """Nobody is killed; the call took effect and its answer never came."""
    method = PLAN.operations[n - 1].call().method
    before = sum(operation.call().method == method for operation in PLAN.operations[: n - 1])
    lost = Faults(faults=(Fault(match=method, kind="drop-after", after=before, times=1),))
    with Twin(BEFORE, faults=lost) as twin:
        stage = Stage(twin, tmp_path / "journal.jsonl")
        assert stage.start(at_once=4) == "done"
        assert twin.snapshot() == END
        stage.roll_back()
        assert twin.snapshot() == BEFORE


class Leg(NamedTuple):
    """One plan of the example account's road: the workspace just before it is carried out, and the account then."""

    folder: Path
    plan: Plan
    before: Snapshot
    after: Snapshot


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Leg]]:
    """The example account's readd, decommission and rollback."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "invented")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
        yield _road(tmp_path_factory.mktemp("example"))


def _road(root: Path) -> dict[str, Leg]:
    start = documents.read_snapshot(Path(str(documents.example("manual-account/inventory.json"))))
    folder = root / "migration"
    space = Workspace(folder)
    legs: dict[str, Leg] = {}
    with Twin(start, aws_managed=documents.aws_managed()) as twin:
        at = ("-w", folder, "--endpoint-url", twin.url)
        assert run("inventory", *at).code == 0
        names = ("--company-prefix", "lumen", "--tenant-id", "a001", "--region", "eu-central-1")
        assert run("map", "-w", folder, *names).code == 0
        space.decisions.write_text("accept:\n  - actions: ['*']\n    why: this is a test\n")
        stage = Stage(twin, space.journal_path("deploy", account.now()))
        with writing(stage.path) as journal:
            journal.plan(made := plan.creation(start, account.planned(space)))
            execute(made, stage.hands(), journal)
        for name in ("readd", "decommission", "rollback"):
            assert run(name, *at).code == 3
            shutil.copytree(folder, kept := root / name)
            before = twin.snapshot()
            assert run(name, "--execute", "--confirm-account", start.account, *at).code == 0
            legs[name] = Leg(kept, Workspace(kept).plan(name), before, twin.snapshot())
    assert legs["rollback"].after == start
    return legs


@pytest.mark.parametrize("share", range(SHARES if ALL else 1))
@pytest.mark.parametrize("name", ["readd", "decommission", "rollback"])
def test_the_example_account(
    name: str, share: int, road: dict[str, Leg], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    leg = road[name]
    points = [(n, done) for n in some_of(len(leg.plan.operations), 0.6) for done in (True, False)]
    mine = points[share::SHARES] if ALL else points[:1]
    record_property("killed", len(mine))
    for n, done in mine:
        space = Workspace(tmp_path / f"{n}-{done}")
        shutil.copytree(leg.folder, space.folder)
        with Twin(leg.before, aws_managed=documents.aws_managed(), faults=held(leg.plan, n, done=done)) as twin:
            killed(leg.plan, n, done=done, space=space, twin=twin)
            change.resume(space.folder, endpoint=twin.url, confirm=leg.plan.account)
            assert twin.snapshot() == leg.after, (name, n, done)
            if ALL:
                _all_the_way_back(space, twin, leg.plan.account)
                assert twin.snapshot() == road["rollback"].after, (name, n, done)
        shutil.rmtree(space.folder)


def _all_the_way_back(space: Workspace, twin: Twin, confirmed: str) -> None:
    live = Aws(endpoint=twin.url)
    if rollback(account.look(live, Out(json=False)), space.done()).operations:
        with pytest.raises(Exception, match="3"):
            change.rollback(space.folder, endpoint=twin.url)
        change.rollback(space.folder, endpoint=twin.url, execute=True, confirm=confirmed)
