"""What one side can do and another cannot: the same words cancel out, the rest is asked statement by statement.

What is asked depends on few of a user's policies, mostly on one before and one afterwards; so users who share these
share the work, whatever else they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from secmigrate.access.cells import Bits, Cells, Piece, Question, Row, Rows, Says, Spot, cut, joined
from secmigrate.access.effective import Extent, Masks, Part, Side, Sides, within
from secmigrate.access.formats import formats_of
from secmigrate.access.nearby import Beside, Nearby, Place, Rest, covered
from secmigrate.access.spots import Met, Spots

__all__ = ["Comparer", "Row"]

_Key = tuple[frozenset[Part], Part | None]


class _Matter(NamedTuple):
    """Who has a say in what becomes of a part of the old side."""

    allowing: frozenset[Part]  # of the new side
    old_denying: frozenset[Part]
    new_denying: frozenset[Part]
    old_limit: Part | None
    new_limit: Part | None
    kept: bool  # whether the new side allows it too, whatever these say

    @property
    def limited(self) -> bool:
        """Whether there is a new permissions boundary."""
        return self.new_limit is not None and self.new_limit is not self.old_limit


_Voice = tuple[int, Says]  # what a part says, and which place in a `_Matter` the part has
_ALLOWING, _KEEPING = 0, 5


class _Lost(NamedTuple):
    """What is lost, and of which statements."""

    rows: Rows
    extents: frozenset[Extent]


class _Shown(NamedTuple):
    """What examples show to be lost, and the actions of which others must be looked for."""

    rows: _Lost
    open: tuple[Piece, ...]


class Comparer:
    """Compares sides; what was worked out once for some documents is not worked out again."""

    def __init__(self, sides: Sides, partition: str = "aws") -> None:
        self.sides = sides
        formats = formats_of(sides.catalogue, partition)
        self._nearby = Nearby(sides.catalogue, formats)
        self._cells = Cells(sides.catalogue, formats)
        self.met = Met()
        self._sides: dict[tuple[_Key, _Key], Rows] = {}
        self._mates: dict[Part, Part] = {}
        self._rests: dict[tuple[Part, Part | None], Rest] = {}
        self._spots: dict[Rest, Spots] = {}
        self._shown: dict[tuple[Spots, _Matter], _Shown] = {}
        self._answers: dict[tuple[Spot, frozenset[_Voice]], tuple[Rows, Bits]] = {}
        self._some: dict[tuple[Piece, ...], Rest] = {}
        self._rows: dict[tuple[Rest, _Matter], _Lost] = {}
        self._barring: dict[tuple[frozenset[Part], frozenset[Part]], Part] = {}
        self._bases: dict[tuple[Part, Part | None], Rest] = {}
        self._keeping: dict[tuple[Rest, Rest, frozenset[Part]], Rest] = {}

    def lacking(self, old: Side, new: Side) -> Rows:
        """What the old side allows and the new side does not, or may not."""
        key = (old.key, new.key)
        found = self._sides.get(key)
        if found is None:
            lost = (one for rest, kept in self._rests_of(old, new) for one in self._lost(rest, old, new, kept=kept))
            found = self._sides[key] = _together(lost)
        return found

    def lacks(self, old: Side, new: Side) -> bool:
        """Whether the new side lacks, or may lack, something that the old one allows: the first one is enough."""
        known = self._sides.get((old.key, new.key))
        if known is not None:
            return bool(known)
        for rest, kept in self._rests_of(old, new):
            # Of what is there no more at all most is lost: few pieces tell.
            for some in (rest.pieces[:1], rest.pieces[1:8], rest.pieces[8:]):
                if some and any(one.rows for one in self._lost(self._rest_of(some), old, new, kept=kept)):
                    return True
        return False

    def _rests_of(self, old: Side, new: Side) -> Iterator[tuple[Rest, bool]]:
        """Of each part what may be lost, and whether it is allowed still."""
        if old.key[0] <= new.key[0] and old.boundary is new.boundary and new.denies_within(old):
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

    def _lost(self, rest: Rest, old: Side, new: Side, *, kept: bool) -> Iterator[_Lost]:
        """What examples show to be lost, and what is found where they show nothing."""
        spots = self._spots.get(rest)
        if spots is None:
            spots = self._spots[rest] = Spots(rest.pieces, self._cells, self.met)
        matter = _Matter(
            frozenset() if kept else spots.speaking(new.key[0], allows=True),
            spots.speaking(old.deniers, allows=False),
            spots.speaking(new.deniers, allows=False),
            old.boundary,
            new.boundary,
            kept,
        )
        shown = self._shown.get((spots, matter))
        if shown is None:
            shown = self._shown[spots, matter] = self._show(spots, matter)
        yield shown.rows
        if shown.open:
            yield self._searched(shown.open, old, new, kept=kept)

    def _show(self, spots: Spots, matter: _Matter) -> _Shown:
        heard: dict[Spot, list[_Voice]] = {}
        for role, parts in enumerate(matter[:3]):
            for part in parts:
                for spot, says in spots.said(part, allows=role == _ALLOWING).items():
                    heard.setdefault(spot, []).append((role, says))
        for role, limit in enumerate((matter.old_limit, matter.new_limit), 3):
            limiting = spots.said(limit, allows=True) if limit else {}
            for spot in spots.all if limit else ():
                heard.setdefault(spot, []).append((role, limiting.get(spot, ())))
        if matter.kept:
            for spot in spots.all:
                heard.setdefault(spot, []).append((_KEEPING, ((spot.piece.extent, spot.actions),)))
        rows: list[Row] = []
        left: dict[Piece, Bits] = {}
        for spot in spots.all:
            if spot.row is None:
                unknown = spot.actions
            elif spot not in heard:
                rows.append(spot.row)
                continue
            else:
                shown, unknown = self._answer(spot, frozenset(heard[spot]))
                rows += shown
            if unknown:
                left[spot.piece] = left.get(spot.piece, 0) | unknown
        return _Shown(_lost(rows), tuple(piece._replace(actions=bits) for piece, bits in left.items()))

    def _answer(self, spot: Spot, heard: frozenset[_Voice]) -> tuple[Rows, Bits]:
        """What the spot's example shows, and the actions of which it shows nothing."""
        found = self._answers.get((spot, heard))
        if found is None:
            found = self._answers[spot, heard] = self._answered(spot, heard)
        return found

    def _answered(self, spot: Spot, heard: frozenset[_Voice]) -> tuple[Rows, Bits]:
        says: list[list[tuple[Extent, Bits]] | None] = [[], [], [], None, None, []]
        for role, said in heard:
            says[role] = [*(says[role] or ()), *said]
        allows, old_denies, new_denies, old_limits, new_limits, kept = (
            None if one is None else _ordered(one) for one in says
        )
        question = Question(
            spot.piece, old_limits, old_denies or (), allows or kept or (), new_limits, new_denies or ()
        )
        rows: list[Row] = []
        unknown = 0
        actions = spot.actions & ~self._covering(spot, allows or ())
        for cell in cut(actions, question) if actions else ():
            row = self._cells.at(spot, cell, question)
            if row is None:
                unknown |= cell
            else:
                rows.append(row)
        return joined(rows) if len(rows) > 1 else tuple(rows), unknown

    def _covering(self, spot: Spot, says: Says) -> Bits:
        """The actions that one statement covers wherever the spot's own holds."""
        bits = 0
        for extent, actions in says:
            if self._nearby.covers(extent, spot.piece.extent):
                bits |= actions
        return bits

    def _searched(self, pieces: tuple[Piece, ...], old: Side, new: Side, *, kept: bool) -> _Lost:
        """What is lost of these pieces, looked for among all resources."""
        rest = self._rest_of(pieces)
        matter = _Matter(
            frozenset() if kept else rest.near(new.key[0], allows=True),
            rest.near(old.deniers, allows=False),
            rest.near(new.deniers, allows=False),
            old.boundary,
            new.boundary,
            kept,
        )
        found = self._rows.get((rest, matter))
        if found is None:
            found = self._rows[rest, matter] = _lost(joined(self._search(rest, matter)))
        return found

    def _search(self, rest: Rest, matter: _Matter) -> Iterator[Row]:
        besides = [rest.beside(other, allows=True) for other in matter.allowing]
        for piece in rest.pieces:
            place = (piece.extent, piece.service)
            bits = piece.actions & ~_covered(besides, place)
            if bits:
                allows = ((piece.extent, bits),) if matter.kept else _says(besides, place, bits)
                question = self._question(piece._replace(actions=bits), rest, matter, allows)
                if not matter.kept or matter.limited or _beyond(question.new_denies, question.old_denies):
                    yield from self._cells.lacking(question)

    def _rest_of(self, pieces: tuple[Piece, ...]) -> Rest:
        found = self._some.get(pieces)
        if found is None:
            found = self._some[pieces] = Rest(pieces, self._nearby)
        return found

    def _beyond(self, old: Side, new: Side) -> Part:
        """What the new side denies and the old one does not."""
        key = (old.deniers, new.deniers)
        found = self._barring.get(key)
        if found is None:
            before = old.denies
            more = {one: left for one, bits in new.denies.items() if (left := bits & ~before.get(one, 0))}
            found = self._barring[key] = Part(lambda: ({}, more))
        return found

    def _barred(self, part: Part, by: Part | None) -> Rest:
        """What the part allows, or of that what is near what another one denies."""
        found = self._bases.get((part, by))
        if found is None:
            found = self._rest(part, None)
            if by is not None:
                near = found.beside(by, allows=False)
                found = self._rest_of(tuple(one for one in found.pieces if (one.extent, one.service) in near))
            self._bases[part, by] = found
        return found

    def _kept(self, base: Rest, rest: Rest, new: Side) -> Rest:
        """What the new side allows still of the base; `rest` is what no single statement of the mate covers."""
        key = (base, rest, rest.near(new.key[0], allows=True))
        found = self._keeping.get(key)
        if found is None:
            besides = [rest.beside(other, allows=True) for other in key[2]]
            left: dict[Place, Bits] = {}
            for piece in rest.pieces:
                place = (piece.extent, piece.service)
                left[place] = piece.actions & ~_covered(besides, place)
            kept = (one._replace(actions=one.actions & ~left.get((one.extent, one.service), 0)) for one in base.pieces)
            found = self._keeping[key] = self._rest_of(tuple(one for one in kept if one.actions))
        return found

    def _question(self, piece: Piece, rest: Rest, matter: _Matter, allows: Says) -> Question:
        place = (piece.extent, piece.service)
        return Question(
            piece,
            self._limits(matter.old_limit, piece),
            _says((rest.beside(one, allows=False) for one in matter.old_denying), place, piece.actions),
            allows,
            self._limits(matter.new_limit, piece),
            _says((rest.beside(one, allows=False) for one in matter.new_denying), place, piece.actions),
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

    def _limits(self, limit: Part | None, piece: Piece) -> Says | None:
        if limit is None:
            return None
        place = (piece.extent, piece.service)
        return _says([{place: self._nearby.allowing(limit, piece)}], place, piece.actions)


def _lost(rows: Iterable[Row]) -> _Lost:
    found = tuple(rows)
    return _Lost(found, frozenset(row.extent for row in found))


def _together(parts: Iterable[_Lost]) -> Rows:
    """All of these; one row for what several of them hold."""
    found: list[Row] = []
    extents: set[Extent] = set()
    shared = False
    for one in parts:
        shared = shared or not one.extents.isdisjoint(extents)
        extents |= one.extents
        found += one.rows
    return joined(found) if shared else tuple(found)


def _says(besides: Iterable[Beside], place: Place, actions: Bits) -> Says:
    """All that is said there of these actions, in one order."""
    nears = (near for beside in besides for near in beside.get(place, ()))
    return _ordered((near.extent, bits) for near in nears if (bits := near.actions & actions))


def _ordered(says: Iterable[tuple[Extent, Bits]]) -> Says:
    found: dict[Extent, Bits] = {}
    for extent, bits in says:
        found[extent] = found.get(extent, 0) | bits
    return tuple(sorted(found.items(), key=lambda item: item[0].number)) if len(found) > 1 else tuple(found.items())


def _covered(besides: Iterable[Beside], place: Place) -> Bits:
    """The actions that one statement covers by itself there."""
    bits = 0
    for beside in besides:
        bits |= covered(beside.get(place, ()))
    return bits


def _beyond(few: Says, many: Says) -> bool:
    """Whether the first ones say something that the others do not."""
    return few != many and not within(dict(few), dict(many))
