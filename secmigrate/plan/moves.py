"""What was decided, as a planner needs it: which old thing becomes which new one, by their names in IAM."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct

from secmigrate.iam import Snapshot


class Move(Struct, frozen=True, order=True, forbid_unknown_fields=True, omit_defaults=True):
    """An old group or role and the one that takes its place."""

    kind: Literal["group", "role"]
    old: str
    new: str
    members: tuple[str, ...] = ()  # globs: of a group that is split, who goes there; everybody, if there is none


class Homes:
    """Where the members of each old group go. A group that is split has several new ones."""

    def __init__(self, moves: Iterable[Move]) -> None:
        self._moves: dict[str, list[Move]] = {}
        for move in moves:
            if move.kind == "group" and move.old != move.new:
                self._moves.setdefault(move.old, []).append(move)

    def __iter__(self) -> Iterator[str]:
        return iter(self._moves)

    def __contains__(self, old: object) -> bool:
        return old in self._moves

    def all(self, old: str) -> tuple[str, ...]:
        """The new groups of an old one."""
        return tuple(move.new for move in self._moves.get(old, ()))

    def of(self, old: str, member: str) -> tuple[str, ...]:
        """Those that this member goes to; none if the split says nothing of her."""
        return tuple(
            move.new
            for move in self._moves.get(old, ())
            if not move.members or any(fnmatchcase(member, glob) for glob in move.members)
        )

    def is_in(self, live: Snapshot, old: str, member: str) -> bool:
        """Whether a member of the old group has arrived where she goes."""
        homes, user = self.of(old, member), live.users.get(member)
        return bool(homes) and user is not None and set(homes) <= set(user.groups)


def successors(moves: Iterable[Move]) -> Mapping[str, str]:
    """New roles by old roles."""
    return {move.old: move.new for move in moves if move.kind == "role" and move.old != move.new}


def missing_targets(moves: Iterable[Move], live: Snapshot) -> list[str]:
    """The new groups and roles that do not exist in the account."""
    rooms = {"group": live.groups, "role": live.roles}
    return sorted({move.new for move in moves if move.new not in rooms[move.kind]})
