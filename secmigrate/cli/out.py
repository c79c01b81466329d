"""Where a command's words go: what scripts read to stdout, what people read beside it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import typer

if TYPE_CHECKING:
    from collections.abc import Callable


class Out:
    """The output of one command. With `json`, stdout holds one document and nothing else."""

    def __init__(self, json: bool) -> None:
        self.json = json

    def say(self, *lines: str) -> None:
        """Lines for people."""
        for line in lines:
            typer.echo(plain(line), err=self.json)

    def lines(self, lines: Iterable[str]) -> None:
        """The same, from a report."""
        self.say(*lines)

    def document(self, kind: str, value: Any) -> None:
        """The one JSON document, if it is asked for. `value` is a struct or a dict."""
        if not self.json:
            return
        import msgspec

        from secmigrate import iam

        body = msgspec.to_builtins(value, enc_hook=_builtins)
        encoded = msgspec.json.encode({"kind": kind, "version": 1, **body}, enc_hook=iam.to_jsonable)
        typer.echo(msgspec.json.format(encoded, indent=2).decode())

    @contextmanager
    def progress(self, what: str, total: int | None = None) -> Iterator[Callable[[str, int], None]]:
        """A bar on a terminal, two lines elsewhere. Gives a function that is told what is at work and how far it is."""
        if not sys.stderr.isatty():
            typer.echo(f"{what} …", err=True)
            yield lambda doing, n: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

        count = MofNCompleteColumn() if total else TextColumn("{task.completed}")
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20), count)
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda doing, n: bar.update(task, description=f"{what}: {doing}", completed=n)


def finish(code: int) -> NoReturn:
    """Ends the command with one of the contract's exit codes."""
    raise typer.Exit(code)


def plain(line: str) -> str:
    """Without control characters: names in IAM are others' input, and a terminal obeys escape sequences."""
    return "".join(character if character.isprintable() else "�" for character in line)


def _builtins(value: object) -> object:
    from secmigrate.iam import Document

    if isinstance(value, Document):
        return value.value
    raise NotImplementedError(type(value))
