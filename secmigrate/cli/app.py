"""The command line's frame; the commands register themselves with it."""

from __future__ import annotations

from typing import Annotated

import typer

# No rich markup: importing rich would triple the time that `--help` takes (docs/decisions/0003).
app = typer.Typer(
    name="secmigrate",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="Start with: secmigrate inventory",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"secmigrate {version('secmigrate')}")
        raise typer.Exit


@app.callback()
def frame(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Moves hand-grown AWS IAM under the SEC Provisioner, so that nobody silently loses access."""


# Importing a module registers its commands; `--help` shows them in this order, the guide's.
# isort: off
from secmigrate.cli import read  # noqa: E402, F401
from secmigrate.cli import decide  # noqa: E402, F401
from secmigrate.cli import calibrate  # noqa: E402, F401
from secmigrate.cli import container  # noqa: E402, F401
from secmigrate.cli import stack  # noqa: E402, F401
from secmigrate.cli import compare  # noqa: E402, F401
from secmigrate.cli import letting_go  # noqa: E402, F401
from secmigrate.cli import change  # noqa: E402, F401
from secmigrate.cli import tiers  # noqa: E402, F401
from secmigrate.cli import rehearse  # noqa: E402, F401
from secmigrate.cli import report  # noqa: E402, F401
from secmigrate.cli import demo  # noqa: E402, F401
