"""What is said at one example of what a statement allows.

A loss is shown by one request. So of all statements near, those matter at first that match one example: mostly none, or
the same ones for many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from secmigrate.access.cells import Bits, Cells, Piece, Says, Spot
from secmigrate.access.deciding import may_match
from secmigrate.access.effective import Extent, Masks, Part

Said = Mapping[Spot, Says]


class _Entry(NamedTuple):
    """A statement, and how every resource and every name that it matches begins."""

    prefix: str
    own: str
    extent: Extent


class _Example:
    """A concrete resource, and which statements may match it."""

    __slots__ = ("_anywhere", "_met", "_own", "_seen", "matching", "text")

    def __init__(self, text: str, met: list[_Entry]) -> None:
        self.text = text
        self.matching: set[Extent] = set()  # of those that name its service and were looked at
        self._met = met  # it grows
        self._seen = 0
        self._own = "".join(text.split(":", 5)[5:])
        self._anywhere: dict[Extent, bool] = {}

    def look(self) -> None:
        """Looks at the statements that were met since."""
        if self._seen < len(self._met):
            text, own = self.text, self._own
            self.matching.update(
                entry.extent
                for entry in self._met[self._seen :]
                if text.startswith(entry.prefix) and own.startswith(entry.own) and may_match(entry.extent.region, text)
            )
            self._seen = len(self._met)

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


class Met:
    """The statements of the parts that were met so far, by the service whose resources they name."""

    def __init__(self) -> None:
        self.number = 0
        self._anywhere: dict[tuple[Part, bool], tuple[Extent, ...]] = {}
        self._known: set[Extent] = set()
        self._about: dict[str, list[_Entry]] = {}
        self._examples: dict[str, _Example] = {}

    def anywhere(self, part: Part, *, allows: bool) -> tuple[Extent, ...]:
        """Meets all statements of a part; those that name no service, on which it allows or denies something."""
        found = self._anywhere.get((part, allows))
        if found is None:
            masks = part.allows if allows else part.denies
            found = self._anywhere[part, allows] = tuple(one for one in masks if not one.region.pattern.head)
            for one in masks.keys() - self._known:
                if head := one.region.pattern.head:
                    pattern = one.region.pattern
                    self._of(head).append(_Entry(pattern.prefix, pattern.own, one))
                    self._known.add(one)
            self.number = len(self._known)
        return found

    def example(self, text: str) -> _Example:
        """The one example of that resource."""
        found = self._examples.get(text)
        if found is None:
            found = self._examples[text] = _Example(text, self._of(":".join((*text.split(":", 3)[:3], ""))))
        return found

    def _of(self, head: str) -> list[_Entry]:
        return self._about.setdefault(head, [])


class Spots:
    """The spots of some pieces, and what parts say at their examples; each part is asked once."""

    __slots__ = ("_actions", "_examples", "_matching", "_met", "_said", "_seen", "all")

    def __init__(self, pieces: Iterable[Piece], cells: Cells, met: Met) -> None:
        self.all = tuple(spot for piece in pieces for spot in cells.spots(piece))
        self._met = met
        self._seen = 0
        self._examples = [(spot, met.example(spot.example)) for spot in self.all if spot.example]
        self._actions = 0
        for spot, _ in self._examples:
            self._actions |= spot.actions << spot.start
        self._matching: set[Extent] = set()
        self._said: tuple[dict[Part, Said], dict[Part, Said]] = ({}, {})

    def speaking(self, others: Iterable[Part], *, allows: bool) -> frozenset[Part]:
        """Those of the parts that allow, or deny, something there."""
        return frozenset(other for other in others if self.said(other, allows=allows))

    def said(self, other: Part, *, allows: bool) -> Said:
        """What a part allows, or denies, at which spot."""
        known = self._said[allows]
        found = known.get(other)
        if found is None:
            masks = other.allows if allows else other.denies
            about = [
                (one, bits) for one in self._near(other, masks, allows=allows) if (bits := masks[one] & self._actions)
            ]
            found = known[other] = dict(self._at(about, other)) if about else {}
        return found

    def _near(self, other: Part, masks: Masks, *, allows: bool) -> Iterable[Extent]:
        """Those of its statements that may match an example, and some that do not."""
        if other.anyone is not other:
            # What a document does not say to anyone there, it does not say to one person either.
            return masks if self.said(other.anyone, allows=allows) else ()
        anywhere = self._met.anywhere(other, allows=allows)
        if self._seen != self._met.number:
            self._seen = self._met.number
            for _, example in self._examples:
                example.look()
                self._matching |= example.matching
        return (*anywhere, *(masks.keys() & self._matching))

    def _at(self, about: list[tuple[Extent, Bits]], other: Part) -> Iterator[tuple[Spot, Says]]:
        common = other.anyone is other
        for spot, example in self._examples:
            says = [
                (one, bits)
                for one, mask in about
                if (bits := mask >> spot.start & spot.actions)
                and (example.matches(one) if common else may_match(one.region, example.text))
            ]
            if says:
                yield spot, tuple(says)
