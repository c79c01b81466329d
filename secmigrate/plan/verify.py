"""Whether everyone is where they should be, and the new groups and roles are as planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from secmigrate.access import Watch
from secmigrate.diff import diff
from secmigrate.iam import Snapshot
from secmigrate.operations import AddUserToGroup, Operation, RemoveUserFromGroup
from secmigrate.plan.bridge import PREFIX
from secmigrate.plan.moves import Homes, Move, successors
from secmigrate.plan.quarantine import as_named_now, entered
from secmigrate.plan.readd import Members

SHOWN = 5  # losses of one user that are named


def verify(
    live: Snapshot,
    planned: Snapshot,
    moves: Iterable[Move],
    saved: Members,
    start: Snapshot,
    watch: Watch,
    done: Iterable[Operation] = (),
) -> list[str]:
    """What is not as it should be, a line each; nothing if all is well.

    Whoever was in a mapped group when the inventory (`start`) was made must be in its new group and be able to do what
    she could then, but for what is accepted, or have left the account; and be in no other that the migration put her
    into: `done` is what was done of it and not taken back. `watch` knows both snapshots.
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
    renamed = [(then.old, now.old) for then, now in zip(moves, as_named_now(moves, live), strict=True)]
    lines += _elsewhere(live, homes, saved, renamed, tuple(done))
    # As long as an old role is there and not in quarantine, whoever may assume it has lost nothing.
    roles = live.roles
    gone = {old: new for old, new in successors(moves).items() if old not in roles or entered(roles[old])}
    for change in watch.between(start, live, gone).users():
        lines += [f"user {change.name} lost {loss}" for loss in watch.losses(change)[:SHOWN]]
        lines += [f"user {change.name} may not assume what took the place of {role}" for role in watch.barred(change)]
    return sorted(lines)


def _elsewhere(
    live: Snapshot, homes: Homes, saved: Members, renamed: Iterable[tuple[str, str]], done: Sequence[Operation]
) -> Iterator[str]:
    """Who is where an earlier mapping put her and this one does not, a line each. Where others put people is theirs.
    `renamed` are old groups with their names in quarantine.
    """
    was_in = {(old, name) for old in homes for name in (*saved.get(old, ()), *live.memberships.get(old, ()))}
    was_in |= {(one.group, one.user) for one in done if isinstance(one, RemoveUserFromGroup) and one.group in homes}
    was_in |= {(old, name) for old, now in renamed for name in live.memberships.get(now, ())}
    wanted: dict[str, set[str]] = {}  # of those alone who are in something that is mapped: the rest may be out of scope
    for old, name in was_in:
        wanted.setdefault(name, set()).update(homes.of(old, name))
    for one in done:
        if isinstance(one, AddUserToGroup) and one.group not in homes and not one.group.startswith(PREFIX):
            name, group = one.user, one.group
            there = name in live.users and group in live.users[name].groups
            if there and name in wanted and group not in wanted[name]:
                yield f"user {name} is in {group}, where readd put her, and what is mapped now does not lead there"
