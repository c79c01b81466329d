"""What one side can do and another cannot: the same words cancel out, the rest is asked statement by statement.

What is asked depends on few of a user's policies, mostly on one before and one afterwards; so users who share these
share the work, whatever else they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from secmigrate.access.cells import Bits, Cells, Piece, Question, Row, Rows, Says, joined
from secmigrate.access.effective import Extent, Masks, Part, Side, Sides
from secmigrate.access.formats import formats_of
from secmigrate.access.nearby import Near, Nearby

__all__ = ["Comparer", "Row"]

_Key = tuple[frozenset[Part], Part | None]
_Place = tuple[Extent, int]  # a statement, as far as it is about one service
_Beside = Mapping[_Place, list[Near]]


class _Matter(NamedTuple):
    """One part of the old side, and all of both sides that may have a say in what becomes of it."""

    part: Part
    mate: Part | None  # the new part that is most like it
    whole: bool  # whether more matters than what the mate does not allow
    others: frozenset[Part]  # of the new side, that allow something near what the mate does not
    old_deniers: frozenset[Part]
    new_deniers: frozenset[Part]
    old_limit: Part | None
    new_limit: Part | None


class Comparer:
    """Compares sides; what was worked out once for some documents is not worked out again."""

    def __init__(self, sides: Sides, partition: str = "aws") -> None:
        self.sides = sides
        formats = formats_of(sides.catalogue, partition)
        self._nearby = Nearby(sides.catalogue, formats)
        self._cells = Cells(sides.catalogue, formats)
        self._sides: dict[tuple[_Key, _Key], Rows] = {}
        self._matters: dict[_Matter, Rows] = {}
        self._mates: dict[Part, Part] = {}
        self._beyond: dict[tuple[Part, Part | None], tuple[Piece, ...]] = {}
        self._besides: dict[tuple[Part, Part | None, Part], _Beside] = {}
        self._denied: dict[tuple[Part, Part | None, Part], _Beside] = {}

    def lacking(self, old: Side, new: Side) -> Rows:
        """What the old side allows and the new side does not, or may not."""
        if old.key[0] <= new.key[0] and old.boundary is new.boundary and _within(new.denies, old.denies):
            return ()
        key = (old.key, new.key)
        found = self._sides.get(key)
        if found is None:
            found = self._sides[key] = self._compared(old, new)
        return found

    def _compared(self, old: Side, new: Side) -> Rows:
        found: list[Row] = []
        extents: set[Extent] = set()
        shared = False
        limited = new.boundary is not None and new.boundary is not old.boundary
        less = limited or not _within(new.denies, old.denies)
        for part in old.parts:
            rows = self._of_part(part, old, new, whole=less)
            mine = {row.extent for row in rows}
            shared = shared or not mine.isdisjoint(extents)
            extents |= mine
            found += rows
        return joined(found) if shared else tuple(found)

    def _of_part(self, part: Part, old: Side, new: Side, *, whole: bool) -> Rows:
        """What is lost of one part. `whole`: what the new side allows as well may be denied there, or limited."""
        mate = self._mate(part, new)
        if not whole and not self._left(part, mate):
            return ()
        matter = _Matter(
            part,
            mate,
            whole,
            frozenset(other for other in new.parts if self._beside(part, mate, other)),
            frozenset(other for other in old.all_parts if self._denying(part, None if whole else mate, other)),
            frozenset(other for other in new.all_parts if self._denying(part, None if whole else mate, other)),
            old.boundary,
            new.boundary,
        )
        found = self._matters.get(matter)
        if found is None:
            found = self._matters[matter] = joined(self._asked(matter))
        return found

    def _mate(self, part: Part, new: Side) -> Part | None:
        """The new part that has most statements in common with it."""
        mate = self._mates.get(part)
        if mate is None or mate not in new.key[0]:
            mate = max(new.parts, key=lambda other: len(part.allows.keys() & other.allows.keys()), default=None)
            if mate is not None:
                self._mates[part] = mate
        return mate

    def _left(self, part: Part, mate: Part | None) -> tuple[Piece, ...]:
        """What the part allows and no single statement of its mate covers."""
        found = self._beyond.get((part, mate))
        if found is None:
            found = self._beyond[part, mate] = tuple(self._unmatched(part, mate))
        return found

    def _unmatched(self, part: Part, mate: Part | None) -> Iterator[Piece]:
        same: Masks = mate.allows if mate else {}
        star = same.get(self.sides.anywhere, 0)
        for extent, bits in part.allows.items():
            for piece in self._nearby.pieces(extent, bits & ~(star | same.get(extent, 0))):
                left = piece.actions & ~_covered(self._nearby.allowing(mate, piece)) if mate else piece.actions
                if left:
                    yield piece._replace(actions=left)

    def _beside(self, part: Part, mate: Part | None, other: Part) -> _Beside:
        """What another part of the new side allows near that."""
        key = (part, mate, other)
        found = self._besides.get(key)
        if found is None:
            near = {(one.extent, one.service): self._nearby.allowing(other, one) for one in self._left(part, mate)}
            found = self._besides[key] = {place: ones for place, ones in near.items() if ones}
        return found

    def _denying(self, part: Part, mate: Part | None, other: Part) -> _Beside:
        """What a part of either side denies near that; without a mate, near all that this part allows."""
        if not other.denies:
            return {}
        key = (part, mate, other)
        found = self._denied.get(key)
        if found is None:
            near = {(one.extent, one.service): self._nearby.denying(other, one) for one in self._left(part, mate)}
            found = self._denied[key] = {place: ones for place, ones in near.items() if ones}
        return found

    def _asked(self, matter: _Matter) -> Iterator[Row]:
        """What becomes of each statement of the part."""
        besides = [self._beside(matter.part, matter.mate, other) for other in matter.others]
        base = None if matter.whole else matter.mate
        old_denies = [self._denying(matter.part, base, other) for other in matter.old_deniers]
        new_denies = [self._denying(matter.part, base, other) for other in matter.new_deniers]
        limited = matter.new_limit is not None and matter.new_limit is not matter.old_limit
        for piece, kept in self._open(matter, besides):
            place = (piece.extent, piece.service)
            question = Question(
                piece,
                self._limits(matter.old_limit, piece),
                _says(old_denies, place, piece.actions),
                ((piece.extent, piece.actions),) if kept else _says(besides, place, piece.actions),
                self._limits(matter.new_limit, piece),
                _says(new_denies, place, piece.actions),
            )
            if not kept or limited or _beyond(question.new_denies, question.old_denies):
                yield from self._cells.lacking(question)

    def _open(self, matter: _Matter, besides: Iterable[_Beside]) -> Iterator[tuple[Piece, bool]]:
        """What no statement of the new side covers by itself; and what one does, for it may be denied, or be outside of
        a boundary.
        """
        left: dict[_Place, Bits] = {}
        for piece in self._left(matter.part, matter.mate):
            place = (piece.extent, piece.service)
            bits = piece.actions
            for beside in besides:
                if near := beside.get(place):
                    bits &= ~_covered(near)
            if bits:
                left[place] = bits
                yield piece._replace(actions=bits), False
        if not matter.whole:
            return
        for piece in self._left(matter.part, None):
            bits = piece.actions & ~left.get((piece.extent, piece.service), 0)
            if bits:
                yield piece._replace(actions=bits), True

    def _limits(self, limit: Part | None, piece: Piece) -> Says | None:
        if limit is None:
            return None
        place = (piece.extent, piece.service)
        return _says([{place: self._nearby.allowing(limit, piece)}], place, piece.actions)


def _says(besides: Iterable[_Beside], place: _Place, actions: Bits) -> Says:
    """All that is said there of these actions, in one order."""
    found: dict[Extent, Bits] = {}
    for beside in besides:
        for near in beside.get(place, ()):
            if bits := near.actions & actions:
                found[near.extent] = found.get(near.extent, 0) | bits
    return tuple(sorted(found.items(), key=lambda item: item[0].number))


def _beyond(few: Says, many: Says) -> bool:
    """Whether the first ones say something that the others do not."""
    return few != many and not _within(dict(few), dict(many))


def _covered(near: Iterable[Near]) -> Bits:
    """The actions that one statement covers by itself."""
    bits = 0
    for one in near:
        if one.covers:
            bits |= one.actions
    return bits


def _within(few: Masks, many: Masks) -> bool:
    return few == many or all(not bits & ~many.get(extent, 0) for extent, bits in few.items())
