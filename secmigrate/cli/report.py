"""The command that tells: report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out

if TYPE_CHECKING:
    from secmigrate.iam import Snapshot
    from secmigrate.reports.gathering import Decided, Facts
    from secmigrate.workspace import Workspace

EXAMPLE = (
    'secmigrate report; secmigrate report --notices --when "Monday at 18:00" --contact it@lumen.example; '
    "secmigrate report -w accounts"
)

Form = Annotated[str, typer.Option("--format", metavar="html|markdown|json", help="In which form.")]


@app.command(epilog=f"Example: {EXAMPLE}")
def report(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    form: Form = "html",
    notices: Annotated[bool, typer.Option("--notices", help="Also a short text for each person affected.")] = False,
    when: Annotated[str | None, typer.Option(metavar="TEXT", help="What the notices say of the time.")] = None,
    contact: Annotated[str | None, typer.Option(metavar="TEXT", help="Whom they say to ask.")] = None,
) -> None:
    """The whole migration for the person who must sign: one HTML file to look at, or Markdown, or JSON. Of many
    accounts: where all of them stand, who has access where, and which groups one decision serves.
    """
    from secmigrate import documents
    from secmigrate.cli import account, many, overview
    from secmigrate.reports import notices as to_people
    from secmigrate.reports.forms import FORMS, form_of
    from secmigrate.reports.gathering import report as gathered

    out, space, chosen = Out(json), account.open_workspace(workspace), form_of(form, FORMS)
    if many.are_here(workspace):
        overview.report(workspace, out, form, notices)
        return
    folder = space.folder / "reports"
    with space.locked():
        found = facts(space)
        with out.progress("comparing everybody's access"):
            told = gathered(found)
        texts = to_people.notices(told, when=when or "", contact=contact or "") if notices else {}
        written = [documents.write_whole(folder / chosen.file, chosen.pieces(told))]
        if notices:
            to_people.write(folder / "notices", texts)
    out.say(*(f"wrote {path}" for path in written))
    if notices:
        out.say(f"wrote {len(texts)} notices to {folder / 'notices'}; not affected: {len(told.people) - len(texts)}")
    out.document("report", told)


def facts(space: Workspace) -> Facts:
    """What the workspace's files hold. Raises BadInput if there is no inventory, or a file is damaged."""
    from secmigrate import documents
    from secmigrate.access import Comparison
    from secmigrate.cli import account
    from secmigrate.plan.destination import destination
    from secmigrate.progress import steps
    from secmigrate.reports.gathering import Facts

    start, end, successors = account.inventory(space), None, {}
    decided = _decided(space, start) if space.mapping.exists() else None
    if decided:
        end = destination(start, account.planned(space), decided.moves)
        successors = {move.old: move.new for move in decided.moves if move.kind == "role"}
    return Facts(
        start=start,
        steps=tuple(steps(space)),
        answers=space.answers(),
        comparison=Comparison(start, end or start, documents.aws_actions(), successors),
        decided=decided,
        plans=tuple(space.plans()),
        journals=tuple(space.journals()),
    )


def _decided(space: Workspace, start: Snapshot) -> Decided:
    """What `map` decided, with its reasons as they are today."""
    import hashlib

    from secmigrate import documents, mapping
    from secmigrate.cli import account
    from secmigrate.reports.gathering import Decided

    catalogue, path = account.catalogue(space), space.config()
    config, _ = account.config(space)
    ladders = mapping.ladders_of(start, catalogue, space.answers(), (config.client, config.environment))
    decisions, moves = account.decided_last(space, start, ladders), space.outcome().moves
    names = {"group": config.group_name, "role": config.role_name}
    today = {(one.kind, one.name, names[one.kind](one.target)) for one in decisions if isinstance(one, mapping.Mapped)}
    return Decided(
        config=config,
        config_name=path.name,
        config_sha256=hashlib.sha256(documents.read_bytes(path)).hexdigest(),
        moves=moves,
        decisions=decisions,
        choice=mapping.choose_tier(decisions, catalogue),
        catalogue=catalogue,
        joined=mapping.joined(decisions, config),
        unreached=mapping.unreached(decisions, start, ladders),
        stale=today != {(move.kind, move.old, move.new) for move in moves},
    )
