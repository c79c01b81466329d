"""What of the account as it is stands in the way of a config: names that are taken, and no room.

Quotas: iam-rules, "Quotas".
"""

from __future__ import annotations

from collections.abc import Iterator

from secmigrate.iam import Snapshot
from secmigrate.sec.config import SecConfig
from secmigrate.sec.finding import Finding, created

PER_ACCOUNT = {"group": (300, 500), "role": (1_000, 10_000)}  # by default, and as far as AWS raises it


def in_the_way(config: SecConfig, existing: Snapshot) -> Iterator[Finding]:
    """All of it."""
    yield from _collisions(config, existing)
    yield from _full(config, existing)


def _collisions(config: SecConfig, existing: Snapshot) -> Iterator[Finding]:
    taken = {("group", name.casefold()): name for name in existing.groups}
    taken.update({("role", name.casefold()): name for name in existing.roles})
    for path, kind, name in created(config):
        there = taken.get((kind, name.casefold()))
        if there is None:
            continue
        if kind == "role" and existing.roles[there].keeper == f"stack {config.stack}":
            continue  # this very stack made it
        yield Finding(
            path=path,
            message=f"the account already has a {kind} {there}",
            hint="fine if a SEC stack of this tenant made it; otherwise the deployment will fail",
            # IAM shows no owner of a group, so one of exactly that name may well be the stack's own.
            severity="warning" if there == name else "error",
        )


def _full(config: SecConfig, existing: Snapshot) -> Iterator[Finding]:
    """More groups or roles than an account can hold: the old ones stand beside the new until they are decommissioned.

    An account that holds more than the default has a raised quota, which the inventory does not tell.
    """
    there = {"group": existing.groups, "role": existing.roles}
    for kind, (default, most) in PER_ACCOUNT.items():
        names = {name.casefold() for name in there[kind]}
        new = {name.casefold() for _, of, name in created(config) if of == kind} - names
        count, raised = len(names) + len(new), len(names) > default
        if not new or count <= (most if raised else default):
            continue
        sure = count > most
        limit = f"{most:,} at most" if sure else f"{default:,} unless AWS raised it"
        yield Finding(
            path=("security", "iam_groups") if kind == "group" else ("security",),
            message=f"the account would have {count:,} {kind}s, and IAM takes {limit}",
            hint="remove some that nobody needs" + ("" if sure else f", or have AWS raise the quota of {kind}s"),
            severity="error" if sure else "warning",
        )
