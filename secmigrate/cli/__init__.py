"""The command line: one short function per command.

Only typer and the standard library are imported before a command runs: `secmigrate --help` must start at once.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from secmigrate.cli.app import app
from secmigrate.cli.completing import asked_by_bash, for_bash
from secmigrate.cli.invoke import with_one_command
from secmigrate.cli.out import Out, plain, written
from secmigrate.errors import BadInput, Failed, SecmigrateError

# Snapshots are many objects without cycles: to look at them again and again takes a fifth of the time of `access`.
COLLECTOR = (100_000, 50, 100)

USAGE = 2  # what typer ends with if it cannot use the command line; it has said so then


def main() -> None:
    """The console script. Whatever goes wrong in a known way ends in one message and the contract's exit code; with
    `--json` the message is a document as well, unless there is one already.
    """
    gc.set_threshold(*COLLECTOR)
    json = "--json" in sys.argv
    _make_usable(json=json)
    with written() as documents:
        try:
            _check_text((*sys.argv[1:], os.environ.get("SECMIGRATE_WORKSPACE", "")))
            if (words := asked_by_bash()) is not None:
                for_bash(app, words)
            else:
                with_one_command(sys.argv[1:])()
        except SecmigrateError as error:
            failed = error
        except OSError as error:  # a file that nobody may look at, or a name that is none: nobody can tell
            hint = "check the path and its permissions"
            failed = Failed(error.strerror or str(error), where=str(error.filename or ""), hint=hint)
        except SystemExit as end:
            if json and end.code == USAGE and not documents:
                _document(BadInput("the command line cannot be used", hint="stderr says what of it"))
            raise
        else:
            return
        _tell(str(failed))
        if json and not documents:
            _document(failed)
        sys.exit(failed.exit_code)


def _document(error: SecmigrateError) -> None:
    with suppress(OSError):  # a full disk: the exit code tells it all the same
        told = {"message": error.message, "where": error.where, "hint": error.hint}
        texts = {key: text.encode(errors="replace").decode() for key, text in told.items()}
        Out(json=True).document("error", {"exit_code": error.exit_code, **texts})


def _make_usable(*, json: bool) -> None:
    """Makes the streams ones that can be written to and read from. One that is closed, as some schedulers have it, is
    nowhere. What the encoding of stdout does not have is shown by its number; JSON is UTF-8 (RFC 8259, 8.1).
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 -- as long as it runs
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8" if json else None, errors="backslashreplace")


def _check_text(words: Iterable[str]) -> None:
    """Raises BadInput for bytes that are no text where this program runs: no file of ours could name them."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            hint = "rename what it names; or is it the locale? LC_ALL=C.UTF-8 reads UTF-8"
            raise BadInput("is not text in the encoding of this locale", where=word, hint=hint) from None


def _tell(text: str) -> None:
    with suppress(OSError):  # a full disk: the exit code tells it all the same
        for line in f"error: {text}".split("\n"):
            sys.stderr.write(f"{plain(line)}\n")
