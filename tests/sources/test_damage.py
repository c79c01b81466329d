"""10,000 damaged files (`damage`): a clear error with its place or a reading; no traceback, no hang, no full memory.

Each batch is a process of its own under limits, so that a hang or a full memory is really seen. `make test` reads a
spread of them, `make stress` (`DAMAGED=10000`) all.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.sources.damage import by_hand, damaged

MANY = int(os.environ.get("DAMAGED", "300"))
ALL = 10_000
BATCH = 100
NUMBERS = [*range(0, ALL, ALL // max(MANY // BATCH, 1))][: max(MANY // BATCH, 1)]


@pytest.mark.parametrize("first", NUMBERS)
def test_a_damaged_file_is_read_or_said(first: int) -> None:
    command = [sys.executable, "-m", "tests.sources.damage", str(first), str(BATCH)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    last = rows[-1].get("number", "?") if rows else first - 1
    assert ended.returncode == 0, f"file {last} was the last that was read; after it:\n{ended.stderr[-3000:]}"
    assert len(rows) == BATCH + 1
    assert {row["outcome"] for row in rows[:-1]} <= {"read", "said"}


def test_the_same_number_gives_the_same_files() -> None:
    for number in (0, len(by_hand()), 5_000, 9_999):
        assert damaged(number) == damaged(number)
    assert len({str(damaged(number)) for number in range(100, 400)}) > 290
