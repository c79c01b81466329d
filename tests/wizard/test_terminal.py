"""The wizard where terminals differ: none at all, one that cannot redraw, one without colour, one that is closed."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from secmigrate import documents
from secmigrate.documents import write_snapshot
from secmigrate.iam import Snapshot
from secmigrate.twin import Fault, Faults, Twin
from secmigrate.workspace import Workspace
from tests.cli.conftest import NAMES
from tests.cli.runs import run
from tests.hostile import hostile, is_harmless
from tests.wizard.conftest import Stage, pick, write
from tests.wizard.terminal import CTRL_C, CTRL_D, ENTER, Terminal

COLOUR = re.compile(rb"\x1b\[(?:[0-9]+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]")


def test_without_a_terminal_it_names_the_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("wizard")
    assert (ran.code, ran.out) == (2, "")
    assert "no terminal" in ran.err
    for command in ("inventory", "map", "readd", "decommission", "status"):
        assert command in ran.err
    assert list(tmp_path.iterdir()) == []


def test_numbered_lines_and_no_redrawing_for_a_screen_reader(stage: Stage) -> None:
    terminal = stage.wizard("--plain", TERM="dumb", NO_COLOR="1")
    for keys in ("1", "Lumen", "lumen", "a001", "0", "1", "eu-central-1", "2"):
        wait_for_line(terminal)
        terminal.answer(f"{keys}\n")
    wait_for_line(terminal)
    assert b"\x1b" not in terminal.raw
    for told in (
        "  2) Show everything that was decided",
        "type a number from 1 to 4",
        "small letters, digits",
        "lambda_execution",
    ):
        assert told in terminal.all
    terminal.answer(CTRL_D)
    assert terminal.ended() == 3
    assert "secmigrate wizard --endpoint-url" in terminal.all
    assert "--plain" in terminal.all


def wait_for_line(terminal: Terminal) -> None:
    """Until an answer is waited for, in a line of its own."""
    end = time.monotonic() + 300
    while not re.search(r"\]: $|: $", terminal.raw.decode()[-20:]) or terminal.fresh == "":
        assert time.monotonic() < end, terminal.all
        assert terminal.read(), terminal.all


def test_no_colour_where_none_is_wanted_and_none_is_needed(stage: Stage) -> None:
    terminal = stage.wizard(NO_COLOR="1")
    for said in (pick("Where should IAM be read from?"), write("Company prefix:", "lumen")):
        stage.answer(terminal, said)
    terminal.asked("Tenant id:", menu=False)
    assert not COLOUR.search(terminal.raw)
    terminal.answer(CTRL_C)
    assert terminal.ended() == 3


def test_a_terminal_that_is_closed_at_a_question_loses_nothing(stage: Stage) -> None:
    terminal = stage.wizard()
    stage.answer(terminal, pick("Where should IAM be read from?"))
    terminal.asked("Company prefix:", menu=False)
    terminal.hang_up()
    terminal.process.wait()
    again = stage.wizard()
    again.asked("Where do you want to go on?")
    again.answer(CTRL_C)
    assert again.ended() == 3


def test_a_terminal_that_is_closed_while_calls_are_made_leaves_a_journal_to_go_on_from(
    example: Snapshot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    monkeypatch.chdir(tmp_path)
    slow = Faults(faults=(Fault(match="AddUserToGroup", kind="latency", seconds=0.3, times=12),))
    with Twin(example, aws_managed=documents.aws_managed(), faults=slow) as twin:
        stage, space = Stage(tmp_path, twin), Workspace(Path("migration"))
        assert run("inventory", "--endpoint-url", twin.url).code == 0
        assert run("map", *NAMES).code == 0
        stage.deploy()
        assert run("readd", "--endpoint-url", twin.url).code == 3
        terminal = stage.wizard()
        stage.answer(terminal, pick("Where do you want to go on?", 6))
        stage.answer(terminal, pick("Carry it out?", 2))
        stage.answer(
            terminal,
            write(f"Type the account's id, {example.account}, to change it (Enter: not now):", example.account),
        )
        while twin.calls.count("AddUserToGroup") < 5:
            assert terminal.read(), terminal.all
        terminal.hang_up()
        assert terminal.process.wait() == 3
        (journal,) = space.journals()
        assert journal.unfinished
        assert not any(tried.doubtful for tried in journal.tried)
        assert len(journal.tried) < len(journal.plan.operations)
        again = stage.wizard()
        stage.answer(again, pick("What now?"))
        stage.answer(
            again, write(f"Type the account's id, {example.account}, to change it (Enter: not now):", example.account)
        )
        again.asked("Where do you want to go on?")
        again.answer(CTRL_C)
        assert again.ended() == 3
        assert space.unfinished() is None


def test_names_that_are_meant_for_a_terminal_are_harmless(stage: Stage) -> None:
    write_snapshot(stage.folder / "evil.json", hostile())
    terminal = stage.wizard(NO_COLOR="1")
    for said in (
        pick("Where should IAM be read from?", 2),
        write("Which file?", "evil.json"),
        write("Company prefix:", "lumen"),
        write("Tenant id:", "a001"),
        pick("Environment:"),
        write("Region of the stack:", "eu-central-1"),
        pick("What became of them: see more?", 2),
    ):
        stage.answer(terminal, said)
    terminal.asked("What became of them: see more?")
    is_harmless(terminal.raw.decode(), of_ours=True)
    terminal.answer(CTRL_C)
    assert terminal.ended() == 3


@pytest.fixture
def mapped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A workspace that was mapped by commands, and every loss accepted."""
    monkeypatch.chdir(stage.folder)
    accepted = 'accept: [{actions: ["*"], why: all are invented}]\npatterns: [lumenfold-*]  # asked in March\n'
    (stage.folder / "migration").mkdir()
    (stage.folder / "migration/decisions.yaml").write_text(accepted)
    assert run("inventory", "--endpoint-url", stage.twin.url).code == 0
    assert run("map", *NAMES).code == 0
    return stage


