"""What one statement allows on one side and the other side does not: action by action, resource by resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_
from typing import NamedTuple

from msgspec import Struct, structs

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.deciding import Case, Extents, Verdict, decide, decide_at, varies
from secmigrate.access.effective import Extent
from secmigrate.access.formats import NO_RESOURCE, Formats
from secmigrate.access.patterns import Pattern, matches

Bits = int  # a set of actions, as bits of the catalogue


class Row(Struct, frozen=True, cache_hash=True):
    """Actions that a statement allows on one side, and that the other side does not allow as far, or may not."""

    certain: bool
    extent: Extent  # of the statement that allows them
    actions: Bits
    example: str  # a concrete resource for which it is so; empty if none could be worked out
    context: tuple[tuple[str, str | None], ...]  # condition keys with which the example shows it
    because: Extents  # what denies it on the other side, or allows it there under a condition


class Piece(NamedTuple):
    """Actions of one service that a statement allows, the service's first action being the first bit."""

    extent: Extent
    service: int
    actions: Bits


Rows = tuple[Row, ...]
Says = tuple[tuple[Extent, Bits], ...]  # what statements say, those about the same resources and conditions together


class Question(NamedTuple):
    """Actions that a statement allows before, and all that may matter beside it."""

    piece: Piece
    old_limits: Says | None  # what the old permissions boundary allows; None: there is no boundary
    old_denies: Says
    new_allows: Says
    new_limits: Says | None
    new_denies: Says


class Spot:
    """Actions that a statement allows, and an example of a resource of theirs."""

    __slots__ = ("actions", "example", "piece", "row", "start", "unsettled")

    def __init__(self, piece: Piece, start: int, actions: Bits, row: Row | None, *, unsettled: int | None) -> None:
        self.piece = piece
        self.start = start  # the catalogue's place of the piece's first bit
        self.actions = actions  # as in the piece
        self.row = row  # what is lost if nothing is said at the example
        self.example = row.example if row else ""  # empty if there is none that is certain
        self.unsettled = unsettled  # the look of such actions, of which the example does not tell all


class Same:
    """One object for equal sets of actions, which are large, and for equal rows."""

    __slots__ = ("rows", "sets")

    def __init__(self) -> None:
        self.sets: dict[Bits, Bits] = {}
        self.rows: dict[Row, Row] = {}


