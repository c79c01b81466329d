"""The command line's frame; the commands register themselves with it."""

from __future__ import annotations

import typer

# No rich markup: importing rich would triple the time that `--help` takes (docs/decisions/0003).
app = typer.Typer(
    name="secmigrate",
    help="Moves hand-grown AWS IAM under the SEC Provisioner, so that nobody silently loses access.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Start with: secmigrate inventory",
)

from secmigrate.cli import change, decide, demo, read  # noqa: E402, F401 - registers the commands
