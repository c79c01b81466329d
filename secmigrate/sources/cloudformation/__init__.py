"""What CloudFormation manages, by its templates: a file, or the `cdk.out` folder of the AWS CDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from secmigrate.errors import BadInput
from secmigrate.iam import Snapshot, Stack, StackResource
from secmigrate.sources.cloudformation.entities import snapshot_of
from secmigrate.sources.cloudformation.functions import text_of
from secmigrate.sources.cloudformation.invented import is_open, named, opened
from secmigrate.sources.cloudformation.items import SECRET, makes_more
from secmigrate.sources.cloudformation.resolving import Deployed, Known, TooMuch
from secmigrate.sources.cloudformation.templates import (
    Template,
    is_manifest,
    is_template,
    of_assembly,
    of_file,
    partition_of,
)

__all__ = [
    "UNKNOWN",
    "Place",
    "Template",
    "from_templates",
    "is_manifest",
    "is_template",
    "of_assembly",
    "of_file",
    "stacks_of",
]

Names = Callable[[str, str], Mapping[str, str] | None]  # (stack, region): what AWS calls what lies in it
_HINT = (
    "read it with a source that knows the account (`--from live`, a Terraform state), or in a workspace that has an "
    "inventory"
)
# What AWS keeps a snapshot of unless it is told otherwise (AWS, CloudFormation, *DeletionPolicy attribute*).
_SNAPSHOT = frozenset({"AWS::RDS::DBCluster"})


class Place(NamedTuple):
    """What is known of where templates are deployed; what is not is empty."""

    account: str = ""
    partition: str = ""
    region: str = ""
    names: Names = lambda stack, region: None


UNKNOWN = Place()


def from_templates(templates: Sequence[Template], place: Place) -> Snapshot:
    """What the stacks of one account manage, each thing with its owner (`stack NAME LOGICALID`).

    Raises BadInput with file and line, and if nobody knows the account.
    """
    account = place.account or _account(templates)
    known = _known(account, templates, place)
    mine = [one for one in templates if one.account in ("", account)]
    if not mine:
        others = ", ".join(sorted({one.account for one in templates}))
        told = f"stacks of account {others}, and not of {account}"
        raise BadInput(told, where=f"{templates[0].file}:1", hint="each account has its own workspace")
    for template in mine:
        _guarded(template, lambda one=template: Deployed(one, known))  # type: ignore[misc]
    return snapshot_of(known.stacks, account, known.partition)


def stacks_of(templates: Iterable[Template], place: Place = UNKNOWN) -> list[Stack]:
    """The stacks, nested ones included, with all that lies in them, whatever service it is of."""
    rows = list(templates)
    known = _known(place.account or next((one.account for one in rows if one.account), ""), rows, place)
    for template in rows:
        _guarded(template, lambda one=template: Deployed(one, known))  # type: ignore[misc]
    return [_guarded(one.template, lambda it=one: _stack(it)) for one in known.stacks]  # type: ignore[misc]


def _known(account: str, templates: Sequence[Template], place: Place) -> Known:
    partition = place.partition or next((partition_of(one.region) for one in templates if one.region), "aws")
    return Known(account, partition, place.region, place.names)


def _guarded(template: Template, work: Callable[[], Any]) -> Any:
    """What `work` gives. Raises BadInput, with the file, for what CloudFormation would not take."""
    try:
        return work()
    except (TooMuch, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        told = str(error) if isinstance(error, TooMuch) else f"not as CloudFormation takes it: {repr(error)[:200]}"
        raise BadInput(told, where=f"{template.file}:1", hint="`aws cloudformation validate-template` tells") from None


def _account(templates: Sequence[Template]) -> str:
    found = sorted({one.account for one in templates if one.account})
    if len(found) == 1:
        return found[0]
    where = f"{templates[0].file}:1" if templates else "--from"
    if found:
        hint = "add a source that says which account is meant (`--from live`), or name single templates"
        raise BadInput(f"stacks of {len(found)} accounts: {', '.join(found)}", where=where, hint=hint)
    raise BadInput("a template does not say of which account it is", where=where, hint=_HINT)


def _stack(stack: Deployed) -> Stack:
    exports = {name: _plain(stack.output(output)) for name, output in sorted(stack.exports.items())}
    return Stack(
        name=stack.name,
        path=stack.template.file,
        region=stack.template.region,
        resources=tuple(_resources(stack)),
        outputs={
            name: tuple(sorted(_named_in(row) & stack.resources.keys()))
            for name, row in sorted(stack.template.section("Outputs").items())
        },
        exports=exports,
        imports=tuple(sorted(set(stack.imports()))),
        tells_all=not any(makes_more(stack)),
    )


def _resources(stack: Deployed) -> Iterator[StackResource]:
    """What is made, or may be; secrets are left out."""
    for logical_id, row in stack.resources.items():
        if stack.is_there(logical_id) is False:
            continue
        type_, given = str(row.get("Type")), row.get("Properties") or {}
        safe = {key: one for key, one in given.items() if key not in SECRET} if isinstance(given, dict) else {}
        deletion = text_of(stack.value(row.get("DeletionPolicy")))
        yield StackResource(
            logical_id=logical_id,
            type=type_,
            properties=opened(stack.value(safe), stack.template.name),
            deletion_policy=deletion or ("Snapshot" if type_ in _SNAPSHOT else "Delete"),
            physical=_plain(stack.physical(logical_id)),
            children=stack.nested[logical_id].name if logical_id in stack.nested else "",
            refers=tuple(sorted(one for one in _named_in(row) if one in stack.resources and one != logical_id)),
            construct=_construct(row),
        )


_IN_SUB = re.compile(r"\$\{([A-Za-z0-9]+)")


def _named_in(row: Any) -> set[str]:
    """The logical ids, and whatever else functions name, that stand in a resource or an output."""
    found: set[str] = set()
    waiting: list[Any] = [row]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += one.values()
            for key, argument in one.items():
                if key == "Fn::Sub":
                    found.update(
                        _IN_SUB.findall(str(argument[0] if isinstance(argument, list) and argument else argument))
                    )
                elif key in ("Ref", "Fn::GetAtt", "DependsOn"):
                    names = argument if isinstance(argument, list) else [argument]
                    found.update(str(name).partition(".")[0] for name in names)
    return found


def _construct(row: Mapping[str, Any]) -> str:
    metadata = row.get("Metadata")
    path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
    return path if isinstance(path, str) else ""


def _plain(text: str | None) -> str:
    """A name that is known, or nothing."""
    return "" if text is None or is_open(text) else named(text)
