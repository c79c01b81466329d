"""Where a command's words go: what scripts read to stdout, what people read beside it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TextIO

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

# Letters and marks that Python prints and nobody sees: joiners, fillers, selectors of variants.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))

NARROW = 40  # columns; below, lines are left to the terminal
EVERY = 5.0  # seconds between two lines of progress, where nothing may move


class Heard(NamedTuple):
    """What a command said to somebody who asked in its place, and how it ended."""

    lines: list[str]
    document: dict[str, Any]
    code: int = 0


_HEARD: ContextVar[Heard | None] = ContextVar("heard", default=None)


@contextmanager
def hearing() -> Iterator[Heard]:
    """Keeps what commands say instead of printing it."""
    heard = Heard([], {})
    before = _HEARD.set(heard)
    try:
        yield heard
    finally:
        _HEARD.reset(before)


_WRITTEN: ContextVar[list[str] | None] = ContextVar("written", default=None)


@contextmanager
def written() -> Iterator[list[str]]:
    """The kinds of the JSON documents that were written to stdout meanwhile."""
    kinds: list[str] = []
    before = _WRITTEN.set(kinds)
    try:
        yield kinds
    finally:
        _WRITTEN.reset(before)


class Out:
    """The output of one command. With `json`, stdout holds one document and nothing else."""

    def __init__(self, json: bool) -> None:
        self.json = json

    def say(self, *lines: str) -> None:
        """Lines for people; on a terminal they are broken between words."""
        if heard := _HEARD.get():
            heard.lines.extend(map(plain, lines))
            return
        width = _width(sys.stderr if self.json else sys.stdout)
        for line in lines:
            for part in fitted(plain(line), width):
                typer.echo(part, err=self.json)

    def command(self, line: str) -> None:
        """A command line for a shell, to be copied: never broken."""
        if heard := _HEARD.get():
            heard.lines.append(plain(line))
        else:
            typer.echo(plain(line), err=self.json)

    def lines(self, lines: Iterable[str]) -> None:
        """The same, from a report."""
        self.say(*lines)

    def document(self, kind: str, value: Any) -> None:
        """The one JSON document, if it is asked for. `value` is a struct or a dict."""
        heard = _HEARD.get()
        if not self.json and heard is None:
            return
        import msgspec

        from secmigrate import iam

        body = msgspec.to_builtins(value, enc_hook=_builtins)
        if heard is not None:
            heard.document.update(body)
            return
        encoded = msgspec.json.encode({"kind": kind, "version": 1, **body}, enc_hook=iam.to_jsonable)
        self.text(kind, [msgspec.json.format(encoded, indent=2).decode(), "\n"])

    def text(self, kind: str, pieces: Iterable[str]) -> None:
        """The one JSON document as text, in pieces."""
        if (kinds := _WRITTEN.get()) is not None:
            kinds.append(kind)
        sys.stdout.writelines(pieces)
        sys.stdout.flush()

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Callable[[str, int], None]]:
        """A bar on a terminal, lines where nothing may move. Gives a function that is told what is at work and how far
        it is.
        """
        if not sys.stderr.isatty():
            typer.echo(f"{what} …", err=True)
            yield lambda doing, n: None
            return
        if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            yield _in_lines(what, total)
            return
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
        from rich.table import Column

        count = MofNCompleteColumn() if total else TextColumn("{task.fields[count]}")
        one_line = Column(no_wrap=True, overflow="ellipsis")
        doing = TextColumn("{task.description}", table_column=one_line)
        columns = (SpinnerColumn(), doing, BarColumn(bar_width=20), count)
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total, count="")
            yield lambda now, n: bar.update(
                task, description=escape(plain(f"{what}: {now}")), completed=n, count=str(n)
            )

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """The same for work on this machine: a log need not tell of it."""
        if not sys.stderr.isatty():
            yield
            return
        with self.progress(what):
            yield


def _in_lines(what: str, total: int | None) -> Callable[[str, int], None]:
    typer.echo(f"{what} …", err=True)
    last = time.monotonic()

    def tell(doing: str, n: int) -> None:
        nonlocal last
        if time.monotonic() - last >= EVERY:
            last = time.monotonic()
            typer.echo(plain(f"{what}: {doing}, {n}{f' of {total}' if total else ''}"), err=True)

    return tell


def finish(code: int) -> NoReturn:
    """Ends the command with one of the contract's exit codes."""
    raise typer.Exit(code)


def plain(line: str) -> str:
    """Without control characters: names in IAM are others' input, and a terminal obeys escape sequences. Without what
    turns the direction of text and what nobody sees, too: two names must not look like one.
    """
    if line.isascii() and line.isprintable():
        return line
    return "".join(one if one.isprintable() and not _unseen(one) else "�" for one in line)


def _unseen(one: str) -> bool:
    return one in _UNSEEN or any(ord(one) in selectors for selectors in _SELECTORS)


def fitted(line: str, width: int, *, prose: bool = False) -> list[str]:
    """The line in parts of at most so many columns, broken between words, each but the first further in, if it is no
    prose; a word that is longer stays whole. Width 0: as it is.
    """
    if width < NARROW or len(line) <= width:
        return [line]
    from textwrap import wrap

    lead = line[: len(line) - len(line.lstrip())]
    further = lead if prose else f"{lead}    " if len(lead) < width // 2 else "    "
    return wrap(
        line.lstrip(),
        width,
        initial_indent=lead,
        subsequent_indent=further,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _width(stream: TextIO) -> int:
    """The columns of a terminal; 0 for what is none."""
    return shutil.get_terminal_size().columns if stream.isatty() else 0


def _builtins(value: object) -> object:
    from secmigrate.iam import Document

    if isinstance(value, Document):
        return value.value
    raise NotImplementedError(type(value))
