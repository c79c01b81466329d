"""The wizard: the guide's steps, asked one question at a time.

It reads the workspace's files to know where it is, keeps nothing of its own, and does everything by running commands:
what a command would refuse, it cannot do.
"""

from __future__ import annotations

import sys

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import finish
from secmigrate.errors import BadInput

_COMMANDS = "inventory, map, validate, access, readd, verify, decommission; `secmigrate status` tells which is next"


@app.command(epilog="Example: secmigrate wizard --profile prod")
def wizard(
    workspace: options.Workspace = options.FOLDER,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    numbered: options.Plain = False,
) -> None:
    """The whole migration, asked one question at a time; can be left at any of them, and goes on where it was."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise BadInput("the wizard asks, and here is no terminal to ask on", hint=f"use the commands: {_COMMANDS}")
    from secmigrate.wizard.desk import Desk
    from secmigrate.wizard.road import walk

    finish(walk(Desk(workspace, profile, region, endpoint, numbered=numbered)))