class Cells:
    """Answers questions; what was asked once is not worked out again."""

    def __init__(self, catalogue: ActionCatalogue, formats: Formats, same: Same) -> None:
        self._catalogue = catalogue
        self._formats = formats
        self._sets, self._same_rows = same.sets, same.rows
        self._rows: dict[Question, Rows] = {}
        self._verdicts: dict[tuple[Case, int], Verdict | None] = {}
        self._spots: dict[Piece, tuple[Spot, ...]] = {}
        self._at: dict[tuple[Case, str], Verdict | None] = {}

    def lacking(self, question: Question) -> Rows:
        """What is lost of it, or may be."""
        found = self._rows.get(question)
        if found is None:
            found = self._rows[question] = self.joined(self._decided(question))
        return found

    def spots(self, piece: Piece) -> tuple[Spot, ...]:
        """What the piece allows, by examples."""
        found = self._spots.get(piece)
        if found is None:
            start = self._catalogue.start(piece.service)
            alone = self.joined(self._decided(Question(piece, None, (), (), None, ())))
            found = self._spots[piece] = tuple(self._spot(piece, start, row) for row in alone)
        return found

    def _spot(self, piece: Piece, start: int, row: Row) -> Spot:
        plain = row.certain and not varies(piece.extent.region)
        unsettled = self._formats.unsettled_look(row.actions) if row.example == NO_RESOURCE.text else None
        return Spot(piece, start, row.actions >> start, row if plain else None, unsettled=unsettled)

    def _is_whole(self, case: Case, look: int) -> bool:
        """Whether all that matters is said of `*`, and leaves out no ARN that might be asked for in its place."""
        groups = ((case.allow,), case.old_limits, case.old_denies, case.new_allows, case.new_limits, case.new_denies)
        return all(
            matches(one.region.pattern, NO_RESOURCE.text)
            and not any(self._formats.meets(out, look) for out in one.region.without)
            for group in groups
            for one in group or ()
        )

    def about(self, extent: Extent, look: int) -> bool:
        """Whether the statement may be about actions of that look."""
        return self._formats.meets(extent.region.pattern, look)

    def at(self, spot: Spot, cell: Bits, question: Question) -> Row | None:
        """What the example shows of these actions, of which everything that is said there is the same: a certain loss,
        or nothing. `question` holds what is said there.
        """
        case = Case(
            spot.piece.extent,
            None if question.old_limits is None else _those(question.old_limits, cell),
            _those(question.old_denies, cell),
            _those(question.new_allows, cell),
            None if question.new_limits is None else _those(question.new_limits, cell),
            _those(question.new_denies, cell),
        )
        if spot.unsettled is not None and not self._is_whole(case, spot.unsettled):
            return None
        key = (case, spot.example)
        try:
            verdict = self._at[key]
        except KeyError:
            verdict = self._at[key] = decide_at(case, spot.example)
        return None if verdict is None else self._row(verdict, spot.piece.extent, cell << spot.start)

    def joined(self, rows: Iterable[Row]) -> Rows:
        """One row for what a statement allows; actions whose resources look alike share their example."""
        merged: dict[tuple[object, ...], list[Row]] = {}
        for row in rows:
            merged.setdefault((row.certain, row.extent, row.example, row.context, row.because), []).append(row)
        return tuple(ones[0] if len(ones) == 1 else self._union(ones) for ones in merged.values())

    def _union(self, rows: list[Row]) -> Row:
        actions = reduce(or_, (row.actions for row in rows))
        row = structs.replace(rows[0], actions=self._sets.setdefault(actions, actions))
        return self._same_rows.setdefault(row, row)

    def _decided(self, question: Question) -> Iterator[Row]:
        piece = question.piece
        pattern, start = piece.extent.region.pattern, self._catalogue.start(piece.service)
        for cell in cut(piece.actions, question):
            for look, actions in self._formats.split(start, cell):
                forms = self._formats.meeting(pattern, look)
                verdict = self._verdict(self._case(question, cell, look), look, forms) if forms else None
                if verdict is not None:
                    yield self._row(verdict, piece.extent, actions << start)

    def _row(self, verdict: Verdict, extent: Extent, actions: Bits) -> Row:
        context = tuple(sorted(verdict.context.items()))
        bits = self._sets.setdefault(actions, actions)
        row = Row(verdict.certain, extent, bits, verdict.example, context, verdict.because)
        return self._same_rows.setdefault(row, row)

    def _case(self, question: Question, cell: Bits, look: int) -> Case:
        """The statements that are about the actions of the cell, on resources that they take."""

        def those(says: Says) -> Extents:
            return tuple(one for one, mask in says if mask & cell and self._formats.meets(one.region.pattern, look))

        return Case(
            question.piece.extent,
            None if question.old_limits is None else those(question.old_limits),
            those(question.old_denies),
            those(question.new_allows),
            None if question.new_limits is None else those(question.new_limits),
            those(question.new_denies),
        )

    def _verdict(self, case: Case, look: int, forms: tuple[Pattern, ...]) -> Verdict | None:
        """Of actions with that look; the formats follow from it, and from what the case allows."""
        try:
            return self._verdicts[case, look]
        except KeyError:
            found = decide(case, forms)
            if found and found.certain and self._formats.is_unsettled(look) and not self._is_whole(case, look):
                found = Verdict(False, found.example, {}, found.because)
            self._verdicts[case, look] = found
            return found


def _those(says: Says, cell: Bits) -> Extents:
    return tuple(one for one, mask in says if mask & cell)


def cut(actions: Bits, question: Question) -> list[Bits]:
    """The actions in sets of which everything that is said is the same."""
    cells = [actions]
    for says in question[1:]:
        for _, mask in says or ():
            cells = [part for cell in cells for part in (cell & mask, cell & ~mask) if part]
    return cells
