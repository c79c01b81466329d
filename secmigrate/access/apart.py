"""What tells old names from those that take their place: patterns and condition tests that mean one and not the other.

Each pattern and each test is looked up once, among sorted ARNs, however many documents hold it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from msgspec import structs

from secmigrate.access.conditions import Test
from secmigrate.access.contexts import holds
from secmigrate.access.patterns import matches, resource, widened

NONE: frozenset[str] = frozenset()
_LITERAL = re.compile(r"[^*?$]*")
_HEAD = 5  # segments of an ARN before its resource


class _Row(NamedTuple):
    """The values of a tag of an old role and of what takes its place, which differ, and the ARNs of such old roles."""

    values: tuple[str | None, ...]
    olds: set[str]


class _Rows:
    """All of one tag."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._all = rows
        self._by_value: dict[str, list[_Row]] = {}
        for row in rows:
            for value in {*row.values} - {None}:
                self._by_value.setdefault(str(value), []).append(row)
        self._values = sorted(self._by_value)

    def near(self, test: Test) -> Iterable[_Row]:
        """Those that the test can tell apart: one of their values begins like one of the test's, unless it is about
        what is absent, or compares in another way.
        """
        if test.family not in ("string", "arn") or holds(test, None) is not test.negated:
            return self._all
        prefixes = {_literal(value) if test.glob else value.partition("${")[0] for value in test.values}
        values = {value for prefix in prefixes for value in _beginning(self._values, prefix)}
        return [row for value in sorted(values) for row in self._by_value[value]]


class Apart:
    """Old ARNs and those that take their place."""

    def __init__(self, new_of: Mapping[str, Sequence[str]], tags: Mapping[str, tuple[Mapping[str, str], ...]]) -> None:
        """`new_of` are the new ARNs by old ones, `tags` those of the old and of the new, by old ARNs of roles."""
        self._new_of = new_of
        self._olds: dict[str, list[str]] = {}  # by new ARN
        for old, news in new_of.items():
            for new in news:
                self._olds.setdefault(new, []).append(old)
        self._arns = sorted({*new_of, *self._olds})
        self._head = self._arns[0].split(":", _HEAD)[:_HEAD] if self._arns else []
        self._tags = {old: tuple(map(_folded, pair)) for old, pair in tags.items()}
        self._tagged: dict[str, _Rows] = {}  # by tag
        self._found: dict[object, frozenset[str]] = {}
        self._near: dict[str, bool] = {}  # by entry of a Resource element: whether it may mean one of them

    def by_patterns(self, entries: tuple[str, ...]) -> frozenset[str]:
        """The old ARNs that one of these entries of a Resource element means, and none of them what takes its place."""
        entries = tuple(one for one in entries if self._may_match(one))
        found = NONE if "*" in entries else self._found.get(entries)
        if found is None:
            meant = {arn for one in entries for arn in self._matching(one, _matcher(one))}
            found = self._found[entries] = self._only_old(meant)
        return found

    def by_arn(self, test: Test) -> frozenset[str]:
        """The old ARNs that the test answers in another way than one that takes their place."""
        found = self._found.get(test)
        if found is None:
            one = structs.replace(test, negated=False, qualifier="")  # which changes the answers, not who differs
            texts = test.values if test.family in ("arn", "string") else ("*",)
            meant = {arn for text in texts for arn in self._matching(text, lambda arn: holds(one, arn) is True)}
            instead = {old for new in meant for old in self._olds.get(new, ()) if old not in meant}
            found = self._found[test] = self._only_old(meant) | instead
        return found

    def by_tag(self, test: Test) -> frozenset[str]:
        """The old ARNs of roles whose tag the test answers in another way than that of what takes their place."""
        found = self._found.get(test)
        if found is None:
            rows = self._rows(test.key.partition("/")[2])
            apart = (row.olds for row in rows.near(test) if len({holds(test, value) for value in row.values}) > 1)
            found = self._found[test] = NONE.union(*apart)
        return found

    def _rows(self, tag: str) -> _Rows:
        rows = self._tagged.get(tag)
        if rows is None:
            by_values: dict[tuple[str | None, ...], set[str]] = {}
            for old, both in self._tags.items():
                values = tuple(tags.get(tag) for tags in both)
                if len(set(values)) > 1:
                    by_values.setdefault(values, set()).add(old)
            rows = self._tagged[tag] = _Rows([_Row(values, olds) for values, olds in by_values.items()])
        return rows

    def _only_old(self, meant: set[str]) -> frozenset[str]:
        return frozenset(arn for arn in meant if not meant.issuperset(self._new_of.get(arn, (arn,))))

    def _may_match(self, entry: str) -> bool:
        """Whether it may mean one of them: most entries are about buckets and the like."""
        found = self._near.get(entry)
        if found is None:
            prefix = self._prefix(entry)
            at = bisect_left(self._arns, prefix)
            found = self._near[entry] = at < len(self._arns) and self._arns[at].startswith(prefix)
        return found

    def _matching(self, text: str, fits: Callable[[str], bool]) -> Iterable[str]:
        return filter(fits, _beginning(self._arns, self._prefix(text)))

    def _prefix(self, text: str) -> str:
        """What those begin with that the text may mean. All share the head of an ARN, in which a wildcard, such as one
        for the account, would hide the beginning of the name.
        """
        *head, rest = text.split(":", _HEAD)
        if len(head) == len(self._head) and all(map(fnmatchcase, self._head, head)):
            return ":".join((*self._head, _literal(rest)))
        return _literal(text)


def _beginning(texts: Sequence[str], prefix: str) -> Sequence[str]:
    """Those of the sorted texts that begin so."""
    first = bisect_left(texts, prefix)
    return texts[first : bisect_right(texts, prefix, lo=first, key=lambda text: text[: len(prefix)])]


def _literal(text: str) -> str:
    found = _LITERAL.match(text)
    return found[0] if found else ""


def _matcher(entry: str) -> Callable[[str], bool]:
    pattern = widened(resource(entry))
    return lambda arn: matches(pattern, arn)


def _folded(tags: Mapping[str, str]) -> Mapping[str, str]:
    return {key.casefold(): value for key, value in tags.items()}
