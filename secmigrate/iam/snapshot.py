"""All of an account's IAM at one moment, and how it lies in a file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from functools import cached_property
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct, structs

from secmigrate.errors import BadInput
from secmigrate.iam.document import from_jsonable, to_jsonable
from secmigrate.iam.entities import (
    AccountId,
    E,
    Entity,
    Group,
    InstanceProfile,
    Policy,
    Principal,
    PrincipalKind,
    Role,
    User,
)


class Gap(Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """Something a source could not read. No plan is made from a snapshot that has one."""

    what: str  # a call, a page, an ARN
    why: str


# What a snapshot keeps once it was worked out, and from which rooms alone that was.
_FROM: Mapping[str, tuple[str, ...]] = {
    "members": ("users", "groups"),
    "memberships": ("users",),
    "profiles": ("instance_profiles",),
    "own_policies": ("policies",),
    "_uses": ("users", "groups", "roles"),
}


class Snapshot(Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """All of an account's IAM at one moment, or as it is planned to be. Maps are never changed in place.

    `owners` is who manages what, where a source tells; it is no part of what makes two snapshots equal either.

    The documents of AWS's own policies are reference material, AWS's to change: they are kept where something uses
    them, and are not part of what makes two snapshots equal. That they are attached, is.
    """

    account: AccountId
    partition: str = "aws"
    users: Mapping[str, User] = {}
    groups: Mapping[str, Group] = {}
    roles: Mapping[str, Role] = {}
    policies: Mapping[str, Policy] = {}  # by ARN: the account's own, and AWS's where something uses them
    instance_profiles: Mapping[str, InstanceProfile] = {}
    incomplete: tuple[Gap, ...] = ()
    owners: Mapping[str, str] = {}  # by ARN: terraform ADDRESS, stack NAME, service-linked, …

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return self is other or all(mine == others for mine, others in zip(self._state(), other._state(), strict=True))

    def __ne__(self, other: object) -> bool:
        return not self == other  # a Struct would compare what it is made of, and call two that are equal unequal

    __hash__ = None  # type: ignore[assignment]

    def _state(self) -> Iterator[object]:
        yield (self.account, self.partition, self.incomplete)
        yield from (self.users, self.groups, self.roles, self.instance_profiles, self.own_policies)

    @cached_property
    def own_policies(self) -> Mapping[str, Policy]:
        """The customer-managed policies, by ARN."""
        return {arn: policy for arn, policy in self.policies.items() if not policy.is_aws}

    def put(self, thing: Entity) -> Snapshot:
        """The snapshot with `thing` in it, in place of what had its key; all else is shared."""
        things = copy(getattr(self, thing.room))
        things[thing.key] = thing
        return self._with(thing.room, things)

    def drop(self, thing: Entity) -> Snapshot:
        """The snapshot without `thing`."""
        rest = copy(getattr(self, thing.room))  # of a dict with gaps `dict()` would take many times as long
        rest.pop(thing.key, None)
        return self._with(thing.room, rest)

    def renamed(self, group: Group, name: str) -> Snapshot:
        """The snapshot with a group under another name, and with its members in it."""
        users, rows = dict(self.users), dict(self.memberships)
        members = rows.pop(group.name, ())
        for member in members:
            groups = (name if one == group.name else one for one in users[member].groups)
            users[member] = structs.replace(users[member], groups=tuple(groups))
        if members:
            rows[name] = tuple(sorted({*members, *rows.get(name, ())}))
        found = self.drop(group).put(structs.replace(group, name=name))._with("users", users)
        found.__dict__["memberships"] = rows
        return found

    def _with(self, room: str, things: Mapping[str, Entity]) -> Snapshot:
        """The snapshot with another room; what was found out from the others alone is known of it as well."""
        found = structs.replace(self, **{room: things})
        for name, known in self.__dict__.items():
            if room not in _FROM.get(name, (room,)):
                found.__dict__[name] = known
        return found

    def principal(self, kind: PrincipalKind, name: str) -> Principal | None:
        """The user, group or role of that exact name."""
        return cast(Principal | None, getattr(self, kind + "s").get(name))

    def principals(self) -> Iterator[Principal]:
        """All users, groups and roles."""
        yield from self.users.values()
        yield from self.groups.values()
        yield from self.roles.values()

    def entities(self) -> Iterator[Entity]:
        """Everything that has a key."""
        yield from self.principals()
        yield from self.policies.values()
        yield from self.instance_profiles.values()

    def arn(self, thing: Entity) -> str:
        """The ARN under which `thing` is known in this account."""
        if isinstance(thing, Policy):
            return thing.arn
        kind = thing.kind if isinstance(thing, Principal) else "instance-profile"
        path, name = cast(str, getattr(thing, "path")), thing.key  # noqa: B009 - all but policies have a path field
        return f"arn:{self.partition}:iam::{self.account}:{kind}{path}{name}"

    def owner(self, thing: Entity) -> str:
        """Who manages the thing, as a source told or else IAM itself shows; empty if nobody is known to, or a source
        told that its stack has let it go.
        """
        return self.owners.get(self.arn(thing), thing.keeper)

    def policy_arn(self, name: str, path: str = "/") -> str:
        """The ARN of a customer-managed policy of this account."""
        return f"arn:{self.partition}:iam::{self.account}:policy{path}{name}"

    @cached_property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """User names by group, sorted; every group has a row."""
        return {**dict.fromkeys(self.groups, ()), **self.memberships}

    @cached_property
    def memberships(self) -> Mapping[str, tuple[str, ...]]:
        """User names by group, sorted, of the groups that somebody is in."""
        rows: dict[str, list[str]] = {}
        for user in self.users.values():
            for group in user.groups:
                rows.setdefault(group, []).append(user.name)
        return {group: tuple(sorted(names)) for group, names in rows.items()}

    @cached_property
    def profiles(self) -> Mapping[str, tuple[str, ...]]:
        """Names of instance profiles by the role that they hold, sorted."""
        rows: dict[str, list[str]] = {}
        for profile in self.instance_profiles.values():
            for role in dict.fromkeys(profile.roles):
                rows.setdefault(role, []).append(profile.name)
        return {role: tuple(sorted(names)) for role, names in rows.items()}

    def uses(self, arn: str) -> tuple[Principal, ...]:
        """Who has that managed policy attached or as permissions boundary."""
        return self._uses.get(arn, ())

    @cached_property
    def _uses(self) -> Mapping[str, tuple[Principal, ...]]:
        rows: dict[str, list[Principal]] = {}
        for one in self.principals():
            for arn in {*one.attached, getattr(one, "boundary", "")} - {""}:
                rows.setdefault(arn, []).append(one)
        return {arn: tuple(ones) for arn, ones in rows.items()}

    def restorable(self) -> Snapshot:
        """The snapshot without what IAM cannot give back (ids, dates, version numbers, last use) or does not own."""
        return structs.replace(
            self,
            users=_restorable(self.users),
            groups=_restorable(self.groups),
            roles=_restorable(self.roles),
            policies=_restorable(self.own_policies),
            instance_profiles=_restorable(self.instance_profiles),
            owners={},
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the restorable snapshot's JSON: equal snapshots, equal fingerprints."""
        return hashlib.sha256(encode(self.restorable())).hexdigest()


