"""What is not carried out: an account that somebody changed, another one, a plan that was edited."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate.apply import check, confirm, remaining
from secmigrate.documents import write_json
from secmigrate.errors import BadInput, Interrupted, Refused
from secmigrate.iam import Gap, Group, Seen, Snapshot
from secmigrate.operations import Call, CreateGroup
from secmigrate.plan import Plan
from secmigrate.plan.file import to_file
from secmigrate.twin import Fault
from secmigrate.workspace import Workspace
from tests.apply.stage import BEFORE, MOVES, PLAN, Stage, staged, whole_plan, writing
from tests.cli.runs import run
from tests.plan.cases import readd, user
from tests.small import ACCOUNT, allow


def theirs(stage: Stage) -> None:
    """Somebody else adds cy to the old group, and it is seen."""
    stage.aws.send(Call("AddUserToGroup", {"UserName": "cy", "GroupName": "devs"}))


def reversed_by_hand(stage: Stage) -> None:
    """Somebody else takes back what the plan did."""
    stage.aws.send(Call("RemoveUserFromGroup", {"UserName": "bo", "GroupName": "new"}))


def other_group(stage: Stage) -> None:
    """Somebody else puts another policy on the new group."""
    put = {"GroupName": "new", "PolicyName": "more", "PolicyDocument": allow("iam:*").text}
    stage.aws.send(Call("PutGroupPolicy", put))


@pytest.mark.parametrize("somebody", [theirs, reversed_by_hand, other_group])
def test_when_somebody_changed_the_account_it_does_not_go_on_but_finds_back(
    path: Path, somebody: Callable[[Stage], None]
) -> None:
    with staged(path, Fault(match="RemoveUserFromGroup", kind="deny", times=1)) as stage:
        with pytest.raises(Interrupted):
            stage.start()
        somebody(stage)
        before = stage.journal
        with pytest.raises(Refused, match="stale-plan") as caught:
            stage.resume()
        assert caught.value.exit_code == 4
        assert stage.journal == before
        back = stage.roll_back()
        end = stage.twin.snapshot()
        if somebody is theirs:
            assert end == BEFORE.put(user("cy", "devs"))
            assert back.dangers == ()
        if somebody is reversed_by_hand:
            assert end == BEFORE
            assert back.dangers == ()
        if somebody is other_group:
            assert end == BEFORE.put(Group(name="new", inline={"more": allow("iam:*")}))
            assert [(one.code, one.subjects) for one in back.dangers] == [("cannot-undo", ("group new",))]


@pytest.mark.parametrize("confirmed", ["", "999999999999", " 111122223333"])
def test_another_account_is_refused(confirmed: str) -> None:
    with pytest.raises(Refused, match="wrong-account"):
        confirm(PLAN, BEFORE, confirmed)
    with pytest.raises(Refused, match="wrong-account"):
        check(PLAN, structs.replace(BEFORE, account="999999999999"), ACCOUNT)


def test_what_was_reviewed_is_what_is_applied() -> None:
    check(PLAN, BEFORE, ACCOUNT)
    with pytest.raises(Refused, match="stale-plan"):
        check(PLAN, BEFORE.put(user("dee")), ACCOUNT)
    with pytest.raises(Refused, match="incomplete-snapshot"):
        check(PLAN, structs.replace(BEFORE, incomplete=(Gap("iam:ListRoles", "denied"),)), ACCOUNT)
    blocked = readd(BEFORE, MOVES, {}, [])
    assert blocked.blocking
    with pytest.raises(Refused, match="target-missing"):
        check(blocked, BEFORE, ACCOUNT)


def edits() -> dict[str, Plan]:
    blocked = readd(BEFORE, MOVES, {}, [])
    first = CreateGroup(group=Group(name="admins"))
    return {
        "one left out": structs.replace(PLAN, operations=PLAN.operations[:-1]),
        "one more": structs.replace(PLAN, operations=(first, *PLAN.operations)),
        "another order": structs.replace(PLAN, operations=PLAN.operations[::-1]),
        "for another account": structs.replace(PLAN, based_on=BEFORE.put(user("dee")).fingerprint),
        "by another name": structs.replace(PLAN, name="readd"),
        "without its danger": structs.replace(blocked, dangers=()),
        "without its fingerprint": structs.replace(PLAN, fingerprint=""),
    }


@pytest.mark.parametrize("edit", edits())
def test_an_edited_plan_is_refused(edit: str, tmp_path: Path) -> None:
    space, plan = Workspace(tmp_path), edits()[edit]
    write_json(space.plan_path("it"), to_file(plan))
    assert space.plan("it") == plan
    with pytest.raises(Refused, match=r"changed after it was made|stale-plan"):
        check(space.plan("it"), BEFORE, ACCOUNT)


@pytest.mark.parametrize("change", [{"method": "TagUser"}, {"params": {}}, {"destructive": True}, {"n": 2}])
def test_what_a_plan_says_of_a_call_is_what_it_does(change: dict[str, object], tmp_path: Path) -> None:
    space, file = Workspace(tmp_path), to_file(PLAN)
    write_json(
        space.plan_path("it"), structs.replace(file, operations=(structs.replace(file.operations[0], **change),))
    )
    with pytest.raises(BadInput, match=r"operations\[0\]: what it says is not what") as caught:
        space.plan("it")
    assert caught.value.where == str(space.plan_path("it"))


def in_use(live: Snapshot) -> Snapshot:
    """The same account after somebody used the old role."""
    return live.put(structs.replace(live.roles["old"], seen=Seen(id="AROA1", last_used="2026-01-05T09:00:00+00:00")))


def test_a_role_that_was_used_since_it_was_planned_is_not_taken_away() -> None:
    check(PLAN, BEFORE, ACCOUNT)
    with pytest.raises(Refused, match=r"stale-plan: .*: role old was used on 2026-01-05"):
        check(PLAN, in_use(BEFORE), ACCOUNT)
    check(whole_plan(in_use(BEFORE)), in_use(BEFORE), ACCOUNT)  # a person was shown when it was used


def test_nor_is_one_that_was_used_while_the_plan_was_stopped(path: Path) -> None:
    with staged(path) as stage:
        assert stage.start(stop_before="delete") == "stopped"
        used = r"stale-plan: .*: role old was used on 2026-01-05"
        with writing(path) as journal, pytest.raises(Refused, match=used):
            remaining(stage.journal, in_use(stage.look()), journal)
        assert stage.resume() == "done"


def test_an_untouched_plan_comes_through_its_file(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    space.save_plan(PLAN, "")
    check(space.plan("decommission"), BEFORE, ACCOUNT)


EXECUTE = ("--execute", "--confirm-account", ACCOUNT)


def test_a_stale_plan_says_what_has_changed(path: Path, tmp_path: Path) -> None:
    space = Workspace(tmp_path / "w")
    with staged(path) as stage:
        where = ("-w", space.folder, "--endpoint-url", stage.twin.url)
        space.save_plan(PLAN, "", account=stage.look())
        theirs(stage)
        ran = run("decommission", *where, *EXECUTE)
        assert (ran.code, ran.err.splitlines()[-2].rsplit(": ", 2)[1:]) == (4, ["user cy", "groups +devs"])
        kept = space.folder / "plans" / "decommission-account.json"
        for damage in (lambda: kept.write_text("{"), kept.unlink):
            damage()
            ran = run("decommission", *where, *EXECUTE)
            assert (ran.code, ran.err.splitlines()[-2].rsplit(": ", 1)[1]) == (4, "something changed")


def test_so_do_the_rest_of_one_that_was_stopped_and_the_way_back(path: Path, tmp_path: Path) -> None:
    space = Workspace(tmp_path / "w")
    with staged(path) as stage:
        where = ("-w", space.folder, "--endpoint-url", stage.twin.url)
        space.save_plan(PLAN, "", account=stage.look())
        assert run("decommission", *where, *EXECUTE, "--stop-before", "delete").code == 3
        assert run("rollback", *where).code == 3
        theirs(stage)
        for words in (("resume", *where, *EXECUTE[1:]), ("rollback", *where, *EXECUTE)):
            ran = run(*words)
            assert (ran.code, ran.err.splitlines()[-2].rsplit(": ", 2)[1:]) == (4, ["user cy", "groups +devs"])


def test_a_plan_that_is_half_way_is_gone_on_with_not_begun_again(path: Path, tmp_path: Path) -> None:
    space = Workspace(tmp_path / "w")
    with staged(path) as stage:
        where = ("-w", space.folder, "--endpoint-url", stage.twin.url)
        space.save_plan(PLAN, "", account=stage.look())
        assert run("decommission", *where, *EXECUTE, "--stop-before", "delete").code == 3
        there = stage.look()
        again = run("decommission", *where, *EXECUTE)
        assert (again.code, stage.look()) == (4, there)
        made = len([one for one in PLAN.operations if one.phase != "delete"])
        (journal,) = space.journals()
        assert again.err.splitlines()[-2:] == [
            f"error: {journal.path}: stale-plan: it is half way: {made} of its {len(PLAN.operations)} calls are made",
            "hint: `secmigrate resume` goes on with it, `secmigrate rollback` leads back",
        ]
        assert run("resume", *where, *EXECUTE[1:]).code == 0
