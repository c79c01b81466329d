"""A config that a person has edited, and a new one: both their changes in one, value by value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from secmigrate.sec.finding import ConfigPath


class Kept(Struct, frozen=True, kw_only=True):
    """A person's edit that was kept, and what would stand there without it. None: nothing."""

    path: ConfigPath
    theirs: Any
    ours: Any

    def told(self) -> str:
        """In words."""
        where = ".".join(self.path)
        if self.theirs is None:
            return f"{where}: you took it out"
        if self.ours is None:
            return f"{where}: yours, and map makes none"
        return f"{where}: {_short(self.theirs)}, where map would say {_short(self.ours)}"


_NOTHING: Final = object()


def merge(
    base: Mapping[str, Any], theirs: Mapping[str, Any], ours: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Kept]]:
    """Three configs as plain data: as `map` wrote it, as a person left it, as `map` would write it now.

    What the person did not change follows ours; what she did change stays, and is told where ours is another.
    """
    kept: list[Kept] = []
    return _maps(base, theirs, ours, (), kept), kept


def _maps(
    base: Mapping[str, Any], theirs: Mapping[str, Any], ours: Mapping[str, Any], path: ConfigPath, kept: list[Kept]
) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for key in dict.fromkeys((*theirs, *ours)):
        before, mine, new = (one.get(key, _NOTHING) for one in (base, theirs, ours))
        value = _one(before, mine, new, (*path, key), kept)
        if value is not _NOTHING:
            merged[key] = value
    return merged


def _one(base: Any, theirs: Any, ours: Any, path: ConfigPath, kept: list[Kept]) -> Any:
    if theirs in (base, ours):
        return ours
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return _maps(base if isinstance(base, dict) else {}, theirs, ours, path, kept)
    value = theirs
    if isinstance(theirs, list) and isinstance(ours, list):
        before = base if isinstance(base, list) else []
        value = [one for one in theirs if one in ours or one not in before]
        value += [one for one in ours if one not in before and one not in theirs]
    if value != ours:
        kept.append(
            Kept(path=path, theirs=None if value is _NOTHING else value, ours=None if ours is _NOTHING else ours)
        )
    return value


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "an entry of yours"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)
