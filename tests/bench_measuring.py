"""How one thing is measured: a process of its own does it once, and then parses the account's JSON.

So a busy machine slows both, and the parse is no part of the memory.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

LONGEST = 1800  # seconds that a step may take


class Measured(NamedTuple):
    """One step, once."""

    seconds: float
    parse: float  # seconds: json.loads of the same account
    peak: float  # megabytes, a million bytes each
    calls: int = 0  # of the IAM API

    @property
    def ratio(self) -> float:
        """How many parses it took."""
        return self.seconds / self.parse


class Pair(NamedTuple):
    """What we do, and right after it what somebody else does: seconds, and calls of the IAM API if both make some."""

    ours: float
    theirs: float
    our_calls: int = 0
    their_calls: int = 0

    @property
    def ratio(self) -> float:
        """How many times as long the other one takes."""
        return self.theirs / self.ours


One = TypeVar("One", Measured, Pair)


def measure(step: Callable[[], object], account: Path) -> Measured:
    """Here and now. A step that returns a number made so many calls."""
    begun = time.perf_counter()
    found = step()
    seconds = time.perf_counter() - begun
    memory, data, parses = peak(), account.read_bytes(), []
    for _ in range(3):
        begun = time.perf_counter()
        json.loads(data)
        parses.append(time.perf_counter() - begun)
    return Measured(seconds, statistics.median(parses), memory, found if isinstance(found, int) else 0)


def peak() -> float:
    """The most memory that this process had, in millions of bytes."""
    with suppress(OSError):  # what `resource` tells on Linux has the most of the process that started this one in it
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most * (1 if sys.platform == "darwin" else 1024) / 1e6


def elsewhere(module: str, *words: str | Path) -> str:
    """What a module of ours prints in a process of its own. Raises CalledProcessError, and TimeoutExpired."""
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST).stdout


def median(ones: Sequence[One]) -> One:
    """The one in the middle, by its ratio."""
    return sorted(ones, key=lambda one: one.ratio)[len(ones) // 2]
