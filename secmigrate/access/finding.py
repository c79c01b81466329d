"""What becomes of statements of one side: shown at examples, and else looked for among all resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from secmigrate.access.cells import Bits, Cells, Piece, Question, Row, Rows, Says, Spot, cut
from secmigrate.access.effective import Extent, Part, Side, within
from secmigrate.access.nearby import Beside, Nearby, Place, Rest, covered_by
from secmigrate.access.spots import Met, Spots


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


class Lost(NamedTuple):
    """What is lost, and of which statements."""

    rows: Rows
    extents: frozenset[Extent]


class _Shown(NamedTuple):
    """What examples show to be lost, and the actions of which others must be looked for."""

    rows: Lost
    open: tuple[Piece, ...]


class Finder:
    """Finds what is lost; what depends on the same statements is found once."""

    def __init__(self, cells: Cells, nearby: Nearby) -> None:
        self.met = Met()
        self._cells = cells
        self._nearby = nearby
        self._spots: dict[Rest, Spots] = {}
        self._shown: dict[tuple[Spots, _Matter], _Shown] = {}
        self._answers: dict[tuple[Spot, frozenset[_Voice]], tuple[Rows, Bits]] = {}
        self._heard: dict[frozenset[_Voice], frozenset[_Voice]] = {}  # one object for equal ones
        self._found: dict[tuple[Rest, _Matter], Lost] = {}

    def lost(self, rest: Rest, old: Side, new: Side, *, kept: bool) -> Iterator[Lost]:
        """What of the rest the new side does not allow, or may not; with `kept`, what it allows and denies, or allows
        outside of its permissions boundary.
        """
        spots = self._spots.get(rest)
        if spots is None:
            spots = self._spots[rest] = Spots(rest.pieces, self._cells, self.met)
        matter = _matter(spots, old, new, kept=kept)
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
            heard = self._heard.setdefault(heard, heard)
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
        return self._cells.joined(rows) if len(rows) > 1 else tuple(rows), unknown

    def _covering(self, spot: Spot, says: Says) -> Bits:
        """The actions that one statement covers wherever the spot's own holds."""
        bits = 0
        for extent, actions in says:
            if self._nearby.covers(extent, spot.piece.extent):
                bits |= actions
        return bits

    def _searched(self, pieces: tuple[Piece, ...], old: Side, new: Side, *, kept: bool) -> Lost:
        """What is lost of these pieces, looked for among all resources."""
        rest = self._nearby.rest_of(pieces)
        matter = _matter(rest, old, new, kept=kept)
        found = self._found.get((rest, matter))
        if found is None:
            found = self._found[rest, matter] = _lost(self._cells.joined(self._search(rest, matter)))
        return found

    def _search(self, rest: Rest, matter: _Matter) -> Iterator[Row]:
        besides = [rest.said(other, allows=True) for other in matter.allowing]
        for piece in rest.pieces:
            place = (piece.extent, piece.service)
            bits = piece.actions & ~covered_by(besides, place)
            if bits:
                allows = ((piece.extent, bits),) if matter.kept else _says(besides, place, bits)
                question = self._question(piece._replace(actions=bits), rest, matter, allows)
                if not matter.kept or matter.limited or _beyond(question.new_denies, question.old_denies):
                    yield from self._cells.lacking(question)

    def _question(self, piece: Piece, rest: Rest, matter: _Matter, allows: Says) -> Question:
        place = (piece.extent, piece.service)
        return Question(
            piece,
            self._limits(matter.old_limit, piece),
            _says((rest.said(one, allows=False) for one in matter.old_denying), place, piece.actions),
            allows,
            self._limits(matter.new_limit, piece),
            _says((rest.said(one, allows=False) for one in matter.new_denying), place, piece.actions),
        )

    def _limits(self, limit: Part | None, piece: Piece) -> Says | None:
        if limit is None:
            return None
        place = (piece.extent, piece.service)
        return _says([{place: self._nearby.allowing(limit, piece)}], place, piece.actions)


def _matter(asked: Spots | Rest, old: Side, new: Side, *, kept: bool) -> _Matter:
    return _Matter(
        frozenset() if kept else asked.among(new.key[0], allows=True),
        asked.among(old.deniers, allows=False),
        asked.among(new.deniers, allows=False),
        old.boundary,
        new.boundary,
        kept,
    )


def _lost(rows: Iterable[Row]) -> Lost:
    found = tuple(rows)
    return Lost(found, frozenset(row.extent for row in found))


def _says(besides: Iterable[Beside], place: Place, actions: Bits) -> Says:
    """All that is said there of these actions, in one order."""
    nears = (near for beside in besides for near in beside.get(place, ()))
    return _ordered((near.extent, bits) for near in nears if (bits := near.actions & actions))


def _ordered(says: Iterable[tuple[Extent, Bits]]) -> Says:
    found: dict[Extent, Bits] = {}
    for extent, bits in says:
        found[extent] = found.get(extent, 0) | bits
    return tuple(sorted(found.items(), key=lambda item: item[0].number)) if len(found) > 1 else tuple(found.items())


def _beyond(few: Says, many: Says) -> bool:
    """Whether the first ones say something that the others do not."""
    return few != many and not within(dict(few), dict(many))
