"""How fast, as ratios: `make bench`. Only what one run measured on one machine is comparable.

Each step of a migration on accounts of three sizes, each beside one `json.loads` of the same account that its process
does right after it; and beside it what people use today. In each round all of them take their turn, so that a busy
machine slows all of them; figures are medians.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests import bench_guide, bench_table
from tests.bench_accounts import LARGEST, MIDDLE, SMALL
from tests.bench_measuring import Measured, Pair
from tests.bench_others import FOLDER, TOOLS, Programs, installed
from tests.bench_rivals import RIVALS
from tests.bench_steps import STEPS, measured, prepared
from tests.bench_table import Circumstances

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_MISSING = "not there"
SIZES = {"small": SMALL, "500 users": MIDDLE, "maximum": LARGEST}


def main() -> None:
    """Measures, prints the tables, and writes them into the docs if told to."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    options.add_argument(
        "--steps", nargs="+", choices=STEPS, default=list(STEPS), metavar="STEP", help=", ".join(STEPS)
    )
    options.add_argument("--rounds", type=int, default=3)
    alone = f"without what people use today, which needs PyPI (kept in the folder that {FOLDER} names, if it does)"
    options.add_argument("--alone", action="store_true", help=alone)
    options.add_argument("--write", action="store_true", help=f"into docs/{PAGE.name} as well")
    told = options.parse_args()
    at = circumstances(told.rounds)
    if told.write:
        bench_table.replaced(PAGE.read_text(encoding="utf-8"), ())  # better now than after an hour
    with tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as place:
        bench = Bench(Path(place), [name for name in SIZES if name in told.sizes])
        if told.alone:
            bench.run(told.rounds, told.steps, None)
        else:
            with installed() as programs:
                aws = bench_guide.cli_version()
                at.versions.update(awscli=aws or _MISSING)
                at.versions.update({tool: TOOLS[tool] if place else _MISSING for tool, place in programs.items()})
                bench.run(told.rounds, told.steps, {**programs, "aws": bench_guide.PROGRAMS if aws else None})
        lines = list(bench_table.report(at, bench.bytes_of, bench.found, bench.beside))
    print("\n".join(lines))
    if told.write:
        PAGE.write_text(bench_table.replaced(PAGE.read_text(encoding="utf-8"), lines), encoding="utf-8")


def circumstances(rounds: int) -> Circumstances:
    """What is so before anything is measured."""
    return Circumstances(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        python=platform.python_version(),
        machine=f"{platform.system()} on {platform.machine()}",
        cores=os.cpu_count() or 1,
        load=os.getloadavg()[0],
        rounds=rounds,
        versions={name: version(name) for name in ("secmigrate", "msgspec", "boto3", "moto")},
    )


class Bench:
    """One run, and what it has found so far."""

    def __init__(self, place: Path, sizes: Sequence[str]) -> None:
        self.folders = {name: place / name.replace(" ", "-") for name in sizes}
        self.bytes_of: dict[str, int] = {}
        self.found: dict[tuple[str, str], list[Measured]] = {}
        self.beside: dict[tuple[str, str, str], list[Pair]] = {}

    def run(self, rounds: int, steps: Sequence[str], programs: Programs | None) -> None:
        """Everything in turn, as often as told. What failed once is not tried again."""
        for name, folder in self.folders.items():
            _say(f"making the account: {name}")
            folder.mkdir()
            prepared(SIZES[name], folder)
            self.bytes_of[name] = (folder / "before.json").stat().st_size
        self.found = {(step, name): [] for step in steps for name in self.folders}
        for turn in range(rounds):
            for name in self.folders:
                for step in steps:
                    if len(self.found[step, name]) == turn:
                        _say(f"round {turn + 1} of {rounds}, {name}: {step}")
                        self._step(step, name)
                if programs is not None:
                    self._rivals(name, programs, turn)

    def _step(self, step: str, name: str) -> None:
        try:
            self.found[step, name].append(measured(step, self.folders[name]))
        except subprocess.SubprocessError as error:
            _say(f"{step} did not end: {error}")

    def _rivals(self, name: str, programs: Mapping[str, Path | None], turn: int) -> None:
        for rival in RIVALS:
            if name in rival.sizes:
                pairs = self.beside.setdefault((rival.ours, rival.theirs, name), [])
                if len(pairs) == turn:
                    _say(f"round {turn + 1}, {name}: {rival.theirs}")
                    one = rival.beside(self.folders[name], programs, turn)
                    pairs.extend([one] if one else [])


def _say(what: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
