"""What was decided, as a planner needs it: which old thing becomes which new one, by their names in IAM."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from msgspec import Struct

from secmigrate.iam import Snapshot


class Move(Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """An old group or role and the one that takes its place."""

    kind: Literal["group", "role"]
    old: str
    new: str


def targets(moves: Iterable[Move], kind: str) -> Mapping[str, str]:
    """New names by old names."""
    return {move.old: move.new for move in moves if move.kind == kind and move.old != move.new}


def missing_targets(moves: Iterable[Move], live: Snapshot) -> list[str]:
    """The new groups and roles that do not exist in the account."""
    rooms = {"group": live.groups, "role": live.roles}
    return sorted({move.new for move in moves if move.new not in rooms[move.kind]})
