"""The commands that compare: diff, access."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.completing import users
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from secmigrate.iam import Snapshot
    from secmigrate.workspace import Workspace

User = Annotated[
    str | None, typer.Option(metavar="NAME", autocompletion=users, help="Only this user, with all that changes.")
]


@app.command(epilog="Example: secmigrate diff; secmigrate diff --exports")
def diff(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    exports: Annotated[
        bool, typer.Option("--exports", help="The provisioner's exports in sec/groups and sec/roles, against the plan.")
    ] = False,
) -> None:
    """Planned against existing, both as the workspace has them: names, attributes, policies (guide, step 6)."""
    from secmigrate.cli import account
    from secmigrate.diff import diff as compare
    from secmigrate.reports.text import diff_lines

    out, space = Out(json), account.open_workspace(workspace)
    if exports:
        _exports(out, space)
    found = compare(account.planned(space), account.inventory(space), ("groups", "roles"))
    out.lines(diff_lines(found))
    out.document("diff", {"missing": found.missing, "extra": found.extra, "different": found.different})
    finish(3 if found else 0)


@app.command(epilog="Example: secmigrate access --user ana.adler")
def access(workspace: options.Workspace = options.FOLDER, json: options.Json = False, user: User = None) -> None:
    """Who loses and who gains what, between today and the end of the migration as it is mapped."""
    from secmigrate import documents
    from secmigrate.access import Comparison
    from secmigrate.cli import account
    from secmigrate.plan.destination import destination
    from secmigrate.reports.access import access_lines, compared
    from secmigrate.reports.access_json import access_json

    out, space = Out(json), account.open_workspace(workspace)
    before = account.inventory(space)
    if user is not None:
        _known(user, before)
    moves = space.outcome().moves
    after = destination(before, account.planned(space), moves)
    successors = {move.old: move.new for move in moves if move.kind == "role"}
    with out.working("comparing everybody's access"):
        found = compared(Comparison(before, after, documents.aws_actions(), successors), user or "")
    out.lines(access_lines(found, details=not json))
    if json:
        out.text("access", access_json(found))
    finish(3 if found.pending else 0)


def _exports(out: Out, space: Workspace) -> None:
    """What the provisioner itself would make, against the plan and the inventory."""
    from secmigrate import documents
    from secmigrate.cli import account
    from secmigrate.diff import compared
    from secmigrate.errors import BadInput
    from secmigrate.reports.text import diff_lines

    read = (
        *documents.read_exported(space.sec / "groups", "group"),
        *documents.read_exported(space.sec / "roles", "role"),
    )
    if not read:
        hint = "let the provisioner make some: `secmigrate provisioner export-groups --run`, and export-roles"
        raise BadInput("no exports in groups/ and roles/", where=str(space.sec), hint=hint)
    found = compared(read, account.planned(space), account.inventory(space))
    out.say(f"{len(read)} exports beside the plan; missing: planned and not exported, extra: exported and not planned")
    out.lines(diff_lines(found.plan))
    out.say(*(f"  exists in the account already: {item.kind} {item.name}" for item in found.existing))
    out.say(*(f"  no policy document in it, so only its name was compared: {file}" for file in found.unread))
    if found.plan.different:
        out.say("what the levels allow is assumed until `secmigrate calibrate` has learned it from these exports")
    told = {"missing": found.plan.missing, "extra": found.plan.extra, "different": found.plan.different}
    out.document("diff", {**told, "existing": found.existing, "unread": found.unread})
    finish(3 if found.plan else 0)


def _known(user: str, snapshot: Snapshot) -> None:
    """Raises BadInput if there is no such user; her name is spelt as IAM spells it."""
    from secmigrate.errors import BadInput

    if user in snapshot.users:
        return
    spelt = {name.casefold(): name for name in snapshot.users}
    near = [spelt[name] for name in get_close_matches(user.casefold(), spelt)]
    hint = f"is it {' or '.join(near)}?" if near else "user-group-mappings.txt has the names"
    raise BadInput(f"there is no user {user!r} in the inventory", where="--user", hint=hint)
