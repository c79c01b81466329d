"""Who says so: the statements of a principal's policies by what they are about, with names that people know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, reduce
from operator import or_
from typing import Literal, NamedTuple

from msgspec import structs

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.comparing import Row
from secmigrate.access.effective import Extent, Sides
from secmigrate.access.facts import own_keys
from secmigrate.access.patterns import disjoint
from secmigrate.access.reading import Effect
from secmigrate.access.sources import Source, held, sources
from secmigrate.iam import Document, PrincipalKind, Snapshot, User, is_aws_policy

Said = Literal["Allow", "Deny", "Limit"]  # a permissions boundary's Allow only limits


class Saying(NamedTuple):
    """What one statement says about one extent."""

    place: str  # "group devs, inline policy notes, statement 2 (Read)"
    said: frozenset[Said]
    actions: int


class Sayings:
    """What some policies say, by what it is about."""

    def __init__(self, ones: Mapping[Extent, Sequence[Saying]], catalogue: ActionCatalogue) -> None:
        self.ones = ones
        self.limited = [extent for extent, said in ones.items() if any("Limit" in one.said for one in said)]
        self._catalogue = catalogue

    @cached_property
    def _allowing(self) -> Mapping[int, Sequence[tuple[Extent, int, int]]]:
        """What is allowed, by service: on what, which of its actions, as a set of the service, and which of all."""
        found: dict[int, list[tuple[Extent, int, int]]] = {}
        for extent, said in self.ones.items():
            for one in said:
                for service, part in self._catalogue.by_service(one.actions) if "Allow" in one.said else ():
                    found.setdefault(service, []).append((extent, part, one.actions))
        return found

    def allowing(self, actions: int) -> Iterable[Extent]:
        """Where one statement allows all of these actions."""
        service = self._catalogue.service(actions)
        near = self._allowing.get(service)
        if not near:
            return ()
        mine = self._catalogue.of_service(service, actions)
        if mine << self._catalogue.start(service) == actions:  # nearly always: within one service numbers are small
            return dict.fromkeys([extent for extent, part, _ in near if part & mine == mine])
        return dict.fromkeys([extent for extent, _, whole in near if whole & actions == actions])


class Voice:
    """All that the policies of one principal say."""

    __slots__ = ("_boundary", "_ones", "_sayings", "key")

    def __init__(self, key: object, boundary: str, sayings: Iterable[Sayings]) -> None:
        self.key = key  # two voices of one snapshot with equal keys say the same in the same places
        self._boundary = boundary
        self._sayings = tuple(one for one in sayings if one.ones)
        self._ones: dict[Extent, list[Saying]] = {}
        for one in self._sayings:
            for extent, said in one.ones.items():
                self._ones.setdefault(extent, []).extend(said)

    def places(self, extent: Extent, actions: int, said: Said) -> list[str]:
        """The statements that allow, deny or limit some of the actions on the extent."""
        return [one.place for one in self._ones.get(extent, ()) if said in one.said and one.actions & actions]

    def cells(self, extents: Iterable[Extent], cells: Iterable[int]) -> tuple[int, ...]:
        """Sets of actions, cut so that what a statement says about these extents, it says about all of one or none."""
        cells = list(cells)
        whole = reduce(or_, cells, 0)
        for extent in extents:
            for one in self._ones.get(extent, ()):
                said = one.actions & whole
                if said and said != whole:  # mostly it is said about all of them, or about none
                    cells = [part for cell in cells for part in (cell & said, cell & ~said) if part]
        return tuple(cells)

    def about(self, row: Row) -> Iterator[str]:
        """What this side says of something that it does not allow as far as the other one: what denies it; else where
        it is allowed all the same, and whether a permissions boundary leaves it out.
        """
        denials = [line for extent in row.because if (line := self._line(extent, row, "Deny", "denied on"))]
        yield from denials
        if denials:
            return
        for extent in dict.fromkeys((*row.because, *self._still(row))):
            if line := self._line(extent, row, "Allow", "allowed on"):
                yield line
        limited = (extent for sayings in self._sayings for extent in sayings.limited)
        limits = [one for one in _meeting(row, limited) if self.places(one, row.actions, "Limit")]
        for extent in limits:
            yield self._line(extent, row, "Limit", "limited to")
        if self._boundary and not limits:
            yield f"outside of {self._boundary}"

    def _line(self, extent: Extent, row: Row, said: Said, word: str) -> str:
        places = self.places(extent, row.actions, said)
        tests = f" if {extent.tests}" if extent.condition else ""
        return f"{word} {extent.region} by {few(places)}{tests}" if places else ""

    def _still(self, row: Row) -> Iterator[Extent]:
        """Where all of the row's actions are allowed by one statement."""
        return _meeting(row, (extent for sayings in self._sayings for extent in sayings.allowing(row.actions)))


