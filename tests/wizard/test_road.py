"""A person who has never seen the tool finishes the example account with the wizard alone, and may leave anywhere.

The screens in `screens/` are what she sees; after a change that is meant: SCREENS=write make test ARGS="-k wizard".
"""

from __future__ import annotations

import os
from pathlib import Path

from secmigrate.aws import Aws
from secmigrate.documents import read_decisions, read_snapshot
from secmigrate.iam import Snapshot
from secmigrate.operations import Call
from secmigrate.progress import steps
from secmigrate.workspace import Workspace
from tests.wizard.conftest import Stage, pick, write
from tests.wizard.terminal import CTRL_C, ENTER

UP = "\x1b[A"

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
SCREENS = Path(__file__).parent / "screens"
ACCOUNT = "111122223333"

TYPE = f"Type the account's id, {ACCOUNT}, to change it (Enter: not now):"
DECIDING = (
    pick("Where should IAM be read from?"),
    write("Company prefix:", "lumen"),
    write("Tenant id:", "a001"),
    pick("Environment:"),
    write("Region of the stack:", "eu-central-1"),
    pick("What became of them: see more?"),
    pick("Decide about them now?"),
    pick("What becomes of all-staff?"),
    pick("What becomes of deny-outside-eu?", 3),
    write("Why does it stay?", "it binds contractors, whoever employs them"),
    pick("What becomes of GitHubActionsDeploy?"),
    pick("What becomes of eks-feature-api?", 3),
    write("Why does it stay?", "the cluster owns it"),
    pick("What becomes of github-docs-publish?"),
    write("Beginnings of names, such as acme-* (Enter: none):", "lumenfold-*"),
)
ON = pick("Where do you want to go on?")
LOSING = (
    pick("What about these losses?"),
    pick("Is it right that they lose this (bedrock)?", 2),
    write("Why is that right? It is kept with your answer:", "models are asked for through the gateway"),
    pick("Is it right that they lose this (codebuild)?", 3),
    pick("Is it right that Olumide.Fashola loses this?", 2),
    write("Why is that right? It is kept with your answer:", "he builds no more"),
    pick("Is it right that chiamaka.eze loses this?"),
    pick("Is it right that kirsi.lehtovaara loses this?"),
    pick("Is it right that zeynep.kocabas loses this?"),
    *(pick(f"Is it right that they lose this ({kind})?") for kind in "codepipeline ecr iam kms lambda".split()),
    *(pick(f"Is it right that they lose this ({kind})?") for kind in "redshift redshift-data sagemaker sts".split()),
    pick("Is it right that they lose this (to assume a role)?"),
    pick("Go on?", 2),
    pick("What about these losses?", 2),
    write("Why is that right? It is kept with your answer:", "seen, and agreed with the teams"),
)
LOOKING = (pick("Before it is deployed:", 2), pick("Before it is deployed:", 3))
CHANGING = (
    pick("Before it is deployed:"),
    pick("Once it is deployed:"),
    pick("Once it is deployed:", first="deploy"),
    pick("Carry it out?", 2),
    write(TYPE, "111122223334"),
    pick("Carry it out?", 2),
    write(TYPE, ACCOUNT),
    pick("What rests in quarantine before it is deleted?"),
    pick("Carry it out?", 2),
    write(TYPE, ACCOUNT),
)


def test_she_finishes_the_example_account_and_sees_these_screens(stage: Stage, example: Snapshot) -> None:
    terminal = stage.wizard()
    for said in (*DECIDING, *LOSING, *LOOKING, *CHANGING):
        stage.answer(terminal, said)
    assert terminal.ended() == 0, terminal.all
    _moved(stage, example)
    assert [one.state for one in steps(Workspace(stage.folder / "migration"))] == ["done"] * 4 + ["waiting"]
    text = (stage.folder / "migration/decisions.yaml").read_text()
    assert "why: he builds no more" in text
    assert (stage.folder / "migration/reports/report.html").exists()
    assert "users: [Olumide.Fashola]" in text
    _looks("road-80", stage.told(terminal))
    _back_into_the_old_groups(stage, example)


