"""Who may assume which role: the trust policy on one side, the permission to assume on the other.

Source: AWS, Policy evaluation logic within one account: a trust policy that names the user herself is enough; one that
names the account leaves it to the user's own policies. A Deny on either side wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from secmigrate.access.conditions import ALWAYS, Condition, Unreadable, implies, read_condition, unreadable
from secmigrate.access.effective import Extent, Masks, Side, Sides
from secmigrate.access.patterns import has_variable, matches, widened
from secmigrate.access.reading import Region
from secmigrate.iam import Document, Role, Snapshot, User

ASSUME = "sts:AssumeRole"
PrincipalName = tuple[str, str]  # ("AWS", an ARN or an account), ("Service", …), ("Federated", …), ("unreadable", …)
Conditions = frozenset[Condition]


class Trusted(Struct, frozen=True):
    """One principal in one statement of a trust policy."""

    allows: bool
    all_but: bool  # a NotPrincipal
    principal: PrincipalName
    condition: Condition

    def __str__(self) -> str:
        tests = " and ".join(str(test) for test in sorted(self.condition))
        who = f"{'everybody but ' if self.all_but else ''}{' '.join(self.principal)}"
        return f"{who} if {tests}" if tests else who


class Ways(Struct, frozen=True):
    """Under which conditions somebody may assume a role: one of `allowed`, and none of `denied`."""

    allowed: Conditions
    denied: Conditions = frozenset()

    def within(self, other: Ways) -> bool:
        """Whether whoever may go these ways may go the others too, so far as that is plain."""
        kept = all(any(implies(mine, theirs) for theirs in other.allowed) for mine in self.allowed)
        return kept and other.denied <= self.denied


@lru_cache(maxsize=16_384)
def trusted(trust: Document) -> tuple[Trusted, ...]:
    """The principals of a trust policy, as far as it is about assuming the role. What cannot be read is one as well."""
    return tuple(one for row in trust.statements for one in _trusted(row))


def _trusted(row: Any) -> Iterator[Trusted]:
    if not isinstance(row, dict) or not _is_about_assuming(row):
        return
    try:
        condition = read_condition(row.get("Condition", {}))
    except Unreadable as problem:
        condition = unreadable(f"{problem}: {row}")
    all_but = "NotPrincipal" in row
    named = row.get("NotPrincipal" if all_but else "Principal")
    for principal in _principals(named):
        yield Trusted(row.get("Effect") == "Allow", all_but, principal, condition)


def _is_about_assuming(row: Mapping[str, Any]) -> bool:
    element = "NotAction" if "NotAction" in row else "Action"
    value = row.get(element)
    entries = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
    named = any(_is_assuming(entry.casefold()) for entry in entries)
    return named != (element == "NotAction")


def _is_assuming(entry: str) -> bool:
    from fnmatch import fnmatchcase

    return any(
        fnmatchcase(action, entry.replace("[", "[[]"))
        for action in ("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity")
    )


def _principals(named: object) -> Iterator[PrincipalName]:
    if isinstance(named, str):
        yield ("AWS", named)
    elif isinstance(named, dict):
        for kind, names in named.items():
            for name in names if isinstance(names, list) else [names]:
                yield (kind, name) if isinstance(name, str) else ("unreadable", str(name))
    else:
        yield ("unreadable", str(named))


def _condition(extent: Extent) -> Condition:
    """The extent's condition; one more that nobody can tell if its resources depend on an unknown variable."""
    region = extent.region
    if any(has_variable(one) for one in (region.pattern, *region.without)):
        return extent.condition | unreadable(str(region))
    return extent.condition


class Doors:
    """The roles of a snapshot, seen from the users who may assume them."""

    def __init__(self, snapshot: Snapshot, sides: Sides) -> None:
        self._snapshot = snapshot
        self._bit = sides.catalogue.bits(ASSUME)
        self._arns = {snapshot.arn(role): name for name, role in snapshot.roles.items()}
        self._account: dict[str, set[Condition]] = {}  # by role: it trusts the account
        self._direct: dict[str, dict[str, set[Condition]]] = {}  # by user and role: it trusts the user
        self._barred: dict[str, list[Trusted]] = {}  # by role: what its trust policy denies
        self._matched: dict[Region, frozenset[str]] = {}
        self._by_side: dict[object, Mapping[str, Ways]] = {}
        for role in snapshot.roles.values():
            self._enter(role)

    def ways(self, user: User, side: Side) -> Mapping[str, Ways]:
        """The roles that the user may assume, by name; `side` is what the user can do in this snapshot."""
        shared = self._by_side.get(side.key)
        if shared is None:
            shared = self._by_side[side.key] = dict(self._through_the_account(side))
        own = {**self._direct.get(self._snapshot.arn(user), {}), **self._direct.get(user.seen.id or "-", {})}
        if not own and not self._barred:
            return shared
        found = dict(shared)
        for role, conditions in own.items():
            there = found.get(role)
            denied = self._conditions(side.denies, role)
            found[role] = Ways(frozenset(conditions) | (there.allowed if there else frozenset()), denied)
        for role in [role for role in self._barred if role in found]:
            bars = frozenset(one.condition for one in self._barred[role] if self._is_about(one, user))
            found[role] = Ways(found[role].allowed, found[role].denied | bars)
        return {role: ways for role, ways in found.items() if ALWAYS not in ways.denied}

    def _enter(self, role: Role) -> None:
        everybody = ("*", self._snapshot.account, f"arn:{self._snapshot.partition}:iam::{self._snapshot.account}:root")
        for one in trusted(role.trust):
            kind, name = one.principal
            if not one.allows:
                self._barred.setdefault(role.name, []).append(one)
            elif kind == "AWS" and (name in everybody or one.all_but):
                self._account.setdefault(role.name, set()).add(one.condition)
            elif kind == "AWS":
                self._direct.setdefault(name, {}).setdefault(role.name, set()).add(one.condition)

    def _is_about(self, one: Trusted, user: User) -> bool:
        root = f"arn:{self._snapshot.partition}:iam::{self._snapshot.account}:root"
        names = {"*", self._snapshot.account, root, self._snapshot.arn(user), user.seen.id or "-"}
        return (one.principal[1] in names) != one.all_but

    def _through_the_account(self, side: Side) -> Iterator[tuple[str, Ways]]:
        found: dict[str, set[Condition]] = {}
        for extent, bits in side.allows.items():
            if bits & self._bit:
                for role in self._roles(extent.region) & self._account.keys():
                    found.setdefault(role, set()).add(_condition(extent))
        for role in sorted(found):
            conditions = frozenset(mine | theirs for mine in found[role] for theirs in self._account[role])
            if side.boundary is not None:
                limits = self._conditions(side.boundary.allows, role)
                conditions = frozenset(one | limit for one in conditions for limit in limits)
            ways = Ways(conditions, self._conditions(side.denies, role))
            if conditions and ALWAYS not in ways.denied:
                yield role, ways

    def _conditions(self, masks: Masks, role: str) -> Conditions:
        return frozenset(
            extent.condition
            for extent, bits in masks.items()
            if bits & self._bit and role in self._roles(extent.region)
        )

    def _roles(self, region: Region) -> frozenset[str]:
        """The roles that lie in the region, by name."""
        found = self._matched.get(region)
        if found is None:
            inside = {name for arn, name in self._arns.items() if matches(widened(region.pattern), arn)}
            for pattern in region.without:
                inside -= {name for arn, name in self._arns.items() if matches(widened(pattern), arn)}
            found = self._matched[region] = frozenset(inside)
        return found
