"""Which thing of the account a resource of a stack is: by what CloudFormation tells, else by its tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from secmigrate.errors import Failed
from secmigrate.iam import Gap, Policy, Snapshot
from secmigrate.sources.cloudformation import Place

if TYPE_CHECKING:
    from secmigrate.aws import Aws


def place_of(live: Snapshot, aws: Aws, told: Callable[[Gap], None] = lambda gap: None) -> Place:
    """What the account tells of where templates are deployed. `told` hears of stacks that may not be looked at."""
    tagged = by_tags(live)

    def names(stack: str, region: str) -> Mapping[str, str] | None:
        plain = stack.split("/")[1] if stack.startswith("arn:") and stack.count("/") == 2 else stack
        try:
            found = aws.stack_resources(stack, region)
        except Failed as error:
            told(Gap(f"stack {plain}", error.message))
            return tagged.get(plain)
        return None if found is None else {**tagged.get(plain, {}), **found}

    return Place(live.account, live.partition, aws.region, names)


def by_tags(live: Snapshot) -> Mapping[str, Mapping[str, str]]:
    """By stack, then by logical id: what the things are called that carry CloudFormation's tags. Groups carry none."""
    found: dict[str, dict[str, str]] = {}
    for thing in live.entities():
        tags: Mapping[str, str] = getattr(thing, "tags", {})
        stack, logical_id = (tags.get(f"aws:cloudformation:{key}", "") for key in ("stack-name", "logical-id"))
        if stack and logical_id:
            found.setdefault(stack, {})[logical_id] = thing.arn if isinstance(thing, Policy) else thing.key
    return found
