"""What is said at one example of what a statement allows.

A loss is shown by one request. So of all statements near, those matter at first that match one example: mostly none, or
the same ones for many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from operator import or_

from secmigrate.access.cells import Bits, Cells, Piece, Says, Spot
from secmigrate.access.deciding import may_match
from secmigrate.access.effective import Extent, Masks, Part
from secmigrate.access.nearby import Asked

Said = Mapping[Spot, Says]


class _Example:
    """A concrete resource, and which statements may match it."""

    __slots__ = ("_anywhere", "_met", "_seen", "matching", "text")

    def __init__(self, text: str, met: _Statements) -> None:
        self.text = text
        self.matching: set[Extent] = set()  # of those that name its service and were looked at
        self._met = met
        self._seen = 0
        self._anywhere: dict[Extent, bool] = {}

    def look(self) -> set[Extent]:
        """Looks at the statements that were met since; all that may match it."""
        if self._seen < self._met.number:
            self._seen = self._met.number
            new = (one for one in self._met.likely(self.text) if one not in self.matching)
            self.matching.update([one for one in new if may_match(one.region, self.text)])
        return self.matching

    def matches(self, extent: Extent) -> bool:
        """Whether one that was met may match it."""
        if extent in self.matching:
            return True
        if extent.region.pattern.head:
            return False
        found = self._anywhere.get(extent)
        if found is None:
            found = self._anywhere[extent] = may_match(extent.region, self.text)
        return found


class _Statements:
    """Statements that name one service, by how the ARNs or the names begin that they match."""

    __slots__ = ("_by_name", "_by_prefix", "number")

    def __init__(self) -> None:
        self.number = 0
        self._by_name: dict[str, list[Extent]] = {}
        self._by_prefix: dict[str, list[Extent]] = {}

    def add(self, extent: Extent) -> None:
        """One more."""
        pattern = extent.region.pattern
        by_begin, begin = (self._by_name, pattern.own) if pattern.own else (self._by_prefix, pattern.prefix)
        by_begin.setdefault(begin, []).append(extent)
        self.number += 1

    def likely(self, text: str) -> Iterator[Extent]:
        """Those that may match the resource, and few others."""
        name = "".join(text.split(":", 5)[5:])
        for begins, whole in ((self._by_name, name), (self._by_prefix, text)):
            for length in range(len(whole) + 1):
                yield from begins.get(whole[:length], ())


class Met:
    """The statements of the parts that were met so far, by the service whose resources they name."""

    def __init__(self) -> None:
        self.number = 0
        self.says: dict[Says, Says] = {}  # one object for equal ones: at most examples the same is said
        self._anywhere: dict[tuple[Part, bool], tuple[Extent, ...]] = {}
        self.known: set[Extent] = set()  # those that name a service, and perhaps all resources of a type of it
        self._about: dict[str, _Statements] = {}
        self._examples: dict[str, _Example] = {}

    def meet(self, parts: Iterable[Part]) -> None:
        """Meets what the parts say to anyone."""
        for part in parts:
            for allows in (True, False):
                self.anywhere(part.anyone, allows=allows)

    def anywhere(self, part: Part, *, allows: bool) -> tuple[Extent, ...]:
        """Meets all that a part allows, or denies; its statements about it that name no service."""
        found = self._anywhere.get((part, allows))
        if found is None:
            masks = part.allows if allows else part.denies
            found = self._anywhere[part, allows] = tuple(one for one in masks if not one.region.pattern.head)
            new = masks.keys() - self.known - set(found)
            for one in new:
                self._of(one.region.pattern.head).add(one)
            self.known |= new
            self.number = len(self.known)
        return found

    def example(self, text: str) -> _Example:
        """The one example of that resource."""
        found = self._examples.get(text)
        if found is None:
            found = self._examples[text] = _Example(text, self._of(":".join((*text.split(":", 3)[:3], ""))))
        return found

    def _of(self, head: str) -> _Statements:
        found = self._about.get(head)
        if found is None:
            found = self._about[head] = _Statements()
        return found


class Spots(Asked[Said]):
    """The spots of some pieces, and what parts say at their examples."""

    __slots__ = ("_about", "_actions", "_matching", "_met", "_seen", "_starts", "_unsettled", "all")

    def __init__(self, pieces: Iterable[Piece], cells: Cells, met: Met) -> None:
        super().__init__()
        self.all = tuple(spot for piece in pieces for spot in cells.spots(piece))
        self._about = cells.about
        self._unsettled = any(spot.unsettled is not None for spot in self.all)
        self._met = met
        self._seen = 0
        examples: dict[int, list[tuple[Spot, _Example]]] = {}
        for spot in self.all:
            if spot.example:
                examples.setdefault(spot.start, []).append((spot, met.example(spot.example)))
        # By the place of a service's first action: all actions of the spots there, and these.
        self._starts = [
            (start, reduce(or_, (spot.actions for spot, _ in spots)), spots) for start, spots in examples.items()
        ]
        self._actions = reduce(or_, (actions << start for start, actions, _ in self._starts), 0)
        self._matching: set[Extent] = set()

    def _ask(self, other: Part, *, allows: bool) -> Said:
        masks = other.allows if allows else other.denies
        near = self._near(other, masks, allows=allows)
        about = [(one, bits) for one in near if (bits := masks[one] & self._actions)]
        about.sort(key=lambda item: item[0].number)
        return dict(self._at(about, other)) if about else {}

    def _near(self, other: Part, masks: Masks, *, allows: bool) -> Iterable[Extent]:
        """Those of its statements that may match an example, and some that do not."""
        if other.anyone is not other:
            # What a document does not say to anyone there, it does not say to one person either.
            return masks if self.said(other.anyone, allows=allows) else ()
        anywhere = self._met.anywhere(other, allows=allows)
        if self._seen != self._met.number:
            self._seen = self._met.number
            for _, _, spots in self._starts:
                for _, example in spots:
                    self._matching |= example.look()
            if self._unsettled:
                self._matching |= self._met.known
        return (*anywhere, *(masks.keys() & self._matching))

    def _at(self, about: list[tuple[Extent, Bits]], other: Part) -> Iterator[tuple[Spot, Says]]:
        common, known = other.anyone is other, self._met.says
        for start, actions, spots in self._starts:
            there = [(one, bits) for one, mask in about if (bits := mask >> start & actions)]
            for spot, example in spots if there else ():
                says = tuple(
                    [
                        (one, mine)
                        for one, bits in there
                        if (mine := bits & spot.actions)
                        and (
                            (example.matches(one) if common else may_match(one.region, example.text))
                            or (spot.unsettled is not None and self._about(one, spot.unsettled))
                        )
                    ]
                )
                if says:
                    yield spot, known.setdefault(says, says)
