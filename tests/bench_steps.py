"""The steps of a migration on generated accounts, as `make bench` measures them.

`python -m tests.bench_steps STEP FOLDER` does one, on the account that `prepared` has left in the folder. What only one
step needs is imported in it: the memory of the others is not to have it.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from msgspec import structs

from secmigrate import diff, documents, iam, mapping, plan, sec
from secmigrate.access import Accepted, Comparison, Watch
from secmigrate.aws import Aws
from secmigrate.cli import COLLECTOR
from secmigrate.iam import Snapshot
from secmigrate.plan import Move
from tests import bench_accounts
from tests.bench_accounts import Size
from tests.bench_measuring import Measured, elsewhere, measure

PROGRAM = Path(sys.executable).with_name("secmigrate")
NAMES = (
    sec.Client(company_prefix="lumen", tenant_id="a001", account_id="123456789012"),
    sec.Environment(env="prod", region="eu-central-1"),
)
WORDS = ("--company-prefix", "lumen", "--tenant-id", "a001", "--region", "eu-central-1")
EVERYTHING = Accepted(actions=("*",), why="what is decided is no matter here, only how long it takes")
NEVER = "9999-01-01"


class Stage:
    """The account before and after its migration, as they lie in a folder; and its workspace, mapped."""

    def __init__(self, folder: Path) -> None:
        self.before_file, self.after_file = folder / "before.json", folder / "after.json"
        self.migration = folder / "migration"

    def prepare(self, size: Size) -> None:
        """Writes all of it."""
        from tests.cli.runs import run

        before = bench_accounts.account(*size)
        self.before_file.write_bytes(iam.encode(before))
        self.after_file.write_bytes(iam.encode(bench_accounts.migrated(before)))
        for words in (("inventory", "--from", self.before_file), ("map", *WORDS)):
            done = run(*words, "-w", self.migration)
            if done.code != 0:
                raise RuntimeError(f"secmigrate {words[0]} failed: {done.err}")

    @cached_property
    def before(self) -> Snapshot:
        return documents.read_snapshot(self.before_file)

    @cached_property
    def after(self) -> Snapshot:
        return documents.read_snapshot(self.after_file)

    def deployed(self, *, moved: bool = False) -> Snapshot:
        """The account with its new groups, roles and policies beside the old ones; its people moved, or not yet."""
        before, after = self.before, self.after
        users = {
            name: structs.replace(
                one, groups=tuple(sorted({*one.groups, *(after.users[name].groups if moved else ())}))
            )
            for name, one in before.users.items()
        }
        rooms = {room: {**getattr(before, room), **getattr(after, room)} for room in ("groups", "roles", "policies")}
        return structs.replace(before, users=users, **rooms)

    def moves(self) -> tuple[Move, ...]:
        """What became what, as `bench_migrated` names it."""
        roles = self.after.roles
        return (
            *(Move("group", name, f"sec-{name}") for name in self.before.groups),
            *(Move("role", name, f"{name}-sec") for name in self.before.roles if f"{name}-sec" in roles),
        )


Step = Callable[[], object]


def inventory(stage: Stage) -> Step:
    """Everything, over HTTP, from a twin in a process of its own; gives the number of calls."""
    from secmigrate.sources.live import read_live

    os.environ.update(AWS_ACCESS_KEY_ID="invented", AWS_SECRET_ACCESS_KEY="invented", AWS_EC2_METADATA_DISABLED="true")
    command = [str(PROGRAM), "twin", "--from", str(stage.before_file)]
    twin = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert twin.stdout is not None
    aws = _Counting(endpoint=twin.stdout.readline().strip(), region="us-east-1")
    known = documents.aws_managed()

    def read() -> int:
        try:
            read_live(aws, known)
        finally:
            twin.terminate()
            twin.communicate()
        return aws.calls

    return read


class _Counting(Aws):
    calls = 0

    def _send(self, service: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        return super()._send(service, method, params)


def read(stage: Stage) -> Step:
    """The snapshot from its file."""
    return lambda: documents.read_snapshot(stage.before_file)


def fingerprint(stage: Stage) -> Step:
    """Of the snapshot in memory."""
    before = stage.before
    return lambda: before.fingerprint


def map_(stage: Stage) -> Step:
    """From a snapshot to the config and the planned snapshot."""
    snapshot, catalogue = stage.before, documents.catalogue()

    def mapped() -> object:
        ladders = mapping.ladders_of(snapshot, catalogue, None, NAMES)
        decided = mapping.decide(snapshot, catalogue, names=NAMES, ladders=ladders)
        choice = mapping.choose_tier(decided, catalogue)
        unreached = mapping.unreached(decided, snapshot, ladders)
        client, environment = NAMES
        config = mapping.sec_config(
            decided, catalogue, client=client, environment=environment, tier=choice.tier, ladders=ladders
        )
        return decided, unreached, config, sec.planned(config, catalogue.levels, documents.aws_managed())

    return mapped


def diff_(stage: Stage) -> Step:
    """Planned against existing."""
    before, after = stage.before, stage.after
    return lambda: diff.diff(after, before, ("groups", "roles"))


def access(stage: Stage) -> Step:
    """Everybody, both sides, both ways."""
    before, after = stage.before, stage.after
    return lambda: list(Comparison(before, after, documents.aws_actions()).users())


def readd(stage: Stage) -> Step:
    """The plan, with every state in between checked."""
    live, moves, members = stage.deployed(), stage.moves(), stage.before.members
    return lambda: plan.readd(live, moves, members, (), _watch(live))


def decommission(stage: Stage) -> Step:
    """The plan, with every state in between checked; all that is lost is accepted, so that everything goes."""
    live, moves = stage.deployed(moved=True), stage.moves()
    return lambda: plan.decommission(live, moves, NEVER, _watch(live))


def _watch(live: Snapshot) -> Watch:
    return Watch(documents.aws_actions(), (live,), (EVERYTHING,))


def whole(stage: Stage) -> Step:
    """What lies between inventory and report, one after the other; all that they find is kept."""
    steps = [step(stage) for step in (map_, diff_, access, readd, decommission)]
    return lambda: [step() for step in steps]


def report(stage: Stage) -> Step:
    """The HTML file, of the workspace as `map` left it: everybody's access compared with what it would become."""
    from secmigrate.cli.report import facts
    from secmigrate.reports.gathering import report as gathered
    from secmigrate.reports.page import page
    from secmigrate.workspace import Workspace

    space, file = Workspace(stage.migration), stage.migration / "report.html"
    return lambda: documents.write_whole(file, page(gathered(facts(space))))


WHOLE = "map + diff + access + plans, one process"
STEPS: Mapping[str, Callable[[Stage], Step]] = {
    "inventory (twin)": inventory,
    "read": read,
    "fingerprint": fingerprint,
    "map": map_,
    "diff": diff_,
    "access, all users": access,
    "plan: readd": readd,
    "plan: decommission": decommission,
    WHOLE: whole,
    "report (HTML)": report,
}


def prepared(size: Size, folder: Path) -> None:
    """Leaves the account of that size in the folder."""
    elsewhere(__name__, "prepare", folder, *map(str, size))


def measured(step: str, folder: Path) -> Measured:
    """The step, in a process of its own. Raises CalledProcessError and TimeoutExpired."""
    return Measured(*json.loads(elsewhere(__name__, step, folder)))


def main(what: str, place: str, *figures: str) -> None:
    """Does what a process of its own is for, with the collector as the program has it."""
    gc.set_threshold(*COLLECTOR)
    stage = Stage(Path(place))
    if what == "prepare":
        stage.prepare(Size(*map(int, figures)))
    else:
        print(json.dumps(measure(STEPS[what](stage), stage.before_file)))


if __name__ == "__main__":
    main(*sys.argv[1:])
