"""What policy documents allow by themselves, whoever has them: for the mapping, which compares groups with levels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.cells import Bits, Rows
from secmigrate.access.comparing import Comparer
from secmigrate.access.conditions import ALWAYS
from secmigrate.access.effective import Side, Sides
from secmigrate.access.formats import formats_of
from secmigrate.access.patterns import Pattern, TooHard, has_variable, includes
from secmigrate.access.reading import ANYWHERE
from secmigrate.iam import Document, Group, Snapshot

Documents = tuple[Document, ...]

_FEW = 12
_Row = tuple[Pattern, Bits, Bits]  # what is allowed there, and what of it takes resources of the pattern's service


class Grants:
    """Reads sets of documents; each set is read once."""

    def __init__(self, catalogue: ActionCatalogue, documents: Iterable[Document], partition: str = "aws") -> None:
        """`documents` hold all that will be asked about: actions that nobody knows are found beforehand."""
        self._sides = Sides(catalogue, (), documents)
        self._comparer = Comparer(self._sides, partition)
        self._formats = formats_of(self._sides.catalogue, partition)
        self._nowhere = Snapshot(account="", partition=partition)
        self._found: dict[Documents, Side] = {}
        self._allowed: dict[Documents, _Bits] = {}
        self._single: dict[Document, _Bits] = {}
        self._patterns: dict[Document, Sequence[_Row]] = {}
        self._sure: dict[Document, Bits] = {}
        self._beyond: dict[tuple[Documents, Bits], dict[Document, frozenset[str]]] = {}

    @property
    def catalogue(self) -> ActionCatalogue:
        """The actions, with those that only the documents name."""
        return self._sides.catalogue

    def allowed(self, documents: Documents) -> Bits:
        """What they allow on some resource that the action takes, under whatever condition, and do not deny flatly."""
        return self._bits(documents).allowed

    def named(self, documents: Documents) -> Bits:
        """What they allow by its name, even if it takes none of the resources beside it."""
        return self._bits(documents).named

    def anywhere(self, documents: Documents) -> Bits:
        """Those of them that they allow on every resource that the action takes."""
        return self._bits(documents).anywhere

    def lacking(self, old: Documents, new: Documents) -> Rows:
        """What the old ones allow and the new ones do not, or may not."""
        return self._comparer.lacking(self.side(old), self.side(new))

    def lacks(self, old: Documents, new: Documents) -> bool:
        """Whether there is anything that they lack: the first thing is enough."""
        return self._plainly_lacks(old, new) or self._comparer.lacks(self.side(old), self.side(new))

    def _plainly_lacks(self, old: Documents, new: Documents) -> bool:
        """Whether the old ones deny nothing, and allow an action without a condition that the new ones do not name."""
        if any(self.side((document,)).denies for document in old):
            return False
        return bool(_union(self._surely(document) for document in old) & ~self.named(new))

    def _surely(self, document: Document) -> Bits:
        """What it allows, on something that the action takes, whatever else is known."""
        found = self._sure.get(document)
        if found is None:
            found = 0
            for extent, mask in self.side((document,)).allows.items():
                pattern = extent.region.pattern
                if extent.condition == ALWAYS and not extent.region.without and not has_variable(pattern):
                    found |= self._formats.on(pattern, mask)
            self._sure[document] = found
        return found

    def beyond(self, old: Documents, new: Documents, actions: Bits) -> tuple[str, ...]:
        """The resource patterns, as they are written, on which the old ones allow some of these actions and the new
        ones allow the same only elsewhere.
        """
        found: set[str] = set()
        known = self._beyond.setdefault((new, actions), {})
        for document in old:
            if document not in known:
                known[document] = frozenset(self._not_reached(document, new, actions))
            found |= known[document]
        return tuple(sorted(found))

    def _not_reached(self, document: Document, new: Documents, actions: Bits) -> Iterator[str]:
        there = self.side(new).allows.items()
        actions &= self.named(new)
        for pattern, _, mask in self._rows(document):
            left = mask & actions
            for other, bits in there if left else ():
                if left & bits and _holds(other.region.pattern, pattern):
                    left &= ~bits
            if left:
                yield pattern.text

    def _rows(self, document: Document) -> Sequence[_Row]:
        found = self._patterns.get(document)
        if found is None:
            allows = self.side((document,)).allows.items()
            found = self._patterns[document] = [
                (pattern, mask, self._formats.coarsely(pattern, mask))
                for pattern, mask in ((extent.region.pattern, mask) for extent, mask in allows)
            ]
        return found

    def side(self, documents: Documents) -> Side:
        """All that they allow and deny, of somebody of whom nothing is known."""
        found = self._found.get(documents)
        if found is None:
            holder = Group(name="-", inline={str(number): one for number, one in enumerate(documents)})
            found = self._found[documents] = self._sides.of(self._nowhere, holder)
        return found

    def _bits(self, documents: Documents) -> _Bits:
        found = self._allowed.get(documents)
        if found is None:
            ones = [self._of(document) for document in documents]
            denied = _union(one.denied for one in ones)
            found = self._allowed[documents] = _Bits(
                _union(one.allowed for one in ones) & ~denied,
                _union(one.anywhere for one in ones) & ~denied,
                _union(one.named for one in ones) & ~denied,
                denied,
            )
        return found

    def _of(self, document: Document) -> _Bits:
        found = self._single.get(document)
        if found is None:
            allowed = anywhere = named = denied = 0
            for extent, mask in self.side((document,)).denies.items():
                denied |= mask if extent.region == ANYWHERE and extent.condition == ALWAYS else 0
            for pattern, mask, coarsely in self._rows(document):
                named |= mask
                # Of a few actions that somebody wrote out, those of another resource are few, and nobody misses them.
                few = mask.bit_count() <= _FEW
                allowed |= coarsely if few else self._formats.on(pattern, mask)
                anywhere |= self._formats.all_of(pattern, mask)
            found = self._single[document] = _Bits(allowed, anywhere, named, denied)
        return found


class _Bits(NamedTuple):
    """What documents allow on something, on everything, and by name; and what they deny flatly."""

    allowed: Bits
    anywhere: Bits
    named: Bits
    denied: Bits


def _union(sets: Iterable[Bits]) -> Bits:
    bits = 0
    for one in sets:
        bits |= one
    return bits


def _holds(one: Pattern, other: Pattern) -> bool:
    try:
        return includes(one, other)
    except TooHard:
        return False