def _restorable(things: Mapping[str, E]) -> dict[str, E]:
    return {key: thing.restorable() for key, thing in things.items()}


class SnapshotFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a snapshot lies in a file: lists, sorted by key."""

    account: AccountId
    kind: Literal["snapshot"] = "snapshot"
    version: Literal[1] = 1
    partition: str = "aws"
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    roles: tuple[Role, ...] = ()
    policies: tuple[Policy, ...] = ()
    instance_profiles: tuple[InstanceProfile, ...] = ()
    incomplete: tuple[Gap, ...] = ()
    owners: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


_encoder = msgspec.json.Encoder(enc_hook=to_jsonable, order="sorted")
_decoder = msgspec.json.Decoder(SnapshotFile, dec_hook=from_jsonable)


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as one line of JSON; equal snapshots that saw the same give equal bytes."""

    def row(things: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(things[key] for key in sorted(things))

    return _encoder.encode(
        SnapshotFile(
            account=snapshot.account,
            partition=snapshot.partition,
            users=row(snapshot.users),
            groups=row(snapshot.groups),
            roles=row(snapshot.roles),
            policies=row(snapshot.policies),
            instance_profiles=row(snapshot.instance_profiles),
            incomplete=tuple(sorted(snapshot.incomplete)),
            owners=dict(snapshot.owners) or msgspec.UNSET,
        )
    )


def decode(data: bytes) -> Snapshot:
    """Reads what `encode` wrote. Raises msgspec.DecodeError or ValidationError, and BadInput for doubled keys."""
    file = _decoder.decode(data)
    return Snapshot(
        account=file.account,
        partition=file.partition,
        users=keyed(file.users),
        groups=keyed(file.groups),
        roles=keyed(file.roles),
        policies=keyed(file.policies),
        instance_profiles=keyed(file.instance_profiles),
        incomplete=file.incomplete,
        owners={} if file.owners is msgspec.UNSET else file.owners,
    )


def keyed(things: Iterable[E]) -> dict[str, E]:
    """Entities by key. Raises BadInput if two share one: names are unique ignoring case within an account."""
    found: dict[str, E] = {}
    folded: dict[str, str] = {}
    for thing in things:
        other = folded.setdefault(thing.key.casefold(), thing.key)
        if thing.key in found or other != thing.key:
            raise BadInput(f"{thing.room}: {thing.key!r} and {other!r} are one name to IAM", hint="keep one of them")
        found[thing.key] = thing
    return found
