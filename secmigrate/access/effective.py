"""Effective access: what a principal's policies allow and deny, with who says so.

Source: AWS, Policy evaluation logic: an explicit Deny wins, a permissions boundary only limits. Resource policies,
service control policies and session policies are outside of a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from secmigrate.access.actions import ActionCatalogue, without
from secmigrate.access.conditions import ALWAYS, Condition
from secmigrate.access.facts import Facts, own_keys
from secmigrate.access.reading import (
    ANYWHERE,
    Region,
    Row,
    Statement,
    Which,
    asked,
    opaque,
    rows,
    unknown,
)
from secmigrate.access.reading import flawed as has_flaw
from secmigrate.access.sources import (
    Source,
    document_of,
    held,
    holders,
    known_facts,
    missing,
    sources,
    written_actions,
)
from secmigrate.iam import Document, Group, Policy, Principal, Snapshot


class Extent:
    """On which resources and under which condition something holds. One object for each pair, so that `is` compares."""

    __slots__ = ("condition", "number", "region")

    def __init__(self, number: int, region: Region, condition: Condition) -> None:
        self.number = number  # in the order in which they were met
        self.region = region
        self.condition = condition

    @property
    def tests(self) -> str:
        """The condition in words; empty if it always holds."""
        return " and ".join(str(test) for test in sorted(self.condition))

    def __str__(self) -> str:
        return f"{self.region} if {self.tests}" if self.condition else str(self.region)


Masks = Mapping[Extent, int]  # actions, as bits of the catalogue
Saying = tuple[bool, tuple[Extent, ...], int]  # whether it allows, on what, which actions
# Which statements of which documents, and what is known of whom they are said to.
Words = tuple[Which | None, tuple[Document | str, ...], Facts]


class Part:
    """What some policy documents allow and deny. One object for the same documents, so that `is` compares.

    What documents say to one person alone is read when somebody asks; `anyone` is what they can say at most, whoever
    it is: no variable of it is known yet, and no condition decided.
    """

    __slots__ = ("_anyone", "_of", "_read", "_said", "denying", "flawed")

    def __init__(
        self,
        read: Callable[[], tuple[Masks, Masks]],
        of: Words | None = None,
        *,
        flawed: bool = False,
        anyone: Part | None = None,
    ) -> None:
        self._read: Callable[[], tuple[Masks, Masks]] | None = read
        self._said: tuple[Masks, Masks] = ({}, {})
        self._of = of
        self.flawed = flawed  # whether some of it cannot be read
        self._anyone = anyone
        self.denying = bool(self.anyone.denies)  # whether it may deny something

    @property
    def documents(self) -> Iterator[object]:
        """Its documents, and which of their statements it has; without any, it is only itself."""
        if self._of is None:
            yield self
        else:
            which, documents, _ = self._of
            for one in documents:
                yield which, one

    @property
    def anyone(self) -> Part:
        """What the same documents can say at most, whoever it is."""
        return self._anyone or self

    @property
    def allows(self) -> Masks:
        """Actions by what they are allowed on."""
        return self._known()[0]

    @property
    def denies(self) -> Masks:
        """Actions by what they are denied on."""
        return self._known()[1]

    def _known(self) -> tuple[Masks, Masks]:
        if self._read is not None:
            self._said, self._read = self._read(), None
        return self._said


class _Held(NamedTuple):
    """What some documents of one holder come to."""

    part: Part | None  # what they say to everybody; None: nothing
    asked: tuple[tuple[Which, Document, frozenset[str]], ...]  # who asks what of whom they apply to


class Side:
    """All that decides what one principal can do."""

    __slots__ = ("_denies", "_who", "all_parts", "boundary", "deniers", "key", "parts")

    def __init__(self, parts: tuple[Part, ...], boundary: Part | None, who: tuple[Snapshot, Principal]) -> None:
        self.parts = parts
        self.boundary = boundary
        self.key = (frozenset(parts), boundary)  # two sides with equal keys can do the same
        self.all_parts = (*parts, boundary) if boundary else parts
        self.deniers = frozenset(part for part in self.all_parts if part.denying)
        self._denies: Masks | None = None
        self._who = who

    @property
    def allows(self) -> Masks:
        """What all parts allow; the permissions boundary only limits it."""
        return merged(part.allows for part in self.parts)

    @property
    def denies(self) -> Masks:
        """What all parts deny, the permissions boundary too."""
        if self._denies is None:
            self._denies = merged(part.denies for part in self.all_parts if part.denying)
        return self._denies

    def denies_within(self, other: Side) -> bool:
        """Whether all that it denies, the other side plainly denies as well."""
        return self._are_among(self.deniers, other.deniers, other) or within(self.denies, other.denies)

    def plainly_within(self, other: Side) -> bool:
        """Whether the other side has every document of this one and the same boundary, and denies no more: so all that
        can be done here, can be done there.
        """
        same = self.boundary is other.boundary
        return same and self._are_among(self.key[0], other.key[0], other) and other.denies_within(self)

    def _are_among(self, mine: frozenset[Part], others: frozenset[Part], other: Side) -> bool:
        """Whether each of these parts is one of the other side's, or each of its documents stands there."""
        if mine <= others:
            return True
        more = others - mine
        if not more or not self._is_same_as(other):
            return False
        there = {document for part in more for document in part.documents}
        return all(document in there for part in mine - others for document in part.documents)

    def _is_same_as(self, other: Side) -> bool:
        """Whether both are of one principal, to whom the same document says the same."""
        (here, mine), (there, theirs) = self._who, other._who
        tags = [getattr(one, "tags", {}) for one in (mine, theirs)]
        return here.account == there.account and here.arn(mine) == there.arn(theirs) and tags[0] == tags[1]

    @property
    def sources(self) -> Iterator[Source]:
        """Where all of it comes from."""
        return sources(*self._who)


