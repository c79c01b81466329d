"""A run is killed without warning; `resume` brings it to its end all the same, `rollback` to its beginning."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from secmigrate.cli import change
from secmigrate.iam import Snapshot
from secmigrate.plan import Plan
from secmigrate.twin import Fault, Faults, Twin
from secmigrate.workspace import Workspace
from tests.apply.stage import BEFORE, END, PLAN
from tests.small import ACCOUNT

SLOWLY = Faults(faults=(Fault(match="*", kind="latency", seconds=0.03),))
LAST = 1 + 2 * len(PLAN.operations)  # lines of the journal when every call is answered: the plan, intents, answers


def killed_at(line: int, name: str, space: Workspace, before: Snapshot) -> Snapshot:
    """Runs a saved plan in a process of its own, kills that when its journal has so many lines; gives what is left."""
    with Twin(before, faults=SLOWLY) as twin:
        _kill_at(line, name, space, twin)
        time.sleep(0.1)  # the call that was under way arrives all the same
        return twin.snapshot()


def _kill_at(line: int, name: str, space: Workspace, twin: Twin) -> None:
    known = set(space.journals_folder.glob("*.jsonl"))
    command = [sys.executable, "-m", "secmigrate", name, "--execute", "-w", str(space.folder)]
    running = subprocess.Popen(
        [*command, "--confirm-account", ACCOUNT, "--endpoint-url", twin.url],
        cwd=Path(__file__).parent.parent.parent,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    deadline = time.monotonic() + 30
    while running.poll() is None and time.monotonic() < deadline:
        found = set(space.journals_folder.glob("*.jsonl")) - known
        if found and found.pop().read_bytes().count(b"\n") >= line:
            break
        time.sleep(0.001)
    running.kill()
    told, _ = running.communicate()
    assert running.returncode == -signal.SIGKILL, told.decode()


def plan_and_execute_rollback(space: Workspace, twin: Twin) -> Plan:
    with pytest.raises(typer.Exit) as ended:
        change.rollback(space.folder, endpoint=twin.url)
    plan = space.plan("rollback")
    assert ended.value.exit_code == (3 if plan.operations else 0)
    if plan.operations:
        change.rollback(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT)
    return plan


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """A workspace with the plan in it."""
    made = Workspace(tmp_path / "migration")
    made.save_plan(PLAN, "")
    return made


@pytest.mark.parametrize("line", [1, 2, 9, 31, LAST])
def test_killed_and_resumed(space: Workspace, line: int) -> None:
    with Twin(killed_at(line, "decommission", space, BEFORE)) as twin:
        assert space.unfinished() is not None
        change.resume(space.folder, endpoint=twin.url, confirm=ACCOUNT)
        assert twin.snapshot() == END
        assert space.unfinished() is None
        # And from the end back to the beginning.
        plan_and_execute_rollback(space, twin)
        assert twin.snapshot() == BEFORE


@pytest.mark.parametrize("line", [4, 16, 23])
def test_killed_and_rolled_back(space: Workspace, line: int) -> None:
    with Twin(killed_at(line, "decommission", space, BEFORE)) as twin:
        assert plan_and_execute_rollback(space, twin).dangers == ()
        assert twin.snapshot() == BEFORE
        assert plan_and_execute_rollback(space, twin).operations == ()


@pytest.mark.parametrize("line", [2, 27])
def test_killed_while_rolling_back_and_rolled_back_again(space: Workspace, line: int) -> None:
    with Twin(BEFORE) as twin:
        change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT)
        with pytest.raises(typer.Exit):
            change.rollback(space.folder, endpoint=twin.url)
        end = twin.snapshot()
    with Twin(killed_at(line, "rollback", space, end)) as twin:
        assert plan_and_execute_rollback(space, twin).dangers == ()
        assert twin.snapshot() == BEFORE
        assert plan_and_execute_rollback(space, twin).operations == ()


def interrupted(name: str, space: Workspace, twin: Twin, *, twice: bool) -> tuple[int, str]:
    """Runs a saved plan in a process of its own and presses Ctrl-C in the middle; gives how that ended."""
    command = [sys.executable, "-m", "secmigrate", name, "--execute", "-w", str(space.folder)]
    running = subprocess.Popen(
        [*command, "--confirm-account", ACCOUNT, "--endpoint-url", twin.url],
        cwd=Path(__file__).parent.parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    deadline = time.monotonic() + 30
    while "AddUserToGroup" not in twin.calls and time.monotonic() < deadline:
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    if twice:
        time.sleep(0.3)
        running.send_signal(signal.SIGINT)
    told, _ = running.communicate(timeout=60)
    return running.returncode, told.decode()


@pytest.mark.parametrize("twice", [False, True])
def test_ctrl_c_in_a_terminal(space: Workspace, twice: bool) -> None:
    slow = Faults(faults=(Fault(match="AddUserToGroup", kind="latency", seconds=1.5),))
    with Twin(BEFORE, faults=slow) as twin:
        code, told = interrupted("decommission", space, twin, twice=twice)
        assert code == (128 + signal.SIGINT if twice else 1), told
        assert "once more stops at once" in told
        assert "secmigrate resume" in told
        assert "Traceback" not in told
        (journal,) = space.journals()
        assert bool(journal.doubtful) == twice
        time.sleep(1.5)  # what was under way arrives all the same
        change.resume(space.folder, endpoint=twin.url, confirm=ACCOUNT)
        assert twin.snapshot() == END


def test_killed_before_its_plan_was_on_the_disk(space: Workspace) -> None:
    """Nothing was done, so nothing is in the way."""
    space.journals_folder.mkdir(parents=True)
    for n, content in enumerate((b"", b'{"at":"2026-01-02T03:04:05Z","event":"plan","pl')):
        (space.journals_folder / f"decommission-20260102T03040{n}Z.jsonl").write_bytes(content)
    with Twin(BEFORE) as twin:
        assert plan_and_execute_rollback(space, twin).operations == ()
        assert space.journals() == []
        change.resume(space.folder, endpoint=twin.url)
        change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT)
        assert twin.snapshot() == END