def _back_into_the_old_groups(stage: Stage, example: Snapshot) -> None:
    """The people alone, though their groups are gone."""
    terminal = stage.wizard()
    stage.answer(terminal, ON._replace(keys=f"{UP}{UP}{ENTER}"))  # the last choice but one
    for said in (pick("What should be taken back?", 2), pick("Carry it out?", 2)):
        stage.answer(terminal, said)
    tagged = {"UserName": "kofi.asantewaa", "Tags": [{"Key": "floor", "Value": "3"}]}
    Aws(None, None, stage.twin.url).send(Call("TagUser", tagged))
    # The plan is stale now, so it is made anew.
    for said in (write(TYPE, ACCOUNT), pick("Carry it out?", 2), write(TYPE, ACCOUNT)):
        stage.answer(terminal, said)
    terminal.asked(ON.question)
    terminal.answer(CTRL_C)
    assert terminal.ended() == 3, terminal.all
    now = stage.twin.snapshot()
    for name, members in example.members.items():
        assert not members or set(now.members[name]) == set(members)


def test_it_looks_good_at_120_columns_as_well(stage: Stage) -> None:
    terminal = stage.wizard(columns=120)
    for said in DECIDING:
        stage.answer(terminal, said)
    terminal.asked("What about these losses?")
    assert max(map(len, terminal.all.splitlines())) > 80
    _looks("road-120", stage.told(terminal))
    terminal.answer(CTRL_C)
    assert terminal.ended() == 3


def test_she_leaves_at_every_question_and_ends_where_she_would_have(stage: Stage, example: Snapshot) -> None:
    """Each question is left once, the first time that it is asked; what had no answer is asked again."""
    road = (*DECIDING, *LOSING, *CHANGING)
    to_leave = set(range(len(road)) if ALL else (3, 18, 44))
    questions = {ON.question: True} | {said.question: said.menu for said in road}
    terminal, at, last = stage.wizard(), 0, ""
    while at < len(road):
        # A text that was just answered stands there still, for a moment.
        last = question = terminal.asked_one_of({one: menu for one, menu in questions.items() if menu or one != last})
        if question == ON.question:
            terminal.answer(ON.keys)
            continue
        at = next((n for n in range(at, len(road)) if road[n].question == question), -1)
        assert at >= 0, f"{question} was not expected:\n{terminal.all}"
        if at in to_leave:
            to_leave.remove(at)
            terminal.answer(CTRL_C)
            assert terminal.ended() == 3, terminal.all
            assert "You left; all that you answered is kept." in terminal.all
            assert "Traceback" not in terminal.all
            terminal, at, last = stage.wizard(), 0, ""
        else:
            stage.answer(terminal, road[at])
            at += 1
    assert terminal.ended() == 0, terminal.all
    assert to_leave == set()
    _moved(stage, example)


def _moved(stage: Stage, example: Snapshot) -> None:
    """Everybody is in the new groups, the old ones that were mapped are gone, and nothing else is."""
    now = stage.twin.snapshot()
    planned = read_snapshot(stage.folder / "migration/planned.json")
    moves = Workspace(stage.folder / "migration").outcome().moves
    for move in moves:
        if move.kind == "group":
            assert move.old not in now.groups
            assert set(now.members[move.new]) == set(example.members[move.old])
    assert set(planned.groups) <= set(now.groups)
    assert "all-staff" in now.groups
    assert set(example.users) == set(now.users)
    assert read_decisions(stage.folder / "migration/decisions.yaml").groups["deny-outside-eu"].leave


def _looks(name: str, told: str) -> None:
    """As it did when somebody looked at it."""
    path = SCREENS / f"{name}.txt"
    if os.environ.get("SCREENS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(told, encoding="utf-8")
    assert told == path.read_text(encoding="utf-8")
