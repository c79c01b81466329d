"""Which resources actions take: the formats of their ARNs, and which of these a resource pattern can mean at all."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from secmigrate.access.actions import Action, ActionCatalogue
from secmigrate.access.arns import Arns, cut, is_apart, taken_apart
from secmigrate.access.automata import Pattern, head_of
from secmigrate.access.automata import bits as numbers
from secmigrate.access.patterns import arn_format, arn_prefix, disjoint, includes, literal, resource, widened

_ACCOUNT = re.compile(r":[0-9]{12}:")
_WILDCARD = re.compile(r"[*?]")

EVERYTHING = resource("*")
NO_RESOURCE = literal("*")  # what a request has that is about no resource
_NAMING = re.compile(r"((?:[^:]*:){5}[^$*]*)[$*]")  # a format up to what names one resource


class Formats:
    """Actions by their look: the set of formats that they take. A look is a number.

    An account names few of AWS's services, so a service's formats are only spelt out when they are first asked for.
    """

    def __init__(self, actions: Sequence[Action], partition: str) -> None:
        unsettled = _unsettled(actions)
        looks: dict[_Look, int] = {}
        self._look = [looks.setdefault(_look(one, unsettled), len(looks)) for one in actions]
        self._written = list(looks)
        self._unsettled = 0  # the actions that `is_unsettled`
        self._unsettled_from: dict[int, int] = {}  # the same, from the action at a place on
        self._openings = {text[:end] for text in _types(unsettled.values()) for end in range(len(text) + 1)}
        self._partition = partition
        self._patterns: dict[int, tuple[Pattern, ...]] = {}
        self._split: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        self._meeting_forms: dict[tuple[Pattern, int], tuple[Pattern, ...]] = {}
        self._form: dict[str, int] = {}  # by a format that can be taken apart: its own bit, above all actions
        self._apart: dict[str, dict[str, int]] = {}  # such formats by head, each with those who take it
        self._arns: dict[str, Arns] = {}  # the same, spelt out
        self._met: dict[str, int | None] = {}  # by the text of a resource pattern
        self._services: dict[str, int] = {}  # by the head of an ARN, such as `arn:aws:s3:`: who takes such resources
        self._from: dict[tuple[str, int], int] = {}  # the same, from the action at a place on
        self._any_service = 0  # who takes resources of more than one service, or nobody knows which
        self._elsewhere = 0  # who takes resources that no such head tells of
        prefixes = {text: arn_prefix(text, partition) for text in {text for look in looks for text in look.formats}}
        self._prefixes = sorted({"", *prefixes.values()})
        self._accounts = any(map(_ACCOUNT.search, prefixes))
        self._enter_services({text: head_of(prefix) for text, prefix in prefixes.items()})

    def _enter_services(self, heads: Mapping[str, str]) -> None:
        for look, bits in zip(self._written, self._takers(), strict=True):
            if look.anywhere:
                self._unsettled |= bits
            elif not look.formats:
                self._elsewhere |= bits
                self._any_service |= bits
            for text in look.formats:
                head = heads[text]
                if head:
                    self._services[head] = self._services.get(head, 0) | bits
                else:
                    self._any_service |= bits
                if is_apart(text) and head:
                    self._form.setdefault(text, len(self._look) + len(self._form))
                    apart = self._apart.setdefault(head, {})
                    apart[text] = apart.get(text, 0) | bits
                else:
                    self._elsewhere |= bits
        self._services = {head: bits | self._any_service for head, bits in self._services.items()}

    def _takers(self) -> Iterator[int]:
        """The actions of each look."""
        found: list[tuple[int, int]] = []  # the first one, and all of them from there on: such numbers are small
        for place, look in enumerate(self._look):
            if look == len(found):
                found.append((place, 0))
            first, bits = found[look]
            found[look] = first, bits | 1 << place - first
        return (bits << first for first, bits in found)

    def patterns(self, look: int) -> tuple[Pattern, ...]:
        """The formats of a look."""
        found = self._patterns.get(look)
        if found is None:
            anywhere, texts = self._written[look]
            formats = tuple(arn_format(one, self._partition) for one in texts)
            found = self._patterns[look] = (NO_RESOURCE, *formats) if anywhere else formats or (EVERYTHING,)
        return found

    def is_unsettled(self, look: int) -> bool:
        """Whether AWS's reference says of such actions that they are about no resource, and want `*`; while policies
        that name all resources of a type, such as `arn:aws:iam::*:user/*`, are known to allow some of them, and nobody
        knows which.
        """
        return self._written[look].anywhere

    def unsettled_on(self, texts: Iterable[str], start: int, bits: int) -> int:
        """As `on`, of those of the actions that are unsettled and one of these patterns; few name all of a type. The
        first bit is the action at the place `start`.
        """
        found, asked = 0, bits & self._unsettled_at(start)
        for text in texts if asked else ():
            rest = text.split(":", 5)[5:]
            if not rest or _WILDCARD.split(rest[0], maxsplit=1)[0] in self._openings:
                found |= self.on(text, asked << start) >> start
        return found

    def settled(self, start: int, bits: int) -> int:
        """Those of the actions of which AWS's reference tells the resources."""
        return bits & ~self._unsettled_at(start)

    def _unsettled_at(self, start: int) -> int:
        found = self._unsettled_from.get(start)
        if found is None:
            found = self._unsettled_from[start] = self._unsettled >> start
        return found

    def unsettled_look(self, actions: int) -> int | None:
        """The look of the first of these actions, if it is such a one."""
        look = self._look[(actions & -actions).bit_length() - 1]
        return look if self.is_unsettled(look) else None

    def split(self, start: int, bits: int) -> tuple[tuple[int, int], ...]:
        """The actions by their look. The first bit is the action at the place `start`."""
        found = self._split.get((start, bits))
        if found is None:
            by_look: dict[int, int] = {}
            for place in numbers(bits):
                look = self._look[start + place]
                by_look[look] = by_look.get(look, 0) | 1 << place
            found = self._split[start, bits] = tuple(by_look.items())
        return found

    def coarsely(self, head: str, bits: int) -> int:
        """Those of the actions that take resources of the service that a pattern's head names; all if it names none."""
        return bits & self._services.get(head, self._any_service) if head else bits

    def coarsely_any(self, heads: Iterable[str], start: int, bits: int) -> int:
        """The same of patterns with these heads, of a set whose first bit is the action at the place `start`."""
        found = 0
        for head in heads:
            takers = self._from.get((head, start))
            if takers is None:
                takers = self._from[head, start] = self.coarsely(head, -1) >> start
            found |= bits & takers
        return found

    def on(self, text: str, bits: int) -> int:
        """Those of the actions that take a resource that the pattern of that text matches, whatever its variables stand
        for.
        """
        if text == EVERYTHING.text:
            return bits
        met = self._meeting(text)
        found = 0 if met is None else bits & met
        left = self.coarsely(resource(text).head, bits) if met is None else bits & self._elsewhere
        start = (left & -left).bit_length() - 1 if left else 0
        for look, part in self.split(start, left >> start) if left else ():
            if self.meets(resource(text), look):
                found |= part << start
        return found

    def all_of(self, text: str, bits: int) -> int:
        """Those of the actions of which the pattern of that text matches every resource that they take."""
        if text == EVERYTHING.text:
            return bits
        found = 0
        pattern = resource(text)
        left = self.coarsely(pattern.head, bits)
        start = (left & -left).bit_length() - 1 if left else 0
        for look, part in self.split(start, left >> start):
            if all(includes(pattern, one) for one in self.patterns(look)):
                found |= part << start
        return found

    def may_hold(self, text: str) -> bool:
        """Whether a pattern of that text may match all resources of some format. No wrong no.

        All that such a pattern's texts begin with, those of the format do; and where no format names an account, none
        is inside of a pattern that does.
        """
        if "$" in text or text == EVERYTHING.text:
            return True
        if not self._accounts and _ACCOUNT.search(text):
            return False
        prefix = _WILDCARD.split(text, maxsplit=1)[0]
        at = bisect_left(self._prefixes, prefix)
        return at < len(self._prefixes) and self._prefixes[at].startswith(prefix)

    def meets(self, pattern: Pattern, look: int) -> bool:
        """Whether the pattern matches a resource that such actions take, whatever its variables stand for."""
        return bool(self.meeting(pattern, look))

    def meeting(self, pattern: Pattern, look: int) -> tuple[Pattern, ...]:
        """Those of the formats of such actions of which the pattern matches a resource, whatever its variables stand
        for.
        """
        if pattern is EVERYTHING:
            return self.patterns(look)
        found = self._meeting_forms.get((pattern, look))
        if found is None:
            found = tuple(form for form in self.patterns(look) if self._meets_form(pattern, form))
            self._meeting_forms[pattern, look] = found
        return found

    def _meets_form(self, pattern: Pattern, form: Pattern) -> bool:
        met, bit = self._meeting(pattern.text), self._form.get(form.text)
        return meet(form, widened(pattern)) if met is None or bit is None else bool(met >> bit & 1)

    def _meeting(self, text: str) -> int | None:
        """Of those that take resources of one service, who takes one that the pattern of that text matches, if its ARNs
        can be taken apart; else None.
        """
        if text not in self._met:
            parts = cut(text)
            arns = self._arns_of(parts.head) if parts else None
            self._met[text] = None if parts is None else arns.meeting(parts) if arns else 0
        return self._met[text]

    def _arns_of(self, head: str) -> Arns | None:
        """The formats of one service that can be taken apart."""
        found = self._arns.get(head)
        if found is None and head in self._apart:
            rows = self._apart[head].items()
            found = self._arns[head] = Arns(
                (taken_apart(arn_format(text, self._partition)), bits | 1 << self._form[text]) for text, bits in rows
            )
        return found


