"""What was deleted, and is there again: by the same name IAM knows another thing."""

from __future__ import annotations

from collections.abc import Iterable

from secmigrate.iam import Snapshot
from secmigrate.operations import (
    DeleteGroup,
    DeleteInlinePolicy,
    DeletePolicy,
    DeleteRole,
    DetachPolicy,
    Operation,
    RemoveUserFromGroup,
)

Gone = DeleteGroup | DeleteRole | DeletePolicy


def made_since(live: Snapshot, done: Iterable[Operation]) -> frozenset[tuple[str, str]]:
    """What these operations deleted and somebody else has made again, as (kind, name), unless it holds nothing but what
    the old one held: then it is the old one, half put back by hand.
    """
    done = tuple(done)
    held: dict[tuple[str, str], set[object]] = {}
    for one in done:
        match one:
            case DetachPolicy(arn=arn):
                held.setdefault(one.subject, set()).add(arn)
            case DeleteInlinePolicy(policy=name, document=document):
                held.setdefault(one.subject, set()).add((name, document))
            case RemoveUserFromGroup(user=user, group=group):
                held.setdefault(("group", group), set()).add(("user", user))
    return frozenset(
        one.subject for one in done if isinstance(one, Gone) and not _is_old(one, live, held.get(one.subject, set()))
    )


def _is_old(gone: Gone, live: Snapshot, held: set[object]) -> bool:
    """Whether what was deleted is still gone, or there again with nothing but what it `held`."""
    if isinstance(gone, DeletePolicy):
        policy = live.policies.get(gone.policy.arn)
        return policy is None or policy.bare().settable() == gone.policy.settable()
    old = gone.group if isinstance(gone, DeleteGroup) else gone.role
    there = live.principal(old.kind, old.name)
    if there is None:
        return True
    holds: set[object] = {*there.attached, *there.inline.items()}
    if isinstance(gone, DeleteGroup):
        holds |= {("user", user) for user in live.members[old.name]}
    return there.bare().settable() == old.settable() and holds <= held
