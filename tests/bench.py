"""How fast, as ratios: `make bench`. Only the two sides of one table, in one run, on one machine, are comparable.

Each side runs in turn with its yardstick, so that a busy machine slows both; the ratio is of the medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from secmigrate import iam
from secmigrate.iam import Document, Group, Policy, Role, Snapshot, User
from tests import bench_access, bench_map, bench_report

PROGRAM = Path(sys.executable).with_name("secmigrate")
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
    """Measures and prints one table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--users", type=int, default=5000)
    options.add_argument("--rounds", type=int, default=7)
    told = options.parse_args()

    snapshot = account(told.users)
    data = iam.encode(snapshot)
    print(f"{told.users} users, {len(data) / 1e6:.1f} MB of JSON, {told.rounds} rounds\n")
    print(f"{'':37}{'median':>10}{'yardstick':>12}{'ratio':>8}")
    for name, side in sides(snapshot, data).items():
        row(f"{name} / json.loads", side, lambda: json.loads(data), told.rounds)
    row(
        "secmigrate --help / empty typer",
        lambda: run(str(PROGRAM), "--help"),
        lambda: run(sys.executable, "-c", EMPTY_TYPER, "--help"),
        told.rounds,
    )
    bench_map.main()
    bench_report.main()
    bench_access.main()


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
