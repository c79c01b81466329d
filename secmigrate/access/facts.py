"""What a principal itself decides: its name, its ARN and its tags, in the place of variables and in conditions.

Source: AWS, IAM policy elements: Variables and tags; Tags for AWS STS sessions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec import structs

from secmigrate.access.conditions import Condition, Test, canonical, marked
from secmigrate.access.contexts import holds
from secmigrate.iam import Document

Facts = tuple[tuple[str, str | None], ...]  # context keys whose value is the principal's own, in small letters; sorted

_OWN_KEYS = re.compile(r"aws:(?:username|principalarn|principalaccount|principaltype|principaltag/[^\"$}{,]+)")
VARIABLE = re.compile(r"\$\{\s*([^}*?$,]+?)\s*(?:,\s*'([^']*)'\s*)?\}")


@lru_cache(maxsize=65_536)
def own_keys(document: Document) -> frozenset[str]:
    """The context keys in the document that a principal's own name, ARN, account, type or tags decide."""
    return frozenset(_own_keys(document.text))


def asks(text: str) -> frozenset[str]:
    """Those in the text of a statement."""
    return frozenset(_own_keys(text))


def _own_keys(text: str) -> list[str]:
    text = text.casefold()
    return _OWN_KEYS.findall(text) if "aws:username" in text or "aws:principal" in text else []


def facts_of(keys: Iterable[str], known: Mapping[str, str | None], tags: Mapping[str, str], *, sessions: bool) -> Facts:
    """The facts for these keys: `known` by key, and tags. With `sessions`, which bring tags of their own, a tag decides
    nothing: it is only known what it is where they do not, by the key with a `?` before it.
    """
    found: dict[str, str | None] = {}
    folded = {tag.casefold(): value for tag, value in tags.items()}
    for key in keys:
        tag = key.removeprefix("aws:principaltag/")
        if key in known:
            found[key] = known[key]
        elif tag != key and not sessions:
            found[key] = folded.get(tag)
        elif tag in folded:
            found[f"?{key}"] = folded[tag]
    return tuple(sorted(found.items(), key=lambda item: item[0]))


def filled(condition: Condition, facts: Mapping[str, str | None] | None) -> Condition:
    """The condition with the facts in place of variables in its values; for no facts (None), see `written`."""
    if not any("${" in value for test in condition for value in test.values):
        return condition
    return frozenset(_filled_test(test, facts) for test in condition)


def _filled_test(test: Test, facts: Mapping[str, str | None] | None) -> Test:
    # A value that needs what is absent stays as it is: an unknown.
    values = (text if (text := written(one, facts)) is not None else one for one in test.values)
    return structs.replace(test, values=tuple(sorted({canonical(test.family, one) for one in values})))


@lru_cache(maxsize=65_536)
def decided_by(condition: Condition, facts: Facts) -> Condition | None:
    """The condition with the facts in its variables, without the tests that they decide; None if one of them fails."""
    known = dict(facts)
    return decide_by(filled(condition, known), known)


def decide_by(condition: Condition, facts: Mapping[str, str | None]) -> Condition | None:
    """The tests that the facts leave open; None if one of them fails."""
    left: set[Test] = set()
    for test in condition:
        if (own := facts.get(f"?{test.key}")) is not None:
            left.add(structs.replace(test, key=marked(test.key, own)))
            continue
        decided = holds(test, facts[test.key]) if test.key in facts else None
        if decided is False:
            return None
        if decided is None:
            left.add(test)
    return frozenset(left) if left != condition else condition


def written(entry: str, facts: Mapping[str, str | None] | None) -> str | None:
    """The entry with the facts in it, as plain text; None if it needs one that is known to be absent.

    No facts (None): before version 2012-10-17 a variable is plain text.
    """
    if facts is None:
        return entry.replace("${", "${$}{")
    absent = False

    def value(found: re.Match[str]) -> str:
        nonlocal absent
        key = found[1].casefold()
        if (own := facts.get(f"?{key}")) is not None:
            return f"${{{marked(key, own)}{entry[found.end(1) : found.end() - 1]}}}"
        if key not in facts:
            return found[0]
        text = found[2] if facts[key] is None else facts[key]
        absent = absent or text is None
        return re.sub(r"[*?$]", lambda special: f"${{{special[0]}}}", text or "")

    text = VARIABLE.sub(value, entry)
    return None if absent else text