NOBODY = Voice((), "", ())


class Voices:
    """The voices of one snapshot. What a group says is read once."""

    def __init__(self, snapshot: Snapshot, sides: Sides) -> None:
        self._snapshot = snapshot
        self._sides = sides
        self._groups: dict[str, Sayings | None] = {}  # None: what it says depends on who is asked
        self._last = ("", "", NOBODY)

    def of(self, kind: PrincipalKind, name: str) -> Voice:
        """What the policies of this user (with those of her groups), group or role say; nothing if there is none."""
        if self._last[:2] != (kind, name):
            self._last = (kind, name, self._voice(kind, name))
        return self._last[2]

    def _voice(self, kind: PrincipalKind, name: str) -> Voice:
        one = self._snapshot.principal(kind, name) if name else None
        if one is None:
            return NOBODY
        if not isinstance(one, User):
            limit = getattr(one, "boundary", "")
            return Voice((kind, name), limit and boundary(limit), [self._sayings(sources(self._snapshot, one))])
        alone = structs.replace(one, groups=())
        found = [self._sayings(sources(self._snapshot, alone))]
        own = bool(found[0].ones)
        for group in one.groups:
            said = self._group(group)
            if said is None:
                member = structs.replace(one, groups=(group,), inline={}, attached=(), boundary="")
                said, own = self._sayings(sources(self._snapshot, member)), True
            found.append(said)
        return Voice((kind, name) if own else (kind, one.groups), one.boundary and boundary(one.boundary), found)

    def _group(self, name: str) -> Sayings | None:
        if name not in self._groups:
            group = self._snapshot.groups.get(name)
            documents = held(self._snapshot, group) if group else ()
            personal = any(own_keys(found) for found in documents if isinstance(found, Document))
            said = sources(self._snapshot, group) if group else ()
            self._groups[name] = None if personal else self._sayings(said)
        return self._groups[name]

    def _sayings(self, found: Iterable[Source]) -> Sayings:
        sayings: dict[Extent, list[Saying]] = {}
        for source in found:
            for one in source.reading.statements:
                said = frozenset((_said(source, one.effect),))
                place = f"{source.holder}, {_policy(source)}, {one.place}"
                saying = Saying(place, said, self._sides.mask(one.actions, one.all_but))
                for region in one.regions:
                    extent = self._sides.extent(region, one.condition)
                    sayings.setdefault(extent, []).append(saying)
        return Sayings(sayings, self._sides.catalogue)


def _meeting(row: Row, extents: Iterable[Extent]) -> Iterator[Extent]:
    """Those on resources that may be the row's."""
    pattern = row.extent.region.pattern
    return (extent for extent in extents if not disjoint(pattern, extent.region.pattern))


def few(places: Sequence[str], most: int = 3) -> str:
    """The first of these, and how many more there are."""
    shown = " and ".join(places[:most])
    return f"{shown} and {len(places) - most} more" if len(places) > most else shown


def boundary(arn: str) -> str:
    """A permissions boundary, as people call it."""
    return f"permissions boundary {_managed(arn)}"


def _said(source: Source, effect: Effect) -> Said:
    return "Limit" if source.is_boundary and effect == "Allow" else effect


def _policy(source: Source) -> str:
    if source.is_boundary:
        return boundary(source.policy)
    return f"policy {_managed(source.policy)}" if source.policy.startswith("arn:") else source.policy


def _managed(arn: str) -> str:
    """A managed policy's name, which an account has only once; AWS's own are marked."""
    name = arn.rpartition("/")[2]
    return f"{name} (AWS's)" if is_aws_policy(arn) else name
