"""Where all accounts of a folder stand, and what they have in common: for status, and for report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import structs

from secmigrate import documents
from secmigrate.accounts import Folder
from secmigrate.cli import account
from secmigrate.cli.out import Out
from secmigrate.errors import BadInput
from secmigrate.iam import Snapshot
from secmigrate.mapping import Scope
from secmigrate.plan.across import across
from secmigrate.progress import steps
from secmigrate.reports.accounts import across_lines, standing_lines
from secmigrate.reports.forms import ACCOUNTS_FORMS, FORMS, form_of
from secmigrate.reports.overview import UNKNOWN, Looked, Overview, overview
from secmigrate.workspace import Workspace


def status(folder: Path, out: Out) -> None:
    """In lines, or as one document."""
    told = gathered(folder, out)
    out.lines(standing_lines(folder, told))
    out.lines(across_lines(told, folder / "decisions.yaml"))
    out.document("status", {**structs.asdict(told), "kind": "status"})


def report(folder: Path, out: Out, form: str, notices: bool) -> None:
    """As a file to look at. Raises BadInput for notices, which are of one account."""
    chosen = form_of(form, ACCOUNTS_FORMS)
    if notices:
        hint = f"choose one: secmigrate report --notices -w {folder}/ACCOUNT"
        raise BadInput("many accounts lie here, and notices are of one", where="--notices", hint=hint)
    with Workspace(folder).locked():
        told = gathered(folder, out)
        path = documents.write_whole(folder / "reports" / chosen.file, chosen.pieces(told))
    out.say(f"wrote {path}")
    out.document("report", told)


def gathered(folder: Path, out: Out) -> Overview:
    """What the folder holds; of the inventories one is in memory at a time. An account of which a file is damaged is
    not ready. Raises BadInput if one is damaged that is of all of them.
    """
    here = Folder(folder)
    accounts, answers = here.read(), documents.read_decisions(folder / "decisions.yaml").groups
    counts: dict[str, dict[str, int]] = {}
    looked: dict[str, Looked] = {}
    damaged: dict[str, str] = {}

    def snapshots() -> Iterator[Snapshot]:
        for number in sorted(accounts.accounts):
            looked[number], snapshot = UNKNOWN, None
            with _noting(damaged, number):
                looked[number] = _looked(here.workspace(number))
            with _noting(damaged, number):
                snapshot = here.snapshot(number)
            if snapshot:
                counts[number] = account.counts(snapshot)
                yield snapshot

    with out.working(f"reading {len(accounts.accounts)} accounts"):
        found = across(snapshots())
    known = structs.replace(accounts, missing={**accounts.missing, **damaged})
    return overview(known, found, counts, looked, answers)


@contextmanager
def _noting(damaged: dict[str, str], number: str) -> Iterator[None]:
    """Notes of that account that a file is damaged, and goes on behind what could not be done."""
    try:
        yield
    except BadInput as error:
        damaged[number] = " ".join(filter(None, (error.where, error.message)))


def _looked(space: Workspace) -> Looked:
    outcome = space.outcome() if space.mapping.exists() else None
    unplaced = frozenset(outcome.unmapped if outcome else ())
    scope = Scope(outcome.only, outcome.skip) if outcome else Scope()
    files = (f"reports/{form.file}" for form in FORMS.values())
    return Looked(
        steps=tuple(steps(space)),
        mapped=outcome is not None,
        unplaced=unplaced,
        skipped=frozenset(name for name in unplaced if scope.excludes("group", name)),
        answers=documents.read_decisions(space.decisions).groups,
        reports=tuple(file for file in files if (space.folder / file).exists()),
    )
