"""Several sources in one snapshot: what is there, who manages it, and where a state says something else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct, structs

from secmigrate.diff import describe
from secmigrate.errors import BadInput
from secmigrate.iam import (
    Document,
    Entity,
    Gap,
    Policy,
    Principal,
    Snapshot,
    User,
    has_functions,
    is_function,
)


def outside(manager: str) -> Gap:
    """The gap of a source that knows only what its manager made, such as a Terraform state."""
    return Gap(f"what {manager} does not manage", "it knows only what it made")


NO_SUCH_KIND = "secmigrate does not know what such a resource may do"
_OF_OWNERS = (NO_SUCH_KIND, "the transform ", "the template of this nested stack ", "CloudFormation gives it a name")


def knows_all(snapshot: Snapshot) -> bool:
    """Whether its source looked at the whole account."""
    return not any(
        gap.what.startswith("what ") and gap.what.endswith(" does not manage") for gap in snapshot.incomplete
    )


class Merged(Struct, frozen=True):
    """One account, where those who manage it are wrong about it, a line each, and what may be theirs as well: what an
    account that was read whole leaves open is who manages it.
    """

    snapshot: Snapshot
    drift: tuple[str, ...]
    unsure: tuple[Gap, ...] = ()


def merged(sources: Sequence[Snapshot]) -> Merged:
    """The account as the sources that know all of it say, with the owners that states tell; of states alone, all that
    they manage. Raises BadInput if the sources are of different accounts.
    """
    first = next((one for one in sources if knows_all(one)), sources[0])
    for other in sources:
        if other.account != first.account:
            hint = "merge what is of one account; each account has its own workspace"
            raise BadInput(f"sources of two accounts, {first.account} and {other.account}", where="--from", hint=hint)
    states = [one for one in sources if one is not first]
    if not knows_all(first):
        for state in states:
            first = _joined(first, state)
        drift: list[str] = []
        unsure: set[Gap] = set()
    else:
        unsure = {gap for state in states for gap in state.incomplete if gap.why.startswith(_OF_OWNERS)}
        drift = [line for state in states for line in _drift(state, first)]
    owners = dict(_kept(first))
    for one in (first, *states):
        owners |= one.owners
    there = {first.arn(thing) for thing in first.entities()}
    return Merged(
        structs.replace(first, owners={arn: owner for arn, owner in sorted(owners.items()) if arn in there}),
        tuple(sorted(drift)),
        tuple(sorted(unsure)),
    )


def unowned(snapshot: Snapshot) -> list[str]:
    """The ARNs of groups, roles and policies of the account that nobody is known to manage."""
    things = (*snapshot.groups.values(), *snapshot.roles.values(), *snapshot.own_policies.values())
    return sorted(snapshot.arn(thing) for thing in things if not snapshot.owner(thing))


def _kept(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """Who manages things by what IAM itself shows: paths that AWS keeps for itself, tags that CloudFormation leaves."""
    yield from ((snapshot.arn(thing), thing.keeper) for thing in snapshot.entities() if thing.keeper)


def _drift(state: Snapshot, live: Snapshot) -> Iterator[str]:
    """Where a state and the account differ. What it does not manage, such as further memberships, is no difference, nor
    is what it does not know.
    """
    nameless = {gap.what for gap in state.incomplete}
    for thing in state.entities():
        owner = state.owner(thing)
        if not owner or state.arn(thing) in nameless:
            continue
        there: Entity | None = _room(live, thing).get(thing.key)
        if there is None:
            yield f"{owner}: {state.arn(thing)} is not in the account"
            continue
        expected = _filled(thing, there)
        if isinstance(expected, Policy) and isinstance(there, Policy):
            expected = structs.replace(expected, older=there.older)
        if isinstance(expected, User) and isinstance(there, User) and set(expected.groups) <= set(there.groups):
            expected = structs.replace(expected, groups=there.groups)
        if expected != there:
            yield from (f"{owner}: {state.arn(thing)}: {change}" for change in describe(expected, there))


def _filled(expected: Entity, there: Entity) -> Entity:
    """What a state says of a thing, with what it leaves open as it is in the account: functions of CloudFormation in
    documents and ARNs, and the tags that CloudFormation adds by itself.
    """
    new: dict[str, object] = {}
    for field in ("document", "trust"):
        mine, theirs = getattr(expected, field, None), getattr(there, field, None)
        if isinstance(mine, Document) and isinstance(theirs, Document) and _agree(mine.value, theirs.value):
            new[field] = theirs
    if isinstance(expected, Principal) and isinstance(there, Principal):
        new["inline"] = {
            name: there.inline[name] if name in there.inline and _agree(one.value, there.inline[name].value) else one
            for name, one in expected.inline.items()
        }
        known = {arn for arn in expected.attached if "{" not in arn}
        if len(known) < len(expected.attached) <= len(there.attached) and known <= set(there.attached):
            new["attached"] = there.attached
    boundary = getattr(there, "boundary", "")
    if boundary and "{" in getattr(expected, "boundary", ""):
        new["boundary"] = boundary
    added = {key: one for key, one in getattr(there, "tags", {}).items() if key.startswith("aws:")}
    if added:
        new["tags"] = {**added, **getattr(expected, "tags", {})}
    return structs.replace(expected, **new)


def _agree(mine: object, theirs: object) -> bool:
    """Whether a value with functions in it can be the other one."""
    if mine == theirs or is_function(mine):
        return True
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(_agree(one, theirs[key]) for key, one in mine.items())
    if isinstance(mine, list) and isinstance(theirs, list) and has_functions(mine):
        return len(mine) == len(theirs) and all(map(_agree, mine, theirs))
    return False


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
