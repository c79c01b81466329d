"""The steps of a migration on generated accounts, each in a process of its own: how long, how much memory, which calls.

A process reads what the step needs, does it once, and then parses the account's JSON: so a busy machine slows both, and
the parse is no part of the memory.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import structs

from secmigrate import diff, documents, iam, mapping, plan, sec
from secmigrate.access import Accepted, Comparison, Watch
from secmigrate.aws import Aws
from secmigrate.cli import COLLECTOR
from secmigrate.iam import Snapshot
from secmigrate.plan import Move
from secmigrate.sources.live import read_live
from tests import bench_accounts
from tests.bench_accounts import Size

PROGRAM = Path(sys.executable).with_name("secmigrate")
NAMES = (
    sec.Client(company_prefix="lumen", tenant_id="a001", account_id="123456789012"),
    sec.Environment(env="prod", region="eu-central-1"),
)
EVERYTHING = Accepted(actions=("*",), why="what is decided is no matter here, only how long it takes")
NEVER = "9999-01-01"


class Measured(NamedTuple):
    """One step, once."""

    seconds: float
    parse: float  # seconds: json.loads of the same account
    peak: float  # megabytes
    calls: int  # of the IAM API


class Stage:
    """The account before and after its migration, as they lie in a folder."""

    def __init__(self, folder: Path) -> None:
        self.before_file, self.after_file = folder / "before.json", folder / "after.json"

    def prepare(self, size: Size) -> float:
        """Writes both; the megabytes of JSON before."""
        before = bench_accounts.account(*size)
        self.before_file.write_bytes(iam.encode(before))
        self.after_file.write_bytes(iam.encode(bench_accounts.migrated(before)))
        return self.before_file.stat().st_size / 1e6

    @property
    def before(self) -> Snapshot:
        return documents.read_snapshot(self.before_file)

    @property
    def after(self) -> Snapshot:
        return documents.read_snapshot(self.after_file)

    def deployed(self, before: Snapshot, after: Snapshot, *, moved: bool = False) -> Snapshot:
        """The account with its new groups, roles and policies beside the old ones; its people moved, or not yet."""
        users = {
            name: structs.replace(
                one, groups=tuple(sorted({*one.groups, *(after.users[name].groups if moved else ())}))
            )
            for name, one in before.users.items()
        }
        rooms = {room: {**getattr(before, room), **getattr(after, room)} for room in ("groups", "roles", "policies")}
        return structs.replace(before, users=users, **rooms)


def moves(before: Snapshot, after: Snapshot) -> tuple[Move, ...]:
    """What became what, as `bench_migrated` names it."""
    groups = (Move("group", name, f"sec-{name}") for name in before.groups)
    roles = (Move("role", name, f"{name}-sec") for name in before.roles if f"{name}-sec" in after.roles)
    return (*groups, *roles)


Step = Callable[[], object]


def inventory(stage: Stage) -> Step:
    """Everything, over HTTP, from a twin in a process of its own."""
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
            twin.wait()
        return aws.calls

    return read


class _Counting(Aws):
    calls = 0

    def _send(self, service: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        return super()._send(service, method, params)


def read(stage: Stage) -> Step:
    """The snapshot from its file."""
    return lambda: stage.before


def fingerprint(stage: Stage) -> Step:
    """Of the snapshot in memory."""
    before = stage.before
    return lambda: before.fingerprint


def map_(stage: Stage) -> Step:
    """From a snapshot to the config and the planned snapshot."""
    snapshot, catalogue = stage.before, documents.catalogue()

    def mapped() -> None:
        decided = mapping.decide(snapshot, catalogue, names=NAMES)
        choice = mapping.choose_tier(decided, catalogue)
        mapping.unreached(decided, snapshot, mapping.ladders_of(snapshot, catalogue, None, NAMES))
        config = mapping.sec_config(decided, catalogue, client=NAMES[0], environment=NAMES[1], tier=choice.tier)
        sec.planned(config, catalogue.levels, documents.aws_managed())

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
    before, after = stage.before, stage.after
    live = stage.deployed(before, after)
    return lambda: plan.readd(live, moves(before, after), before.members, (), _watch(live))


def decommission(stage: Stage) -> Step:
    """The plan, with every state in between checked; all that is lost is accepted, so that everything goes."""
    before, after = stage.before, stage.after
    live = stage.deployed(before, after, moved=True)
    return lambda: plan.decommission(live, moves(before, after), NEVER, _watch(live))


def _watch(live: Snapshot) -> Watch:
    return Watch(documents.aws_actions(), (live,), (EVERYTHING,))


STEPS: Mapping[str, Callable[[Stage], Step]] = {
    "inventory (twin)": inventory,
    "read": read,
    "fingerprint": fingerprint,
    "map": map_,
    "diff": diff_,
    "access, all users": access,
    "plan: readd": readd,
    "plan: decommission": decommission,
}


def prepared(size: Size, folder: Path) -> float:
    """Writes the accounts of that size; the megabytes of JSON before. In a process of its own: the peak of memory of a
    process that starts others is theirs as well.
    """
    command = [sys.executable, "-m", "tests.bench_steps", "prepare", str(folder), *map(str, size)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measured(name: str, folder: Path) -> Measured:
    """The step in a process of its own. Raises CalledProcessError, and TimeoutExpired after half an hour."""
    command = [sys.executable, "-m", "tests.bench_steps", name, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=1800)
    return Measured(*json.loads(done.stdout))


def _measure(name: str, folder: Path) -> Measured:
    gc.set_threshold(*COLLECTOR)
    stage = Stage(folder)
    step = STEPS[name](stage)
    begun = time.perf_counter()
    found = step()
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    data, parses = stage.before_file.read_bytes(), []
    for _ in range(3):
        begun = time.perf_counter()
        json.loads(data)
        parses.append(time.perf_counter() - begun)
    return Measured(seconds, statistics.median(parses), peak, found if isinstance(found, int) else 0)


if __name__ == "__main__":
    what, place, *figures = sys.argv[1:]
    if what == "prepare":
        print(Stage(Path(place)).prepare(Size(*map(int, figures))))
    else:
        print(json.dumps(_measure(what, Path(place))))
