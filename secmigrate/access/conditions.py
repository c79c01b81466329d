"""Condition blocks as sets of tests: what is equal, what is narrower, and a context that tells two apart.

Sources: AWS, IAM JSON policy elements: Condition operators; Conditions with multiple context keys or values.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from msgspec import Struct

Qualifier = Literal["", "forallvalues", "foranyvalue"]
Family = Literal["string", "fold", "number", "date", "bool", "binary", "ip", "arn", "null", "unreadable"]


class Operator(Struct, frozen=True):
    """What a condition operator compares, and how."""

    family: Family
    relation: str = "="  # or < <= > >=
    negated: bool = False
    glob: bool = False


def _operators() -> dict[str, Operator]:
    found = {
        "bool": Operator("bool"),
        "binaryequals": Operator("binary"),
        "ipaddress": Operator("ip"),
        "notipaddress": Operator("ip", negated=True),
        "null": Operator("null"),
        "stringequalsignorecase": Operator("fold"),
        "stringnotequalsignorecase": Operator("fold", negated=True),
        "stringlike": Operator("string", glob=True),
        "stringnotlike": Operator("string", negated=True, glob=True),
        # AWS: ArnEquals and ArnLike behave identically.
        "arnequals": Operator("arn", glob=True),
        "arnlike": Operator("arn", glob=True),
        "arnnotequals": Operator("arn", negated=True, glob=True),
        "arnnotlike": Operator("arn", negated=True, glob=True),
        "stringequals": Operator("string"),
        "stringnotequals": Operator("string", negated=True),
    }
    families: tuple[tuple[str, Family], ...] = (("numeric", "number"), ("date", "date"))
    for word, family in families:
        found[f"{word}equals"] = Operator(family)
        found[f"{word}notequals"] = Operator(family, negated=True)
        for name, relation in (("lessthan", "<"), ("greaterthan", ">")):
            found[f"{word}{name}"] = Operator(family, relation)
            found[f"{word}{name}equals"] = Operator(family, f"{relation}=")
    return found


OPERATORS: Mapping[str, Operator] = _operators()


class Test(Struct, frozen=True, order=True):
    """One key of one operator, in canonical form: equal tests hold in the same contexts."""

    key: str  # in small letters, for keys ignore case
    values: tuple[str, ...]  # sorted; one of them must fit, or none of them if negated
    family: Family
    relation: str = "="
    negated: bool = False
    glob: bool = False  # whether `*` and `?` in the values are wildcards
    qualifier: Qualifier = ""
    if_exists: bool = False

    def __str__(self) -> str:
        said = {"=": "is not" if self.negated else "is", "<": "<", "<=": "<=", ">": ">", ">=": ">="}[self.relation]
        if self.family == "unreadable":
            return f"unreadable ({', '.join(self.values)})"
        if self.family == "null":
            return f"{self.key} is {'absent' if self.values == ('true',) else 'present'}"
        every = {"": "", "forallvalues": "every ", "foranyvalue": "some "}[self.qualifier]
        return f"{every}{self.key} {said} {' or '.join(self.values)}{' (if present)' if self.if_exists else ''}"


Condition = frozenset[Test]
ALWAYS: Condition = frozenset()


class Unreadable(Exception):
    """A condition block that does not follow the language; says what is wrong."""


def read_condition(block: object) -> Condition:
    """A statement's Condition element as tests that must all hold. Raises Unreadable."""
    if not isinstance(block, dict):
        raise Unreadable("Condition is not an object")
    tests = set()
    for spelt, keys in block.items():
        if not isinstance(keys, dict):
            raise Unreadable(f"Condition.{spelt} is not an object")
        for key, values in keys.items():
            test = _test(spelt, key, _texts(values, f"Condition.{spelt}.{key}"))
            if test.family != "null" or len(test.values) == 1:  # present or absent: it always holds
                tests.add(test)
    return frozenset(tests)


def unreadable(text: str) -> Condition:
    """The condition of what cannot be read: nobody knows whether it holds. The same text is the same unknown."""
    return frozenset((Test("", (text,), "unreadable"),))


def _texts(values: object, place: str) -> list[str]:
    found = []
    for value in values if isinstance(values, list) else [values]:
        if isinstance(value, bool):
            found.append("true" if value else "false")
        elif isinstance(value, str | int | float):
            found.append(str(value))
        else:
            raise Unreadable(f"{place} is not text")
    if not found:
        raise Unreadable(f"{place} names no value")
    return found