class _Look(NamedTuple):
    """Whether actions are about no resource, and the formats of what they take, or may take."""

    anywhere: bool
    formats: tuple[str, ...]


def _look(action: Action, unsettled: Mapping[str, tuple[str, ...]]) -> _Look:
    return _Look(action.anywhere, unsettled[_service(action)] if action.anywhere else action.formats)


def _unsettled(actions: Iterable[Action]) -> Mapping[str, tuple[str, ...]]:
    """By service, how a request could be called that is about no resource in particular: as all of one type."""
    found: dict[str, set[str]] = {}
    for one in actions:
        texts = (named[1] for text in one.formats if (named := _NAMING.match(text)))
        found.setdefault(_service(one), set()).update(f"{text}${{*}}" for text in texts)
    whole = "arn:${Partition}:%s:${Region}:${Account}:${*}"
    return {service: tuple(sorted(texts)) or (whole % service,) for service, texts in found.items()}


def _types(texts: Iterable[Iterable[str]]) -> Iterator[str]:
    """How that part of such requests begins that tells the type."""
    return (text.split(":", 5)[5].removesuffix("${*}") for some in texts for text in some)


def _service(action: Action) -> str:
    return action.name.partition(":")[0].casefold()


@lru_cache(maxsize=4)
def formats_of(catalogue: ActionCatalogue, partition: str) -> Formats:
    """The formats of a catalogue, worked out once."""
    return Formats(catalogue.actions, partition)


def meet(one: Pattern, other: Pattern) -> bool:
    """Whether a text is matched by both."""
    return one is EVERYTHING or other is EVERYTHING or not disjoint(one, other)
