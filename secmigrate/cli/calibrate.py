"""The command that learns the levels from the provisioner's own exports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from secmigrate.mapping import LearnedLevels
    from secmigrate.workspace import Workspace


@app.command(epilog="Example: secmigrate calibrate migration/sec/groups migration/sec/roles")
def calibrate(
    exports: Annotated[
        list[Path] | None, typer.Argument(help="JSON files or folders. By default the workspace's sec folder.")
    ] = None,
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
) -> None:
    """Learn what the levels allow from the provisioner's exports (guide, step 6), and how they differ from ours."""
    from secmigrate import documents, mapping
    from secmigrate.cli import account
    from secmigrate.reports.calibration import calibration_document, calibration_lines
    from secmigrate.workspace import LevelsFile

    out, space = Out(json), account.open_workspace(workspace)
    with space.locked():
        config, _ = account.config(space)
        ours = documents.catalogue()
        places = tuple(exports or (space.sec,))
        found = mapping.calibrated(documents.read_exports(places), config, ours.levels)
        differences = mapping.differences(ours, found.learned, (config.client, config.environment))
        gone = _forgotten(space, found.learned) if found.learned else []
        if found.learned:
            documents.write_json(space.levels, LevelsFile(services=found.learned))
    out.lines(calibration_lines(differences, found.unknown))
    out.say(*(f"  {one}: learned earlier, and not in these exports: ours counts again" for one in gone))
    if found.learned:
        out.say("", f"wrote {space.levels}: these levels count from now on; remove it to go back to ours")
        out.say("next: secmigrate map, which chooses among them again")
    else:
        out.say("", "nothing was learned, nothing written; the levels stay as they are")
    out.document("calibrate", {**calibration_document(differences, found.unknown), "forgotten": gone})
    finish(3 if any(one.differs for one in differences) or found.unknown or gone else 0)


def _forgotten(space: Workspace, learned: LearnedLevels) -> list[str]:
    """What an earlier run learned and this one does not."""
    from secmigrate.errors import BadInput

    try:
        before = space.learned()
    except BadInput:  # a damaged file is written anew, and what was in it nobody knows
        return []
    return [
        f"{service} {level}"
        for service, levels in sorted(before.items())
        for level in sorted(levels)
        if level not in learned.get(service, {})
    ]
