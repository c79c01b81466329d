"""Who may assume a role, as its trust policy says it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from secmigrate.iam import Document
from secmigrate.mapping.reach import listed

_ACCOUNT = re.compile(r"(?:arn:[^:]*:(?:iam|sts)::)?([0-9]{12})(?::.*)?")
_EXTERNAL_ID = "sts:externalid"


class Trust(Struct, frozen=True, kw_only=True):
    """The principals of a trust policy by kind, and its conditions besides the external id."""

    services: tuple[str, ...] = ()  # sagemaker.amazonaws.com
    own: tuple[str, ...] = ()  # principals of this account: its root, users, roles
    others: tuple[str, ...] = ()  # ids of other accounts
    federated: tuple[str, ...] = ()  # identity providers, without their ARN's beginning
    unknown: tuple[str, ...] = ()  # "*", deleted principals (AROA…), NotPrincipal
    external_ids: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()  # their keys
    denies: bool = False

    @property
    def own_root(self) -> bool:
        """Whether the account as a whole is trusted, so that its own policies decide who."""
        return any(one.endswith(":root") or one.isdigit() for one in self.own)

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
        if statement.get("Effect") != "Allow":
            denies = True
            continue
        if "NotPrincipal" in statement:
            found["unknown"].add("NotPrincipal")
        for kind, principal in _principals(statement.get("Principal", {})):
            field, name = _sorted_in(kind, principal, account)
            found[field].add(name)
        for key, values in _conditions(statement):
            if key.casefold() == _EXTERNAL_ID:
                found["external_ids"].update(values)
            else:
                found["conditions"].add(key)
    return Trust(**{name: tuple(sorted(values)) for name, values in found.items()}, denies=denies)


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


def _conditions(statement: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for operator, tests in statement.get("Condition", {}).items():
        for key, values in tests.items():
            # Only an equality names the id; anything else about it is a condition like others.
            exact = operator.casefold() == "stringequals" or key.casefold() != _EXTERNAL_ID
            yield (key if exact else f"{operator} {key}"), listed(values)
