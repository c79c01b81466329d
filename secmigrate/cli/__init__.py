"""The command line: one short function per command.

Only typer and the standard library are imported before a command runs: `secmigrate --help` must start at once.
"""

from __future__ import annotations

import sys

from secmigrate.cli.app import app
from secmigrate.errors import SecmigrateError


def main() -> None:
    """The console script. Whatever goes wrong in a known way ends in one message and the contract's exit code."""
    try:
        app()
    except SecmigrateError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)
