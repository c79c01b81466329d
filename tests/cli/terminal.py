"""A real pseudo-terminal with a screen that one can look at."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pexpect
import pyte

from tests.cli.runs import PROGRAM

UP, DOWN, ENTER, CTRL_C = "\x1b[A", "\x1b[B", "\r", "\x03"


class _Screen(pyte.HistoryScreen):  # type: ignore[misc]  # pyte has no types
    """A screen that answers what programs ask a terminal."""

    terminal: Terminal | None = None

    def write_process_input(self, data: str) -> None:
        if self.terminal:
            self.terminal.send(data)


class Terminal:
    """A program at work on a terminal of a size."""

    def __init__(
        self, *words: str | Path, columns: int = 80, rows: int = 40, cwd: Path, env: Mapping[str, str] = {}
    ) -> None:
        self.screen = _Screen(columns, rows, history=10_000, ratio=0.5)
        self.screen.terminal = self
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": "", **env}
        self.process: Any = pexpect.spawn(
            PROGRAM[0],
            [*PROGRAM[1:], *map(str, words)],
            dimensions=(rows, columns),
            cwd=str(cwd),
            env={name: value for name, value in variables.items() if value},
            timeout=60,
        )
        self.process.delaybeforesend = None

    def send(self, keys: str) -> None:
        self.process.send(keys)

    def read(self, seconds: float) -> bool:
        """Takes in what the program writes next; whether it wrote something."""
        try:
            part = self.process.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += part
        self._stream.feed(part)
        return True

    def until(self, text: str, seconds: float = 60) -> str:
        """Waits until the text stands on the screen, gives the screen."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            if time.monotonic() > end:
                raise AssertionError(f"{text!r} never came:\n{self.all}")
            if not self.read(0.05):
                if text in self.shown:
                    break
                raise AssertionError(f"it ended without {text!r}:\n{self.all}")
        return self.shown

    def ended(self, seconds: float = 60) -> int:
        """Waits until the program has ended, gives its exit code; minus a signal."""
        end = time.monotonic() + seconds
        while self.read(0.05):
            assert time.monotonic() < end, f"it goes on:\n{self.all}"
        self.process.close()
        return -self.process.signalstatus if self.process.signalstatus else int(self.process.exitstatus)

    @property
    def shown(self) -> str:
        """The screen as it is now."""
        return "\n".join(line.rstrip() for line in self.screen.display).rstrip() + "\n"

    @property
    def all(self) -> str:
        """The screen and everything that ran out of it at the top."""
        width = self.screen.columns
        above = ["".join(row[at].data for at in range(width)).rstrip() for row in self.screen.history.top]
        return "\n".join([*above, self.shown])
