"""Which ARN formats of a service share a text with a resource pattern, asked segment by segment.

Up to the fifth colon of an ARN no wildcard of a format spans segments, and in most patterns none does. So each segment
can be asked by itself; and what is asked of the rest is mostly whether a regular expression matches a text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

from secmigrate.access.automata import Pattern, head_of
from secmigrate.access.patterns import disjoint, resource
from secmigrate.access.tokens import Token, Wild

_SEGMENTS = 5  # before what names the resource: arn, partition, service, region, account
_ACCOUNT = re.compile("[0-9]{12}")
_WILDCARD = re.compile("[*?]")
_LIKE = "\0"  # stands for every letter that no format writes


class Cut(NamedTuple):
    """A resource pattern in three: `arn:aws:s3:`, then its region and account, then what names the resource."""

    head: str
    places: tuple[str, str]
    rest: str


class Arns:
    """The formats of one service, each with those (as bits) that take such resources."""

    def __init__(self, formats: Iterable[tuple[ArnFormat, int]]) -> None:
        self._formats = tuple(formats)
        self._there: dict[tuple[str, str], _Rests] = {}
        self._rests: dict[tuple[ArnFormat, ...], _Rests] = {}

    def meeting(self, cut: Cut) -> int:
        """Those of whom a format shares a text with the pattern of that service."""
        there = self._there.get(cut.places)
        if there is None:
            rows = [(one, who) for one, who in self._formats if one.has_places(cut.places)]
            key = tuple(one for one, _ in rows)
            there = self._there[cut.places] = self._rests.setdefault(key, _Rests(rows))
        return there.meeting(cut.rest)


class _Rests:
    """The formats that are left once region and account are known.

    Of names that differ only in letters that no format writes, one is asked for all: an account has thousands.
    """

    def __init__(self, formats: Sequence[tuple[ArnFormat, int]]) -> None:
        self._formats = formats
        self._met: dict[str, int] = {}
        self._sets: dict[int, int] = {}  # one object for equal sets, which are large
        self._stems = sorted({one.stem for one, _ in formats})
        self._begun = re.compile("|".join(map(re.escape, reversed(self._stems))))  # the longest first
        self._unwritten: dict[str, _Unwritten] = {}  # by stem

    def meeting(self, rest: str) -> int:
        """Those of whom a format shares a text with what names the resource in a pattern."""
        rest = self._plainest(rest)
        found = self._met.get(rest)
        if found is None:
            found = 0
            own = _WILDCARD.split(rest, maxsplit=1)[0]
            for one, who in self._formats:
                if _together(one.stem, own) and one.has_rest(own, rest):
                    found |= who
            self._met[rest] = found = self._sets.setdefault(found, found)
        return found

    def _plainest(self, rest: str) -> str:
        """The same for all that meet the same formats, as far as their letters tell."""
        own = _WILDCARD.split(rest, maxsplit=1)[0]
        after = bisect_right(self._stems, own)
        if after < len(self._stems) and self._stems[after].startswith(own):
            return rest  # a stem goes on behind it
        begun = self._begun.match(rest)
        if begun is None:
            return _LIKE  # which no stem begins with
        stem = begun[0]
        unwritten = self._unwritten.get(stem)
        if unwritten is None:
            near = [one for one, _ in self._formats if stem.startswith(one.stem)]
            unwritten = self._unwritten[stem] = _Unwritten(near)
        return stem + unwritten.likened(rest[len(stem) :])


class _Unwritten:
    """The letters that none of these formats writes behind its stem, nor tells from others."""

    def __init__(self, formats: Sequence[ArnFormat]) -> None:
        written = "".join({letter for one in formats for letter in one.letters})
        self._runs = re.compile(f"[^{re.escape(written + '*?:/')}]+")
        # Behind as many there is a star that takes one more, or none: so of a longer run it makes no difference.
        self._longest = _LIKE * (1 + max((one.singles for one in formats), default=0))

    def likened(self, text: str) -> str:
        """The text with one such letter for all."""
        return self._runs.sub(self._shortened, text)

    def _shortened(self, run: re.Match[str]) -> str:
        return self._longest[: run.end() - run.start()]


def _together(one: str, other: str) -> bool:
    """Whether a text can begin with both."""
    return one.startswith(other) or other.startswith(one)


class ArnFormat:
    """A format of ARNs, taken apart."""

    def __init__(self, tokens: Sequence[Sequence[Token]]) -> None:
        """`tokens` are those of region, account, and what follows."""
        self._tokens = tokens

    @cached_property
    def _places(self) -> tuple[Pattern, ...]:
        return tuple(Pattern(one, "".join(map(str, one))) for one in self._tokens[:-1])

    @cached_property
    def _rest(self) -> Pattern:
        return Pattern(self._tokens[-1], "".join(map(str, self._tokens[-1])))

    @cached_property
    def stem(self) -> str:
        """What all names begin with."""
        return self._rest.prefix

    @cached_property
    def letters(self) -> frozenset[str]:
        """The letters behind the stem that make a difference: those written, and those that a wildcard leaves out."""
        return frozenset().union(*(one.without if isinstance(one, Wild) else one for one in self._following))

    @cached_property
    def singles(self) -> int:
        """How many of its wildcards are one letter."""
        return sum(isinstance(one, Wild) and not one.many for one in self._following)

    @property
    def _following(self) -> Sequence[Token]:
        return self._rest.tokens[len(self.stem) :]

    @cached_property
    def _behind(self) -> list[str]:
        return [_expression(one) for one in self._following]

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        """Matches what may follow the stem."""
        return re.compile("".join(self._behind), re.DOTALL)

    @cached_property
    def _begun(self) -> re.Pattern[str]:
        """Matches whatever something begins with that may follow the stem."""
        begun = ""
        for one in reversed(self._behind):
            begun = f"(?:{one}{begun})?"
        return re.compile(begun, re.DOTALL)

    def has_places(self, places: tuple[str, str]) -> bool:
        """Whether its region and account share texts with these."""
        return not any(disjoint(mine, resource(other)) for mine, other in zip(self._places, places, strict=True))

    def has_rest(self, own: str, rest: str) -> bool:
        """Whether what names its resources shares a text with the end of a pattern, of which `own` is the beginning."""
        if rest == own:
            return own.startswith(self.stem) and self._whole.fullmatch(own, len(self.stem)) is not None
        if len(rest) == len(own) + 1 and rest[-1] == "*":
            return len(own) <= len(self.stem) or self._begun.fullmatch(own, len(self.stem)) is not None
        return not disjoint(self._rest, resource(rest))


def cut(text: str) -> Cut | None:
    """The resource pattern of that text in three; None if one of its wildcards may span segments before what names the
    resource.
    """
    parts = text.split(":", _SEGMENTS)
    head = head_of(text)
    if not head or len(parts) <= _SEGMENTS or "$" in text or "**" in text:
        return None
    *_, region, account, rest = parts
    if rest.startswith("arn:") or ("*" in region + account and not _ACCOUNT.fullmatch(account)):
        return None
    return Cut(head, (region, account), rest)


def is_apart(text: str) -> bool:
    """Whether a format is written as ARNs are, so that it can be taken apart if its head is known."""
    return text.count(":") >= _SEGMENTS


@lru_cache(maxsize=16_384)
def taken_apart(pattern: Pattern) -> ArnFormat:
    """A format (`arn_format`) of one service that `is_apart`, taken apart."""
    parts: list[list[Token]] = [[]]
    for one in pattern.tokens:
        if one == ":" and len(parts) <= _SEGMENTS:
            parts.append([])
        else:
            parts[-1].append(one)
    return ArnFormat(parts[_SEGMENTS - 2 :])


def _expression(token: Token) -> str:
    """The token as a part of a regular expression for plain texts."""
    if not isinstance(token, Wild):
        return re.escape(token)
    one = f"[^{re.escape(token.without)}]" if token.without else "."
    return f"{one}*" if token.many else one