class Reader:
    """Reads documents as masks; what the same statement says is worked out once.

    It does not know the parts that it reads for: they hold it, and what they hold goes with them.
    """

    def __init__(self, catalogue: ActionCatalogue) -> None:
        self.catalogue = catalogue
        self._extents: dict[tuple[Region, Condition], Extent] = {}
        self._said: dict[tuple[Row, Facts], tuple[Saying, ...]] = {}
        self._masks: dict[tuple[tuple[str, ...], bool], int] = {}
        self._sets: dict[int, int] = {}  # one object for equal sets of actions, which are large

    def extent(self, region: Region, condition: Condition) -> Extent:
        """The one extent of that region and condition."""
        found = self._extents.get((region, condition))
        if found is None:
            found = self._extents[region, condition] = Extent(len(self._extents), region, condition)
        return found

    def mask(self, actions: tuple[str, ...], all_but: bool) -> int:
        """The actions that an Action or NotAction element names. Raises ValueError for one that no snapshot held."""
        found = self._masks.get((actions, all_but))
        if found is None:
            found = 0
            for entry in actions:
                bits = self.catalogue.bits(entry)
                if not bits:
                    raise ValueError(f"an action of a document that was not announced: {entry}")
                found |= bits
            if all_but:
                found = without(self.catalogue.everything, found)
            self._masks[actions, all_but] = found
        return found

    def read(self, which: Which | None, documents: tuple[Document | str, ...], facts: Facts) -> tuple[Masks, Masks]:
        """What these statements of the documents allow and deny to somebody with the facts."""
        allows: dict[Extent, int] = {}
        denies: dict[Extent, int] = {}
        for document in documents:
            for allowed, extents, mask in self._sayings(which, document, facts):
                masks = allows if allowed else denies
                for extent in extents:
                    if extent not in masks:
                        masks[extent] = mask
                    elif more := without(mask, masks[extent]):
                        both = masks[extent] | more
                        masks[extent] = self._sets.setdefault(both, both)
        return allows, denies

    def _sayings(self, which: Which | None, document: Document | str, facts: Facts) -> Iterator[Saying]:
        whole = unknown(document) if isinstance(document, str) else opaque(document)
        if whole is not None:
            yield from map(self._saying, whole.statements if which in (None, "common") else ())
            return
        assert isinstance(document, Document)
        for row in rows(document, which):
            known = facts if row.keys else ()
            said = self._said.get((row, known))
            if said is None:
                said = self._said[row, known] = tuple(map(self._saying, row.said(known)))
            yield from said

    def _saying(self, one: Statement) -> Saying:
        extents = tuple(self.extent(region, one.condition) for region in one.regions)
        return one.effect == "Allow", extents, self.mask(one.actions, one.all_but)


