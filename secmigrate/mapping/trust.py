"""Who may assume a role, as its trust policy says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from secmigrate.access.assuming import ALONG
from secmigrate.iam import Document
from secmigrate.mapping.patterns import matches
from secmigrate.mapping.reach import listed

_ACCOUNT = re.compile(r"(?:arn:[^:]*:(?:iam|sts)::)?([0-9]{12})(?::.*)?")
_EXTERNAL_ID = "sts:externalid"
_UNREADABLE = "what cannot be read"


class Trust(Struct, frozen=True, kw_only=True):
    """The principals of a trust policy by kind, and its conditions besides the external id."""

    services: tuple[str, ...] = ()  # sagemaker.amazonaws.com
    own: tuple[str, ...] = ()  # principals of this account: its root, users, roles
    others: tuple[str, ...] = ()  # ids of other accounts
    theirs: tuple[str, ...] = ()  # principals of other accounts, as they are written
    federated: tuple[str, ...] = ()  # identity providers, without their ARN's beginning
    unknown: tuple[str, ...] = ()  # "*", deleted principals (AROA…), NotPrincipal
    external_ids: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()  # their keys
    along: tuple[str, ...] = ()  # calls that it allows besides assuming: sts:TagSession
    denies: bool = False

    @property
    def own_root(self) -> bool:
        """Whether the account as a whole is trusted, so that its own policies decide who."""
        return any(_is_whole(one) for one in self.own)

    def only(self, account: str) -> tuple[str, ...]:
        """The principals of another account that are trusted alone; none if that account is as a whole."""
        found = [one for one in self.theirs if (of := _ACCOUNT.fullmatch(one)) and of.group(1) == account]
        return () if any(map(_is_whole, found)) else tuple(found)

    @property
    def everybody(self) -> bool:
        """Whether principals of any account are trusted."""
        return "*" in self.unknown or "NotPrincipal" in self.unknown

    @property
    def asked(self) -> frozenset[str]:
        """The keys of all its conditions."""
        return frozenset((*self.conditions, *["sts:ExternalId"] * bool(self.external_ids)))


@lru_cache(maxsize=4096)
def trust_of(document: Document, account: str) -> Trust:
    """Reads a trust policy, seen from `account`."""
    found: dict[str, set[str]] = {name: set() for name in Trust.__struct_fields__ if name != "denies"}
    denies = False
    for statement in document.statements:
        effect = statement.get("Effect")
        if effect == "Allow":
            for field, name in _trusting(statement, account):
                found[field].add(name)
        elif effect == "Deny":
            denies = True
        else:
            found["unknown"].add(_UNREADABLE)
    return Trust(**{name: tuple(sorted(values)) for name, values in found.items()}, denies=denies)


def _trusting(statement: Mapping[str, Any], account: str) -> Iterator[tuple[str, str]]:
    """What a statement that allows tells, by the field of `Trust` where it belongs."""
    if "NotPrincipal" in statement:
        yield "unknown", "NotPrincipal"
    yield from (("along", call) for call in ALONG if _allows(statement, call))
    for kind, principal in _principals(statement.get("Principal", {})):
        field, name = _sorted_in(kind, principal, account)
        yield field, name
        if field == "others":
            yield "theirs", principal
    for key, values in _conditions(statement):
        if key.casefold() == _EXTERNAL_ID:
            yield from (("external_ids", value) for value in values)
        else:
            yield "conditions", key


def _allows(statement: Mapping[str, Any], call: str) -> bool:
    all_but = "NotAction" in statement
    return any(matches(call, glob) for glob in listed(statement.get("NotAction" if all_but else "Action"))) != all_but


def _principals(principal: Any) -> Iterator[tuple[str, str]]:
    """Kind and name; IAM lets a bare "*" stand for everybody."""
    if isinstance(principal, Mapping):
        for kind, names in principal.items():
            yield from ((kind, name) for name in listed(names))
    elif principal:
        yield "AWS", str(principal)


def _sorted_in(kind: str, principal: str, account: str) -> tuple[str, str]:
    if kind == "Service":
        return "services", principal
    if kind == "Federated":
        return "federated", principal.split("-provider/", 1)[-1]
    found = _ACCOUNT.fullmatch(principal)
    if found is None:
        return "unknown", principal
    return ("own", principal) if found.group(1) == account else ("others", found.group(1))


def _is_whole(principal: str) -> bool:
    """Whether it is an account, and not somebody in it."""
    return principal.endswith(":root") or principal.isdigit()


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    condition = statement.get("Condition", {})
    for operator, tests in condition.items() if isinstance(condition, dict) else [("", condition)]:
        if not isinstance(tests, dict):
            yield _UNREADABLE, ()
            continue
        for key, values in tests.items():
            # Only an equality names the id; anything else about it is a condition like others.
            exact = operator.casefold() == "stringequals" or key.casefold() != _EXTERNAL_ID
            yield (key if exact else f"{operator} {key}"), listed(values)
