"""What one side can do and another cannot: the same words cancel out, the rest is asked statement by statement.

What is asked depends on few of a user's policies, mostly on one before and one afterwards; so users who share these
share the work, whatever else they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from secmigrate.access.cells import Bits, Cells, Piece, Question, Row, Rows, Says, joined
from secmigrate.access.effective import Extent, Masks, Part, Side, Sides, within
from secmigrate.access.formats import formats_of
from secmigrate.access.nearby import Beside, Nearby, Place, Rest, covered

__all__ = ["Comparer", "Row"]

_Key = tuple[frozenset[Part], Part | None]


class _Matter(NamedTuple):
    """What has a say in what becomes of one part of the old side, beside its mate."""

    whole: bool  # whether more matters than what the mate does not allow
    others: frozenset[Part]  # of the new side, that allow something near what the mate does not
    old_deniers: frozenset[Part]
    new_deniers: frozenset[Part]
    old_limit: Part | None
    new_limit: Part | None

    @property
    def limited(self) -> bool:
        """Whether there is a new permissions boundary."""
        return self.new_limit is not None and self.new_limit is not self.old_limit


class Comparer:
    """Compares sides; what was worked out once for some documents is not worked out again."""

    def __init__(self, sides: Sides, partition: str = "aws") -> None:
        self.sides = sides
        formats = formats_of(sides.catalogue, partition)
        self._nearby = Nearby(sides.catalogue, formats)
        self._cells = Cells(sides.catalogue, formats)
        self._sides: dict[tuple[_Key, _Key], Rows] = {}
        self._mates: dict[Part, Part] = {}
        self._rests: dict[tuple[Part, Part | None], Rest] = {}
        self._rows: dict[tuple[Rest, _Matter], Rows] = {}
        self._lacks: dict[tuple[Rest, _Matter], bool] = {}

    def lacking(self, old: Side, new: Side) -> Rows:
        """What the old side allows and the new side does not, or may not."""
        key = (old.key, new.key)
        found = self._sides.get(key)
        if found is None:
            found = self._sides[key] = self._compared(old, new)
        return found

    def lacks(self, old: Side, new: Side) -> bool:
        """Whether the new side lacks, or may lack, something that the old one allows: the first one is enough."""
        known = self._sides.get((old.key, new.key))
        if known is not None:
            return bool(known)
        return any(self._any_of(rest, base, matter) for rest, base, matter in self._matters(old, new))

    def _any_of(self, rest: Rest, base: Rest, matter: _Matter) -> bool:
        found = self._lacks.get((rest, matter))
        if found is None:
            rows = self._rows.get((rest, matter), self._asked(rest, base, matter))
            found = self._lacks[rest, matter] = any(True for _ in rows)
        return found

    def _compared(self, old: Side, new: Side) -> Rows:
        found: list[Row] = []
        extents: set[Extent] = set()
        shared = False
        for rest, base, matter in self._matters(old, new):
            rows = self._rows.get((rest, matter))
            if rows is None:
                rows = self._rows[rest, matter] = joined(self._asked(rest, base, matter))
            mine = {row.extent for row in rows}
            shared = shared or not mine.isdisjoint(extents)
            extents |= mine
            found += rows
        return joined(found) if shared else tuple(found)

    def _matters(self, old: Side, new: Side) -> Iterator[tuple[Rest, Rest, _Matter]]:
        """Of each part of which something may be lost: what its mate does not cover, all of it that matters, and what
        has a say in it.
        """
        if old.key[0] <= new.key[0] and old.boundary is new.boundary and new.denies_within(old):
            return
        limited = new.boundary is not None and new.boundary is not old.boundary
        whole = limited or not new.denies_within(old)  # what the new side allows may be denied there, or limited
        for part in old.parts:
            rest = self._rest(part, self._mate(part, new))
            if not whole and not rest.pieces:
                continue
            base = self._rest(part, None) if whole else rest
            yield (
                rest,
                base,
                _Matter(
                    whole,
                    rest.near(new.key[0], allows=True),
                    base.near(old.deniers, allows=False),
                    base.near(new.deniers, allows=False),
                    old.boundary,
                    new.boundary,
                ),
            )

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
            if not (left := bits & ~(star | same.get(extent, 0))):
                continue
            for piece in self._nearby.pieces(extent, left):
                left = piece.actions & ~covered(self._nearby.allowing(mate, piece)) if mate else piece.actions
                if left:
                    yield piece._replace(actions=left)

    def _asked(self, rest: Rest, base: Rest, matter: _Matter) -> Iterator[Row]:
        """What becomes of each statement of the part; `base` is all of it that matters."""
        besides = [rest.beside(other, allows=True) for other in matter.others]
        old_denies = [base.beside(other, allows=False) for other in matter.old_deniers]
        new_denies = [base.beside(other, allows=False) for other in matter.new_deniers]
        for piece, kept in self._open(rest, base, matter, besides):
            place = (piece.extent, piece.service)
            question = Question(
                piece,
                self._limits(matter.old_limit, piece),
                _says(old_denies, place, piece.actions),
                ((piece.extent, piece.actions),) if kept else _says(besides, place, piece.actions),
                self._limits(matter.new_limit, piece),
                _says(new_denies, place, piece.actions),
            )
            if not kept or matter.limited or _beyond(question.new_denies, question.old_denies):
                yield from self._cells.lacking(question)

    def _open(self, rest: Rest, base: Rest, matter: _Matter, besides: Iterable[Beside]) -> Iterator[tuple[Piece, bool]]:
        """What no statement of the new side covers by itself; and what one does, for it may be denied, or be outside of
        a boundary.
        """
        left: dict[Place, Bits] = {}
        for piece in rest.pieces:
            place = (piece.extent, piece.service)
            bits = piece.actions
            for beside in besides:
                if near := beside.get(place):
                    bits &= ~covered(near)
            if bits:
                left[place] = bits
                yield piece._replace(actions=bits), False
        if not matter.whole or not (matter.limited or matter.new_deniers - matter.old_deniers):
            return
        for piece in base.pieces:
            bits = piece.actions & ~left.get((piece.extent, piece.service), 0)
            if bits:
                yield piece._replace(actions=bits), True

    def _limits(self, limit: Part | None, piece: Piece) -> Says | None:
        if limit is None:
            return None
        place = (piece.extent, piece.service)
        return _says([{place: self._nearby.allowing(limit, piece)}], place, piece.actions)


def _says(besides: Iterable[Beside], place: Place, actions: Bits) -> Says:
    """All that is said there of these actions, in one order."""
    found: dict[Extent, Bits] = {}
    for beside in besides:
        for near in beside.get(place, ()):
            if bits := near.actions & actions:
                found[near.extent] = found.get(near.extent, 0) | bits
    return tuple(sorted(found.items(), key=lambda item: item[0].number))


def _beyond(few: Says, many: Says) -> bool:
    """Whether the first ones say something that the others do not."""
    return few != many and not within(dict(few), dict(many))
