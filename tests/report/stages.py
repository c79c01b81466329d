"""The example account's migration, stage by stage, without a network: plans are folded and journals written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

from secmigrate import documents, plan
from secmigrate.cli import account
from secmigrate.iam import Snapshot
from secmigrate.journal import Writer
from secmigrate.plan import Plan
from secmigrate.workspace import Workspace
from tests.cli.conftest import NAMES
from tests.cli.runs import run

EXAMPLE = Path(str(documents.example("manual-account/inventory.json")))
ACCEPTED = """\
accept:
  - actions: ["sagemaker:*", "s3:*"]
    users: ["amara.*", farid.benhaddou]
    why: training moved to the platform team
    by: Maja Lindqvist
"""
ALL_ACCEPTED = 'accept:\n  - {actions: ["*"], why: everybody has agreed}\n'
_BY = "arn:aws:iam::111122223333:user/migration-operator"


def read(folder: Path, source: Path = EXAMPLE) -> Workspace:
    """A workspace that knows an account and nothing else."""
    assert run("inventory", "--from", source, "-w", folder).code == 0
    return Workspace(folder)


def decide(space: Workspace, decisions: str = ACCEPTED) -> None:
    """Maps it, with a person's answers."""
    documents.write_whole(space.decisions, decisions.encode())
    assert run("map", *NAMES, "-w", space.folder).code == 0


def change(space: Workspace) -> Iterator[str]:
    """Makes one change after the other, and names each when it is made."""
    live, outcome = documents.read_snapshot(space.inventory), space.outcome()
    live = _carry_out(space, plan.creation(live, account.planned(space)), live, 1)
    yield "deployed"
    readd = plan.readd(live, outcome.moves, space.members().groups, outcome.unmapped, account.watch(space, live))
    live = _carry_out(space, readd, live, 2)
    yield "readd"
    gone = plan.decommission(live, outcome.moves, "2026-08-01", account.watch(space, live), None)
    journal = space.journal_path("decommission", "2026-12-03T18:00:00Z")
    _carry_out(space, gone, live, 3, most=len(gone.operations) // 2)
    yield "half"
    journal.unlink()
    live = _carry_out(space, gone, live, 3)
    yield "decommissioned"
    back = plan.rollback(live, space.done(), wanted=lambda operation: True, watch=account.watch(space, live))
    _carry_out(space, back, live, 4)
    yield "rolled back"


def _carry_out(space: Workspace, made: Plan, live: Snapshot, day: int, most: int | None = None) -> Snapshot:
    """Saves the plan and keeps a journal as if it had been carried out; gives the account as it is then."""
    space.save_plan(made, "")
    lines, date = count(), f"2026-12-{day:02}"
    path = space.journal_path(made.name, f"{date}T18:00:00Z")
    journal = Writer(path, lambda: f"{date}T18:{next(lines) // 60 % 60:02}:00Z")
    journal.plan(made, _BY)
    for n, operation in enumerate(made.operations[:most], 1):
        journal.intent(n)
        journal.answer(n, "changed")
        live = operation.applied(live)
    if most is None:
        journal.end("done")
    journal.close()
    return live
