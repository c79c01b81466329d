"""Where the migration leads: the account as it will be when all that is mapped has moved."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from secmigrate.iam import Snapshot, User
from secmigrate.plan.moves import Homes, Move, successors


def destination(start: Snapshot, planned: Snapshot, moves: Iterable[Move]) -> Snapshot:
    """The account `start` after deploy, readd and decommission, if nothing keeps them from doing all that is mapped.

    Old roles go as well, also those that are used still: that they must go in the end is what was decided. A group
    whose split says nothing of one of its members stays. Managed policies stay; nobody can do anything by one
    that is not attached.
    """
    moves = tuple(moves)
    homes, roles = Homes(moves), successors(moves)
    gone = {old for old in homes if all(homes.of(old, member) for member in start.members.get(old, ()))}

    def moved(user: User) -> User:
        if not any(group in homes for group in user.groups):
            return user
        kept = [group for group in user.groups if group not in gone]
        return structs.replace(user, groups=(*kept, *(new for old in user.groups for new in homes.of(old, user.name))))

    return structs.replace(
        start,
        users={name: moved(user) for name, user in start.users.items()},
        groups={**{name: one for name, one in start.groups.items() if name not in gone}, **planned.groups},
        roles={**{name: one for name, one in start.roles.items() if name not in roles}, **planned.roles},
        policies={**start.policies, **planned.policies},
    )
