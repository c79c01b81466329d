"""`access` for everybody, both sides, beside one JSON parse of the same account and what people use today.

Each measurement is a process of its own, so that its peak memory is its own; the tools take turns.
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from secmigrate import documents, iam
from secmigrate.access import Comparison
from secmigrate.cli import COLLECTOR
from tests import bench_accounts, bench_others
from tests.bench_accounts import LARGEST, MIDDLE, SMALL, Size

_SAMPLE = 10  # users that iam-ape is asked about, of 500: a second each


class Measured(NamedTuple):
    """One comparison of everybody."""

    users: int
    megabytes: float  # of JSON, one side
    parse: float  # seconds: json.loads of one side
    seconds: float  # the comparison, from two snapshots in memory to everybody's change
    peak: float  # megabytes of memory, with the two snapshots
    rows: int


def main(rounds: int = 3) -> None:
    """Measures and prints two tables."""
    measured = {size: [_measured(size) for _ in range(rounds)] for size in (SMALL, MIDDLE)}
    measured[LARGEST] = [_measured(LARGEST)]
    print(f"\n{'access, everybody, both sides':37}{'JSON':>10}{'json.loads':>12}{'access':>9}{'ratio':>8}{'memory':>9}")
    for size, ones in measured.items():
        one = _median(ones)
        print(
            f"{size.users:6} users, {one.rows:7} differences     {one.megabytes:7.1f} MB{one.parse:11.3f}s"
            f"{one.seconds:8.2f}s{one.seconds / one.parse:8.1f}{one.peak:6.0f} MB"
        )
    growth = _median(measured[LARGEST]).seconds / _median(measured[MIDDLE]).seconds
    print(f"from {MIDDLE.users} to {LARGEST.users} users: {growth:.1f} times the time\n")
    try:
        _beside(rounds)
    except subprocess.CalledProcessError as error:
        print(f"what people use today is not shown: {error}")


def _beside(rounds: int) -> None:
    """What people use today, on the account of 500 users; each in turn."""
    snapshot = bench_accounts.account(*MIDDLE)
    ours, ape, scan = [], [], []
    with bench_others.tools() as programs, tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as folder:
        file = bench_others.write_details(snapshot, Path(folder) / "details.json")
        for turn in range(rounds):
            ours.append(_measured(MIDDLE).seconds / MIDDLE.users)
            arns = bench_others.sample(snapshot, _SAMPLE, seed=turn)
            ape.append(bench_others.iam_ape(programs, file, arns).evaluate)
            scan.append(bench_others.cloudsplaining(programs, file))
    mine, theirs = statistics.median(ours), statistics.median(ape)
    print(f"{MIDDLE.users} users, median of {rounds} turns")
    print(f"  access, both sides compared{mine * 1e3:10.1f} ms a user")
    print(f"  iam-ape, one side          {theirs * 1e3:10.1f} ms a user{theirs / mine:8.0f} times as much")
    print(f"  cloudsplaining scan, no comparison {statistics.median(scan):8.1f} s in all")


def _measured(size: Size) -> Measured:
    command = [sys.executable, "-m", "tests.bench_access", *map(str, size)]
    return Measured(*json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout))


def _median(ones: Sequence[Measured]) -> Measured:
    return sorted(ones, key=lambda one: one.seconds / one.parse)[len(ones) // 2]


def measure(size: Size) -> Measured:
    """Here and now: an account of that size is made up, migrated and compared, with the collector as the program has
    it.
    """
    gc.set_threshold(*COLLECTOR)
    before = bench_accounts.account(*size)
    after = bench_accounts.migrated(before)
    data = iam.encode(before)
    parses: list[float] = []
    for _ in range(3):
        with _timed(parses):
            json.loads(data)
    took: list[float] = []
    with _timed(took):
        changes = list(Comparison(before, after, documents.aws_actions()).users())
    rows = sum(len(rows) for one in changes for rows in (one.lost, one.gained, one.may_lose, one.may_gain))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(size.users, len(data) / 1e6, statistics.median(parses), took[0], peak, rows)


@contextmanager
def _timed(kept: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    kept.append(time.perf_counter() - start)


if __name__ == "__main__":
    print(json.dumps(measure(Size(*map(int, sys.argv[1:])))))
