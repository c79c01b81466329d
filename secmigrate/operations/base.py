"""What an operation is: one AWS call, its inverse, and what it does to a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, TypeVar

from msgspec import Struct, structs

from secmigrate.errors import SecmigrateError
from secmigrate.iam import (
    Entity,
    Group,
    InstanceProfile,
    Policy,
    Principal,
    PrincipalKind,
    Role,
    Snapshot,
    User,
    is_aws_tag,
)
from secmigrate.operations.call import Call

Phase = Literal["grant", "verify", "revoke", "strip", "delete"]
PHASES: tuple[Phase, ...] = ("grant", "verify", "revoke", "strip", "delete")

T = TypeVar("T")

LOSES_IDENTITY = "the unique id is gone for good"
MAY_RAISE = "it denies something: taking it away can raise access"


class Impossible(SecmigrateError):
    """The operation does not apply to the snapshot: what it needs is missing, or what it makes is already different."""


class Missing(Impossible):
    """What the operation is about does not exist."""


class Operation(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="op"):
    """One step of a plan. It survives JSON, and `undo().undo() == self`."""

    phase: ClassVar[Phase]
    ours: ClassVar[bool] = True  # whether secmigrate makes the call; else it waits until somebody has
    already: ClassVar[tuple[str, ...]] = ()  # AWS error codes that may mean: somebody or an earlier try did it

    def call(self) -> Call:
        """The one AWS call that does it."""
        raise NotImplementedError

    def undo(self) -> Operation:
        """The operation that takes it back; everything that it needs is carried from the start."""
        raise NotImplementedError

    def applied(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot after the call. The same object if there was nothing to do. Raises Impossible."""
        raise NotImplementedError

    @property
    def caveat(self) -> str:
        """What a person must know beforehand, above all what undoing will not bring back; empty if nothing."""
        return ""

    @property
    def destructive(self) -> bool:
        """Whether it takes something away."""
        return self.phase not in ("grant", "verify")

    @property
    def subject(self) -> tuple[str, str]:
        """What it changes, as (kind, name)."""
        raise NotImplementedError

    @property
    def changes(self) -> frozenset[tuple[str, str]]:
        """What no other call may change or rely on at the same time, as (kind, name)."""
        return frozenset({self.subject})

    @property
    def relies_on(self) -> frozenset[tuple[str, str]]:
        """What must be there before, or may go only after, as (kind, name)."""
        return frozenset()

    def is_apart_from(self, other: Operation) -> bool:
        """Whether the two calls may be made at the same time."""
        return not (self.changes & other.changes or self.changes & other.relies_on or self.relies_on & other.changes)

    def is_done(self, snapshot: Snapshot) -> bool:
        """Whether the snapshot already shows its effect: applying it changes nothing.

        What was to be taken away is also gone where that which held it is gone. What could not be read is not gone.
        """
        if self.destructive and snapshot.incomplete:
            return False
        try:
            return self.applied(snapshot) is snapshot
        except Missing:
            return self.destructive
        except Impossible:
            return False


def group_of(snapshot: Snapshot, name: str) -> Group:
    """The group of that name. Raises Impossible."""
    return _found(snapshot.groups.get(name), "group", name)


def user_of(snapshot: Snapshot, name: str) -> User:
    """The user of that name. Raises Impossible."""
    return _found(snapshot.users.get(name), "user", name)


def role_of(snapshot: Snapshot, name: str) -> Role:
    """The role of that name. Raises Impossible."""
    return _found(snapshot.roles.get(name), "role", name)


def policy_of(snapshot: Snapshot, arn: str) -> Policy:
    """The managed policy of that ARN. Raises Impossible."""
    return _found(snapshot.policies.get(arn), "policy", arn)


def profile_of(snapshot: Snapshot, name: str) -> InstanceProfile:
    """The instance profile of that name. Raises Impossible."""
    return _found(snapshot.instance_profiles.get(name), "instance profile", name)


def principal_of(snapshot: Snapshot, kind: PrincipalKind, name: str) -> Principal:
    """The user, group or role of that name. Raises Impossible."""
    return _found(snapshot.principal(kind, name), kind, name)


def created(snapshot: Snapshot, thing: Entity) -> Snapshot:
    """The snapshot with a new thing in it; the same if it is there already, whatever hangs on it by now.

    Raises Impossible if it is there and differs.
    """
    room = getattr(snapshot, thing.room)
    there, thing = room.get(thing.key), thing.settable()
    if there is not None and there.bare().settable() == thing:
        return snapshot
    if there is not None:
        raise Impossible(f"{thing.key} exists already and differs", where=snapshot.arn(thing))
    folded = thing.key.casefold()
    if any(key.casefold() == folded for key in room):
        raise Impossible(f"{thing.key} exists already in other capitals", where=snapshot.arn(thing))
    return snapshot.put(thing)


def dropped(snapshot: Snapshot, thing: Entity) -> Snapshot:
    """The snapshot without the thing; the same if it is gone already. Raises Impossible if it is not as expected."""
    there = getattr(snapshot, thing.room).get(thing.key)
    if there is None:
        return snapshot
    if there.settable() != thing.settable():
        raise Impossible(f"{thing.key} still holds something or is not as planned", where=snapshot.arn(thing))
    return snapshot.drop(thing)


def changed(snapshot: Snapshot, thing: Any, **fields: Any) -> Snapshot:
    """The snapshot with some fields of a thing replaced."""
    return snapshot.put(structs.replace(thing, **fields))


def not_given_back(thing: Entity) -> str:
    """What a thing that is made anew does not have any more, for a caveat; empty if that is nothing."""
    return "" if thing.settable() is thing else "; nor do the tags come back that its stack left"


def tag_list(tags: Mapping[str, str]) -> dict[str, Any]:
    """The `Tags` parameter, left out if there are none that somebody may set."""
    found = [{"Key": key, "Value": tags[key]} for key in sorted(tags) if not is_aws_tag(key)]
    return {"Tags": found} if found else {}


def _found(thing: T | None, kind: str, name: str) -> T:
    if thing is None:
        raise Missing(f"there is no {kind} {name}", where=name)
    return thing
