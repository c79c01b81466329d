"""The options that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Workspace = Annotated[
    Path,
    typer.Option(
        "--workspace", "-w", envvar="SECMIGRATE_WORKSPACE", metavar="DIR", help="The folder of this migration."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; the rest goes to stderr.")]
Profile = Annotated[str | None, typer.Option(metavar="NAME", help="AWS profile.  [env: AWS_PROFILE]")]
Region = Annotated[str | None, typer.Option(metavar="NAME", help="AWS region; IAM needs only its partition.")]
Endpoint = Annotated[
    str | None, typer.Option("--endpoint-url", metavar="URL", help="Another endpoint, such as a twin's.")
]
Execute = Annotated[bool, typer.Option("--execute", help="Carry out the plan that was saved and reviewed.")]
Confirm = Annotated[
    str | None, typer.Option("--confirm-account", metavar="ID", help="The account id, instead of typing it.")
]
AtOnce = Annotated[int, typer.Option("--at-once", min=1, max=16, help="At most so many calls at the same time.")]
StopBefore = Annotated[str | None, typer.Option(metavar="PHASE", help="Halt before: grant, revoke, strip or delete.")]
Plain = Annotated[bool, typer.Option("--plain", help="Choices as numbered lines, for screen readers: type the number.")]

FOLDER = Path("migration")
