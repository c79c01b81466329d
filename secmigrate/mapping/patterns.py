"""Words of names and globs of actions: how two of them compare. `*` is any run of characters, `?` any one.

Cases do not count: actions ignore them (iam-rules, "Matching"), and names of one account may not differ by them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import methodcaller

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_KEY_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")  # a digit stays with its letters: s3, ec2

_WILDCARD = re.compile(r"[*?]")

Span = tuple[int, int]  # words from, words to


@lru_cache(maxsize=4096)
def _fits(glob: str) -> Callable[[str], object]:
    """Tells whether the glob fits a text in small letters. Most globs are a plain name or a beginning."""
    small = glob.casefold()
    wildcard = _WILDCARD.search(small)
    if wildcard is None:
        return small.__eq__
    if wildcard.group() == "*" and wildcard.end() == len(small):
        return methodcaller("startswith", small[:-1])
    # `?` must not swallow the star of another glob, which means more than one character.
    parts = (".*" if char == "*" else "[^*]" if char == "?" else re.escape(char) for char in small)
    return re.compile("".join(parts), re.DOTALL).fullmatch


@lru_cache(maxsize=65_536)
def inside(inner: str, outer: str) -> bool:
    """Whether everything that `inner` matches, `outer` matches too. No wrong yes.

    A wildcard of `inner` is only matched by a wildcard of `outer`, which is what reading it as a plain character does.
    """
    return bool(_fits(outer)(inner.casefold()))


@lru_cache(maxsize=65_536)
def overlap(one: str, other: str) -> bool:
    """Whether some text is matched by both."""
    if "*" not in one and "?" not in one:
        return inside(one, other)
    if "*" not in other and "?" not in other:
        return inside(other, one)
    return _meet(one.casefold(), other.casefold())


def _meet(one: str, other: str) -> bool:
    """Walks both globs at once; `reached` are the places in `other` that fit what was read of `one`."""
    reached = _skip_stars(other, {0})
    for char in one:
        if char == "*":
            reached = set(range(min(reached), len(other) + 1)) if reached else set()
            continue
        after = set()
        for place in reached:
            if place == len(other):
                continue
            if other[place] == "*":
                after.add(place)
            elif other[place] == char or "?" in (char, other[place]):
                after.add(place + 1)
        reached = _skip_stars(other, after)
    return len(other) in reached


def _skip_stars(glob: str, places: set[int]) -> set[int]:
    """With each place that lies before stars also the place behind them."""
    found = set(places)
    for place in places:
        while place < len(glob) and glob[place] == "*":
            place += 1  # noqa: PLW2901 - walks on from there
            found.add(place)
    return found


def matches(text: str, glob: str) -> bool:
    """Whether the plain text fits the glob."""
    return bool(_fits(glob)(text.casefold()))


def words(name: str) -> tuple[str, ...]:
    """The words of a name, in small letters: `MLPlatformAdmins` and `ml-platform-admins` are the same three."""
    return tuple(word.lower() for word in _WORD.findall(name))


def span(name: Sequence[str], glob: str) -> Span | None:
    """The words of the name that fit the glob, as many as possible: `data scien*` fits `data-science`, `DataScience`.

    Words are compared as if written together, so `finops` fits `fin-ops` too.
    """
    joined, begun = _joined(glob)
    if begun not in "".join(name).casefold():
        return None
    found = [
        (start, next(end for end in range(start + 1, len(name) + 1) if matches("".join(name[start:end]), joined)))
        for start in range(len(name))
        if any(matches("".join(name[start:end]), joined) for end in range(start + 1, len(name) + 1))
    ]
    return max(found, key=lambda at: at[1] - at[0], default=None)


def spans(name: Sequence[str], globs: tuple[str, ...]) -> list[tuple[Span, str]]:
    """Those of the globs that fit words of the name, each behind the words that fit it."""
    joined = "".join(name).casefold()
    return [(at, glob) for glob, begun in _beginnings(globs) if begun in joined and (at := span(name, glob))]


@lru_cache(maxsize=1024)
def _beginnings(globs: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(glob, _joined(glob)[1]) for glob in globs]


@lru_cache(maxsize=4096)
def _joined(glob: str) -> tuple[str, str]:
    """The glob without spaces, and what stands before its wildcards."""
    joined = "".join(glob.split())
    return joined, _WILDCARD.split(joined, 1)[0].casefold()


def key_of(name: str) -> str:
    """A key from a name: `MLPlatformAdmins` gives `ml_platform_admins`. Keys start with a letter."""
    key = "_".join(word.lower() for word in _KEY_WORD.findall(name))
    return key if key[:1].isalpha() else f"role_{key}".rstrip("_")
