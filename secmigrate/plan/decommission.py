"""Step 10 of the guide: old groups, roles and policies go, in the order that IAM demands."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping

from msgspec import Struct, structs

from secmigrate.access import Watch
from secmigrate.dangers import Danger, incomplete, some
from secmigrate.iam import Document, Entity, Group, Policy, Principal, PrincipalKind, Role, Snapshot
from secmigrate.operations import (
    PHASES,
    AnyOperation,
    DeleteGroup,
    DeleteInlinePolicy,
    DeletePolicy,
    DeletePolicyVersion,
    DeleteRole,
    DetachPolicy,
    RemoveRoleFromInstanceProfile,
    RemoveUserFromGroup,
)
from secmigrate.operations.policies import denies
from secmigrate.plan.farewell import Farewell, narrowed
from secmigrate.plan.fold import Kept, Plan, sealed
from secmigrate.plan.moves import Homes, Move, missing_targets, successors
from secmigrate.plan.naming import nobody, policy_namers, referring_last
from secmigrate.plan.quarantine import POLICY, Quarantine, Thing, as_named_now, entered, entry, parted
from secmigrate.plan.unnamed import Names


class Leaving(Struct, frozen=True):
    """What may go, what is put in quarantine, what stays and why, and what a person must be told about it."""

    groups: tuple[Group, ...]
    roles: tuple[Role, ...]
    entering: tuple[Thing, ...]
    kept: tuple[Kept, ...]
    dangers: tuple[Danger, ...]
    named: tuple[str, ...]  # what stays because something names it


def decommission(
    live: Snapshot,
    moves: Iterable[Move],
    unused_since: str,
    watch: Watch,
    quarantine: Quarantine | None = None,
    withdrawn: Container[str] = frozenset(),
) -> Plan:
    """The plan `decommission` for the account as it is now: only what is mapped, if its members are in place and keep
    what they can do, but for what is accepted.

    `unused_since` is an ISO date: a role that was used on that day or later stays. `watch` knows `live`. With a
    `quarantine` its kinds of things are put there first, and go when they have been there long enough. `withdrawn` are
    the ARNs of those of AWS's own policies that AWS may offer nobody any more.
    """
    moves = as_named_now(moves, live)
    leaving = _leaving(live, moves, unused_since, watch, quarantine)
    going, staying = _policies(live, leaving)
    operations: list[AnyOperation] = [
        *(entry(one, quarantine.today) for one in leaving.entering if quarantine),
        *(step for group in leaving.groups for step in _group(live, group)),
        *(step for role in reversed(referring_last(live, leaving.roles)) for step in _role(live, role)),
        *(step for policy in going for step in _policy(policy)),
    ]
    operations = [
        structs.replace(one, may_be_withdrawn=True) if isinstance(one, DetachPolicy) and one.arn in withdrawn else one
        for one in operations
    ]
    # By phase, and within a phase in the order above: sorting is stable.
    operations.sort(key=lambda operation: PHASES.index(operation.phase))
    shared = some("shared-policy", sorted(one.name for one in staying if one.why.endswith("uses it as well")))
    named = [*leaving.named, *sorted(one.name for one in staying if one.why.startswith("named in"))]
    dangers = (
        *incomplete(live),
        *some("target-missing", missing_targets(moves, live)),
        *leaving.dangers,
        *some("named-elsewhere", named),
        *shared,
    )
    return sealed("decommission", live, operations, dangers, (*leaving.kept, *staying), watch=watch)


def _leaving(
    live: Snapshot, moves: tuple[Move, ...], unused_since: str, watch: Watch, quarantine: Quarantine | None
) -> Leaving:
    homes = Homes(moves)
    groups, waiting = _groups(live, homes)
    owned = {old: live.owner(live.groups[old]) for old in homes if old in live.groups and live.owner(live.groups[old])}
    roles, why = _roles(live, successors(moves), unused_since)
    farewell = Farewell(live, successors(moves), watch)
    groups, needed = farewell.of_groups(groups)
    roles, assumed = farewell.of_roles(roles)
    names = Names(live, groups, roles, {group.name: homes.all(group.name) for group in groups}, successors(moves))
    unnamed = names.unnamed(groups, roles)
    of_groups, of_roles = parted(unnamed.groups, quarantine), parted(unnamed.roles, quarantine)
    # What is in quarantine keeps what it names, until it goes itself.
    due = names.unnamed(
        [one for one in of_groups.due if isinstance(one, Group)],
        [one for one in of_roles.due if isinstance(one, Role)],
    )
    kept = [
        *of_groups.kept,
        *of_roles.kept,
        *(structs.replace(one, why=f"{one.why}, which goes later") for one in due.kept),
        *unnamed.kept,
        *(Kept("group", group, f"not all of its members are in {_told(homes, group)} yet") for group in waiting),
        *(Kept("group", group, reason) for group, reason in needed.items()),
        *(Kept("role", name, reason) for name, reason in (why | assumed).items()),
        *(Kept("group", old, f"managed by {owner}") for old, owner in owned.items()),
    ]
    members = [f"{user} ({group})" for group in waiting for user in _absent(live, group, homes)]
    dangers = [
        *some("not-a-member-yet", members),
        *some("role-in-use", sorted(name for name, reason in why.items() if reason.startswith("used"))),
        *some(
            "owned-elsewhere", sorted([*owned, *(one for one, reason in why.items() if reason.startswith("managed"))])
        ),
        *some("service-linked", sorted(name for name, reason in why.items() if reason.startswith("AWS"))),
        *some("stranded-user", farewell.stranded),
        *some("deny-removed", farewell.gains(due.groups)),
        *some("role-narrows", narrowed(live, live, _of(successors(moves), unnamed.roles), watch)),
        *some("cannot-undo", sorted(name for name, reason in why.items() if reason.startswith("trusts"))),
    ]
    entering = (*of_groups.entering, *of_roles.entering)
    named = tuple(sorted({one.name for one in unnamed.kept}))
    return Leaving(due.groups, due.roles, entering, tuple(kept), tuple(dangers), named)


def _of(new_of: Mapping[str, str], roles: Iterable[Role]) -> Mapping[str, str]:
    return {role.name: new_of[role.name] for role in roles}


def _groups(live: Snapshot, homes: Homes) -> tuple[tuple[Group, ...], list[str]]:
    """The groups that may go, those that deny something last, and those that wait."""
    there = sorted(old for old in homes if old in live.groups and not live.owner(live.groups[old]))
    waiting = [
        old for old in there if any(new not in live.groups for new in homes.all(old)) or _absent(live, old, homes)
    ]
    going = [live.groups[old] for old in there if old not in waiting]
    going.sort(key=lambda group: any(denies(document) for document in _documents(live, group)))
    return tuple(going), waiting


def _documents(live: Snapshot, group: Group) -> Iterator[Document]:
    yield from group.inline.values()
    yield from (live.policies[arn].document for arn in group.attached if arn in live.policies)


def _absent(live: Snapshot, old: str, homes: Homes) -> list[str]:
    return [user for user in live.members[old] if not homes.is_in(live, old, user)]


def _told(homes: Homes, old: str) -> str:
    return " or ".join(homes.all(old))


def _roles(live: Snapshot, new_of: Mapping[str, str], unused_since: str) -> tuple[tuple[Role, ...], dict[str, str]]:
    """The roles that may go, and why the others may not."""
    going: list[Role] = []
    why: dict[str, str] = {}
    for old in sorted(new_of):
        role = live.roles.get(old)
        if role is None:
            continue
        if role.keeper and not role.keeper.startswith("stack"):
            why[old] = f"AWS manages it ({role.keeper})"
        elif live.owner(role):
            why[old] = f"managed by {live.owner(role)}"
        elif new_of[old] not in live.roles:
            why[old] = f"{new_of[old]} does not exist yet"
        elif role.seen.last_used[:10] >= unused_since:
            why[old] = f"used on {role.seen.last_used[:10]}"
        elif entered(role) and role.seen.last_used[:10] > entered(role):
            why[old] = f"used on {role.seen.last_used[:10]}, while in quarantine"
        elif gone := nobody(role.trust, live):
            why[old] = f"trusts {gone[0]}, who is gone, so that IAM would not take it anew"
        else:
            going.append(role)
    return tuple(going), why


def _group(live: Snapshot, group: Group) -> Iterator[AnyOperation]:
    for user in live.members[group.name]:
        yield RemoveUserFromGroup(user=user, group=group.name)
    yield from _strip(group)
    yield DeleteGroup(group=group.bare())


def _role(live: Snapshot, role: Role) -> Iterator[AnyOperation]:
    for profile in live.profiles.get(role.name, ()):
        yield RemoveRoleFromInstanceProfile(profile=profile, role=role.name)
    yield from _strip(role)
    yield DeleteRole(role=role.bare(), id=role.seen.id)


def _strip(one: Principal) -> Iterator[AnyOperation]:
    """All that hangs on it. What denies everything in quarantine goes last, so that undoing puts it there first."""
    own = [
        DeleteInlinePolicy(principal=one.kind, name=one.name, policy=policy, document=document)
        for policy, document in sorted(one.inline.items())
    ]
    yield from (operation for operation in own if operation.policy != POLICY)
    for arn in one.attached:
        yield DetachPolicy(principal=one.kind, name=one.name, arn=arn)
    yield from (operation for operation in own if operation.policy == POLICY)


def _policies(live: Snapshot, leaving: Leaving) -> tuple[list[Policy], list[Kept]]:
    """The customer-managed policies that only what goes made use of, and those that stay, with the reason."""
    names = {(one.kind, one.name) for one in (*leaving.groups, *leaving.roles)}
    used = {arn for one in (*leaving.groups, *leaving.roles) for arn in one.attached}
    going: list[Policy] = []
    kept: list[Kept] = []
    named = policy_namers(live) if used else {}
    for arn in sorted(used & live.own_policies.keys()):
        policy = live.policies[arn]
        others = [one for one in live.uses(arn) if (one.kind, one.name) not in names]
        resting = [one for one in others if one in leaving.entering or (isinstance(one, Thing) and entered(one))]
        if others and len(resting) == len(others):
            kept.append(Kept("policy", arn, f"{others[0].kind} {others[0].name} uses it, until it leaves quarantine"))
        elif others:
            other = next(one for one in others if one not in resting)
            kept.append(Kept("policy", arn, f"{other.kind} {other.name} uses it as well"))
        elif live.owner(policy):
            kept.append(Kept("policy", arn, f"managed by {live.owner(policy)}"))
        elif namers_left := [one for one in named.get(arn, ()) if one is not policy and _stays(one, names)]:
            kept.append(Kept("policy", arn, f"named in {min(map(live.arn, namers_left))}"))
        else:
            going.append(policy)
    return going, kept


def _stays(one: Entity, leaving: Container[tuple[PrincipalKind, str]]) -> bool:
    """Whether a thing is none of the groups and roles that go. A managed policy counts as staying."""
    return not isinstance(one, Principal) or (one.kind, one.name) not in leaving


def _policy(policy: Policy) -> Iterator[AnyOperation]:
    for at, old in enumerate(policy.older):
        nth = policy.older[at:].count(old)
        yield DeletePolicyVersion(arn=policy.arn, document=old.document, version=old.seen.id, nth=nth)
    yield DeletePolicy(policy=policy.bare())
