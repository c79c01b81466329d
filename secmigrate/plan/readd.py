"""Step 9 of the guide: every member of a mapped group into its new group, and nobody with less at any moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import structs

from secmigrate.access import Watch
from secmigrate.dangers import GROUPS_PER_USER, Danger, incomplete, over_quota, some
from secmigrate.iam import Snapshot, User
from secmigrate.operations import AddUserToGroup, AnyOperation, AttachPolicy, PutInlinePolicy, RemoveUserFromGroup
from secmigrate.plan.fold import Plan, sealed
from secmigrate.plan.moves import Homes, Move, missing_targets
from secmigrate.plan.quarantine import as_named_now

Members = Mapping[str, tuple[str, ...]]
LONGEST_POLICY_NAME = 128  # iam-rules, "Quotas"


def readd(
    live: Snapshot,
    moves: Iterable[Move],
    saved: Members,
    unmapped: Iterable[str],
    watch: Watch,
    taken_away: Iterable[str] = (),
) -> Plan:
    """The plan `readd` for the account as it is now.

    `saved` is who was in each old group when the inventory was made: it decides for groups that are gone by now, and
    elsewhere, in groups that are in quarantine as well, it tells who joined or left since. `unmapped` are groups
    without a counterpart. `watch` knows `live`. `taken_away` is what others would undo of it, such as Terraform on its
    next run, a sentence each.
    """
    moves = tuple(moves)
    named = as_named_now(moves, live)
    saved = {**saved, **{now.old: saved[then.old] for then, now in zip(moves, named, strict=True) if then.old in saved}}
    moves, homes = named, Homes(named)
    absent = set(missing_targets((move for move in moves if move.kind == "group"), live))
    wanted = _wanted(live, homes, saved)
    operations: list[AnyOperation] = []
    swaps: list[AnyOperation] = []
    stuck: list[str] = []
    dips: list[str] = []
    for name in sorted(wanted):
        user = live.users[name]
        new = sorted(wanted[name] - set(user.groups) - absent)
        denied = [group for group in new if not _only_gives(live, user, group, watch)]
        dips += [f"{name} ({group})" for group in denied]
        new = [group for group in new if group not in denied]
        room = GROUPS_PER_USER - len(user.groups)
        if len(new) <= room:
            operations += [AddUserToGroup(user=name, group=group) for group in new]
            continue
        swapped = _swap(live, user, new, homes, watch)
        if swapped is None:
            stuck.append(name)
        else:
            swaps += swapped
    dangers = [
        *incomplete(live),
        *some("target-missing", sorted(absent)),
        *some("takes-away", taken_away),
        *some("access-dips", dips),
        *some("too-many-groups", stuck),
        *_changes(live, homes, saved),
        *some("unmapped-members", [*_unmapped(live, unmapped), *_without_a_part(live, homes)]),
    ]
    return sealed("readd", live, [*operations, *swaps], dangers, watch=watch)


def _wanted(live: Snapshot, homes: Homes, saved: Members) -> Mapping[str, set[str]]:
    """The new groups of each user that still exists."""
    wanted: dict[str, set[str]] = {}
    for old in homes:
        members = live.members[old] if old in live.groups else saved.get(old, ())
        for name in members:
            if name in live.users:
                wanted.setdefault(name, set()).update(homes.of(old, name))
    return wanted


def _only_gives(live: Snapshot, user: User, group: str, watch: Watch) -> bool:
    """Whether the user loses nothing in the new group: it denies nothing that she may do."""
    if watch.only_gives(live, group):
        return True
    within = structs.replace(user, groups=(*user.groups, group))
    return watch.keeps(watch.side(live, user), watch.side(live, within)) and watch.keeps_roles(live, user, within)


def _swap(live: Snapshot, user: User, new: list[str], homes: Homes, watch: Watch) -> list[AnyOperation] | None:
    """Leaves old groups that give the user nothing which the others do not give too, to make room; None if too few.

    Where only the new group itself gives it too, the user has its policies directly for the moment. Only mapped groups
    may go (they would go at the end anyway), and none whose Deny would be lifted.
    """
    operations: list[AnyOperation] = []
    for group in new:
        if len(user.groups) >= GROUPS_PER_USER:
            bridge: list[AttachPolicy | PutInlinePolicy] = []
            spare = _redundant(live, user, homes, watch)
            if spare is None:
                spare, bridge = _redundant(live, user, homes, watch, beside=group), _bridge(live, user, group)
                if spare is None or not bridge:
                    return None
            operations += [*bridge, RemoveUserFromGroup(user=user.name, group=spare)]
            user = structs.replace(user, groups=tuple(kept for kept in user.groups if kept != spare))
            operations.append(AddUserToGroup(user=user.name, group=group))
            operations += [step.undo() for step in reversed(bridge)]
        else:
            operations.append(AddUserToGroup(user=user.name, group=group))
        user = structs.replace(user, groups=(*user.groups, group))
    return operations


def _bridge(live: Snapshot, user: User, group: str) -> list[AttachPolicy | PutInlinePolicy]:
    """What gives the user directly what the group gives; nothing if that is nothing, or she has no room for it."""
    new = live.groups[group]
    steps: list[AttachPolicy | PutInlinePolicy] = [
        AttachPolicy(principal="user", name=user.name, arn=arn) for arn in new.attached if arn not in user.attached
    ]
    inline = {f"secmigrate-bridge-{group}-{name}": document for name, document in new.inline.items()}
    steps += [
        PutInlinePolicy(principal="user", name=user.name, policy=name, document=document)
        for name, document in sorted(inline.items())
    ]
    if not inline.keys().isdisjoint(user.inline) or any(len(name) > LONGEST_POLICY_NAME for name in inline):
        return []
    both = structs.replace(user, attached=(*user.attached, *new.attached), inline={**user.inline, **inline})
    return [] if any(over_quota(live, both)) else steps


def _redundant(live: Snapshot, user: User, homes: Homes, watch: Watch, *, beside: str = "") -> str | None:
    """A mapped group of the user whose leaving takes nothing from her and lifts no Deny; with `beside`, if she were in
    that group as well.
    """
    groups = (*user.groups, beside) if beside else user.groups
    now = watch.side(live, structs.replace(user, groups=groups))
    for group in user.groups:
        if group not in homes:
            continue
        left = structs.replace(user, groups=tuple(other for other in groups if other != group))
        if watch.keeps(now, watch.side(live, left)) and _only_gives(live, left, group, watch):
            return group
    return None


def _changes(live: Snapshot, homes: Homes, saved: Members) -> list[Danger]:
    """Who joined or left a mapped group since the inventory."""
    joined: set[str] = set()
    left: set[str] = set()
    for old in homes:
        if old in live.groups and old in saved:
            now, then = set(live.members[old]), set(saved[old])
            joined |= {f"{name} ({old})" for name in now - then}
            # Whoever left the old group for the new one has been moved, by a swap or by hand.
            left |= {f"{name} ({old})" for name in then - now if not homes.is_in(live, old, name)}
    return [*some("joined-since-snapshot", sorted(joined)), *some("left-since-snapshot", sorted(left))]


def _unmapped(live: Snapshot, unmapped: Iterable[str]) -> list[str]:
    members = live.members
    return [f"{len(members[group])} in {group}" for group in sorted(unmapped) if members.get(group)]


def _without_a_part(live: Snapshot, homes: Homes) -> list[str]:
    """Members of groups that are split, of whom the split says nothing."""
    return [
        f"{name} in {old}" for old in sorted(homes) for name in live.members.get(old, ()) if not homes.of(old, name)
    ]
