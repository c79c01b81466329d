"""Before she goes on from part 2: levels by what was used, and what is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate import documents
from secmigrate.iam import ServiceUse, Snapshot, Usage
from secmigrate.workspace import Workspace
from tests.cli.conftest import CONFIG, NAMES
from tests.cli.runs import run
from tests.mapping.shapes import startup
from tests.wizard.conftest import Stage, pick, write
from tests.wizard.terminal import CTRL_C, ENTER, Terminal

SEEN = "What became of them: see more?"


@pytest.fixture
def usage(example: Snapshot) -> Usage:
    arn = example.arn(example.groups["data-science-team"])
    services = {arn: {"s3": ServiceUse("2099-01-01"), "sagemaker": ServiceUse()}}
    return Usage(account=example.account, at="2026-11-24T00:00:00Z", services=services)


def levels(stage: Stage) -> object:
    found = documents.read_config(stage.folder / "migration" / CONFIG)[0]
    return found.security.iam_groups["data_scientists"].policy_assignments


def test_she_goes_by_use_and_leaves_some_out_and_takes_it_back(stage: Stage) -> None:
    for words in (("inventory", "--endpoint-url", stage.twin.url), ("map", *NAMES)):
        assert run(*words, "-w", stage.folder / "migration").code == 0
    wide, space = levels(stage), Workspace(stage.folder / "migration")
    terminal = stage.wizard()
    for said in (pick("Where do you want to go on?"), pick(SEEN, 4), pick("Ask AWS for the reports?")):
        stage.answer(terminal, said)
    terminal.asked(SEEN)
    assert "what a level no longer covers is lost to its members" in terminal.all
    assert "sagemaker" in str(wide)
    assert "sagemaker" not in str(levels(stage))

    terminal.answer(f"5{ENTER}")
    for said in (
        write("Leave out (Enter: nothing):", "group:qa-* role:*glue*"),
        write("Of the others take only (Enter: all):", ""),
    ):
        stage.answer(terminal, said)
    terminal.asked(SEEN)
    assert space.outcome().skip == ("group:qa-*", "role:*glue*")
    assert "Now: everything." in terminal.all
    told = re.findall(r"groups: .*", terminal.all)[-1]
    assert "1 left as" in told

    terminal.answer(f"2{ENTER}")
    terminal.asked(SEEN)
    assert "out of scope: --skip group:qa-*" in terminal.all
    assert space.outcome().skip == ("group:qa-*", "role:*glue*")
    assert space.outcome().fit == "used"

    terminal.answer(f"5{ENTER}")
    stage.answer(terminal, write("Leave out (Enter: nothing):", "qa-*"))
    terminal.until("it has to be KIND:GLOB")
    terminal.answer(f"\x15{ENTER}")  # the whole line is taken out
    for said in (write("Of the others take only (Enter: all):", ""), pick(SEEN, 4)):
        stage.answer(terminal, said)
    terminal.asked(SEEN)
    assert "Now: without group:qa-* role:*glue*." in terminal.all
    assert (space.outcome().skip, space.outcome().fit) == ((), "cover")
    assert levels(stage) == wide
    terminal.answer(CTRL_C)
    assert terminal.ended() == 3


def test_she_asks_why_in_a_workspace_of_another_name(stage: Stage) -> None:
    """The words that name the workspace are words of the command, whatever the name of a group begins with."""
    for words in (("inventory", "--endpoint-url", stage.twin.url), ("map", *NAMES)):
        assert run(*words, "-w", stage.folder / "elsewhere").code == 0
    terminal = stage.wizard("-w", "elsewhere")
    for said in (pick("Where do you want to go on?"), pick(SEEN, 3), write("Which group or role?", "--json")):
        stage.answer(terminal, said)
    stage.answer(terminal, pick(SEEN, 3))
    stage.answer(terminal, write("Which group or role?", "legacy-jenkins"))
    terminal.asked(SEEN)
    assert "explain -w elsewhere -- legacy-jenkins" in terminal.all
    terminal.answer(CTRL_C)
    assert terminal.ended() == 3


def test_an_inventory_that_is_read_anew_under_her_feet(stage: Stage, example: Snapshot) -> None:
    for words in (("inventory", "--endpoint-url", stage.twin.url), ("map", *NAMES)):
        assert run(*words, "-w", stage.folder / "migration").code == 0
    terminal = stage.wizard()
    stage.answer(terminal, pick("Where do you want to go on?"))
    stage.answer(terminal, pick(SEEN))
    terminal.asked("Decide about them now?")
    bare = {name: structs.replace(one, groups=()) for name, one in example.users.items()}
    documents.write_snapshot(stage.folder / "migration/inventory.json", structs.replace(example, users=bare, groups={}))
    terminal.answer(ENTER)
    stage.answer(terminal, pick("What becomes of all-staff?"))
    terminal.asked("What becomes of deny-outside-eu?")
    terminal.answer(CTRL_C)
    assert terminal.ended() == 3


def test_the_tier_that_she_chose_is_proposed_when_she_comes_back(tmp_path: Path) -> None:
    space = Workspace(tmp_path / "migration")
    documents.write_snapshot(space.inventory, startup())
    assert run("map", *NAMES, "--tier", "medium", "-w", space.folder).code == 0
    terminal = Terminal("wizard", cwd=tmp_path)
    for question, keys in (
        ("Where do you want to go on?", ENTER),
        (SEEN, ENTER),
        ("Decide about them now?", f"2{ENTER}"),
        ("Which tier?", ENTER),
    ):
        terminal.asked(question)
        terminal.answer(keys)
    terminal.until("PART 3 OF 7")
    assert documents.read_config(space.config())[0].tier.name == "medium"
    terminal.hang_up()
    terminal.process.wait()
