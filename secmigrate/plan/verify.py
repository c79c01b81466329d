"""Whether everyone is where they should be, and the new groups and roles are as planned."""

from __future__ import annotations

from collections.abc import Iterable

from secmigrate.diff import diff
from secmigrate.iam import Snapshot
from secmigrate.plan.moves import Move, targets
from secmigrate.plan.readd import Members


def verify(live: Snapshot, planned: Snapshot, moves: Iterable[Move], saved: Members) -> list[str]:
    """What is not as it should be, a line each; nothing if all is well.

    Whoever was in a mapped group when the inventory was made must be in its new group, or have left the account.
    """
    found = diff(planned, live, ("groups", "roles"))
    lines = [f"{item.kind} {item.name} is missing" for item in found.missing]
    lines += [
        f"{item.kind} {item.name} is not as planned: {change}" for item in found.different for change in item.changes
    ]
    for old, new in targets(moves, "group").items():
        for name in saved.get(old, ()):
            user = live.users.get(name)
            if user is not None and new not in user.groups:
                lines.append(f"user {name}, who was in {old}, is not in {new}")
    return sorted(lines)
