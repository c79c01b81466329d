"""Who manages what now: as states tell it, and as CloudFormation itself does of its stacks."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from secmigrate.errors import AwsRefused
from secmigrate.iam import Snapshot
from secmigrate.sources.saved import Managed

if TYPE_CHECKING:
    from secmigrate.aws import Aws

_COLONS = 5  # of a stack's ARN


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
    about: Container[str],
) -> Owners:
    """Who manages what in the account `live`: `then` is what the inventory says of it, `told` what each state and
    template says now, `managed` what they hold. CloudFormation is asked for the ARNs `about` alone: an account has
    hundreds of stacks.

    What no state tells any more has been forgotten by Terraform, if a state was read. A stack has let go of what it
    does not hold any more; a stack that is nowhere to be found holds it still, unless it is known where it was.
    """
    now = {arn: owner for one in told for arn, owner in one.items()}
    owners = {live.arn(thing): thing.keeper for thing in live.entities() if thing.keeper}
    owners |= {
        arn: owner for arn, owner in then.items() if not (managed.has_state and owner.startswith("terraform "))
    } | now
    names = {live.arn(thing): thing.key for thing in live.entities()}
    look = _Looking(aws, {stack.name: stack.region for stack in managed.stacks}, _ids(live))
    for arn, owner in owners.items():
        if (
            arn in about
            and arn in names
            and owner.startswith("stack ")
            and look.has_let_go(owner.split(" ")[1], names[arn])
        ):
            owners[arn] = ""
    return Owners(owners, tuple(sorted(look.unsure)))


def _ids(live: Snapshot) -> dict[str, set[str]]:
    """The ARNs of stacks by their names, from the tags that they leave."""
    found: dict[str, set[str]] = {}
    for thing in live.entities():
        tags: Mapping[str, str] = getattr(thing, "tags", {})
        name, arn = (tags.get(f"aws:cloudformation:{key}", "") for key in ("stack-name", "stack-id"))
        if name and arn.count(":") == _COLONS:
            found.setdefault(name, set()).add(arn)
    return found


class _Looking:
    """Asks CloudFormation once for each stack."""

    def __init__(self, aws: Aws, regions: Mapping[str, str], ids: Mapping[str, set[str]]) -> None:
        self._aws, self._regions, self._ids = aws, regions, ids
        self._held: dict[str, frozenset[str] | None] = {}
        self.unsure: set[str] = set()

    def has_let_go(self, stack: str, name: str) -> bool:
        """Whether the stack holds a thing of that name no more; False as well if nobody can tell."""
        if stack not in self._held:
            self._held[stack] = self._look(stack)
        held = self._held[stack]
        return held is not None and name not in held

    def _look(self, stack: str) -> frozenset[str] | None:
        """What lies in all stacks of that name; None if nobody can tell."""
        places = [(arn, arn.split(":")[3]) for arn in sorted(self._ids.get(stack, ()))]
        held: set[str] = set()
        for where, region in places or [(stack, self._regions.get(stack, ""))]:
            try:
                found = self._aws.stack_resources(where, region)
            except AwsRefused as error:
                self._doubt(f"stack {stack} may not be looked at ({error.message})")
                return None
            if found is None and not region:
                self._doubt(
                    f"stack {stack} is not in {self._aws.region or 'any known region'} (--region names another)"
                )
                return None
            held.update((found or {}).values())
        return frozenset(held)

    def _doubt(self, what: str) -> None:
        self.unsure.add(f"{what}: it counts as managing what it managed")
