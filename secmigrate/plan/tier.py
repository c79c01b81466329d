"""From one tier to another (guide, "Upgrading Tiers"): the old stack goes, the new one comes. Its groups have the same
names, so both cannot stand at once: people are carried over by a bridge, and nobody lacks anything on the way.

The plan is made from whatever the account shows: before, half way, or with the provisioner's part done already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct, structs

from secmigrate.access import Watch
from secmigrate.dangers import Danger, danger, incomplete, some
from secmigrate.iam import Document, Group, Snapshot
from secmigrate.operations import (
    AddUserToGroup,
    AnyOperation,
    CreateStack,
    DeleteStack,
    RemoveUserFromGroup,
)
from secmigrate.plan import bridge as bridging
from secmigrate.plan.bridge import Span
from secmigrate.plan.farewell import narrowed
from secmigrate.plan.fold import Plan, PlanName, dips, sealed
from secmigrate.plan.standing import Members, Stack, shared, trusting

S = TypeVar("S", CreateStack, DeleteStack)
_SHOWN = 3  # losses of a user that a danger names


class Way(Struct, frozen=True, kw_only=True):
    """Where everything goes: the new groups of each old one, and the new roles of old roles; none where it ends."""

    homes: Mapping[str, tuple[str, ...]]
    successors: Mapping[str, str] = {}
    bridge: bool = True
    saved: Members = {}  # who was in which group, where no bridge tells it


class _Draft:
    """A plan in the making: what changes nothing is left out."""

    def __init__(self, live: Snapshot) -> None:
        self.now, self.operations = live, list[AnyOperation]()

    def do(self, operations: Iterable[AnyOperation]) -> None:
        for operation in operations:
            after = operation.applied(self.now)
            if after is not self.now:
                self.operations.append(operation)
                self.now = after


def tier_change(
    name: PlanName, live: Snapshot, old: Stack, new: Stack, way: Way, watch: Watch, dangers: Iterable[Danger] = ()
) -> Plan:
    """The plan from the old stack to the new one, for the account as it is now. `old` holds what of it is still there,
    `new` what its config will create, `dangers` what is known before. `watch` knows `live`, `new` and `documents`.
    """
    live = structs.replace(live, policies={**new.part.policies, **live.policies})
    spans = _spans(live, old, way) if way.bridge else {}
    wanted = _wanted(live, old, spans, way)
    draft = _Draft(live)
    obstacles = [*incomplete(live), *_obstacles(live, old, new)]
    if not obstacles:
        stuck = _drained(draft, old, wanted, spans)
        if stuck:
            obstacles.append(danger("too-many-groups", stuck, "plan"))
    if obstacles:
        return sealed(name, live, (), (*dangers, *obstacles))
    if not old.empty:
        draft.do([_step(DeleteStack, old)])
    lowest = draft.now
    draft.do([_step(CreateStack, new)])
    stuck = _back(draft, wanted, spans, way)
    draft.do(step for one in spans.values() for step in list(bridging.taken_away(draft.now, one)))
    coming = [role for role in old.part.roles if role in new.part.roles or role in way.successors]
    ending = [role for role in old.part.roles if role not in coming]
    found = [
        *dangers,
        *some("added-outside", () if old.empty else old.added),
        *some("too-many-groups", stuck, "plan"),
        *some("stranded-user", stranded(live, draft.now, way.successors, watch), "plan"),
        *some("role-ends", [_used(live, role) for role in sorted(ending)]),
        *some("role-gap", [_used(live, role, way.successors.get(role, role)) for role in sorted(coming)]),
        *some(
            "role-narrows", narrowed(live, draft.now, {role: way.successors.get(role, role) for role in coming}, watch)
        ),
    ]
    if way.bridge:
        return sealed(name, live, draft.operations, found, watch=watch)
    without = [] if lowest is live else stranded(live, lowest, {}, watch, roles=False)
    return sealed(name, live, draft.operations, [*found, *some("access-dips", without, "nothing")])


def rest(plan: Plan, done: Sequence[int], start: Snapshot, live: Snapshot, watch: Watch) -> tuple[Danger, ...]:
    """What the rest of a plan would do to people, now that the stack is really there and may be another than planned.

    `done` are the numbers of the operations that are done, `start` is the account before all of them. `watch` knows
    both snapshots. A way back is held to what it was planned to lead to: it takes what the way there had given.
    """
    left = [operation for n, operation in enumerate(plan.operations, 1) if n not in frozenset(done)]
    end = live
    for operation in left:
        end = operation.applied(end)
    dipping = sorted(set(dips(watch.passage(start, end), live, left)))
    may_dip = any(one.code == "access-dips" and one.blocks == "nothing" for one in plan.dangers)
    wanted = start
    for operation in plan.operations if plan.name == "rollback" else ():
        wanted = operation.applied(wanted)
    return (
        *some("stranded-user", stranded(wanted, end, {}, watch, roles=False), "plan"),
        *some("access-dips", [] if may_dip else dipping, "plan"),
    )


def documents(live: Snapshot, old: Stack, way: Way) -> list[Document]:
    """The documents that the bridge brings into the account."""
    spans = _spans(live, old, way)
    return [document for one in spans.values() for document in (one.policy.document, *one.copy.inline.values())]


def stranded(
    before: Snapshot, after: Snapshot, successors: Mapping[str, str], watch: Watch, *, roles: bool = True
) -> list[str]:
    """Who ends with less than she has, and what she loses that nobody accepted, a line each."""
    found = []
    for change in watch.between(before, after, successors).users():
        lost = watch.losses(change)
        if roles:
            lost += [f"to assume role {role}" for role in watch.barred(change)]
        if lost:
            more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
            found.append(f"{change.name} ({', '.join(lost[:_SHOWN])}{more})")
    return found


def _spans(live: Snapshot, old: Stack, way: Way) -> dict[str, Span]:
    """The bridge for each old group, from the group, its copy or the policy, whichever is there."""
    leaving = frozenset(old.part.own_policies)
    found = {}
    for name in sorted(way.homes):
        source: Group | None = old.part.groups.get(name) or live.groups.get(bridging.copy_name(name))
        left = live.policies.get(live.policy_arn(bridging.copy_name(name)))
        if source is None and left:
            source = Group(name=bridging.copy_name(name), inline={"left": left.document})
        if source:
            found[name] = bridging.span(live, name, source, leaving)
    return found


def _wanted(live: Snapshot, old: Stack, spans: Mapping[str, Span], way: Way) -> dict[str, list[str]]:
    """The old groups of each user: those that she is in, or is carried over from."""
    wanted: dict[str, set[str]] = {}
    for name in way.homes:
        members = {*(live.members[name] if name in old.part.groups else ())}
        if one := spans.get(name):
            members |= {*live.members.get(one.copy.name, ())}
            members |= {user.name for user in live.users.values() if one.carries(user)}
        elif not way.bridge:
            members |= {user for user in way.saved.get(name, ()) if user in live.users}
        for user in members:
            wanted.setdefault(user, set()).add(name)
    return {user: sorted(wanted[user]) for user in sorted(wanted)}


def _drained(draft: _Draft, old: Stack, wanted: Mapping[str, list[str]], spans: Mapping[str, Span]) -> list[str]:
    """Everybody out of the old groups, over the bridge if there is one. Gives who has no room for it."""
    live = draft.now
    inside = {
        user: [name for name in names if name in old.part.groups and name in live.users[user].groups]
        for user, names in wanted.items()
    }
    inside = {user: names for user, names in inside.items() if names}
    used = {name for names in inside.values() for name in names}
    draft.do(step for name in sorted(used & spans.keys()) for step in bridging.built(live, spans[name]))
    tight = []
    for user, names in inside.items():
        new = {spans[name].copy.name for name in names if name in spans} - {*live.users[user].groups}
        if len(new) > bridging.free(live.users[user]):
            tight.append(user)
        else:
            draft.do(AddUserToGroup(user=user, group=group) for group in sorted(new))
    for user, names in inside.items():
        if user not in tight:
            draft.do(RemoveUserFromGroup(user=user, group=name) for name in names)
    return [user for user in tight if not _carried(draft, user, inside[user], spans)]


def _carried(draft: _Draft, user: str, names: Sequence[str], spans: Mapping[str, Span]) -> bool:
    """Somebody with no room for all copies at once over the bridge; False if there is no way."""
    now = draft.now.users[user]
    direct = [name for name in names if spans[name].carries(now)]
    if not direct and not bridging.free(now):
        one = bridging.lifted(now, {name: spans[name] for name in names})
        if one is None:
            return False
        direct = [one.of]
    for name in direct:
        draft.do(bridging.lifting(draft.now, now, spans[name]))
    draft.do(RemoveUserFromGroup(user=user, group=name) for name in direct)
    steps = {name: (spans[name].copy.name,) for name in names if name not in direct}
    draft.do(bridging.one_by_one(draft.now.users[user], steps))
    return True


def _back(draft: _Draft, wanted: Mapping[str, list[str]], spans: Mapping[str, Span], way: Way) -> list[str]:
    """Everybody into the new groups and off the bridge. Gives who has no room for them."""
    tight = []
    for user, names in wanted.items():
        now = draft.now.users[user]
        new = {group for name in names for group in way.homes[name]} - {*now.groups}
        if len(new) > bridging.free(now):
            tight.append(user)
        else:
            draft.do(AddUserToGroup(user=user, group=group) for group in sorted(new))
    for user, names in wanted.items():
        if user not in tight:
            _off(draft, user, [spans[name] for name in names if name in spans])
    return [user for user in tight if not _returned(draft, user, wanted[user], spans, way)]


def _returned(draft: _Draft, user: str, names: Sequence[str], spans: Mapping[str, Span], way: Way) -> bool:
    """Somebody with no room for all new groups at once into them; False if there is no way."""
    mine = {name: spans[name] for name in names if name in spans}
    copies = {name: one for name, one in mine.items() if one.copy.name in draft.now.users[user].groups}
    if not bridging.free(draft.now.users[user]):
        one = bridging.lifted(draft.now.users[user], copies)
        if one is None:
            return False
        draft.do(bridging.lifting(draft.now, draft.now.users[user], one))
        draft.do([RemoveUserFromGroup(user=user, group=one.copy.name)])
        del copies[one.of]
    draft.do(
        bridging.one_by_one(
            draft.now.users[user], {one.copy.name: way.homes[name] for name, one in sorted(copies.items())}
        )
    )
    draft.do(AddUserToGroup(user=user, group=group) for name in names for group in way.homes[name])
    _off(draft, user, list(mine.values()))
    return True


def _off(draft: _Draft, user: str, spans: Iterable[Span]) -> None:
    for one in spans:
        draft.do([RemoveUserFromGroup(user=user, group=one.copy.name)] if one.copy.name in draft.now.groups else [])
        if one.carries(draft.now.users[user]):
            draft.do(bridging.lowering(draft.now.users[user], one))


def _obstacles(live: Snapshot, old: Stack, new: Stack) -> list[Danger]:
    """Why the old stack would not delete, or the new one not deploy."""
    roles = old.part.roles
    profiles = [
        f"{role} (instance profile {one.name})"
        for one in live.instance_profiles.values()
        for role in one.roles
        if role in roles
    ]
    taken = []
    if not old.empty:
        taken += [name for name in new.part.groups if name in live.groups and name not in old.part.groups]
        taken += [name for name in new.part.roles if name in live.roles and name not in roles]
    return [
        *some("role-in-use", sorted(profiles), "plan"),
        *some("named-elsewhere", trusting(live, old.part), "plan"),
        *some("shared-policy", shared(live, old.part), "plan"),
        *some("target-exists", sorted(taken)),
    ]


def _step(kind: type[S], stack: Stack) -> S:
    part = stack.part
    return kind(
        stack=stack.name,
        tier=stack.tier,
        region=stack.region,
        groups=tuple(part.groups[name] for name in sorted(part.groups)),
        roles=tuple(part.roles[name] for name in sorted(part.roles)),
        policies=tuple(part.own_policies[arn] for arn in sorted(part.own_policies)),
    )


def _used(live: Snapshot, role: str, then: str = "") -> str:
    """A role, when it was used, and which one is there for it then, if that has another name."""
    used = live.roles[role].seen.last_used[:10]
    notes = [f"used on {used}"] if used else []
    notes += [f"then it is {then}"] if then not in ("", role) else []
    return f"{role} ({', '.join(notes)})" if notes else role
