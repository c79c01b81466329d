"""What a person does so that Terraform or a stack lets go, in order."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from secmigrate.handover import Handover, Release

_SHOWN = 12  # resources that a stack holds besides


def terraform_lines(found: Handover) -> Iterator[str]:
    """What to do in Terraform; nothing if it manages nothing that goes."""
    told = {
        "before step 9, or Terraform's next run takes away what is new": found.takes_away,
        "what Terraform must forget before step 10": found.state_rm,
        "blocks that must leave the configuration, or the next run makes them anew": found.blocks,
        "what names more than what goes": found.edit,
    }
    for title, lines in told.items():
        if lines:
            yield from (f"{title}: {len(lines)}", *(f"  {line}" for line in lines))
    if found.state_rm:
        yield "run plans/handover.sh where the configuration lies, or put handover.tf there (Terraform 1.7 and later)"
        yield "and apply; a state in a remote backend is then pulled again, to where it was read from"


def stack_lines(found: Release, folder: Path) -> Iterator[str]:
    """What to do with one stack; `folder` is where the files for it lie."""
    some = (
        f"of its resources {len(found.goes)} go, {len(found.besides)} stay" if found.goes else "it only names what goes"
    )
    yield f"stack {found.stack} ({found.path}): {some}"
    for number, (title, lines) in enumerate(_steps(found, folder), 1):
        yield from (f"  {number}. {title}", *(f"       {line}" for line in lines))
    if found.imported:
        yield "  others import what it exports; change them before what they import goes:"
        yield from (f"       {line}" for line in found.imported)
    if found.destroys:
        yield f"  deleting the stack (`cdk destroy`, `delete-stack`) would take besides ({len(found.destroys)}):"
        yield from (f"       {one}" for one in found.destroys[:_SHOWN])
        if len(found.destroys) > _SHOWN:
            yield f"       and {len(found.destroys) - _SHOWN} more (--json lists them)"


def _steps(found: Release, folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    if found.refer:
        yield "change what stays and names what goes", found.refer
    if found.retain:
        how = (
            f"add {folder / 'handover-retain.ts'} to the app, as it says"
            if found.constructs
            else f"patch {shlex.quote(found.path)} < {shlex.quote(str(folder / f'handover-{found.stack}.patch'))}"
        )
        yield "give what goes a DeletionPolicy of Retain, and deploy", (how, *found.retain)
    if not found.goes:
        return
    told = f"aws cloudformation get-template --stack-name {shlex.quote(found.stack)}"
    yield "see that the deployed template says Retain for each of them", (told,)
    yield "take them out of the template or the app, and deploy: they stay in the account", found.goes
    if not found.besides:
        yield (
            "or delete the stack then, which deletes nothing:",
            (f"aws cloudformation delete-stack --stack-name {shlex.quote(found.stack)}",),
        )
