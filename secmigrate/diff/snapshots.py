"""Planned against existing: what is missing, what is there beside it, what differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct, structs

from secmigrate import iam
from secmigrate.iam import Entity, Snapshot

ROOMS: Mapping[str, str] = {
    "groups": "group",
    "roles": "role",
    "policies": "policy",
    "instance_profiles": "instance-profile",
    "users": "user",
}


class Item(Struct, frozen=True, order=True):
    """A thing on one side only."""

    kind: str
    name: str


class Different(Struct, frozen=True, order=True):
    """A thing on both sides that is not the same; `changes` says how, a line each."""

    kind: str
    name: str
    changes: tuple[str, ...]


class Diff(Struct, frozen=True):
    """`missing` is wanted and does not exist, `extra` exists and is not wanted, `different` is both but not alike."""

    missing: tuple[Item, ...]
    extra: tuple[Item, ...]
    different: tuple[Different, ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.different)

    def lines(self) -> Iterator[str]:
        """Each finding as a line."""
        yield from (f"{item.kind} {item.name} is missing" for item in self.missing)
        yield from (f"{item.kind} {item.name} is there beside it" for item in self.extra)
        for item in self.different:
            yield from (f"{item.kind} {item.name}: {change}" for change in item.changes)


def diff(wanted: Snapshot, existing: Snapshot, rooms: tuple[str, ...] = tuple(ROOMS)) -> Diff:
    """Compares two snapshots, by default everything in them. Equal things cost a comparison, only others a description.

    AWS's own policies are left out, for they are not the account's, and so are the tags that only AWS sets.
    """
    missing: list[Item] = []
    extra: list[Item] = []
    different: list[Different] = []
    for room in rooms:
        kind = ROOMS[room]
        want, have = _room(wanted, room), _room(existing, room)
        missing += [Item(kind, key) for key in want if key not in have]
        extra += [Item(kind, key) for key in have if key not in want]
        for key, thing in want.items():
            if key in have and have[key].settable() != thing.settable():
                different.append(Different(kind, key, describe(have[key].settable(), thing.settable())))
    return Diff(tuple(sorted(missing)), tuple(sorted(extra)), tuple(sorted(different)))


def describe(before: Entity, after: Entity) -> tuple[str, ...]:
    """How a thing must change to become another, a line for each field."""
    # Lazy: importing deepdiff costs 0.2 s, and most comparisons find nothing to describe.
    from deepdiff import DeepDiff

    found = DeepDiff(_plain(before), _plain(after), verbose_level=2)
    return tuple(sorted(found.pretty().splitlines()))


def since(before: Snapshot, now: Snapshot) -> list[str]:
    """What became of an account between two looks at it, a few words for each thing: `user ana: groups +devs`."""
    lines: list[str] = []
    for room, kind in ROOMS.items():
        old, new = _room(before, room), _room(now, room)
        lines += [f"{kind} {key} is new" for key in sorted(new.keys() - old.keys())]
        lines += [f"{kind} {key} is gone" for key in sorted(old.keys() - new.keys())]
        for key in sorted(old.keys() & new.keys()):
            if fields := list(_fields(old[key], new[key])):
                lines.append(f"{kind} {key}: {'; '.join(fields)}")
    return lines


def _fields(before: Entity, now: Entity) -> Iterator[str]:
    """The fields that differ; of lists and of what has names, what came and what went."""
    for field in structs.fields(before) if before != now else ():
        old, new = getattr(before, field.name), getattr(now, field.name)
        if old == new or field.name == "seen":
            continue
        parts: list[str] = []
        if isinstance(old, tuple | dict) and all(isinstance(one, str) for one in (*old, *new)):
            parts += [f"+{one}" for one in new if one not in old]
            parts += [f"-{one}" for one in old if one not in new]
        if isinstance(old, dict):
            parts += [one for one in new if one in old and new[one] != old[one]]
        yield " ".join([field.name, *parts])


def _room(snapshot: Snapshot, room: str) -> Mapping[str, Entity]:
    if room == "policies":
        return snapshot.own_policies
    things: Mapping[str, Entity] = getattr(snapshot, room)
    return things


def _plain(thing: Entity) -> object:
    return msgspec.json.decode(msgspec.json.encode(thing.restorable(), enc_hook=iam.to_jsonable))
