"""A real pseudo-terminal with a screen that one can look at, and a person who answers on it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pexpect
import pyte

from tests.cli.runs import PROGRAM

ENTER, CTRL_C, CTRL_D = "\r", "\x03", "\x04"
_MENU = "(arrows"  # what a menu says behind its question, as long as nobody has answered
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x08")


class _Screen(pyte.HistoryScreen):
    """A screen that answers what programs ask a terminal."""

    terminal: Terminal | None = None

    def write_process_input(self, data: str) -> None:
        if self.terminal:
            self.terminal.send(data)


def _heed_the_terminal() -> None:
    """As on a terminal, whatever the tests themselves are to ignore (`nohup make test`)."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Terminal:
    """A program at work on a terminal of a size."""

    def __init__(
        self,
        *words: str | Path,
        columns: int = 80,
        rows: int = 40,
        cwd: Path,
        env: Mapping[str, str] = {},
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.screen = _Screen(columns, rows, history=10_000, ratio=0.5)
        self.screen.terminal = self
        self._stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self._answered = 0  # how much of that came before the last answer
        variables = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "", "LINES": "", "NO_COLOR": "", **env}
        self.process: Any = pexpect.spawn(
            program[0],
            [*program[1:], *map(str, words)],
            dimensions=(rows, columns),
            cwd=str(cwd),
            env={name: value for name, value in variables.items() if value},
            preexec_fn=_heed_the_terminal,
        )
        self.process.delaybeforesend = None

    def send(self, keys: str) -> None:
        self.process.send(keys)

    def read(self, seconds: float = 0.05) -> bool:
        """Takes in what the program writes next; False once it has ended."""
        try:
            part = self.process.read_nonblocking(65536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += part
        self._stream.feed(part)
        return True

    def asked(self, question: str, *, menu: bool = True) -> None:
        """Waits for a question that nobody has answered."""
        self.asked_one_of({question: menu})

    def asked_one_of(self, questions: Mapping[str, bool], seconds: float = 300) -> str:
        """Waits for one of these questions, gives which; the values are whether it is a menu."""
        end = time.monotonic() + seconds
        while True:
            said = self.fresh
            for question, menu in questions.items():
                if _stands(said, question, menu=menu):
                    return question
            assert time.monotonic() < end, f"nobody asked {list(questions)[:3]}:\n{self.all}"
            if not self.read():
                raise AssertionError(f"it ended without {list(questions)[:3]}:\n{self.all}")

    @property
    def fresh(self) -> str:
        """What the program wrote since the last answer, as text without blanks: a line may be broken anywhere."""
        return _squeezed(_CONTROL.sub("", self.raw[self._answered :].decode(errors="replace")))

    def answer(self, keys: str) -> None:
        self._answered = len(self.raw)
        self.send(keys)

    def until(self, text: str, seconds: float = 300) -> None:
        """Waits until the text stands on the screen."""
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, f"{text!r} never came:\n{self.all}"
            assert self.read(), f"it ended without {text!r}:\n{self.all}"

    def ended(self, seconds: float = 300) -> int:
        """Waits until the program has ended, gives its exit code; minus a signal."""
        end = time.monotonic() + seconds
        while self.read():
            assert time.monotonic() < end, f"it goes on:\n{self.all}"
        self.process.close()
        return -self.process.signalstatus if self.process.signalstatus else int(self.process.exitstatus)

    def hang_up(self) -> None:
        """Closes the terminal under the program."""
        pty = self.process.ptyproc
        pty.fileobj.close()
        # Else whoever collects them closes the number again, which is somebody else's by then.
        pty.closed = self.process.closed = True
        pty.fd = self.process.child_fd = -1

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


def _stands(said: str, question: str, *, menu: bool) -> bool:
    """Whether a question waits: a menu says which keys to press, a text has nothing behind it yet."""
    _, found, rest = said.rpartition(_squeezed(f"? {question}"))
    return bool(found) and (rest.startswith(_MENU) if menu else not rest)


def _squeezed(text: str) -> str:
    return "".join(text.split())
