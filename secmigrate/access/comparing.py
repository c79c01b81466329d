"""What one side can do and another cannot: the same words cancel out, the rest is asked statement by statement.

What is asked depends on few of a user's policies, mostly on one before and one afterwards; so users who share these
share the work, whatever else they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from secmigrate.access.actions import without
from secmigrate.access.cells import Bits, Cells, Piece, Row, Rows, Same
from secmigrate.access.effective import Extent, Masks, Part, Side, Sides
from secmigrate.access.finding import Finder, Lost
from secmigrate.access.formats import formats_of
from secmigrate.access.nearby import Nearby, Place, Rest, covered, covered_by

__all__ = ["Comparer", "Row"]

_FIRST = 16  # pieces that tell mostly

_Key = tuple[frozenset[Part], Part | None]


class Comparer:
    """Compares sides; what was worked out once for some documents is not worked out again."""

    def __init__(self, sides: Sides, partition: str = "aws", same: Same | None = None) -> None:
        """`same` are the objects that another comparer found, to be found again."""
        self.sides = sides
        self.same = same or Same()
        formats = formats_of(sides.catalogue, partition)
        self._nearby = Nearby(sides.catalogue, formats)
        self._cells = Cells(sides.catalogue, formats, self.same)
        self.finder = Finder(self._cells, self._nearby)
        self._sides: dict[tuple[_Key, _Key], Rows] = {}
        self._mates: dict[Part, Part] = {}
        self._rests: dict[tuple[Part, Part | None], Rest] = {}
        self._barring: dict[tuple[frozenset[Part], frozenset[Part]], Part] = {}
        self._bases: dict[tuple[Part, Part | None], Rest] = {}
        self._keeping: dict[tuple[Rest, Rest, frozenset[Part]], Rest] = {}

    def lacking(self, old: Side, new: Side) -> Rows:
        """What the old side allows and the new side does not, or may not."""
        key = (old.key, new.key)
        found = self._sides.get(key)
        if found is None:
            lost = (
                one for rest, kept in self._rests_of(old, new) for one in self.finder.lost(rest, old, new, kept=kept)
            )
            found = self._sides[key] = self._together(lost)
        return found

    def lacks(self, old: Side, new: Side) -> bool:
        """Whether the new side lacks, or may lack, something that the old one allows: the first one is enough."""
        known = self._sides.get((old.key, new.key))
        if known is not None:
            return bool(known)
        if old.plainly_within(new):
            return False
        if self._first_lost(old, new):
            return True
        return any(
            one.rows for rest, kept in self._rests_of(old, new) for one in self.finder.lost(rest, old, new, kept=kept)
        )

    def _first_lost(self, old: Side, new: Side) -> bool:
        """Whether examples of the first statements that nobody else makes show a loss. What else is asked about these
        examples is asked of the statements alone, so that users share it.
        """
        common = [part.allows for part in new.parts if part.anyone is part]
        for part in old.parts:
            if part in new.key[0] or part.anyone is not part:
                continue
            gone = (
                (extent, bits)
                for extent, bits in part.allows.items()
                if all(without(bits, allows.get(extent, 0)) for allows in common)
            )
            for piece in islice((piece for one in gone for piece in self._nearby.pieces(*one)), _FIRST):
                if next(self.finder.lost(self._nearby.rest_of((piece,)), old, new, kept=False)).rows:
                    return True
        return False

    def _together(self, parts: Iterable[Lost]) -> Rows:
        """All of these; one row for what several of them hold."""
        found: list[Row] = []
        extents: set[Extent] = set()
        shared = False
        for one in parts:
            shared = shared or not one.extents.isdisjoint(extents)
            extents |= one.extents
            found += one.rows
        return self._cells.joined(found) if shared else tuple(found)

    def _rests_of(self, old: Side, new: Side) -> Iterator[tuple[Rest, bool]]:
        """Of each part what may be lost, and whether it is allowed still."""
        if old.plainly_within(new):
            return
        limited = new.boundary is not None and new.boundary is not old.boundary
        barred = None if new.denies_within(old) else self._beyond(old, new)
        for part in old.parts:
            rest = self._rest(part, self._mate(part, new))
            if rest.pieces:
                yield rest, False
            if limited or barred:  # what the new side allows may be outside of its boundary, or be denied there
                base = self._barred(part, None if limited else barred)
                kept = self._kept(base, rest, new) if base.pieces else base
                if kept.pieces:
                    yield kept, True

    def _beyond(self, old: Side, new: Side) -> Part:
        """What the new side denies and the old one does not."""
        key = (old.deniers, new.deniers)
        found = self._barring.get(key)
        if found is None:
            before = old.denies
            more = {one: left for one, bits in new.denies.items() if (left := without(bits, before.get(one, 0)))}
            found = self._barring[key] = Part(lambda: ({}, more))
        return found

    def _barred(self, part: Part, by: Part | None) -> Rest:
        """What the part allows, or of that what is near what another one denies."""
        found = self._bases.get((part, by))
        if found is None:
            found = self._rest(part, None)
            if by is not None:
                near = found.said(by, allows=False)
                found = self._nearby.rest_of(tuple(one for one in found.pieces if (one.extent, one.service) in near))
            self._bases[part, by] = found
        return found

    def _kept(self, base: Rest, rest: Rest, new: Side) -> Rest:
        """What the new side allows still of the base; `rest` is what no single statement of the mate covers."""
        key = (base, rest, rest.among(new.key[0], allows=True))
        found = self._keeping.get(key)
        if found is None:
            besides = [rest.said(other, allows=True) for other in key[2]]
            left: dict[Place, Bits] = {}
            for piece in rest.pieces:
                place = (piece.extent, piece.service)
                left[place] = piece.actions & ~covered_by(besides, place)
            kept = (one._replace(actions=one.actions & ~left.get((one.extent, one.service), 0)) for one in base.pieces)
            found = self._keeping[key] = self._nearby.rest_of(tuple(one for one in kept if one.actions))
        return found

    def _mate(self, part: Part, new: Side) -> Part | None:
        """The new part that has most statements in common with it."""
        if part in new.key[0]:
            return part
        mate = self._mates.get(part)
        if mate is None or mate not in new.key[0]:
            # What is said to one person alone is most like what is said to her alone, and need not be read for others.
            likely = [other for other in new.parts if other.anyone is other or part.anyone is not part]
            mate = max(likely, key=lambda other: len(part.allows.keys() & other.allows.keys()), default=None)
            if mate is not None:
                self._mates[part] = mate
        return mate

    def _rest(self, part: Part, mate: Part | None) -> Rest:
        """What the part allows and no single statement of its mate covers."""
        found = self._rests.get((part, mate))
        if found is None:
            pieces = () if part is mate else tuple(self._unmatched(part, mate))
            found = self._rests[part, mate] = Rest(pieces, self._nearby)
        return found

    def _unmatched(self, part: Part, mate: Part | None) -> Iterator[Piece]:
        same: Masks = mate.allows if mate else {}
        star = same.get(self.sides.anywhere, 0)
        for extent, bits in part.allows.items():
            if not (left := without(bits, star | same.get(extent, 0))):
                continue
            for piece in self._nearby.pieces(extent, left):
                left = piece.actions & ~covered(self._nearby.allowing(mate, piece)) if mate else piece.actions
                if left:
                    yield piece._replace(actions=left)
