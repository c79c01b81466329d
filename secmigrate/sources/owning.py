"""Who manages what now: as states tell it, and as CloudFormation itself does of its stacks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from secmigrate.errors import AwsRefused
from secmigrate.handover import Resource, Thing, about, hangs_on
from secmigrate.iam import Entity, Principal, Snapshot, Stack
from secmigrate.sources.saved import Managed

if TYPE_CHECKING:
    from secmigrate.aws import Aws

_COLONS = 5  # of a stack's ARN
_NAMELESS: Mapping[str, str] = {
    "AWS::IAM::Group": "group",
    "AWS::IAM::ManagedPolicy": "policy",
    "AWS::IAM::Role": "role",
}


class Owners(NamedTuple):
    """Who manages what, by ARN, "" for what its stack has let go; and what could not be found out, a line each."""

    by_arn: Mapping[str, str]
    unsure: tuple[str, ...]


def owners_now(
    live: Snapshot,
    then: Mapping[str, str],
    told: Iterable[Mapping[str, str]],
    managed: Managed,
    aws: Aws,
    moving: Collection[str],
) -> Owners:
    """Who manages what in the account `live`: `then` is what the inventory says of it, `told` what each state and
    template says now, `managed` what they hold. CloudFormation is asked for the ARNs `moving` alone: an account has
    hundreds of stacks.

    What no state tells any more has been forgotten by Terraform, if a state was read. A stack has let go of what it
    does not hold any more; a stack that is nowhere to be found holds it still, unless it is known where it was.

    Whoever hangs something on what moves alone, such as a policy on a group, manages it as well: it would go with it.
    """
    called = {arn.casefold(): arn for arn in map(live.arn, live.entities())}
    now = {called.get(arn.casefold(), arn): owner for one in told for arn, owner in one.items()}
    owners = {live.arn(thing): thing.keeper for thing in live.entities() if thing.keeper}
    owners |= {
        arn: owner for arn, owner in then.items() if not (managed.has_state and owner.startswith("terraform "))
    } | now
    there = {live.arn(thing): thing for thing in live.entities() if live.arn(thing) in moving}
    look = _Looking(aws, {stack.name: stack.region for stack in managed.stacks}, _ids(live))
    for arn, thing in there.items():
        owner = owners.get(arn, "")
        if owner.startswith("stack ") and look.has_let_go(owner.split(" ")[1], thing.key):
            owners[arn] = ""
    things = {_named(thing): arn for arn, thing in there.items()}
    free = {thing: arn for thing, arn in things.items() if not owners.get(arn)}
    if free:
        found = (*_in_stacks(managed.stacks, free, look), *_hung(managed, set(things), look))
        owners |= {free[thing]: owner for thing, owner in reversed(found) if thing in free}
    return Owners(owners, tuple(sorted(look.unsure)))


def _named(thing: Entity) -> Thing:
    return (thing.kind, thing.name) if isinstance(thing, Principal) else ("policy", thing.key)


def _in_stacks(stacks: Iterable[Stack], free: Iterable[Thing], look: _Looking) -> Iterator[tuple[Thing, str]]:
    """What stacks hold beyond what their templates tell, or may hold under a name that nobody could look up."""
    free = list(free)
    for stack in stacks:
        if not stack.tells_all:
            yield from ((thing, f"stack {stack.name}") for thing in free if look.holds(stack.name, thing[1]))
        for one in stack.resources:
            if one.type in _NAMELESS and not one.physical and look.is_unknown(stack.name):
                generated = re.compile(rf"(.*[:/])?[\w+=,.@-]+-{re.escape(one.logical_id[:24])}\w*-[A-Z0-9]{{8,13}}")
                owner = f"stack {stack.name} {one.logical_id}"
                yield from (
                    (thing, owner)
                    for thing in free
                    if thing[0] == _NAMELESS[one.type] and generated.fullmatch(thing[1])
                )


def _hung(managed: Managed, moving: set[Thing], look: _Looking) -> Iterator[tuple[Thing, str]]:
    """Who hangs something on what moves and on nothing that stays: it would be deleted along with that."""
    yield from hung_by_terraform(managed.resources, moving)
    for stack in managed.stacks:
        for one in stack.resources:
            things = set(hangs_on(one))
            if things and things <= moving and not look.has_let_go(stack.name, one.logical_id, by_id=True):
                yield from ((thing, f"stack {stack.name} {one.logical_id}") for thing in things)


def hung_by_terraform(resources: Iterable[Resource], moving: set[Thing]) -> Iterator[tuple[Thing, str]]:
    """What moves and has something of Terraform's hung on it that hangs on nothing else, and by which resource."""
    for resource in resources:
        if (things := set(about(resource))) <= moving:
            yield from ((thing, f"terraform {resource.address}") for thing in things)


