"""What undoing some operations needs of what else was deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from secmigrate.iam import Snapshot
from secmigrate.operations import (
    AnyOperation,
    DeletePolicy,
    DeletePolicyVersion,
    DeleteRole,
    DetachPolicy,
    Operation,
    RemoveUserFromGroup,
)


def with_needed(
    live: Snapshot, effects: Iterable[AnyOperation], wanted: Callable[[Operation], bool]
) -> list[AnyOperation]:
    """What is wanted of these, and what undoing it needs of what was deleted: the roles that a role trusts, with all
    that they had, and managed policies.
    """
    effects = tuple(effects)
    trusted = _trusted(live, effects, wanted)

    def comes(one: Operation) -> bool:
        return wanted(one) or bool(trusted & (one.changes | one.relies_on))

    needed = {
        what
        for one in effects
        if isinstance(one, DetachPolicy | DeleteRole) and comes(one)
        for what in one.relies_on
        if what[0] == "policy"
    }
    back = DeletePolicy | DeletePolicyVersion
    return [one for one in effects if comes(one) or (isinstance(one, back) and one.subject in needed)]


def left_groups(
    live: Snapshot, effects: Iterable[Operation], wanted: Callable[[Operation], bool]
) -> frozenset[tuple[str, str]]:
    """The groups, as (kind, name), that people have left and that are not there any more, where that they left is to be
    undone: without these groups there is no way back for them.
    """
    return frozenset(
        ("group", one.group)
        for one in effects
        if isinstance(one, RemoveUserFromGroup) and one.group not in live.groups and wanted(one)
    )


def _trusted(
    live: Snapshot, effects: Iterable[AnyOperation], wanted: Callable[[Operation], bool]
) -> set[tuple[str, str]]:
    """The deleted roles that must be there before what is wanted can be, as (kind, name): IAM takes no trust policy
    that names a role which is gone.
    """
    deleted = [one for one in effects if isinstance(one, DeleteRole)]
    by_arn = {live.arn(one.role): one for one in deleted}
    found: set[tuple[str, str]] = set()
    left = [one for one in deleted if wanted(one)]
    while left:
        more = [by_arn[name] for name in left.pop().role.trust.aws_principals if name in by_arn]
        left += [one for one in more if one.subject not in found]
        found |= {one.subject for one in more}
    return found
