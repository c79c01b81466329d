"""The whole road on the example account, on a twin: each step is the command that a person would type."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from secmigrate.cli import change, compare, decide, options, read, report
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from secmigrate.iam import Snapshot
    from secmigrate.twin import Twin
    from secmigrate.workspace import Workspace

FOLDER = Path("demo")
MARKER = ".made-by-secmigrate-demo"

MAP = "map --company-prefix lumen --company-name Lumenfold --tenant-id a001 --env prod --region eu-central-1"


# The demo shows the whole road; a person would accept less, and choose higher levels for the rest.
ACCEPTED = """\
kind: decisions
version: 1
accept:
  - actions: ["*"]
    why: this is the demo, and all of its people are invented
"""


@app.command(epilog="Example: secmigrate demo")
def demo(workspace: options.Workspace = FOLDER) -> None:
    """The whole road and back on the example account, on a twin, in ./demo: no AWS account is touched."""
    from secmigrate import documents
    from secmigrate.cli import account
    from secmigrate.twin import Twin, used_lately

    _make_room(workspace)
    example = Path(str(documents.example("manual-account/inventory.json")))
    before = used_lately(documents.read_snapshot(example), datetime.now(UTC))
    space, out = account.open_workspace(workspace), Out(json=False)
    out.say(f"the example account {before.account} on a twin of IAM; the work lies in {workspace}/")
    with Twin(before, aws_managed=documents.aws_managed()) as twin, nobodys_credentials(twin):
        road = _Road(space, workspace, out)
        road.forth(before)
        road.step("rollback", lambda: change.rollback(workspace), 3)
        road.step("rollback --execute", lambda: change.rollback(workspace, execute=True, confirm=before.account))
        same = _compare(before, twin.snapshot(), space, out)
    out.say("", "look at:", *(f"  {path}" for path in sorted(workspace.rglob("*")) if _worth_a_look(path)))
    finish(0 if same else 1)


class _Road:
    """The steps of the guide, one after the other; a step that ends otherwise than it should ends the demo."""

    def __init__(self, space: Workspace, folder: Path, out: Out) -> None:
        self.space, self.folder, self.out = space, folder, out

    def forth(self, before: Snapshot) -> None:
        folder, account = self.folder, before.account
        self.step("inventory", lambda: read.inventory(folder))
        self.step("rules check", decide.rules_check)
        self.step(MAP, lambda: decide.map_(folder, **_options(MAP)))
        self.step("validate", lambda: decide.validate(workspace=folder))
        self.step("diff", lambda: compare.diff(folder), 3)
        self.step("access", lambda: compare.access(folder), 3)
        self.step("(a person reads that, and accepts the losses in decisions.yaml)", self._accept)
        self.step("(deploy: what the provisioner's stack would create, made through the twin's API)", self._deploy)
        self.step("readd", lambda: change.readd(folder), 3)
        self.step("readd --execute", lambda: change.readd(folder, execute=True, confirm=account))
        self.step("verify", lambda: change.verify(folder))
        self.step("decommission", lambda: change.decommission(folder), 3)
        self.step("decommission --execute", lambda: change.decommission(folder, execute=True, confirm=account))
        self.step("verify", lambda: change.verify(folder))
        later = "decommission --quarantine-days 0"
        self.step(f"{later}   (or without it, a week later)", lambda: change.decommission(folder, quarantine_days=0), 3)
        self.step("decommission --execute", lambda: change.decommission(folder, execute=True, confirm=account))
        self.step("verify", lambda: change.verify(folder))
        self.step("status", lambda: read.status(folder))
        self.step("report", lambda: report.report(folder))

    def step(self, words: str, command: Callable[[], None], expected: int = 0) -> None:
        """Runs one command."""
        self.out.say("", f"$ secmigrate {words}" if not words.startswith("(") else words)
        code = 0
        try:
            command()
        except typer.Exit as end:
            code = end.exit_code
        if code != expected:
            self.out.say(f"this ended with exit code {code} instead of {expected}")
            finish(1)

    def _accept(self) -> None:
        from secmigrate.documents import write_whole

        write_whole(self.space.decisions, ACCEPTED.encode())
        self.out.say(*(f"  {line}" for line in ACCEPTED.splitlines()))

    def _deploy(self) -> None:
        from secmigrate import plan
        from secmigrate.aws import Aws
        from secmigrate.cli import account, running
        from secmigrate.journal import Writer

        aws = Aws()
        made = plan.creation(account.look(aws, self.out), account.planned(self.space))
        journal = Writer(self.space.journal_path("deploy", account.now()), account.now)
        try:
            journal.plan(made)
            running.run(made, aws, journal, self.space, self.out)
        finally:
            journal.close()


def _compare(before: Snapshot, after: Snapshot, space: Workspace, out: Out) -> bool:
    """Whether the account is as at the start, byte for byte, apart from what IAM cannot give back."""
    from secmigrate import documents, iam

    first, last = iam.encode(before.restorable()), iam.encode(after.restorable())
    for name, snapshot in (("before", before), ("after", after)):
        documents.write_snapshot(space.folder / "reports" / f"{name}.json", snapshot.restorable())
    ids = {before.arn(thing): thing.seen.id for thing in before.entities() if thing.seen.id}
    new = [arn for thing in after.entities() if ids.get(arn := after.arn(thing), thing.seen.id) != thing.seen.id]
    if first != last:
        out.say("", "the account is NOT as it was: compare reports/before.json and reports/after.json")
        return False
    out.say(
        "",
        f"back at the start: {len(last):,} bytes of snapshot, equal byte for byte.",
        f"What IAM cannot give back: {len(new)} groups, roles and policies have new unique ids, dates and version",
        "numbers, and no record of their last use.",
    )
    return True


def _options(words: str) -> Any:
    """The options of a command line that has nothing but options with values."""
    flags = words.split()[1:]
    return {
        flag.removeprefix("--").replace("-", "_"): value for flag, value in zip(flags[::2], flags[1::2], strict=True)
    }


def _make_room(folder: Path) -> None:
    """Throws away what an earlier demo left, and nothing else."""
    from secmigrate.documents import private_folder
    from secmigrate.errors import BadInput

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        if not (folder / MARKER).exists():
            raise BadInput("is not empty, and no demo made it", where=str(folder), hint="choose another: -w DIR")
        shutil.rmtree(folder)
    private_folder(folder)
    (folder / MARKER).touch(mode=0o600)


@contextmanager
def nobodys_credentials(twin: Twin) -> Iterator[None]:
    """All that looks for AWS in this process finds the twin, past any proxy, and no credentials of the person at the
    keyboard.
    """
    mine = dict(os.environ)
    for name in mine:
        if name.startswith("AWS_"):
            del os.environ[name]
    os.environ |= {
        "AWS_ENDPOINT_URL": twin.url,
        "AWS_ACCESS_KEY_ID": "twin",
        "AWS_SECRET_ACCESS_KEY": "twin",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "*",
        "no_proxy": "*",
    }
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= mine


def _worth_a_look(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")