def test_she_waits_or_runs_the_container_here_and_both_can_fail(mapped: Stage) -> None:
    (mapped.folder / "bin").mkdir()  # without docker
    terminal = mapped.wizard(PATH=str(mapped.folder / "bin"))
    mapped.answer(terminal, pick("Where do you want to go on?"))
    mapped.answer(terminal, pick("Before it is deployed:"))
    mapped.answer(terminal, pick("Once it is deployed:", 2))
    while (
        "Waiting; Ctrl-C stops waiting." not in terminal.all
        or mapped.twin.calls.count("ListUsers") + mapped.twin.calls.count("GetAccountAuthorizationDetails") < 2
    ):
        assert terminal.read(), terminal.all
    time.sleep(1)
    terminal.send(CTRL_C)
    mapped.answer(terminal, pick("Once it is deployed:", 3))
    mapped.answer(
        terminal, write("Type the account's id, 111122223333, to change it (Enter: not now):", "111122223333")
    )
    terminal.asked("Once it is deployed:")
    assert "Stopped waiting." in terminal.all
    assert "docker" in terminal.all.casefold()
    terminal.answer(f"4{ENTER}")
    assert terminal.ended() == 3
    assert "Traceback" not in terminal.all


def test_what_a_person_wrote_and_chose_by_commands_is_kept(mapped: Stage) -> None:
    assert run("map", "--tier", "enterprise", "--skip", "role:legacy-*").code == 0
    terminal = mapped.wizard()
    mapped.answer(terminal, pick("Where do you want to go on?", 3))
    mapped.answer(terminal, pick("What became of them: see more?", 3))
    mapped.answer(terminal, write("Which group or role?", "legacy-jenkins"))
    terminal.asked("What became of them: see more?")
    assert "out of scope: --skip role:legacy-*" in " ".join(terminal.all.split())
    mapped.answer(terminal, pick("What became of them: see more?"))
    mapped.answer(terminal, pick("Decide about them now?"))
    mapped.answer(terminal, pick("What becomes of all-staff?", 2))
    mapped.answer(terminal, pick("Which one?"))
    for name in ("deny-outside-eu", "GitHubActionsDeploy", "eks-feature-api", "github-docs-publish"):
        mapped.answer(terminal, pick(f"What becomes of {name}?"))
    mapped.answer(terminal, write("Beginnings of names, such as acme-* (Enter: none):", ""))
    terminal.asked("Before it is deployed:")
    terminal.answer(CTRL_C)
    assert terminal.ended() == 3
    outcome = Workspace(mapped.folder / "migration").outcome()
    assert outcome.skip == ("role:legacy-*",)
    assert "all-staff" in {move.old for move in outcome.moves}
    text = (mapped.folder / "migration/decisions.yaml").read_text()
    assert "# asked in March" in text
    assert 'accept: [{actions: ["*"], why: all are invented}]' in text
