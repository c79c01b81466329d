"""How the brute-force evaluator matches one pattern against one text: variables first, then a regular expression.

The same few patterns are asked for again and again: what is made of a text alone is kept.

AWS's pages: *IAM JSON policy elements: Resource*, *… Action*, *IAM policy elements: Variables and tags*.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

ANY_RUN = "any run"
ANY_ONE = "any one"
# A sign of a pattern is one of the two wildcards, or a single character that means itself.
Sign = str

VARIABLE = re.compile(r"\$\{(?:([*?$])|([^{}',\s*?$]+)(?:\s*,\s*'([^']*)')?)\}")


class Unreadable(Exception):
    """A document, a statement or a value that IAM does not accept, or a policy that is not there."""


def check_variables(text: str) -> None:
    """Raises Unreadable if a `${` does not begin a well-formed variable."""
    if "${" in VARIABLE.sub("", text):
        raise Unreadable(f"not a variable: {text!r}")


def filled(pattern: str, known: Mapping[str, tuple[str, ...]], variables: bool) -> list[Sign] | None:
    """The signs of a pattern after its variables were replaced; None if a variable has no value: it matches nothing.

    What a variable stands for means itself, wildcards in it too. Only single-valued keys have a value here.
    Without `variables` (a document of 2008) `${…}` is plain text like any other. `known` is keyed by small letters.
    """
    signs: list[Sign] = []
    place = 0
    for found in VARIABLE.finditer(pattern) if variables and "${" in pattern else ():
        value = _value(found, known)
        if value is None:
            return None
        signs += _signs(pattern[place : found.start()])
        signs += value
        place = found.end()
    return [*signs, *_signs(pattern[place:])]


@lru_cache(maxsize=10_000)
def _signs(text: str) -> tuple[Sign, ...]:
    """Those of a pattern without variables."""
    return tuple({"*": ANY_RUN, "?": ANY_ONE}.get(character, character) for character in text)


def _value(found: re.Match[str], known: Mapping[str, tuple[str, ...]]) -> str | None:
    special, key, default = found.group(1), found.group(2), found.group(3)
    if special:
        return str(special)
    values = known.get(key.lower(), ())
    return values[0] if len(values) == 1 else default


def resource_matches(signs: Sequence[Sign], resource: str) -> bool:
    """Whether an ARN pattern holds the resource: a `*` that ends a segment may match colons, `?` and other `*` not."""
    return _for_resources(tuple(signs)).fullmatch(resource) is not None


@lru_cache(maxsize=10_000)
def _for_resources(signs: tuple[Sign, ...]) -> re.Pattern[str]:
    expression = ""
    for place, sign in enumerate(signs):
        ends_segment = place == len(signs) - 1 or signs[place + 1] == ":"
        if sign == ANY_RUN:
            expression += ".*" if ends_segment else "[^:]*"
        elif sign == ANY_ONE:
            expression += "[^:]"
        else:
            expression += re.escape(sign)
    return re.compile(expression, re.DOTALL)


def like(signs: Sequence[Sign], text: str) -> bool:
    """Whether the text fits the pattern, in which the wildcards match any character."""
    return _for_texts(tuple(signs)).fullmatch(text) is not None


@lru_cache(maxsize=10_000)
def _for_texts(signs: tuple[Sign, ...]) -> re.Pattern[str]:
    parts = (".*" if sign == ANY_RUN else "." if sign == ANY_ONE else re.escape(sign) for sign in signs)
    return re.compile("".join(parts), re.DOTALL)


@lru_cache(maxsize=100_000)
def action_matches(glob: str, action: str) -> bool:
    """Whether a glob of actions holds the action, ignoring case. Actions have no variables."""
    signs = filled(glob.lower(), {}, variables=False)
    return signs is not None and like(signs, action.lower())


def arn_like(signs: Sequence[Sign], arn: str) -> bool:
    """Whether each of the six parts of an ARN fits its part of the pattern (AWS, *Condition operators*, ARN)."""
    patterns: list[list[Sign]] = [[]]
    for sign in signs:
        if sign == ":" and len(patterns) < 6:
            patterns.append([])
        else:
            patterns[-1].append(sign)
    parts = arn.split(":", 5)
    return len(parts) == len(patterns) == 6 and all(map(like, patterns, parts))