class Sides:
    """Reads principals of snapshots; what the same documents say is worked out once."""

    def __init__(
        self, catalogue: ActionCatalogue, snapshots: Iterable[Snapshot], documents: Iterable[Document] = ()
    ) -> None:
        """`snapshots` and `documents` hold all that will be met: actions that nobody knows are found beforehand."""
        self.catalogue = catalogue.knowing(written_actions(snapshots, documents))
        self._parts: dict[Words, Part] = {}
        self._holding: dict[tuple[Document | str, ...], _Held] = {}
        self._groups: dict[str, tuple[Group, Mapping[str, Policy], _Held]] = {}  # as they were met last, by name
        self._reader = Reader(self.catalogue)
        self.extent, self.mask = self._reader.extent, self._reader.mask
        self.anywhere = self.extent(ANYWHERE, ALWAYS)

    def of(self, snapshot: Snapshot, one: Principal) -> Side:
        """What a principal can do in the snapshot: by its own policies and, for a user, those of its groups."""
        parts: dict[Part, None] = {}
        asking: dict[Which, dict[Document, frozenset[str]]] = {"traits": {}, "names": {}}
        for holder in holders(snapshot, one):
            said = self._said_by(snapshot, holder)
            if said.part is not None:
                parts[said.part] = None
            for which, document, keys in said.asked:
                asking[which][document] = keys
        for which, those in asking.items():
            if those:
                facts = known_facts(snapshot, one, frozenset().union(*those.values()))
                parts[self._part(which, tuple(those), facts)] = None
        for name in missing(snapshot, one):
            parts[self._part(None, (f"group {name}",))] = None
        boundary = getattr(one, "boundary", "")
        limit = None
        if boundary:
            found = document_of(snapshot, boundary)
            facts = known_facts(snapshot, one, own_keys(found)) if isinstance(found, Document) else ()
            limit = self._part(None, (found,), facts)
        return Side(tuple(parts), limit, (snapshot, one))

    def _said_by(self, snapshot: Snapshot, holder: Principal) -> _Held:
        """What the documents of one holder come to; a group is met again and again, and is mostly the same object."""
        if not isinstance(holder, Group):
            return self._held(held(snapshot, holder))
        known = self._groups.get(holder.name)
        if known is None or known[0] is not holder or known[1] is not snapshot.policies:
            known = self._groups[holder.name] = (holder, snapshot.policies, self._held(held(snapshot, holder)))
        return known[2]

    def _held(self, documents: tuple[Document | str, ...]) -> _Held:
        found = self._holding.get(documents)
        if found is None:
            part = self._part("common", documents)
            known = [one for one in documents if isinstance(one, Document)]
            asks = tuple((which, one, keys) for one in known for which, keys in asked(one).items())
            found = self._holding[documents] = _Held(part if part.allows or part.denies else None, asks)
        return found

    def _part(self, which: Which | None, documents: tuple[Document | str, ...], facts: Facts = ()) -> Part:
        words: Words = (which, documents, facts)
        part = self._parts.get(words)
        if part is None:
            anyone = self._part(which, documents) if facts and which is not None else None
            flawed = anyone.flawed if anyone else any(isinstance(one, str) or has_flaw(one) for one in documents)
            part = self._parts[words] = Part(partial(self._reader.read, *words), words, flawed=flawed, anyone=anyone)
        return part


def within(few: Masks, many: Masks) -> bool:
    """Whether the many masks hold all that the few do."""
    return few == many or all(not without(bits, many.get(extent, 0)) for extent, bits in few.items())


def merged(masks: Iterable[Masks]) -> Masks:
    """What all of these say."""
    first, *rest = [one for one in masks if one] or [{}]
    if not rest:
        return first
    total = dict(first)
    for one in rest:
        for extent, bits in one.items():
            total[extent] = total[extent] | bits if extent in total else bits
    return total
