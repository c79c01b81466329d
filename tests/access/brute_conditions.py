"""How the brute-force evaluator decides a Condition block (AWS: *IAM JSON policy elements: Condition operators*)."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from operator import eq, ge, gt, le, lt
from typing import Any

from tests.access.brute_patterns import ANY_ONE, ANY_RUN, Unreadable, arn_like, check_variables, filled, like

__all__ = ["Unreadable", "check_condition", "holds"]

NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


def _number(text: str) -> Decimal | None:
    return Decimal(text) if NUMBER.fullmatch(text) else None


def _date(text: str) -> Decimal | None:
    """Seconds since 1970, of an ISO 8601 date or of such a number of seconds."""
    if NUMBER.fullmatch(text):
        return Decimal(text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return Decimal(str((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()))


def _bool(text: str) -> str | None:
    return text.lower() if text.lower() in ("true", "false") else None


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _in_network(got: Any, wanted: Any) -> bool:
    return bool(got.version == wanted.version and got.subnet_of(wanted))


# Operators on plain values: how a text is read (None: it cannot be), and how the request's compares with the policy's.
PLAIN: dict[str, tuple[Callable[[str], Any], Callable[[Any, Any], bool]]] = {
    "NumericEquals": (_number, eq),
    "NumericLessThan": (_number, lt),
    "NumericLessThanEquals": (_number, le),
    "NumericGreaterThan": (_number, gt),
    "NumericGreaterThanEquals": (_number, ge),
    "DateEquals": (_date, eq),
    "DateLessThan": (_date, lt),
    "DateLessThanEquals": (_date, le),
    "DateGreaterThan": (_date, gt),
    "DateGreaterThanEquals": (_date, ge),
    "Bool": (_bool, eq),
    "BinaryEquals": (_bytes, eq),
    "IpAddress": (_network, _in_network),
}
# Operators whose values may hold policy variables, and what they do with the signs of the policy's value. In the
# two that know no wildcards `*` and `?` stand for themselves.
WRITTEN = {ANY_RUN: "*", ANY_ONE: "?"}


def _plain_text(signs: list[str]) -> str:
    return "".join(WRITTEN.get(sign, sign) for sign in signs)


SIGNED: dict[str, Callable[[list[str], str], bool]] = {
    "StringEquals": lambda signs, got: _plain_text(signs) == got,
    "StringEqualsIgnoreCase": lambda signs, got: _plain_text(signs).lower() == got.lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
}
# The operators that are true where another one is false.
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _parts(operator: str) -> tuple[str, str, bool]:
    """`ForAnyValue:StringLikeIfExists` as its set (empty if it has none), its name and whether it says IfExists."""
    group, _, name = operator.rpartition(":")
    bare = name.removesuffix("IfExists")
    known = bare in PLAIN or bare in SIGNED or bare in NEGATED or operator == "Null"
    if group not in ("", "ForAllValues", "ForAnyValue") or not known:
        raise Unreadable(f"unknown operator {operator!r}")
    return group, bare, bare != name


def holds(condition: Mapping[str, Any], known: Mapping[str, tuple[str, ...]], variables: bool) -> bool:
    """Whether all operators hold for all their keys. `known` is the request's context, keyed by small letters."""
    for operator, keys in condition.items():
        for key, values in keys.items():
            if not _key_holds(operator, known.get(key.lower(), ()), _written(values), known, variables):
                return False
    return True


def _key_holds(
    operator: str, got: tuple[str, ...], values: list[str], known: Mapping[str, tuple[str, ...]], variables: bool
) -> bool:
    group, name, if_exists = _parts(operator)
    if name == "Null":
        return any(value.lower() == ("false" if got else "true") for value in values)
    negated = name in NEGATED
    match = partial(_value_matches, NEGATED.get(name, name), known=known, variables=variables)
    verdicts = [any(match(value, one) for value in values) != negated for one in got]
    if group:
        # AWS, *Single-valued vs. multivalued context keys*: an empty text counts as no value at all. IfExists changes
        # nothing here: it looks at single values, and there is none.
        empty = not any(got)
        return (empty or all(verdicts)) if group == "ForAllValues" else (not empty and any(verdicts))
    if not got:
        return if_exists or negated
    # AWS leaves open what several values mean without a set operator: here one that fits is enough to match.
    return all(verdicts) if negated else any(verdicts)


def _value_matches(name: str, value: str, got: str, *, known: Mapping[str, tuple[str, ...]], variables: bool) -> bool:
    """Whether the request's value is what one of the policy's values asks for."""
    if name in SIGNED:
        signs = filled(value, known, variables)
        return signs is not None and SIGNED[name](signs, got)
    understand, compare = PLAIN[name]
    seen = understand(got)
    return seen is not None and compare(seen, understand(value))


def _written(values: Any) -> list[str]:
    """A condition's values as texts: JSON's booleans and numbers are read as they are written."""
    listed = values if isinstance(values, list) else [values]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in listed]


def check_condition(condition: object, variables: bool) -> None:
    """Raises Unreadable unless every operator is known and every value is one that it can read."""
    if not isinstance(condition, dict) or not all(isinstance(keys, dict) for keys in condition.values()):
        raise Unreadable("a Condition must be an object of objects")
    for operator, keys in condition.items():
        _, name, _ = _parts(operator)
        for values in keys.values():
            for value in values if isinstance(values, list) else [values]:
                if not isinstance(value, str | bool | int | float):
                    raise Unreadable(f"not a condition value: {value!r}")
            for text in _written(values):
                _check_value(NEGATED.get(name, name), text, variables)


def _check_value(name: str, text: str, variables: bool) -> None:
    if name in SIGNED:
        if variables:
            check_variables(text)
    elif (_bool if name == "Null" else PLAIN[name][0])(text) is None:
        raise Unreadable(f"{name} cannot read {text!r}")
