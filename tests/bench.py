"""How fast, as ratios: `make bench`. Only what one run measured on one machine is comparable.

One table: each step of a migration on accounts of three sizes, each beside one `json.loads` of the same account that
its process does right after it. Steps take turns, so that a busy machine slows all of them; figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from secmigrate import iam
from secmigrate.iam import Document, Group, Policy, Role, Snapshot, User
from tests import bench_access, bench_report, bench_steps
from tests.bench_accounts import LARGEST, MIDDLE, SMALL, Size
from tests.bench_steps import STEPS, Measured

PROGRAM = Path(sys.executable).with_name("secmigrate")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
SIZES = {"small": SMALL, "500 users": MIDDLE, "maximum": LARGEST}
_MEASURABLE = 0.01  # seconds: of less than that, growth is noise
EMPTY_TYPER = """
import typer
app = typer.Typer(rich_markup_mode=None)
@app.callback()
def main() -> None: ...
@app.command()
def nothing() -> None: ...
app()
"""


def main() -> None:
    """Measures and prints the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--write", action="store_true", help=f"into docs/{PAGE.name} as well")
    options.add_argument("--details", action="store_true", help="small things, and what people use today")
    told = options.parse_args()
    sizes = {name: SIZES[name] for name in SIZES if name in told.sizes}
    lines = list(table(sizes, told.rounds))
    print("\n".join(lines))
    if told.write:
        PAGE.write_text("\n".join((*heading(told.rounds), *lines, "")), encoding="utf-8")
    if told.details:
        details(told.rounds)


def heading(rounds: int) -> Iterator[str]:
    """What the table says, and on what it was measured."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("secmigrate", "msgspec", "boto3", "moto"))
    date, machine = f"{datetime.now(UTC):%Y-%m-%d}", f"{platform.system()} on {platform.machine()}"
    yield from ("# How fast", "")
    yield f"`make bench ARGS=--write` wrote this on {date}: Python {platform.python_version()}, {versions};"
    yield f"{machine}, {os.cpu_count()} cores. At most {rounds} rounds, each step in a process of its own; medians."
    yield ""
    yield "*x parse* is the ratio to one `json.loads` of the same account, in the same process:"
    yield "the figure that means the same on another machine. *Growth* is that of the seconds from the size before."
    yield "Memory is the peak of the process. Calls are those of the IAM API. Plans have each state in between checked."
    yield ""


def table(sizes: Mapping[str, Size], rounds: int) -> Iterator[str]:
    """A line for each step and size."""
    yield "| step | account | JSON | seconds | x parse | growth | peak memory | calls |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as place:
        found: dict[tuple[str, str], Measured] = {}
        megabytes = {}
        for name, size in sizes.items():
            folder = Path(place) / name.replace(" ", "-")
            folder.mkdir()
            megabytes[name] = bench_steps.prepared(size, folder)
            for step, ones in _in_turn(folder, 1 if size == LARGEST else rounds).items():
                found[step, name] = _median(ones)
    for step in STEPS:
        before = 0.0
        for name in sizes:
            if one := found.get((step, name)):
                growth = f"{one.seconds / before:.1f}" if before > _MEASURABLE else ""
                yield (
                    f"| {step} | {name} | {megabytes[name]:.1f} MB | {one.seconds:.2f} | {one.seconds / one.parse:.1f} "
                    f"| {growth} | {one.peak:.0f} MB | {one.calls or ''} |"
                )
                before = one.seconds
            else:
                yield f"| {step} | {name} | {megabytes[name]:.1f} MB | over half an hour | | | | |"


def _in_turn(folder: Path, rounds: int) -> Mapping[str, Sequence[Measured]]:
    """Every step in turn, as often as told; a step that takes over half an hour is not there."""
    found: dict[str, list[Measured]] = {}
    for _ in range(rounds):
        for step in STEPS:
            try:
                found.setdefault(step, []).append(bench_steps.measured(step, folder))
            except subprocess.TimeoutExpired:
                print(f"{step}: over half an hour", file=sys.stderr)
    return {step: ones for step, ones in found.items() if ones}


def _median(ones: Sequence[Measured]) -> Measured:
    """The one in the middle, by its ratio."""
    return sorted(ones, key=lambda one: one.seconds / one.parse)[len(ones) // 2]


def details(rounds: int) -> None:
    """Small things, and what people use today."""
    snapshot = account(5000)
    data = iam.encode(snapshot)
    print(f"\n{len(data) / 1e6:.1f} MB of JSON, {rounds} rounds\n")
    print(f"{'':37}{'median':>10}{'yardstick':>12}{'ratio':>8}")
    for name, side in sides(snapshot, data).items():
        row(f"{name} / json.loads", side, lambda: json.loads(data), rounds)
    row(
        "secmigrate --help / empty typer",
        lambda: run(str(PROGRAM), "--help"),
        lambda: run(sys.executable, "-c", EMPTY_TYPER, "--help"),
        rounds,
    )
    bench_report.main()
    bench_access.main(rounds)


def sides(snapshot: Snapshot, data: bytes) -> Mapping[str, Callable[[], object]]:
    """What is measured against one `json.loads` of the same bytes."""
    one = next(iter(snapshot.users.values()))

    def fingerprint() -> str:
        vars(snapshot).pop("fingerprint", None)  # it is kept once it is known
        return snapshot.fingerprint

    return {
        "iam.decode": lambda: iam.decode(data),
        "iam.encode": lambda: iam.encode(snapshot),
        "fingerprint": fingerprint,
        "1,000 x Snapshot.put": lambda: [snapshot.put(one) for _ in range(1000)],
    }


def account(users: int) -> Snapshot:
    """A made-up account: a group for 17 users, a role for 5, a policy for 4, documents of ordinary size."""
    number = "123456789012"

    def document(of: int) -> Document:
        allow = {
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": f"arn:aws:s3:::bucket-{of}/*",
        }
        return Document({"Version": "2012-10-17", "Statement": [{**allow, "Sid": f"S{each}"} for each in range(6)]})

    trust = Document(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    )
    arns = [f"arn:aws:iam::{number}:policy/policy-{each}" for each in range(max(users // 4, 1))]
    groups = [f"group-{each}" for each in range(max(users // 17, 1))]
    return Snapshot(
        account=number,
        policies={arn: Policy(arn=arn, document=document(each)) for each, arn in enumerate(arns)},
        groups={
            name: Group(name=name, attached=(arns[each % len(arns)],), inline={"own": document(each)})
            for each, name in enumerate(groups)
        },
        roles={
            f"role-{each}": Role(name=f"role-{each}", trust=trust, attached=(arns[each % len(arns)],))
            for each in range(users // 5)
        },
        users={
            f"user-{each}": User(
                name=f"user-{each}",
                groups=tuple(groups[(each * 7 + step) % len(groups)] for step in range(3)),
                tags={"team": f"team-{each % 40}"},
            )
            for each in range(users)
        },
    )


def row(name: str, side: Callable[[], object], yardstick: Callable[[], object], rounds: int) -> None:
    """Measures both in turn and prints their line."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for what, kept in zip((side, yardstick), times, strict=True):
            start = time.perf_counter()
            what()
            kept.append(time.perf_counter() - start)
    ours, theirs = (statistics.median(each) for each in times)
    print(f"{name:37}{ours:9.3f}s{theirs:11.3f}s{ours / theirs:8.2f}")


def run(*command: str) -> None:
    """A program, from start to end."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
