"""The command that makes others let go: handover."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from secmigrate.handover import Handover, Release
    from secmigrate.workspace import Workspace

Where = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        metavar="WHERE",
        help="A Terraform state, a template, a cdk.out folder; by default those that `inventory` read.",
    ),
]


@app.command(epilog="Example: secmigrate handover --from terraform.tfstate --from cdk.out")
def handover(
    where: Where = None,
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
) -> None:
    """What makes Terraform or a stack let go, and what deleting the stack would take (guide: Terraform 4, CDK 4)."""
    from msgspec import to_builtins

    from secmigrate import handover as handing
    from secmigrate.aws import Aws
    from secmigrate.cli import account
    from secmigrate.dangers import some
    from secmigrate.reports.letting_go import stack_lines, terraform_lines

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    inventory, outcome = account.inventory(space), space.outcome()
    found, unsure = account.managed_as_deployed(where or account.told_by(space), inventory, aws)
    if where:
        with space.locked():
            space.remember([*space.places(), *where])  # so that `decommission` looks there as well
    leaving = handing.leaving([(move.kind, move.old) for move in outcome.moves if move.old != move.new], inventory)
    terraform = handing.handover(found.resources, leaving, account.planned(space))
    imports, unasked = account.imports(found.stacks, aws)
    stacks = handing.releases(found.stacks, leaving, imports)
    dangers = some("destroys-more", [f"{one.stack} ({len(one.destroys)} more)" for one in stacks if one.destroys])
    paths = [*_terraform_files(space, terraform), *_stack_files(space, stacks)]
    out.lines(terraform_lines(terraform))
    for one in stacks:
        out.lines(stack_lines(one, space.folder / "plans"))
    out.lines(line for one in dangers for line in (f"{one.code}: {one.message}", f"  hint: {one.hint}"))
    out.say(*unsure, *unasked, *(f"wrote {path}" for path in paths))
    pending = bool(terraform.state_rm or terraform.takes_away or terraform.edit or stacks)
    told = "then `secmigrate decommission`: it looks again" if pending else "nobody else manages anything that goes"
    out.say(told)
    rows = [{**to_builtins(one), "destroys": to_builtins(one.destroys)} for one in stacks]
    body: dict[str, Any] = {**to_builtins(terraform), "stacks": rows, "dangers": to_builtins(dangers)}
    out.document("handover", body)
    finish(3 if pending else 0)


def _terraform_files(space: Workspace, found: Handover) -> Iterator[Path]:
    from secmigrate import documents
    from secmigrate import handover as handing

    folder = space.folder / "plans"
    if found.state_rm:
        yield documents.write_whole(folder / "handover.sh", handing.script(found).encode(), mode=0o700)
    if found.removed:
        yield documents.write_whole(folder / "handover.tf", handing.configuration(found).encode())


def _stack_files(space: Workspace, stacks: list[Release]) -> Iterator[Path]:
    """A patch for each template that a person wrote, and one file for what a CDK app makes."""
    from secmigrate import documents
    from secmigrate import handover as handing

    folder = space.folder / "plans"
    for one in stacks:
        if one.retain and not one.constructs:
            before = _as_it_lies(Path(one.path))
            after = documents.retained(before, one.retain, one.path)
            text = documents.patch(before, after, Path(one.path).name)
            yield documents.write_whole(folder / f"handover-{one.stack}.patch", text.encode())
    if made := handing.aspect(stacks):
        yield documents.write_whole(folder / "handover-retain.ts", made.encode())


def _as_it_lies(path: Path) -> str:
    """A template's text to the byte, as a patch needs it. Raises BadInput."""
    from secmigrate import documents
    from secmigrate.errors import BadInput

    try:
        return documents.read_bytes(path).decode()
    except UnicodeDecodeError:
        hint = "save it as UTF-8, then run this again"
        raise BadInput("not UTF-8 text, so that no patch would fit it", where=f"{path}:1", hint=hint) from None