def _ids(live: Snapshot) -> dict[str, set[str]]:
    """The ARNs of stacks by their names, from the tags that they leave."""
    found: dict[str, set[str]] = {}
    for thing in live.entities():
        tags: Mapping[str, str] = getattr(thing, "tags", {})
        name, arn = (tags.get(f"aws:cloudformation:{key}", "") for key in ("stack-name", "stack-id"))
        if name and arn.count(":") == _COLONS:
            found.setdefault(name, set()).add(arn)
    return found


class _Held(NamedTuple):
    """What lies in all stacks of a name."""

    names: frozenset[str]
    logical_ids: frozenset[str]


class _Looking:
    """Asks CloudFormation once for each stack."""

    def __init__(self, aws: Aws, regions: Mapping[str, str], ids: Mapping[str, set[str]]) -> None:
        self._aws, self._regions, self._ids = aws, regions, ids
        self._known: dict[str, _Held | None] = {}
        self.unsure: set[str] = set()

    def has_let_go(self, stack: str, name: str, *, by_id: bool = False) -> bool:
        """Whether the stack holds a thing of that name, or logical id, no more; False as well if nobody can tell."""
        held = self._held(stack)
        return held is not None and name not in (held.logical_ids if by_id else held.names)

    def holds(self, stack: str, name: str) -> bool:
        """Whether the stack, or one nested in it, is known to hold a thing of that name."""
        held = self._held(stack)
        return held is not None and (name in held.names or any(self.holds(one, name) for one in _nested(held.names)))

    def is_unknown(self, stack: str) -> bool:
        """Whether nobody can tell what lies in the stack."""
        return self._held(stack) is None

    def _held(self, stack: str) -> _Held | None:
        if stack not in self._known:
            self._known[stack] = self._look(stack)
        return self._known[stack]

    def _look(self, stack: str) -> _Held | None:
        """What lies in all stacks of that name, or in the one with that ARN; None if nobody can tell."""
        arns = [stack] if stack.startswith("arn:") else sorted(self._ids.get(stack, ()))
        names: set[str] = set()
        logical_ids: set[str] = set()
        for where, region in [(arn, arn.split(":")[3]) for arn in arns] or [(stack, self._regions.get(stack, ""))]:
            try:
                found = self._aws.stack_resources(where, region)
            except AwsRefused as error:
                self._doubt(f"stack {stack} may not be looked at ({error.message})")
                return None
            if found is None and not region:
                self._doubt(
                    f"stack {stack} is not in {self._aws.region or 'any known region'} (--region names another; a "
                    "template's file is called as its stack is)"
                )
                return None
            names.update((found or {}).values())
            logical_ids.update(found or ())
        return _Held(frozenset(names), frozenset(logical_ids))

    def _doubt(self, what: str) -> None:
        self.unsure.add(f"{what}: it counts as managing what it managed")


def _nested(names: Iterable[str]) -> list[str]:
    """The ARNs of stacks among what a stack holds."""
    return sorted(
        name for name in names if name.startswith("arn:") and ":cloudformation:" in name and ":stack/" in name
    )
