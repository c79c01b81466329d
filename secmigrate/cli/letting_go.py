"""The command that makes others let go: handover."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish

Where = Annotated[
    list[Path], typer.Option("--from", metavar="FILE", help="A Terraform state; more than one if there are several.")
]


@app.command(epilog="Example: secmigrate handover --from terraform.tfstate")
def handover(
    where: Where,
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
) -> None:
    """What makes Terraform let go of what is decommissioned (guide, Terraform, step 4)."""
    from msgspec import to_builtins

    from secmigrate import documents
    from secmigrate import handover as handing
    from secmigrate.cli import account
    from secmigrate.sources.saved import read_resources

    out, space = Out(json), account.open_workspace(workspace)
    resources = [one for path in where for one in read_resources(path)]
    olds = [(move.kind, move.old) for move in space.outcome().moves if move.old != move.new]
    leaving = handing.leaving(olds, account.inventory(space))
    found = handing.handover(resources, leaving, account.planned(space))
    told = {
        "before step 9, or Terraform's next run takes away what is new": found.takes_away,
        "what Terraform must forget before step 10": found.state_rm,
        "blocks that must leave the configuration, or the next run makes them anew": found.blocks,
        "what names more than what goes": found.edit,
    }
    for title, lines in told.items():
        if lines:
            out.lines([f"{title}: {len(lines)}", *(f"  {line}" for line in lines)])
    if found.state_rm:
        folder = space.folder / "plans"
        paths = [documents.write_whole(folder / "handover.sh", handing.script(found).encode(), mode=0o700)]
        if found.removed:
            paths.append(documents.write_whole(folder / "handover.tf", handing.configuration(found).encode()))
        out.say("", *(f"wrote {path}" for path in paths))
        out.say(
            "run the script where the configuration lies, or put handover.tf there (Terraform 1.7 and later) and apply"
        )
        out.say("then take the inventory again, from live and from the new state")
    else:
        out.say("Terraform manages nothing that goes")
    out.document("handover", to_builtins(found))
    finish(3 if found.state_rm or found.takes_away or found.edit else 0)
