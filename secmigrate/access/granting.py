"""What policy documents allow by themselves, whoever has them: for the mapping, which compares groups with levels."""

from __future__ import annotations

from collections.abc import Iterable

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.cells import Bits, Rows
from secmigrate.access.comparing import Comparer
from secmigrate.access.conditions import ALWAYS
from secmigrate.access.effective import Extent, Side, Sides
from secmigrate.access.formats import formats_of
from secmigrate.access.patterns import TooHard, includes
from secmigrate.access.reading import ANYWHERE
from secmigrate.iam import Document, Group, Snapshot

Documents = tuple[Document, ...]


class Grants:
    """Reads sets of documents; each set is read once."""

    def __init__(self, catalogue: ActionCatalogue, documents: Iterable[Document], partition: str = "aws") -> None:
        """`documents` hold all that will be asked about: actions that nobody knows are found beforehand."""
        self._sides = Sides(catalogue, (), documents)
        self._comparer = Comparer(self._sides, partition)
        self._formats = formats_of(self._sides.catalogue, partition)
        self._nowhere = Snapshot(account="", partition=partition)
        self._found: dict[Documents, Side] = {}
        self._allowed: dict[Documents, tuple[Bits, Bits, Bits]] = {}

    @property
    def catalogue(self) -> ActionCatalogue:
        """The actions, with those that only the documents name."""
        return self._sides.catalogue

    def allowed(self, documents: Documents) -> Bits:
        """What they allow on some resource that the action takes, under whatever condition, and do not deny flatly."""
        return self._bits(documents)[0]

    def named(self, documents: Documents) -> Bits:
        """What they allow by its name, even if it takes none of the resources beside it."""
        return self._bits(documents)[2]

    def anywhere(self, documents: Documents) -> Bits:
        """Those of them that they allow on every resource that the action takes."""
        return self._bits(documents)[1]

    def lacking(self, old: Documents, new: Documents) -> Rows:
        """What the old ones allow and the new ones do not, or may not."""
        return self._comparer.lacking(self.side(old), self.side(new))

    def beyond(self, old: Documents, new: Documents, actions: Bits) -> tuple[str, ...]:
        """The resource patterns, as they are written, on which the old ones allow some of these actions and the new
        ones allow the same only elsewhere.
        """
        there = self.side(new).allows.items()
        found: set[str] = set()
        for extent, mask in self.side(old).allows.items():
            left = mask & actions & self.named(new)
            for other, bits in there:
                if left & bits and _holds(other, extent):
                    left &= ~bits
            if left:
                found.add(extent.region.pattern.text)
        return tuple(sorted(found))

    def side(self, documents: Documents) -> Side:
        """All that they allow and deny, of somebody of whom nothing is known."""
        found = self._found.get(documents)
        if found is None:
            holder = Group(name="-", inline={str(number): one for number, one in enumerate(documents)})
            found = self._found[documents] = self._sides.of(self._nowhere, holder)
        return found

    def _bits(self, documents: Documents) -> tuple[Bits, Bits, Bits]:
        found = self._allowed.get(documents)
        if found is None:
            side = self.side(documents)
            allowed = anywhere = named = denied = 0
            for extent, mask in side.denies.items():
                denied |= mask if extent.region == ANYWHERE and extent.condition == ALWAYS else 0
            for extent, mask in side.allows.items():
                allowed |= self._formats.on(extent.region.pattern, mask & ~denied)
                named |= mask & ~denied
                anywhere |= self._formats.all_of(extent.region.pattern, mask & ~denied)
            found = self._allowed[documents] = (allowed, anywhere, named)
        return found


def _holds(one: Extent, other: Extent) -> bool:
    try:
        return includes(one.region.pattern, other.region.pattern)
    except TooHard:
        return False
