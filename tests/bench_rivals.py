"""What people use today beside what we do, on the same account, one right after the other.

`python -m tests.bench_rivals FILE` is our side of what policy_sentry does. docs/benchmarks.md says what each of them
does, and does not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from secmigrate import documents
from secmigrate.access import ActionCatalogue
from secmigrate.access.reading import read
from secmigrate.iam import Document
from tests import bench_guide, bench_others
from tests.bench_details import write_details
from tests.bench_measuring import Pair, elsewhere
from tests.bench_others import Programs
from tests.bench_steps import PROGRAM, Stage, measured

SAMPLE = 10  # users that iam-ape is asked about: a second each
TYPER = """
import typer
app = typer.Typer(rich_markup_mode=None)
@app.callback()
def main() -> None: ...
@app.command()
def nothing() -> None: ...
app()
"""


class Rival(NamedTuple):
    """One of them, on accounts of these sizes. `pair` gets the account's folder, the tool's programs, the round."""

    ours: str
    theirs: str
    tool: str  # empty: nothing has to be installed for it
    sizes: tuple[str, ...]
    pair: Callable[[Path, Path, int], Pair]

    def beside(self, folder: Path, programs: Programs, turn: int) -> Pair | None:
        """Both, once; None if the tool is not there, or fails."""
        place = programs.get(self.tool) if self.tool else Path()
        if place is None:
            return None
        try:
            return self.pair(folder, place, turn)
        except (OSError, subprocess.SubprocessError, RuntimeError) as error:
            print(f"{self.theirs}: {error}", file=sys.stderr)
            return None


def guide(folder: Path, programs: Path, turn: int) -> Pair:
    """Taking stock."""
    return bench_guide.loops(Stage(folder).before)


def cloudsplaining(folder: Path, programs: Path, turn: int) -> Pair:
    """Two whole processes; ours reads both accounts, and parses one of them three times more."""
    file = _details(folder)
    start = time.perf_counter()
    measured("access, all users", folder)
    return Pair(time.perf_counter() - start, bench_others.cloudsplaining(programs, file))


def iam_ape(folder: Path, programs: Path, turn: int) -> Pair:
    """For one user: ours with a share of all that is done once, theirs without it. Other users in each round."""
    account = Stage(folder).before
    ours = measured("access, all users", folder).seconds / len(account.users)
    return Pair(ours, bench_others.iam_ape(programs, _details(folder), bench_others.sample(account, SAMPLE, turn)))


def policy_sentry(folder: Path, programs: Path, turn: int) -> Pair:
    """All customer policies."""
    file = folder / "documents.json"
    if not file.exists():
        file.write_text(json.dumps([one.document.value for one in Stage(folder).before.own_policies.values()]))
    return Pair(float(elsewhere(__name__, file)), bench_others.policy_sentry(programs, file))


def start(folder: Path, programs: Path, turn: int) -> Pair:
    """How long a person waits for a word."""
    return Pair(_seconds(str(PROGRAM), "--help"), _seconds(sys.executable, "-c", TYPER, "--help"))


def _details(folder: Path) -> Path:
    file = folder / "details.json"
    return file if file.exists() else write_details(Stage(folder).before, file)


def _seconds(*command: str) -> float:
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


RIVALS = (
    Rival("`inventory`", "the guide's loops", "aws", ("small",), guide),
    Rival(
        "`access`, all users, both sides",
        "`cloudsplaining scan`",
        "cloudsplaining",
        ("small", "500 users"),
        cloudsplaining,
    ),
    Rival("`access`, a user, both sides", "iam-ape, a user, one side", "iam-ape", ("500 users",), iam_ape),
    Rival("actions of customer policies", "policy_sentry", "policy_sentry", ("small", "500 users"), policy_sentry),
    Rival("`secmigrate --help`", "an empty typer program", "", ("small",), start),
)


def written_out(file: Path) -> float:
    """Seconds in which each action of these documents is written out; the catalogue is read before."""
    catalogue = documents.aws_actions()
    found = [Document(one) for one in json.loads(file.read_bytes())]
    _names(found[0], catalogue)
    begun = time.perf_counter()
    for one in found:
        _names(one, catalogue)
    return time.perf_counter() - begun


def _names(document: Document, catalogue: ActionCatalogue) -> list[list[str]]:
    masks = [(one, catalogue.bits_of(one.actions)) for one in read(document).statements]
    return [[each.name for each in catalogue.named(~mask if one.all_but else mask)] for one, mask in masks]


if __name__ == "__main__":
    print(written_out(Path(sys.argv[1])))
