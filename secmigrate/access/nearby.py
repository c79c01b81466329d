"""What one policy part says near what another one allows: about the same actions, on resources that they share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.cells import Bits, Piece
from secmigrate.access.conditions import implies
from secmigrate.access.effective import Extent, Masks, Part
from secmigrate.access.formats import Formats, meet
from secmigrate.access.patterns import TooHard, includes, widened
from secmigrate.access.reading import ANYWHERE

Place = tuple[Extent, int]  # a statement, as far as it is about one service


class Near(NamedTuple):
    """A statement that shares actions and resources with a piece."""

    extent: Extent
    actions: Bits  # as in the piece
    covers: bool  # whether it holds wherever the other one does


Beside = Mapping[Place, list[Near]]
Said = TypeVar("Said", bound=Mapping[Any, Any])
_Entry = tuple[tuple[str, str], Extent, Bits]  # how its resources, and how their names begin; what it says
_Index = Mapping[int | None, list[_Entry]]  # by service; None: those about several, as whole sets
_FEW = 16  # statements that are looked through as fast as they are sorted by service


class Nearby:
    """Finds what parts say near a statement; each part is looked through once, service by service."""

    def __init__(self, catalogue: ActionCatalogue, formats: Formats) -> None:
        self._catalogue = catalogue
        self._formats = formats
        self._indexes: dict[tuple[Part, bool], _Index] = {}
        self._rests: dict[tuple[Piece, ...], Rest] = {}
        self._relations: dict[tuple[Extent, Extent], bool | None] = {}

    def pieces(self, extent: Extent, actions: Bits) -> Iterator[Piece]:
        """The actions by service, without those that take no resource of the extent."""
        for service, bits in self._catalogue.by_service(self._formats.coarsely(extent.region.pattern.head, actions)):
            yield Piece(extent, service, bits)

    def rest_of(self, pieces: tuple[Piece, ...]) -> Rest:
        """These pieces; one object for the same ones."""
        found = self._rests.get(pieces)
        if found is None:
            found = self._rests[pieces] = Rest(pieces, self)
        return found

    def allowing(self, part: Part, piece: Piece) -> list[Near]:
        """What the part allows near the piece."""
        return self._near(self._index(part, allows=True), piece)

    def denying(self, part: Part, piece: Piece) -> list[Near]:
        """What the part denies near the piece."""
        return self._near(self._index(part, allows=False), piece) if part.denying else []

    def covers(self, one: Extent, other: Extent) -> bool:
        """Whether the one plainly holds wherever the other does."""
        return self._relation(one, other) is True

    def _near(self, index: _Index, piece: Piece) -> list[Near]:
        found: list[Near] = []
        for _, extent, mask in _beginning_alike(index.get(piece.service, ()), piece.extent):
            if actions := mask & piece.actions:
                self._add(found, extent, actions, piece)
        for _, extent, mask in _beginning_alike(index.get(None, ()), piece.extent):
            if actions := self._catalogue.of_service(piece.service, mask) & piece.actions:
                self._add(found, extent, actions, piece)
        return found

    def _add(self, found: list[Near], extent: Extent, actions: Bits, piece: Piece) -> None:
        covers = self._relation(extent, piece.extent)
        if covers is not None:
            found.append(Near(extent, actions, covers))

    def _relation(self, one: Extent, other: Extent) -> bool | None:
        """Whether one holds wherever the other does; None if they share no resource."""
        if one is other:
            return True
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
        begins = [((one.region.pattern.prefix, one.region.pattern.own), one, bits) for one, bits in masks.items()]
        if len(begins) <= _FEW:
            return {None: begins}
        found: dict[int | None, list[_Entry]] = {}
        for begin, extent, mask in begins:
            bits = self._formats.coarsely(extent.region.pattern.head, mask)
            services = list(islice(self._catalogue.by_service(bits), 2))
            if len(services) == 1:
                service, part = services[0]
                found.setdefault(service, []).append((begin, extent, part))
            elif services:
                found.setdefault(None, []).append((begin, extent, bits))
        return found


def _beginning_alike(entries: Iterable[_Entry], other: Extent) -> Iterable[_Entry]:
    """Those that can share a resource with the other statement, by how their resources and their names begin."""
    pattern = other.region.pattern
    prefix, own = pattern.prefix, pattern.own
    return [
        entry
        for entry in entries
        if (prefix.startswith(entry[0][0]) or entry[0][0].startswith(prefix))
        and (own.startswith(entry[0][1]) or entry[0][1].startswith(own))
    ]


class Asked(ABC, Generic[Said]):
    """What parts allow or deny, each asked once. What is said depends on where: `_ask`."""

    __slots__ = ("_said", "_silent")

    def __init__(self) -> None:
        self._said: tuple[dict[Part, Said], dict[Part, Said]] = ({}, {})
        self._silent: tuple[set[Part], set[Part]] = (set(), set())

    def among(self, others: frozenset[Part], *, allows: bool) -> frozenset[Part]:
        """Those of the parts that allow, or deny, something there."""
        silent = self._silent[allows]
        left = others - silent
        quiet = {other for other in left if not self.said(other, allows=allows)}
        silent |= quiet
        return left - quiet

    def said(self, other: Part, *, allows: bool) -> Said:
        """What a part allows, or denies, there."""
        known = self._said[allows]
        found = known.get(other)
        if found is None:
            found = known[other] = self._ask(other, allows=allows)
        return found

    @abstractmethod
    def _ask(self, other: Part, *, allows: bool) -> Said: ...


class Rest(Asked[Beside]):
    """Pieces of one part, and what other parts say near them."""

    __slots__ = ("_nearby", "pieces")

    def __init__(self, pieces: tuple[Piece, ...], nearby: Nearby) -> None:
        super().__init__()
        self.pieces = pieces
        self._nearby = nearby

    def _ask(self, other: Part, *, allows: bool) -> Beside:
        return dict(self._beside(other, allows=allows))

    def _beside(self, other: Part, *, allows: bool) -> Iterator[tuple[Place, list[Near]]]:
        ask = self._nearby.allowing if allows else self._nearby.denying
        # What a document does not say to anyone near a piece, it does not say to one person either.
        likely = self.said(other.anyone, allows=allows) if other.anyone is not other else None
        for piece in self.pieces if likely is None or likely else ():
            place = (piece.extent, piece.service)
            if (likely is None or place in likely) and (near := ask(other, piece)):
                yield place, near


def covered(near: Iterable[Near]) -> Bits:
    """The actions that one statement covers by itself."""
    bits = 0
    for one in near:
        if one.covers:
            bits |= one.actions
    return bits


def covered_by(besides: Iterable[Beside], place: Place) -> Bits:
    """The actions that one statement covers by itself there."""
    bits = 0
    for beside in besides:
        bits |= covered(beside.get(place, ()))
    return bits


def _relation(one: Extent, other: Extent) -> bool | None:
    mine, theirs = one.region, other.region
    if not meet(widened(mine.pattern), widened(theirs.pattern)):
        return None
    if not implies(other.condition, one.condition):
        return False
    if mine in (theirs, ANYWHERE):
        return True
    if mine.without:
        return False
    try:
        return includes(mine.pattern, theirs.pattern)
    except TooHard:
        return False
