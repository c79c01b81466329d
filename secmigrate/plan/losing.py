"""Who would lose by a way back what was hers before the migration."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from secmigrate.access import Watch
from secmigrate.iam import Snapshot
from secmigrate.operations import AddUserToGroup, Operation


def before_it(start: Snapshot, effects: Iterable[Operation]) -> Snapshot:
    """The inventory without the memberships that the migration gave, if it was taken again since."""
    for one in effects:
        if isinstance(one, AddUserToGroup) and one.user in start.users and one.is_done(start):
            user = start.users[one.user]
            start = start.put(structs.replace(user, groups=tuple(name for name in user.groups if name != one.group)))
    return start


def losing(start: Snapshot, live: Snapshot, end: Snapshot, watch: Watch) -> frozenset[str]:
    """The users who cannot do in the end what they could at the start and can do now. What only the migration gave is
    no loss. `watch` knows all of it.
    """
    # An account shows those of AWS's own policies that somebody has; on the way back others come again.
    shown = {arn: policy for arn, policy in start.policies.items() if policy.is_aws}
    end = structs.replace(end, policies={**shown, **end.policies})
    passage = watch.passage(start, live)
    there = start.users.keys() & live.users.keys() & end.users.keys()
    return frozenset(user for user in there if passage.dips(end, user))
