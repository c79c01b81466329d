"""Contexts: whether a test holds in one, and one that tells two conditions apart.

Sources: AWS, IAM JSON policy elements: Condition operators; Policies with multiple context keys or values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

from secmigrate.access.conditions import Condition, Network, Test, canonical, network_of, number_of, unmarked

Context = Mapping[str, str | None]  # a value, or None for a key that is absent, by key in small letters


def holds(test: Test, value: str | None) -> bool | None:
    """Whether the test holds where its key has this one value, or is absent (None). None: that cannot be told here."""
    if test.family == "unreadable":
        return None
    if test.family == "null":
        return ("true" if value is None else "false") in test.values
    if value is None:
        if test.qualifier == "foranyvalue" and test.if_exists:
            return None  # AWS's page does not say which of the two wins
        if test.qualifier:
            return test.qualifier == "forallvalues"
        return test.negated or test.if_exists
    found = [_compare(test, value, wanted) for wanted in test.values]
    if None in found and True not in found:
        return None
    return (True in found) != test.negated


def _compare(test: Test, value: str, wanted: str) -> bool | None:
    if "${" in wanted:
        return None
    match test.family:
        case "string":
            return _globs(wanted, value) if test.glob else value == wanted
        case "arn":
            return _arn_like(wanted, value)
        case "ip":
            return _in_network(network_of(value), network_of(wanted))
        case "number":
            return _ordered(number_of(value), test.relation, number_of(wanted))
        case "date":
            # Dates of one form sort as text; seconds since 1970 stand beside none of them.
            return _ordered(value, test.relation, wanted) if _is_date(value) and _is_date(wanted) else None
    return (value.casefold() if test.family in ("fold", "bool") else value) == wanted


def _in_network(address: Network | None, network: Network | None) -> bool | None:
    if network is None:
        return None
    if address is None or address.version != network.version:
        return False
    return address.subnet_of(network)  # type: ignore[arg-type]  # both of one version


def _ordered(left: Any, relation: str, right: Any) -> bool | None:
    if left is None or right is None:
        return None
    outcomes: dict[str, bool] = {
        "=": left == right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }
    return outcomes[relation]


@lru_cache(maxsize=16_384)
def _globs(glob: str, text: str) -> bool:
    pattern = "".join(".*" if char == "*" else "." if char == "?" else re.escape(char) for char in glob)
    return re.fullmatch(pattern, text, re.DOTALL) is not None


def _arn_like(glob: str, arn: str) -> bool | None:
    """AWS: each of the six parts of an ARN is compared by itself; it does not say what fewer parts match."""
    wanted, found = glob.split(":", 5), arn.split(":", 5)
    if len(wanted) < 6:
        return None
    return len(wanted) == len(found) and all(_globs(one, other) for one, other in zip(wanted, found, strict=True))


def _is_date(value: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", value) is not None


_MANY = 500  # combinations that are tried before it is called unsure


def context(true: Iterable[Test], false: Sequence[Condition]) -> Context | None:
    """A context in which all of `true` hold and none of the conditions in `false`; None if none was found.

    That none was found is no proof that there is none: the values that occur are tried, absence, and one that does not
    occur, each key for itself.
    """
    held = frozenset(true)
    ways = [[test for test in sorted(condition) if test not in held] for condition in false]
    total = 1
    for way in ways:
        total *= len(way)
    if not 0 < total <= _MANY:
        return None
    for failing in product(*ways):
        found = _assignment(held, frozenset(failing))
        if found is not None:
            return found
    return None


@lru_cache(maxsize=16_384)
def _assignment(true: frozenset[Test], false: frozenset[Test]) -> Context | None:
    found: dict[str, str | None] = {}
    keys = sorted({test.key for test in true | false})
    if len({unmarked(key) for key in keys}) < len(keys):
        return None
    for key in keys:
        wanted = [test for test in true if test.key == key]
        unwanted = [test for test in false if test.key == key]
        for value in _candidates([*wanted, *unwanted]):
            fits = all(holds(test, value) is True for test in wanted)
            if fits and all(holds(test, value) is False for test in unwanted) and (value or unmarked(key) == key):
                found[unmarked(key)] = value
                break
        else:
            return None
    return found


def _candidates(tests: list[Test]) -> list[str | None]:
    near: set[str] = set()
    for test in tests:
        for value in test.values:
            network = network_of(value) if test.family == "ip" else None
            if network is not None:
                near |= {str(network[0]), str(network[-1])}
            else:
                near.add(value.replace("*", "x").replace("?", "x") if test.glob else value)
            if test.family == "number" and (number := number_of(value)) is not None:
                near |= {canonical("number", str(number - 1)), canonical("number", str(number + 1))}
    families = {test.family for test in tests}
    if "date" in families:
        near |= {"1990-01-01T00:00:00Z", "2190-01-01T00:00:00Z"}
    if "bool" in families:
        near |= {"true", "false"}
    if "ip" in families:
        near |= {"192.0.2.1", "2001:db8::1"}
    if "null" in families:
        near -= {"true", "false"}
    return [*sorted(near), None, "other"]
