"""AWS's actions: what each one is, and which of them an entry of an `Action` element means.

A set of actions is one int, a bit for each action of a catalogue; so the sets of whole policies are made, cut and
compared at a few microseconds each.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, get_args

from msgspec import Struct

AccessLevel = Literal["Read", "List", "Write", "Tagging", "Permissions"]  # AWS says "Permissions management"
LEVELS: tuple[AccessLevel, ...] = get_args(AccessLevel)

_WILDCARDS = re.compile(r"[*?]+")


class ActionRow(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """One action in the data file: its name without the service, and which of the service's formats it takes."""

    name: str
    level: AccessLevel
    formats: tuple[int, ...] = ()


class ServiceRows(Struct, frozen=True, forbid_unknown_fields=True):
    """One service in the data file; both lists are sorted."""

    formats: tuple[str, ...]
    actions: tuple[ActionRow, ...]


class ActionFile(Struct, frozen=True, forbid_unknown_fields=True):
    """The data file, as it lies in `mappings/`: services by their prefix."""

    source: str
    date: str
    services: Mapping[str, ServiceRows]


class Action(Struct, frozen=True, gc=False):
    """One action, such as `s3:GetObject`.

    `formats` are the ARN formats of the resources that it takes, with AWS's own placeholders, sorted. An action that
    takes none is allowed `anywhere` or not at all: its request has the resource `*` (AWS, Service Authorization
    Reference). One that is not `known` was written in a policy and matched nothing: an action or a glob of them.
    """

    name: str
    level: AccessLevel
    formats: tuple[str, ...]
    anywhere: bool
    known: bool = True


class ActionCatalogue:
    """Actions in the order of their names, cases aside: one's place is its bit, and a service's bits are neighbours."""

    __slots__ = ("_keys", "_masks", "_places", "_prefixes", "_starts", "actions", "date", "everything", "source")
    actions: tuple[Action, ...]
    everything: int

    def __init__(self, source: str, date: str, actions: Iterable[Action]) -> None:
        """`date` says when AWS's documentation was read, `source` by whom. No two actions may have the same name."""
        self.source = source
        self.date = date
        by_key = {_key(one.name): one for one in actions}
        self._keys = sorted(by_key)
        self._places = {key: place for place, key in enumerate(self._keys)}
        self._masks: dict[str, int] = {}
        self.actions = tuple(by_key[key] for key in self._keys)
        self.everything = (1 << len(self.actions)) - 1
        prefixes = [key.partition(":")[0] for key in self._keys]
        self._starts = [place for place, one in enumerate(prefixes) if place == 0 or prefixes[place - 1] != one]
        self._prefixes = [prefixes[place] for place in self._starts]
        self._starts.append(len(prefixes))

    def bits(self, pattern: str) -> int:
        """All actions that one entry of an `Action` element matches; 0 if there is none.

        Cases do not count. `*` and `?` may stand anywhere, in the service's part too.
        """
        found = self._masks.get(pattern)
        if found is None:
            found = self._masks[pattern] = _mask(self._matched(_key(pattern)))
        return found

    def bits_of(self, patterns: Iterable[str]) -> int:
        """All actions that one of the entries matches."""
        found = 0
        for pattern in patterns:
            found |= self.bits(pattern)
        return found

    def service_bits(self, prefix: str) -> int:
        """All actions of a service, such as `s3`."""
        return self.bits(f"{prefix}:*")

    def by_service(self, bits: int) -> list[tuple[int, int]]:
        """The actions service by service: a service's number, and its part of the set, shifted to the first bit."""
        found: list[tuple[int, int]] = []
        while bits:  # from the last one down, for where a number ends is known
            service = bisect_right(self._starts, bits.bit_length() - 1) - 1
            start = self._starts[service]
            part = bits >> start
            found.append((service, part))
            bits ^= part << start
        found.reverse()
        return found

    def of_service(self, service: int, bits: int) -> int:
        """A service's part of a set, as `by_service` has it."""
        start, end = self._starts[service], self._starts[service + 1]
        return bits >> start & (1 << end - start) - 1

    def service(self, bits: int) -> int:
        """The number of the service of the first of these actions, as `by_service` has it."""
        return bisect_right(self._starts, (bits & -bits).bit_length() - 1) - 1

    def prefix(self, service: int) -> str:
        """The prefix of a service, such as `s3`, in small letters."""
        return self._prefixes[service]

    def bits_where(self, test: Callable[[Action], bool]) -> int:
        """All actions for which the test holds."""
        return _mask([place for place, one in enumerate(self.actions) if test(one)])

    def of_level(self, level: AccessLevel) -> int:
        """All actions of an access level."""
        return self.bits_where(lambda one: one.level == level)

    def start(self, service: int) -> int:
        """The place of a service's first action."""
        return self._starts[service]

    def named(self, bits: int) -> Iterator[Action]:
        """The actions of a set, in order. Bits that are none of this catalogue's are left out, so `~bits` works too."""
        bits &= self.everything
        start = max((bits & -bits).bit_length() - 1, 0)  # most sets are of few services: the digits before it are many
        digits = f"{bits >> start:b}"[::-1]
        place = digits.find("1")
        while place >= 0:
            yield self.actions[start + place]
            place = digits.find("1", place + 1)

    def knowing(self, written: Iterable[str]) -> ActionCatalogue:
        """A catalogue that also has each entry of `written` that matches no known action; itself if there is none.

        Such an entry is kept as written, of level Write. Another pattern matches it if it matches all that the entry
        does: `foo:*` has `foo:Get*` in it, `foo:GetX` has not. No wrong yes: of the entry's wildcards, only those are
        matched that stand where the pattern has one.
        """
        new: dict[str, str] = {}
        for pattern in set(written):
            key = _key(pattern)
            if key in self._places or any(self.actions[place].known for place in self._matched(key)):
                continue
            new[key] = min(pattern, new.get(key, pattern))  # of several spellings always the same one
        return _knowing(self, frozenset(new.values())) if new else self

    def _matched(self, key: str) -> Sequence[int]:
        """The places that the key of a pattern matches."""
        wildcard = _WILDCARDS.search(key)
        if wildcard is None:
            place = self._places.get(key)
            return () if place is None else range(place, place + 1)
        head = key[: wildcard.start()]
        first = bisect_left(self._keys, head)
        last = bisect_right(self._keys, head, lo=first, key=lambda each: each[: len(head)])
        if key == f"{head}*":
            return range(first, last)
        fits = _compiled(key).fullmatch
        return [place for place in range(first, last) if fits(self._keys[place])]


