"""The commands that compare: diff, access."""

from __future__ import annotations

import sys
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from secmigrate.iam import Snapshot

User = Annotated[str | None, typer.Option(metavar="NAME", help="Only this user, with all that changes.")]


@app.command(epilog="Example: secmigrate diff")
def diff(workspace: options.Workspace = options.FOLDER, json: options.Json = False) -> None:
    """Planned against existing, both as the workspace has them: names, attributes, policies (guide, step 6)."""
    from secmigrate.cli import account
    from secmigrate.diff import diff as compare
    from secmigrate.reports.text import diff_lines

    out, space = Out(json), account.open_workspace(workspace)
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
    found = compared(Comparison(before, after, documents.aws_actions(), successors), user or "")
    out.lines(access_lines(found, details=not json))
    if json:
        sys.stdout.writelines(access_json(found))
    finish(3 if found.pending else 0)


def _known(user: str, snapshot: Snapshot) -> None:
    """Raises BadInput if there is no such user; her name is spelt as IAM spells it."""
    from secmigrate.errors import BadInput

    if user in snapshot.users:
        return
    spelt = {name.casefold(): name for name in snapshot.users}
    near = [spelt[name] for name in get_close_matches(user.casefold(), spelt)]
    hint = f"is it {' or '.join(near)}?" if near else "user-group-mappings.txt has the names"
    raise BadInput(f"there is no user {user!r} in the inventory", where="--user", hint=hint)
