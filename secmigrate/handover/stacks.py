"""How a CloudFormation stack lets go of what is decommissioned, and what deleting it would take along.

A resource that leaves its template is deleted, unless its DeletionPolicy says Retain by then: so Retain is deployed
first, and only then does it leave. Source: AWS CloudFormation, *DeletionPolicy attribute*; AWS CDK, *RemovalPolicy*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from msgspec import Struct

from secmigrate.handover.terraform import Thing
from secmigrate.iam.stacks import Stack, StackResource

KEPT = frozenset({"Retain", "RetainExceptOnCreate"})
_METADATA = "AWS::CDK::Metadata"  # nothing stands behind it
_LISTS = {"Groups": "group", "Roles": "role", "Users": "user"}
_NAMES = {"GroupName": "group", "RoleName": "role", "UserName": "user"}


class Besides(Struct, frozen=True):
    """A resource that stays in its stack."""

    logical_id: str
    type: str
    deletion_policy: str  # what becomes of it when the stack is deleted

    def __str__(self) -> str:
        becomes = {"Delete": "deleted", "Snapshot": "deleted after a snapshot"}.get(self.deletion_policy, "kept")
        return f"{self.logical_id} ({self.type}): {becomes}"


class Release(Struct, frozen=True):
    """What a person does with one stack, in this order, and what it holds besides."""

    stack: str
    path: str  # its template
    refer: tuple[str, ...]  # what stays and names what goes; a sentence each
    retain: tuple[str, ...]  # logical ids that need a DeletionPolicy of Retain
    goes: tuple[str, ...]  # logical ids that then leave the template, those above among them
    besides: tuple[Besides, ...]  # all the rest of the stack
    imported: tuple[str, ...]  # its exports that other stacks import, and which do; a sentence each
    constructs: tuple[str, ...]  # where a CDK app makes what needs Retain, if all of that is known

    @property
    def destroys(self) -> tuple[Besides, ...]:
        """What deleting the stack would take besides."""
        return tuple(one for one in self.besides if one.deletion_policy not in KEPT)


def releases(
    stacks: Sequence[Stack], leaving: Set[Thing], imports: Mapping[str, Iterable[str]] | None = None
) -> list[Release]:
    """How each of the stacks lets go of the groups, roles and policies `leaving`; of stacks that hold none, nothing.

    `imports` are the stacks that import an export, by its name, as far as AWS tells; those of the templates count too.
    """
    importers: dict[str, set[str]] = {name: set(found) for name, found in (imports or {}).items()}
    for stack in stacks:
        for name in stack.imports:
            importers.setdefault(name, set()).add(stack.name)
    return [found for stack in stacks if (found := release(stack, leaving, importers))]


def release(stack: Stack, leaving: Set[Thing], importers: Mapping[str, Iterable[str]]) -> Release | None:
    """How one stack lets go; None if nothing of it goes."""
    about = {one.logical_id: frozenset(hangs_on(one)) for one in stack.resources}
    going = {
        one.logical_id: one for one in stack.resources if about[one.logical_id] and about[one.logical_id] <= leaving
    }
    staying = [one for one in stack.resources if one.logical_id not in going and one.type != _METADATA]
    named = [
        _names(one, gone)
        for one in staying
        if (gone := about[one.logical_id] & leaving) and going.keys().isdisjoint(one.refers)
    ]
    if not going and not named:
        return None
    retain = [one for one in going.values() if one.deletion_policy not in KEPT]
    constructs = tuple(sorted(one.construct for one in retain))
    return Release(
        stack=stack.name,
        path=stack.path,
        refer=(*sorted([*named, *(line for one in staying for line in _refers(one, going))]), *_telling(stack, going)),
        retain=tuple(sorted(one.logical_id for one in retain)),
        goes=tuple(sorted(going)),
        besides=tuple(
            Besides(one.logical_id, one.type, one.deletion_policy)
            for one in sorted(staying if going else (), key=lambda one: (one.type, one.logical_id))
        ),
        imported=tuple(sorted(_imported(stack, importers))) if going else (),
        constructs=constructs if all(constructs) else (),
    )


def aspect(found: Iterable[Release]) -> str:
    """TypeScript that gives Retain to what goes, wherever a CDK app makes it; empty if nobody knows where."""
    paths = sorted({path for one in found for path in one.constructs})
    if not paths:
        return ""
    rows = "\n".join(f"  {json.dumps(path, ensure_ascii=False)}," for path in paths)
    return _ASPECT.replace("ROWS", rows)


_ASPECT = """\
// Keeps in the account what secmigrate decommissions, when it leaves its stack. Made by secmigrate.
// In the app, before `app.synth()`:  Aspects.of(app).add(new Retain());
import { CfnResource, IAspect, RemovalPolicy } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';

const paths = new Set([
ROWS
]);

export class Retain implements IAspect {
  public visit(node: IConstruct): void {
    if (CfnResource.isCfnResource(node) && paths.has(node.node.path)) {
      node.applyRemovalPolicy(RemovalPolicy.RETAIN);
    }
  }
}
"""


def hangs_on(one: StackResource) -> Iterator[Thing]:
    """What a resource is, or hangs on."""
    match one.type:
        case "AWS::IAM::Group" | "AWS::IAM::Role" | "AWS::IAM::User":
            yield (one.type.rpartition("::")[2].lower(), one.physical)
        case "AWS::IAM::ManagedPolicy":
            yield ("policy", one.physical)
            yield from _named(one)
        case "AWS::IAM::InstanceProfile":
            yield ("instance profile", one.physical)
        case "AWS::IAM::UserToGroupAddition":
            yield ("group", str(one.properties.get("GroupName")))
        case "AWS::IAM::Policy" | "AWS::IAM::GroupPolicy" | "AWS::IAM::RolePolicy" | "AWS::IAM::UserPolicy":
            yield from _named(one)


def _named(one: StackResource) -> Iterator[Thing]:
    for key, kind in _LISTS.items():
        names = one.properties.get(key)
        yield from ((kind, str(name)) for name in (names if isinstance(names, list) else ()))
    yield from ((kind, str(one.properties[key])) for key, kind in _NAMES.items() if one.properties.get(key))


def _names(one: StackResource, gone: Iterable[Thing]) -> str:
    """That a resource which stays names by its name, here or in another stack, something which goes."""
    names = " and ".join(f"{kind} {name}" for kind, name in sorted(gone))
    return f"{one.logical_id} ({one.type}) names {names}: take it out, before step 10; the rest of it stays"


def _refers(one: StackResource, going: Mapping[str, StackResource]) -> Iterator[str]:
    """That a resource which stays names something which goes: as long as it does, that cannot leave the template."""
    for logical_id in one.refers:
        if there := going.get(logical_id):
            literal = f"write {there.physical} instead" if there.physical else "name it literally instead"
            told = f"{literal}, which changes nothing, until step 10 is done, or let it use what takes its place"
            yield f"{one.logical_id} ({one.type}) names {logical_id}: {told}"


def _telling(stack: Stack, going: Mapping[str, StackResource]) -> Iterator[str]:
    """That an output names something which goes."""
    for name, ids in sorted(stack.outputs.items()):
        if gone := sorted(going.keys() & set(ids)):
            yield f"output {name} names {', '.join(gone)}: take it out"


def _imported(stack: Stack, importers: Mapping[str, Iterable[str]]) -> Iterator[str]:
    for name in stack.exports:
        if users := sorted(set(importers.get(name, ())) - {stack.name}):
            yield f"{name}: imported by {', '.join(users)}"
