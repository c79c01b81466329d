"""Several sources in one snapshot: what is there, who manages it, and where a state says something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, structs

from secmigrate.diff import describe
from secmigrate.errors import BadInput
from secmigrate.iam import Entity, Policy, Principal, Snapshot, User


class Merged(Struct, frozen=True):
    """One account, and where those who manage it are wrong about it, a line each."""

    snapshot: Snapshot
    drift: tuple[str, ...]


def merged(sources: Sequence[Snapshot]) -> Merged:
    """The account as the sources that know all of it say, with the owners that states tell; of states alone, all that
    they manage. Raises BadInput if the sources are of different accounts.
    """
    first = next((one for one in sources if not one.owners), sources[0])
    for other in sources:
        if other.account != first.account:
            hint = "merge what is of one account; each account has its own workspace"
            raise BadInput(f"sources of two accounts, {first.account} and {other.account}", where="--from", hint=hint)
    states = [one for one in sources if one is not first]
    if first.owners:
        for state in states:
            first = _joined(first, state)
        drift: list[str] = []
    else:
        drift = [line for state in states for line in _drift(state, first)]
    owners = dict(_kept(first))
    for state in (*states, first):
        owners |= state.owners
    there = {first.arn(thing) for thing in first.entities()}
    return Merged(
        structs.replace(first, owners={arn: owner for arn, owner in sorted(owners.items()) if arn in there}),
        tuple(sorted(drift)),
    )


def unowned(snapshot: Snapshot) -> list[str]:
    """The ARNs of groups, roles and policies of the account that nobody is known to manage."""
    things = (*snapshot.groups.values(), *snapshot.roles.values(), *snapshot.own_policies.values())
    return sorted(snapshot.arn(thing) for thing in things if not snapshot.owner(thing))


def _kept(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Who manages things by what IAM itself shows: paths that AWS keeps for itself, tags that CloudFormation leaves."""
    yield from ((snapshot.arn(thing), thing.keeper) for thing in snapshot.entities() if thing.keeper)


def _drift(state: Snapshot, live: Snapshot) -> Iterator[str]:
    """Where a state and the account differ. What it does not manage, such as further memberships, is no difference."""
    for thing in state.entities():
        owner = state.owner(thing)
        if not owner:
            continue
        there: Entity | None = _room(live, thing).get(thing.key)
        if there is None:
            yield f"{owner}: {state.arn(thing)} is not in the account"
            continue
        expected = thing
        if isinstance(expected, Policy) and isinstance(there, Policy):
            expected = structs.replace(expected, older=there.older)
        if isinstance(expected, User) and isinstance(there, User) and set(expected.groups) <= set(there.groups):
            expected = structs.replace(expected, groups=there.groups)
        if expected != there:
            yield from (f"{owner}: {state.arn(thing)}: {change}" for change in describe(expected, there))


def _joined(one: Snapshot, other: Snapshot) -> Snapshot:
    """Two states of one account, which may hang things on the same principals."""
    found = one
    for thing in other.entities():
        there = _room(found, thing).get(thing.key)
        if there is None:
            found = found.put(thing)
        elif isinstance(thing, Principal) and isinstance(there, Principal):
            base = thing if other.owner(thing) else there
            both = structs.replace(
                base,
                inline={**there.inline, **thing.inline},
                attached=tuple(sorted({*there.attached, *thing.attached})),
            )
            if isinstance(both, User) and isinstance(thing, User) and isinstance(there, User):
                both = structs.replace(both, groups=tuple(sorted({*there.groups, *thing.groups})))
            found = found.put(both)
    owners = {**one.owners, **other.owners}
    managed = {f"{thing.kind} {thing.name}" for thing in found.principals() if found.arn(thing) in owners}
    managed |= {f"policy {arn}" for arn in found.policies}
    gaps = {gap for gap in (*one.incomplete, *other.incomplete) if gap.what not in managed}
    return structs.replace(found, incomplete=tuple(sorted(gaps)), owners=owners)


def _room(snapshot: Snapshot, thing: Entity) -> Mapping[str, Entity]:
    room: Mapping[str, Entity] = getattr(snapshot, thing.room)
    return room
