"""Whether everyone is where they should be, and the new groups and roles are as planned."""

from __future__ import annotations

from collections.abc import Iterable

from secmigrate.access import Watch
from secmigrate.diff import diff
from secmigrate.iam import Snapshot
from secmigrate.plan.moves import Homes, Move, successors
from secmigrate.plan.quarantine import entered
from secmigrate.plan.readd import Members

SHOWN = 5  # losses of one user that are named


def verify(
    live: Snapshot, planned: Snapshot, moves: Iterable[Move], saved: Members, start: Snapshot, watch: Watch
) -> list[str]:
    """What is not as it should be, a line each; nothing if all is well.

    Whoever was in a mapped group when the inventory (`start`) was made must be in its new group and be able to do what
    she could then, but for what is accepted, or have left the account. `watch` knows both snapshots.
    """
    moves = tuple(moves)
    found = diff(planned, live, ("groups", "roles"))
    lines = [f"{item.kind} {item.name} is missing" for item in found.missing]
    lines += [
        f"{item.kind} {item.name} is not as planned: {change}" for item in found.different for change in item.changes
    ]
    homes = Homes(moves)
    for old in homes:
        for name in saved.get(old, ()):
            if name in live.users and not homes.is_in(live, old, name):
                where = " and ".join(homes.of(old, name)) or f"any of {', '.join(homes.all(old))}"
                lines.append(f"user {name}, who was in {old}, is not in {where}")
    # As long as an old role is there and not in quarantine, whoever may assume it has lost nothing.
    roles = live.roles
    gone = {old: new for old, new in successors(moves).items() if old not in roles or entered(roles[old])}
    for change in watch.between(start, live, gone).users():
        lines += [f"user {change.name} lost {loss}" for loss in watch.losses(change)[:SHOWN]]
        lines += [f"user {change.name} may not assume what took the place of {role}" for role in watch.barred(change)]
    return sorted(lines)
