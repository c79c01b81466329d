"""Several sources in one snapshot: what is there, who manages it, and where a state says something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, structs

from secmigrate.diff import describe
from secmigrate.errors import BadInput
from secmigrate.iam import Gap, Policy, Snapshot, User
from secmigrate.sources.uniting import FURTHER, LISTS, LIVE, Source, filled, united


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


def merged(sources: Sequence[Source]) -> Merged:
    """The account as the sources that know all of it say, with the owners that code tells; of code alone, all that it
    manages. What is live and lacks nothing counts alone. Raises BadInput if the sources are of different accounts, or
    call one thing by names that differ only in case.
    """
    _of_one_account([one.snapshot for one in sources])
    accounts = [one for one in sources if knows_all(one.snapshot)]
    code = sorted((one for one in sources if not knows_all(one.snapshot)), key=lambda one: one.name)
    live = [one for one in accounts if one.name == LIVE and not one.snapshot.incomplete]
    found = united(live or accounts or code, whole=bool(accounts))
    drift: list[str] = []
    unsure: set[Gap] = set()
    if accounts:
        unsure = {gap for one in code for gap in one.snapshot.incomplete if gap.why.startswith(_OF_OWNERS)}
        drift = [line for one in code for line in _drift(one.snapshot, found)]
    owners = {arn: owner for one in reversed((*code, *accounts)) for arn, owner in one.snapshot.owners.items()}
    there = {found.arn(thing).casefold(): found.arn(thing) for thing in found.entities()}
    owners = {there[arn.casefold()]: owner for arn, owner in owners.items() if arn.casefold() in there}
    return Merged(
        structs.replace(found, owners=dict(sorted({**dict(_kept(found)), **owners}.items()))),
        tuple(sorted(drift)),
        tuple(sorted(unsure)),
    )


def _of_one_account(snapshots: Sequence[Snapshot]) -> None:
    accounts = list(dict.fromkeys(one.account for one in snapshots))
    if len(accounts) > 1:
        hint = "merge what is of one account; each account has its own workspace"
        raise BadInput(f"sources of two accounts, {accounts[0]} and {accounts[1]}", where="--from", hint=hint)


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
    cut = any(gap.what in (FURTHER, *LISTS) for gap in live.incomplete)
    account = "what was read of the account" if cut else "the account"
    every = {(one.room, one.key.casefold()): one for one in live.entities()}
    for thing in state.entities():
        owner = state.owner(thing)
        if not owner or state.arn(thing) in nameless:
            continue
        there = every.get((thing.room, thing.key.casefold()))
        if there is None:
            yield f"{owner}: {state.arn(thing)} is not in {account}"
            continue
        expected = filled(thing, there)
        if isinstance(expected, Policy) and isinstance(there, Policy):
            expected = structs.replace(expected, older=there.older)
        if isinstance(expected, User) and isinstance(there, User) and set(expected.groups) <= set(there.groups):
            expected = structs.replace(expected, groups=there.groups)
        if expected != there:
            yield from (f"{owner}: {state.arn(thing)}: {change}" for change in describe(expected, there))
