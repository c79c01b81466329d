"""What one policy part says near what another one allows: statements about the same actions, on resources they share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.cells import Bits
from secmigrate.access.conditions import implies
from secmigrate.access.effective import Extent, Masks, Part
from secmigrate.access.formats import Formats, meet
from secmigrate.access.patterns import TooHard, includes, widened
from secmigrate.access.reading import ANYWHERE


class Near(NamedTuple):
    """A statement that shares actions and resources with another one."""

    extent: Extent
    actions: Bits
    covers: bool  # whether it holds wherever the other one does


class Piece(NamedTuple):
    """Actions of one service that a statement allows."""

    extent: Extent
    service: int
    actions: Bits


_Index = Mapping[int | None, list[tuple[Extent, Bits]]]  # by service; None: those about several


class Nearby:
    """Finds what parts say near a statement; each part is looked through once, service by service."""

    def __init__(self, catalogue: ActionCatalogue, formats: Formats) -> None:
        self._catalogue = catalogue
        self._formats = formats
        self._indexes: dict[tuple[Part, bool], _Index] = {}
        self._relations: dict[tuple[Extent, Extent], bool | None] = {}

    def pieces(self, extent: Extent, actions: Bits) -> Iterator[Piece]:
        """The actions by service, without those that take no resource of the extent."""
        left = self._formats.coarsely(extent.region.pattern, actions)
        while left:
            service, bits = self._catalogue.first_service(left)
            yield Piece(extent, service, bits)
            left ^= bits

    def allowing(self, part: Part, piece: Piece) -> list[Near]:
        """What the part allows near the piece."""
        return self._near(self._index(part, allows=True), piece)

    def denying(self, part: Part, piece: Piece) -> list[Near]:
        """What the part denies near the piece."""
        return self._near(self._index(part, allows=False), piece) if part.denies else []

    def _near(self, index: _Index, piece: Piece) -> list[Near]:
        found: list[Near] = []
        for key in (piece.service, None):
            for extent, mask in index.get(key, ()):
                actions = mask & piece.actions
                if actions and (covers := self._relation(extent, piece.extent)) is not None:
                    found.append(Near(extent, actions, covers))
        return found

    def _relation(self, one: Extent, other: Extent) -> bool | None:
        """Whether one holds wherever the other does; None if they share no resource."""
        if one is other:
            return True
        mine, theirs = one.region.pattern, other.region.pattern
        if not (mine.prefix.startswith(theirs.prefix) or theirs.prefix.startswith(mine.prefix)):
            return None
        key = (one, other)
        if key not in self._relations:
            self._relations[key] = _relation(one, other)
        return self._relations[key]

    def _index(self, part: Part, *, allows: bool) -> _Index:
        found = self._indexes.get((part, allows))
        if found is None:
            found = self._indexes[part, allows] = self._indexed(part.allows if allows else part.denies)
        return found

    def _indexed(self, masks: Masks) -> _Index:
        found: dict[int | None, list[tuple[Extent, Bits]]] = {}
        for extent, mask in masks.items():
            bits = self._formats.coarsely(extent.region.pattern, mask)
            if bits:
                service, first = self._catalogue.first_service(bits)
                found.setdefault(service if first == bits else None, []).append((extent, bits))
        return found


def _relation(one: Extent, other: Extent) -> bool | None:
    mine, theirs = one.region, other.region
    if not meet(widened(mine.pattern), widened(theirs.pattern)):
        return None
    if not implies(other.condition, one.condition):
        return False
    if mine == theirs or mine == ANYWHERE:
        return True
    if mine.without:
        return False
    try:
        return includes(mine.pattern, theirs.pattern)
    except TooHard:
        return False
