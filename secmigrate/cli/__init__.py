"""The command line: one short function per command.

Only typer and the standard library are imported before a command runs: `secmigrate --help` must start at once.
"""

from __future__ import annotations

import gc
import sys

from secmigrate.cli.app import app
from secmigrate.cli.completing import asked_by_bash, for_bash
from secmigrate.cli.invoke import with_one_command
from secmigrate.cli.out import plain
from secmigrate.errors import SecmigrateError

# Snapshots are many objects without cycles: to look at them again and again takes a fifth of the time of `access`.
COLLECTOR = (100_000, 50, 100)


def main() -> None:
    """The console script. Whatever goes wrong in a known way ends in one message and the contract's exit code."""
    gc.set_threshold(*COLLECTOR)
    try:
        if (words := asked_by_bash()) is not None:
            for_bash(app, words)
        else:
            with_one_command(sys.argv[1:])()
    except SecmigrateError as error:
        _tell(str(error))
        sys.exit(error.exit_code)
    except OSError as error:  # a file that nobody may look at, or a name that is none: what is there, nobody can tell
        where = f"{error.filename}: " if error.filename else ""
        _tell(f"{where}{error.strerror or error}\nhint: check the path and its permissions")
        sys.exit(1)


def _tell(text: str) -> None:
    for line in f"error: {text}".split("\n"):
        sys.stderr.write(f"{plain(line)}\n")
