"""Which resources actions take: the formats of their ARNs, and which of these a resource pattern can mean at all."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from functools import lru_cache

from secmigrate.access.actions import Action, ActionCatalogue
from secmigrate.access.arns import ArnFormat, Arns, cut, taken_apart
from secmigrate.access.automata import Pattern
from secmigrate.access.automata import bits as numbers
from secmigrate.access.patterns import arn_format, disjoint, includes, literal, resource, widened

_ACCOUNT = re.compile(r":[0-9]{12}:")
_WILDCARD = re.compile(r"[*?]")

EVERYTHING = resource("*")
NO_RESOURCE = literal("*")  # what a request has that is about no resource


class Formats:
    """Actions by their look: the set of formats that they take. A look is a number, `patterns[look]` its formats."""

    def __init__(self, actions: Sequence[Action], partition: str) -> None:
        looks: dict[tuple[tuple[str, ...], bool], int] = {}
        self.patterns: list[tuple[Pattern, ...]] = []
        self._look: list[int] = []
        self._split: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        self._meeting_forms: dict[tuple[Pattern, int], tuple[Pattern, ...]] = {}
        self._form: dict[Pattern, int] = {}  # by a format that can be taken apart: its own bit, above all actions
        self._met: dict[str, int | None] = {}  # by the text of a resource pattern
        self._services: dict[str, int] = {}  # by the head of an ARN, such as `arn:aws:s3:`: who takes such resources
        self._any_service = 0  # who takes resources of more than one service, or nobody knows which
        for one in actions:
            key = (one.formats, one.anywhere)
            if key not in looks:
                looks[key] = len(looks)
                self.patterns.append(_patterns(one, partition))
            self._look.append(looks[key])
        self._elsewhere = 0  # who takes resources that no such head tells of
        self._enter_services()
        self._accounts = any(_ACCOUNT.search(one.shape) for patterns in self.patterns for one in patterns)
        self._prefixes = sorted({one.prefix for patterns in self.patterns for one in patterns})

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

    def coarsely_any(self, heads: Collection[str], bits: int) -> int:
        """The same of patterns with these heads."""
        found = 0
        for head in heads:
            found |= self.coarsely(head, bits)
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
            if all(includes(pattern, one) for one in self.patterns[look]):
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
            return self.patterns[look]
        found = self._meeting_forms.get((pattern, look))
        if found is None:
            found = tuple(form for form in self.patterns[look] if self._meets_form(pattern, form))
            self._meeting_forms[pattern, look] = found
        return found

    def _meets_form(self, pattern: Pattern, form: Pattern) -> bool:
        met, bit = self._meeting(pattern.text), self._form.get(form)
        return meet(form, widened(pattern)) if met is None or bit is None else bool(met >> bit & 1)

    def _meeting(self, text: str) -> int | None:
        """Of those that take resources of one service, who takes one that the pattern of that text matches, if its ARNs
        can be taken apart; else None.
        """
        if text not in self._met:
            parts = cut(text)
            arns = self._arns.get(parts.head) if parts else None
            self._met[text] = None if parts is None else arns.meeting(parts) if arns else 0
        return self._met[text]

    def _enter_services(self) -> None:
        masks = [bytearray(len(self._look) // 8 + 1) for _ in self.patterns]
        for place, look in enumerate(self._look):
            masks[look][place // 8] |= 1 << place % 8
        takers: dict[Pattern, int] = {}
        for patterns, mask in zip(self.patterns, masks, strict=True):
            bits = int.from_bytes(mask, "little")
            for pattern in patterns:
                takers[pattern] = takers.get(pattern, 0) | bits
        arns: dict[str, list[tuple[ArnFormat, int]]] = {}
        for pattern, bits in takers.items():
            one = taken_apart(pattern)
            if one:
                self._form[pattern] = len(self._look) + len(self._form)
                arns.setdefault(pattern.head, []).append((one, bits | 1 << self._form[pattern]))
            elif pattern != NO_RESOURCE:
                self._elsewhere |= bits
            if pattern.head:
                self._services[pattern.head] = self._services.get(pattern.head, 0) | bits
            elif pattern != NO_RESOURCE:
                self._any_service |= bits
        self._arns = {head: Arns(formats) for head, formats in arns.items()}
        self._services = {head: bits | self._any_service for head, bits in self._services.items()}


@lru_cache(maxsize=4)
def formats_of(catalogue: ActionCatalogue, partition: str) -> Formats:
    """The formats of a catalogue, worked out once."""
    return Formats(catalogue.actions, partition)


def meet(one: Pattern, other: Pattern) -> bool:
    """Whether a text is matched by both."""
    return one is EVERYTHING or other is EVERYTHING or not disjoint(one, other)


def _patterns(action: Action, partition: str) -> tuple[Pattern, ...]:
    if action.anywhere:
        return (NO_RESOURCE,)
    return tuple(arn_format(one, partition) for one in action.formats) or (EVERYTHING,)
