"""What a workspace knows of its runs: their order, which one is unfinished, and that there is one at a time."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import typer

from secmigrate.cli import account, change
from secmigrate.documents import write_snapshot
from secmigrate.errors import BadInput, Failed, Refused
from secmigrate.iam import Snapshot
from secmigrate.journal import End, Writer
from secmigrate.operations import AddUserToGroup, CreateGroup, DeleteGroup, DeleteStack
from secmigrate.plan import Plan, Tried
from secmigrate.plan.fold import sealed
from secmigrate.progress import steps
from secmigrate.twin import Fault, Faults, Twin
from secmigrate.workspace import Workspace
from tests.apply.stage import BEFORE, END, PLAN, now
from tests.plan.cases import after, group, snapshot, user
from tests.small import ACCOUNT


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    made = Workspace(tmp_path / "migration")
    made.save_plan(PLAN, "")
    return made


def journaled(space: Workspace, plan: Plan, at: str, ended: End | None = "done", *, doubtful: bool = False) -> Path:
    """A run of a plan that began at that time."""
    path = space.journal_path(plan.name, at)
    journal = Writer(path, lambda: at)
    journal.plan(plan)
    for n in range(1, len(plan.operations) + 1):
        journal.intent(n)
        if not (doubtful and n == len(plan.operations)):
            journal.answer(n, "changed")
    if ended:
        journal.end(ended)
    journal.close()
    return path


ADD = sealed("readd", snapshot(user("ana"), group("g")), [AddUserToGroup(user="ana", group="g")])
DROP = sealed("decommission", snapshot(group("g")), [DeleteGroup(group=group("g"))])
MAKE = sealed("rollback", snapshot(), [CreateGroup(group=group("g"))])


def test_runs_that_begin_in_one_second_keep_their_order(space: Workspace) -> None:
    """Also by the alphabet decommission comes before readd."""
    paths = [journaled(space, plan, now()) for plan in (ADD, DROP, MAKE, *(ADD,) * 9, DROP)]
    assert [journal.path for journal in space.journals()] == paths
    assert [one.operation for one in space.done()][:3] == [plan.operations[0] for plan in (ADD, DROP, MAKE)]
    assert len(set(paths)) == len(paths)
    assert paths[0].name == "readd-20260102T030405Z.jsonl"


def test_a_clock_that_is_set_back_does_not_change_the_order(space: Workspace) -> None:
    later = journaled(space, ADD, "2026-01-02T03:04:05Z")
    earlier = journaled(space, DROP, "2025-12-31T00:00:00Z", ended=None)
    assert [journal.path for journal in space.journals()] == [later, earlier]
    found = space.unfinished()
    assert found is not None
    assert found.path == earlier
    assert journaled(space, ADD, "2026-01-02T03:04:06Z") == space.journals()[-1].path


def test_only_the_newest_may_be_unfinished(space: Workspace) -> None:
    assert space.unfinished() is None
    journaled(space, ADD, "2026-01-02T03:04:05Z", ended=None)
    assert space.unfinished() is not None
    journaled(space, MAKE, "2026-01-02T03:04:06Z")
    assert space.unfinished() is None


def test_what_is_in_doubt_is_told_apart(space: Workspace) -> None:
    journaled(space, DROP, now(), ended=None, doubtful=True)
    assert space.done() == [Tried(DROP.operations[0], doubtful=True)]


@pytest.mark.parametrize("doubtful", [False, True])
def test_the_first_inventory_is_kept_once_something_may_be_gone(space: Workspace, doubtful: bool) -> None:
    write_snapshot(space.inventory, BEFORE)
    space.keep_the_first_inventory(BEFORE)
    journaled(space, ADD, now())
    space.keep_the_first_inventory(BEFORE)
    journaled(space, DROP, now(), doubtful=doubtful)
    with pytest.raises(Refused, match="before the migration"):
        space.keep_the_first_inventory(BEFORE)
    journaled(space, MAKE, now(), doubtful=True)  # perhaps it is back
    with pytest.raises(Refused, match="before the migration"):
        space.keep_the_first_inventory(BEFORE)
    journaled(space, MAKE, now())
    space.keep_the_first_inventory(BEFORE)


def test_an_inventory_that_is_missing_once_something_is_gone_is_not_taken_anew(space: Workspace) -> None:
    space.keep_the_first_inventory(BEFORE)
    journaled(space, ADD, now())
    space.keep_the_first_inventory(BEFORE)
    journaled(space, DROP, now())
    with pytest.raises(Refused, match="is missing") as refused:
        space.keep_the_first_inventory(BEFORE)
    assert "backup" in str(refused.value.hint)
    with pytest.raises(BadInput, match="no inventory") as told:
        account.inventory(space)
    assert "backup" in str(told.value.hint)


def test_once_the_stack_has_gone_at_the_end_of_the_way_back_it_is_to_be_deployed_again(space: Workspace) -> None:
    for path in (space.inventory, space.planned):
        write_snapshot(path, BEFORE)
    ready = snapshot(user("ana"), group("g"))
    last = DeleteStack(stack="sec", tier="startup", groups=(group("g"),))
    back = sealed("rollback", after(ready, ADD.operations), [ADD.operations[0].undo(), last])
    journaled(space, ADD, now())
    assert [(one.step, one.state) for one in steps(space)][2:4] == [("deploy", "done"), ("readd", "done")]
    journaled(space, back, now())
    assert [(one.step, one.state) for one in steps(space)][2:4] == [("deploy", "next"), ("readd", "waiting")]
    journaled(space, ADD, now())
    assert [(one.step, one.state) for one in steps(space)][2:4] == [("deploy", "done"), ("readd", "done")]


def test_one_run_at_a_time(space: Workspace) -> None:
    with space.locked():
        code = (
            "import sys, pathlib; from secmigrate.workspace import Workspace\n"
            "with Workspace(pathlib.Path(sys.argv[1])).locked(): pass"
        )
        other = subprocess.run(
            [sys.executable, "-c", code, str(space.folder)], capture_output=True, text=True, check=False
        )
        assert "another run is at work here" in other.stderr
        with pytest.raises(Failed, match="another run"), Workspace(space.folder).locked():
            pass
    with space.locked():
        pass


def test_what_goes_wrong_inside_is_not_taken_for_another_run(space: Workspace) -> None:
    with pytest.raises(BlockingIOError), space.locked():
        raise BlockingIOError
    with space.locked():
        pass


def test_a_second_run_waits_for_nobody_and_changes_nothing(space: Workspace) -> None:
    slowly = Faults(faults=(Fault(match="CreatePolicy", kind="latency", seconds=0.7),))
    with Twin(BEFORE, faults=slowly) as twin:
        first = threading.Thread(
            target=change.decommission,
            args=(space.folder,),
            kwargs={"endpoint": twin.url, "execute": True, "confirm": ACCOUNT},
        )
        first.start()
        while "CreatePolicy" not in twin.calls:
            time.sleep(0.01)
        with pytest.raises(Failed, match="another run"):
            change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT)
        with pytest.raises(Failed, match="another run"):
            change.resume(space.folder, endpoint=twin.url, confirm=ACCOUNT)
        first.join()
        assert twin.snapshot() == END
        assert len(space.journals()) == 1


@pytest.mark.parametrize("why", ["stale", "unconfirmed", "edited", "incomplete", "no plan"])
def test_where_a_plan_is_refused_no_journal_is_begun(space: Workspace, why: str) -> None:
    live = BEFORE.put(user("dee")) if why == "stale" else BEFORE
    denied = Faults(faults=(Fault(match="ListRoles", kind="deny"),) if why == "incomplete" else ())
    if why == "edited":
        path = space.plan_path("decommission")
        path.write_text(path.read_text().replace('"group": "new"', '"group": "admins"'))
    if why == "no plan":
        space.plan_path("decommission").unlink()
    confirm = "999999999999" if why == "unconfirmed" else ACCOUNT
    with Twin(live, faults=denied) as twin:
        with pytest.raises((Refused, BadInput)):
            change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=confirm)
        assert not [call for call in twin.calls if not call.startswith(("Get", "List"))]
        assert twin.snapshot() == live
    assert list(space.folder.rglob("*.jsonl")) == []


def test_a_plan_that_is_done_already_is_no_error(space: Workspace) -> None:
    with Twin(END) as twin, pytest.raises(typer.Exit) as ended:
        change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT)
    assert ended.value.exit_code == 0


def test_what_another_account_does_not_have_is_not_done_already(space: Workspace) -> None:
    space.save_plan(DROP, "")
    with Twin(Snapshot(account="999999999999")) as twin, pytest.raises(Refused, match="wrong-account"):
        change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT)


def test_what_could_not_be_read_is_not_done_already(space: Workspace) -> None:
    denied = Faults(faults=(Fault(match="GetAccountAuthorizationDetails", kind="deny"),))
    space.save_plan(DROP, "")
    with Twin(snapshot(group("g")), faults=denied) as twin, pytest.raises(Refused, match="incomplete-snapshot"):
        change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT)
