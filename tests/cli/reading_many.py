"""Reads one account again and again, then many, and tells what each cost, in a process of its own.

python -m tests.cli.reading_many URL ACCOUNTS FOLDER AT_ONCE
"""

from __future__ import annotations

import gc
import re
import sys
import time
from pathlib import Path

import msgspec
import typer

from secmigrate import documents
from secmigrate.aws import Aws
from secmigrate.cli import COLLECTOR, many
from secmigrate.cli.out import Out
from secmigrate.workspace import Workspace

ROUNDS = 20


class Cost(msgspec.Struct):
    """CPU of one account, warm and as one of many, in seconds; the most memory that was in use, in bytes; exit code."""

    warm: float
    each: float
    peak: int
    code: int


def main(url: str, accounts: int, folder: Path, at_once: int) -> Cost:
    """Measures. The many are `000000000001` and so on, with a role `reader`."""
    gc.set_threshold(*COLLECTOR)
    aws, known = Aws(endpoint=url), documents.aws_managed()

    def warm() -> float:
        begun = time.process_time()
        for _ in range(ROUNDS):
            many._read_one(aws, Workspace(folder / "warm"), known)
        return (time.process_time() - begun) / ROUNDS

    warm()
    before = warm()
    (folder / "list").write_text("".join(f"{number:012}\n" for number in range(1, accounts + 1)))
    begun, code = time.process_time(), 0
    try:
        many.read_new(many.Asked(folder / "list", False, "reader", None), aws, folder / "many", Out(True), at_once)
    except typer.Exit as end:
        code = end.exit_code
    each = (time.process_time() - begun) / accounts
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return Cost((before + warm()) / 2, each, int(peak[1]) * 1024 if peak else 0, code)


if __name__ == "__main__":
    cost = main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
    sys.stderr.write(msgspec.json.encode(cost).decode())
