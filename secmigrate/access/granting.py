"""What policy documents allow by themselves, whoever has them: for the mapping, which compares groups with levels."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import UNSET

from secmigrate.access.actions import ActionCatalogue, union, without
from secmigrate.access.automata import head_of
from secmigrate.access.cells import Bits, Rows
from secmigrate.access.comparing import Comparer
from secmigrate.access.conditions import ALWAYS
from secmigrate.access.decoding import Usual, heads_of, is_action, usual, words_of, written
from secmigrate.access.effective import Side, Sides
from secmigrate.access.formats import formats_of
from secmigrate.access.patterns import Pattern, TooHard, has_variable, includes, resource
from secmigrate.access.reading import EVERYTHING, condition_of
from secmigrate.iam import Document, Group, Snapshot

Documents = tuple[Document, ...]

_FEW = 12


class Grants:
    """Reads sets of documents; each set is read once."""

    def __init__(self, catalogue: ActionCatalogue, documents: Iterable[Document], partition: str = "aws") -> None:
        """`documents` hold all that will be asked about: actions that nobody knows are found beforehand."""
        self._sides = Sides(catalogue, (), documents)
        self._comparer = Comparer(self._sides, partition)
        self._formats = formats_of(self._sides.catalogue, partition)
        self._nowhere = Snapshot(account="", partition=partition)
        self._found: dict[Documents, Side] = {}
        self._said: dict[str, _Said] = {}  # by a document's text, as all that is kept for each
        self._whole: dict[str, Bits] = {}
        self._entries: dict[str, tuple[int, Bits]] = {}  # where its service begins, and the set from there on
        self._sure: dict[Document, Bits] = {}
        self._beyond: dict[tuple[Documents, Bits], _Elsewhere] = {}

    @property
    def catalogue(self) -> ActionCatalogue:
        """The actions, with those that only the documents name."""
        return self._sides.catalogue

    def allowed(self, documents: Documents) -> Bits:
        """What they allow on some resource that the action takes, under whatever condition, and do not deny flatly."""
        return self._undenied(documents, (self._saying(one).allowed for one in documents))

    def named(self, documents: Documents) -> Bits:
        """What they allow by its name, even if it takes none of the resources beside it."""
        return self._undenied(documents, (row.mask for one in documents for row in self._saying(one).allows))

    def anywhere(self, documents: Documents) -> Bits:
        """Those of them that they allow on every resource that the action takes."""
        return self._undenied(documents, map(self._anywhere, documents))

    def _undenied(self, documents: Documents, sets: Iterable[Bits]) -> Bits:
        denied = union(self._saying(one).denied for one in documents)
        return without(union(sets), denied)

    def _anywhere(self, document: Document) -> Bits:
        found = self._whole.get(document.text)
        if found is None:
            found = 0
            for row in self._saying(document).allows:
                for text in filter(self._formats.may_hold, row.resources):
                    found |= self._formats.all_of(text, row.mask)
            self._whole[document.text] = found
        return found

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
        return bool(without(union(self._surely(document) for document in old), self.named(new)))

    def _surely(self, document: Document) -> Bits:
        """What it allows, on something that the action takes, whatever else is known."""
        found = self._sure.get(document)
        if found is None:
            found = 0
            for extent, mask in self.side((document,)).allows.items():
                pattern = extent.region.pattern
                if extent.condition == ALWAYS and not extent.region.without and not has_variable(pattern):
                    found |= self._formats.on(pattern.text, mask)
            self._sure[document] = found
        return found

    def beyond(self, old: Documents, new: Documents, actions: Bits) -> tuple[str, ...]:
        """The resource patterns, as they are written, on which the old ones allow some of these actions and the new
        ones allow the same only elsewhere.
        """
        found: set[str] = set()
        there = self._elsewhere(new, actions)
        for document in old:
            known = there.known.get(document.text)
            if known is None:
                known = there.known[document.text] = frozenset(self._not_reached(document, there))
            found |= known
        return tuple(sorted(found))

    def _elsewhere(self, documents: Documents, actions: Bits) -> _Elsewhere:
        found = self._beyond.get((documents, actions))
        if found is None:
            masks = self.side(documents).allows.items()
            rows = [(extent.region.pattern, bits & actions) for extent, bits in masks if bits & actions]
            everywhere = union(bits for pattern, bits in rows if pattern is EVERYTHING)
            held = without(actions & self.named(documents), everywhere)
            services = {self.catalogue.start(service): part for service, part in self.catalogue.by_service(held)}
            services[0] = held
            found = _Elsewhere(held, rows, services, {})
            self._beyond[documents, actions] = found
        return found

    def _not_reached(self, document: Document, there: _Elsewhere) -> Iterator[str]:
        for row in self._saying(document).allows if there.actions else ():
            asked = row.actions & there.services.get(row.start, 0)
            asked = asked and self._formats.coarsely_any(row.heads, row.start, asked) << row.start
            for text in row.resources if asked else ():
                left = self._formats.coarsely(head_of(text), asked)
                for other, bits in there.rows if left else ():
                    if left & bits and _holds(other, resource(text)):
                        left = without(left, bits)
                if left:
                    yield text

    def side(self, documents: Documents) -> Side:
        """All that they allow and deny, of somebody of whom nothing is known."""
        found = self._found.get(documents)
        if found is None:
            holder = Group(name="-", inline={str(number): one for number, one in enumerate(documents)})
            found = self._found[documents] = self._sides.of(self._nowhere, holder)
        return found

    def _saying(self, document: Document) -> _Said:
        found = self._said.get(document.text)
        if found is None:
            rows = usual(document)
            found = self._said[document.text] = (self._plainly(rows) if rows else None) or self._exactly(document)
        return found

    def _plainly(self, rows: Sequence[Usual]) -> _Said | None:
        """What these statements say; None if one of them cannot be read."""
        allows: list[_Allowed] = []
        denied = 0
        for row in rows:
            condition, (start, actions) = condition_of(row), self._meant(row)
            where = words_of(row.resource, row.not_resource)
            heads = heads_of(where)
            if condition is None or not actions or not heads:
                return None
            if row.effect == "Deny":
                flatly = not condition and row.not_resource is UNSET and EVERYTHING in map(resource, where)
                denied |= actions << start if flatly else 0
            elif row.not_resource is UNSET:
                allows.append(_Allowed(start, actions, where, heads))
            else:
                allows.append(_Allowed(start, actions, (EVERYTHING.text,), ("",)))
        return self._together(allows, denied)

    def _meant(self, row: Usual) -> tuple[int, Bits]:
        """The actions of a statement, from the first of their service on: nearly always they are of one, and few. From
        the very first on if they are of several; none if an entry is none.
        """
        mask, origin = 0, -1
        for entry in words_of(row.action, row.not_action):
            start, bits = self._entries.get(entry) or self._entry(entry)
            if not bits:
                return 0, 0
            if origin < 0:
                origin = start
            elif start != origin:
                mask, bits, origin = mask << origin, bits << start, 0
            mask |= bits
        origin = max(origin, 0)
        return (origin, mask) if row.not_action is UNSET else (0, without(self.catalogue.everything, mask << origin))

    def _entry(self, entry: str) -> tuple[int, Bits]:
        """What an entry of an Action element means, from the first action of its service on."""
        whole = self.catalogue.bits(entry) if is_action(entry) else 0
        parts = self.catalogue.by_service(whole)
        found = (self.catalogue.start(parts[0][0]), parts[0][1]) if len(parts) == 1 else (0, whole)
        self._entries[entry] = found
        return found

    def _exactly(self, document: Document) -> _Said:
        """The same of any document, whatever is wrong with it. What cannot be read may mean anything; nobody is given
        everything for it, so only what is named counts.
        """
        side, names = self.side((document,)), self._names(document)
        patterns = ((mask & names, extent.region.pattern) for extent, mask in side.allows.items())
        allows = [_Allowed(0, mask, (pattern.text,), (pattern.head,)) for mask, pattern in patterns]
        flatly = (mask for extent, mask in side.denies.items() if extent is self._sides.anywhere)
        return self._together(allows, union(flatly))

    def _names(self, document: Document) -> Bits:
        """The actions that readable entries of what allows name; all there are if one of these is a NotAction."""
        rows = [row for row in written(document) if row.effect == "Allow"]
        if any(row.not_action is not UNSET for row in rows):
            return self.catalogue.everything
        entries = (entry for row in rows for entry in words_of(row.action, row.not_action))
        return self.catalogue.bits_of(filter(is_action, entries))

    def _together(self, allows: Sequence[_Allowed], denied: Bits) -> _Said:
        allowed: dict[int, Bits] = {}  # by where they start: such sets are small
        for row in allows:
            # Of a few actions that somebody wrote out, those of another resource are few, and nobody misses them.
            if row.actions.bit_count() <= _FEW:
                open_ = self._formats.unsettled_on(row.resources, row.start, row.actions)
                found = open_ | self._formats.coarsely_any(
                    row.heads, row.start, self._formats.settled(row.start, row.actions)
                )
            else:
                found = union(self._formats.on(text, row.mask) for text in row.resources) >> row.start
            allowed[row.start] = allowed.get(row.start, 0) | found
        return _Said(allows, union(actions << start for start, actions in allowed.items()), denied)


class _Allowed(NamedTuple):
    """Actions that a statement allows, from a place on: that of the first of their service, or 0; on which resources,
    and the `head` of each of these, once.
    """

    start: int
    actions: Bits
    resources: Sequence[str]
    heads: Collection[str]

    @property
    def mask(self) -> Bits:
        """The actions, as a set of the catalogue's."""
        return self.actions << self.start


class _Said(NamedTuple):
    """What one document says: what it allows, all of it that means something, and what it denies always everywhere."""

    allows: Sequence[_Allowed]
    allowed: Bits
    denied: Bits


class _Elsewhere(NamedTuple):
    """What some documents allow, but not everywhere, and where; the same from each of the places on at which an
    `_Allowed` can start; and what is known to lie beyond, by document.
    """

    actions: Bits
    rows: Sequence[tuple[Pattern, Bits]]
    services: Mapping[int, Bits]
    known: dict[str, frozenset[str]]


def _holds(one: Pattern, other: Pattern) -> bool:
    try:
        return includes(one, other)
    except TooHard:
        return False