@lru_cache(maxsize=4)
def _knowing(catalogue: ActionCatalogue, names: frozenset[str]) -> ActionCatalogue:
    """The catalogue with these besides; one command asks for the same one several times, and works out much for it."""
    unknown = (Action(name, "Write", (), anywhere=False, known=False) for name in names)
    return ActionCatalogue(catalogue.source, catalogue.date, (*catalogue.actions, *unknown))


def union(sets: Iterable[int]) -> int:
    """What is in one of the sets."""
    bits = 0
    for one in sets:
        bits |= one
    return bits


def without(bits: int, others: int) -> int:
    """Those of a set that are not in another: `bits & ~others`, which takes four times as long for large numbers."""
    return bits ^ bits & others


def catalogue_of(file: ActionFile) -> ActionCatalogue:
    """The catalogue that a data file holds."""
    return ActionCatalogue(file.source, file.date, _actions(file.services))


def _actions(services: Mapping[str, ServiceRows]) -> Iterator[Action]:
    for prefix, service in services.items():
        shared = {row.formats: tuple(service.formats[place] for place in row.formats) for row in service.actions}
        for row in service.actions:
            yield Action(f"{prefix}:{row.name}", row.level, shared[row.formats], anywhere=not row.formats)


def _key(pattern: str) -> str:
    """What all spellings of a pattern share: small letters; in a run of wildcards, each `?` before a single `*`."""
    key = pattern.casefold()
    return _WILDCARDS.sub(_in_order, key) if "*" in key else key


def _in_order(run: re.Match[str]) -> str:
    wildcards = run.group()
    return "?" * wildcards.count("?") + "*" * ("*" in wildcards)


def _compiled(key: str) -> re.Pattern[str]:
    # `?` must not swallow the star of an unknown entry, which means more than one character.
    parts = (".*" if char == "*" else "[^*]" if char == "?" else re.escape(char) for char in key)
    return re.compile("".join(parts), re.DOTALL)


def _mask(places: Sequence[int]) -> int:
    if isinstance(places, range):
        return (1 << places.stop) - (1 << places.start)
    found = bytearray((max(places, default=0) >> 3) + 1)
    for place in places:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")
