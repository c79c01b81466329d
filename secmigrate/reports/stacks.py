"""How a stack's failure is told: the guide's query as a table, the cause first, and what to do about each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from secmigrate.deployment import Failure, Standing
from secmigrate.iam import Snapshot

SHOWN = 20


def failure_lines(stack: Standing, failures: Sequence[Failure], tier: str) -> Iterator[str]:
    """What failed, and what comes next."""
    if not stack.failed:
        return
    if stack.reason:
        yield f"  {stack.reason}"
    yield from cause_lines(failures)
    if len(failures) > SHOWN:
        yield "  (--json lists them all)"
    if stack.status == "ROLLBACK_COMPLETE":
        yield "  nothing of it is left in IAM, but the stack itself is in the way of the next deployment:"
        yield f"  secmigrate provisioner delete-stack --tier {tier}, then deploy again"
    elif stack.status == "DELETE_FAILED":
        yield f"  what stays is the stack's still: mend it, and secmigrate provisioner delete-stack --tier {tier}"


def cause_lines(failures: Sequence[Failure]) -> Iterator[str]:
    """What failed, and what to do about it."""
    for one in failures[:SHOWN]:
        yield f"  {'cause' if one.root else 'also '}  {one.status:14} {one.type.rpartition('::')[2]:14} {one.name}"
        yield f"         {one.reason or 'without a reason'}"
        yield f"         to do: {one.advice}"
    if len(failures) > SHOWN:
        yield f"  … and {len(failures) - SHOWN} more"


def going_lines(stack: str, held: Snapshot) -> Iterator[str]:
    """What goes when the stack is deleted, which nothing undoes."""
    yield f"deleting stack {stack} takes away, for good{':' if any(held.entities()) else ': nothing of IAM'}"
    yield from (f"  group {name}" for name in sorted(held.groups))
    for name, role in sorted(held.roles.items()):
        yield f"  role {name}{f' (used on {role.seen.last_used[:10]})' if role.seen.last_used else ''}"
    yield from (f"  policy {arn}" for arn in sorted(held.own_policies))