def _test(spelt: str, key: str, values: list[str]) -> Test:
    name = spelt.casefold()
    qualifier: Qualifier = ""
    for possible in ("forallvalues", "foranyvalue"):
        if name.startswith(f"{possible}:"):
            qualifier, name = possible, name[len(possible) + 1 :]
    if_exists = name.endswith("ifexists")
    operator = OPERATORS.get(name.removesuffix("ifexists"))
    if operator is None or (if_exists and operator.family == "null"):
        raise Unreadable(f"there is no condition operator {spelt}")
    glob = operator.glob and any("*" in value or "?" in value for value in values)
    # A negated test and ForAllValues hold on a missing key anyway.
    matters = if_exists and qualifier != "forallvalues" and not (operator.negated and not qualifier)
    return Test(
        key=key.casefold(),
        values=tuple(sorted({canonical(operator.family, value) for value in values})),
        family=operator.family,
        relation=operator.relation,
        negated=operator.negated,
        glob=glob or operator.family == "arn",
        qualifier=qualifier,
        if_exists=matters,
    )


def canonical(family: Family, value: str) -> str:
    """The value as it is compared: `True` is true, 10.0.0.7/8 is 10.0.0.0/8, 1.0 is 1."""
    if "${" in value:
        return value
    if family in ("bool", "null", "fold"):
        return value.casefold()
    if family == "number" and (number := number_of(value)) is not None:
        return str(int(number)) if number == int(number) else repr(number)
    if family == "ip" and (network := network_of(value)) is not None:
        return str(network)
    return value


def marked(key: str, own: str) -> str:
    """The key of a role's tag that has this value unless a session brings another: another key for another value."""
    text = re.sub(r"[^a-z0-9 _.:/=+@-]", lambda char: f"%{ord(char[0]):x};", own)
    return f"{key} (the role's own: {text})"


def unmarked(key: str) -> str:
    """The key as a request has it."""
    return key.partition(" (the role's own: ")[0]


def implies(one: Condition, other: Condition) -> bool:
    """Whether `other` holds wherever `one` holds, so far as that is plain. No wrong yes."""
    return all(test in one or any(_implies(mine, test) for mine in one) for test in other)


@lru_cache(maxsize=65_536)
def _implies(one: Test, other: Test) -> bool:
    if one == other:
        return True
    if one.key != other.key or "unreadable" in (one.family, other.family):
        return False
    if other.family == "null":
        return other.values == ("false",) and not one.negated and one.family != "null" and _needs_the_key(one)
    same = (one.family, one.relation, one.negated, one.qualifier) == (
        other.family,
        other.relation,
        other.negated,
        other.qualifier,
    )
    if not same or one.relation != "=" or (one.if_exists and not other.if_exists):
        return False
    narrow, wide = (other, one) if one.negated else (one, other)
    return all(any(_within(value, narrow.glob, whole, wide) for whole in wide.values) for value in narrow.values)


def _needs_the_key(test: Test) -> bool:
    return not test.if_exists and test.qualifier != "forallvalues"


def _within(value: str, is_glob: bool, whole: str, wide: Test) -> bool:
    """Whether all that `value` stands for, `whole` stands for too."""
    if value == whole and is_glob <= wide.glob:
        return True
    if "${" in value or "${" in whole:
        return False
    if wide.family == "ip":
        inner, outer = network_of(value), network_of(whole)
        if inner is None or outer is None or inner.version != outer.version:
            return False
        return inner.subnet_of(outer)  # type: ignore[arg-type]  # both of one version
    return wide.glob and wide.family == "string" and _inside(value, whole)


@lru_cache(maxsize=16_384)
def _inside(value: str, glob: str) -> bool:
    """Whether the glob matches all that the value does: the value's wildcards count as characters that only `*`, and
    `?` for `?`, can match.
    """
    parts = (".*" if char == "*" else "[^*]" if char == "?" else re.escape(char) for char in glob)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NUMBER = re.compile(r"[+-]?[0-9]{1,300}(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


def number_of(value: str) -> float | None:
    """The number that a value of a Numeric test is; None if it is none."""
    if not _NUMBER.fullmatch(value):
        return None
    number = float(value) if set(value) & set(".eE") else int(value)  # a float would round a large one
    return number if math.isfinite(number) else None


@lru_cache(maxsize=4096)
def network_of(value: str) -> Network | None:
    """The network that a value of an IpAddress test is, a single address being one of its own; None if it is none."""
    try:
        return ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None
