"""Who may assume which role: the trust policy on one side, the permission to assume on the other.

Source: AWS, Policy evaluation logic within one account: a trust policy that names the user herself is enough, and so is
one that names everybody (*Principal*, "All principals"); one that names the account leaves it to the user's own
policies. A Deny on either side wins.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property, lru_cache
from typing import Any, Literal

import msgspec
from msgspec import Struct

from secmigrate.access.conditions import ALWAYS, Condition, Unreadable, implies, read_condition, unreadable
from secmigrate.access.contexts import context
from secmigrate.access.decoding import is_action
from secmigrate.access.effective import Extent, Masks, Part, Side, Sides
from secmigrate.access.facts import decided_by, filled, own_keys
from secmigrate.access.patterns import Pattern, has_variable, matches, widened
from secmigrate.access.reading import Region, entries, has_variables, problem_of
from secmigrate.access.sources import known_facts
from secmigrate.iam import Document, Role, Snapshot, User

ASSUME = "sts:AssumeRole"
CALLS = (ASSUME, "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
# What the trust policy must allow besides to whoever brings a context, a source identity or tags, or the call fails
# (AWS, *Pass session tags in AWS STS*, *Permissions required to add session tags*).
ALONG = ("sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession")
_KINDS = ("AWS", "Service", "Federated", "CanonicalUser")
_ELEMENTS = frozenset("Sid Effect Principal NotPrincipal Action NotAction Condition".split())
_AWS_NAME = re.compile(r"\*|\d{12}|arn:[^$]*|A[A-Z0-9]{3,}")  # also an id: AIDA…, AROA…
# AWS, *Actions, resources, and condition keys for AWS Security Token Service*: AssumeRole knows both.
_RESOURCE_TAG = re.compile(r"(?:aws|iam):resourcetag/[^\"$}{,]+")
PrincipalName = tuple[str, str]  # ("AWS", an ARN or an account), ("Service", …), ("Federated", …), ("unreadable", …)
Conditions = frozenset[Condition]


class Trusted(Struct, frozen=True):
    """One principal in one statement of a trust policy."""

    allows: bool
    all_but: bool  # a NotPrincipal
    principal: PrincipalName
    condition: Condition
    calls: tuple[str, ...] = (ASSUME,)  # which of the calls that assume a role; or one that goes along with them

    @property
    def assumes(self) -> bool:
        """Whether it is about assuming the role, and not only about what may be brought along."""
        return self.calls[0] not in ALONG

    def __str__(self) -> str:
        tests = " and ".join(str(test) for test in sorted(self.condition))
        who = f"{'everybody but ' if self.all_but else ''}{' '.join(self.principal)}"
        return f"{who} if {tests}" if tests else who


class Ways(Struct, frozen=True, dict=True):
    """Under which conditions somebody may assume a role: one of `allowed`, and none of `denied`."""

    allowed: Conditions
    denied: Conditions = frozenset()

    def within(self, other: Ways) -> bool:
        """Whether whoever may go these ways may go the others too, so far as that is plain."""
        kept = all(any(implies(mine, theirs) for theirs in other.allowed) for mine in self.allowed)
        return kept and other.denied <= self.denied

    @cached_property
    def certain(self) -> bool:
        """Whether there is a context in which one of these ways can be gone."""
        return any(context(way, sorted(self.denied, key=sorted)) is not None for way in self.allowed)


@lru_cache(maxsize=16_384)
def trusted(trust: Document) -> tuple[Trusted, ...]:
    """The principals of a trust policy, as far as it is about assuming the role. What cannot be read is one as well."""
    value = trust.value
    if problem := problem_of(value):
        return _opaque(f"{problem}: {trust.text}")
    variables = has_variables(value)
    return tuple(one for row in trust.statements for one in _trusted(row, variables))


def _trusted(row: Any, variables: bool) -> Iterator[Trusted]:
    text = msgspec.json.encode(row, order="sorted").decode()
    if not isinstance(row, dict):
        yield from _opaque(text)
        return
    actions, all_but, wrong = entries(row, "Action", is_action)
    known_calls = (*CALLS, *ALONG)
    said = [one for one in known_calls if any(_fits(entry, one) for entry in actions) != all_but] if actions else CALLS
    assuming = tuple(one for one in said if one in CALLS)
    ways = [*([assuming] if assuming else []), *((one,) for one in said if one in ALONG)]
    if not ways:
        return
    condition: Condition = ALWAYS
    try:
        condition = filled(read_condition(row.get("Condition", {})), {} if variables else None)
    except Unreadable as problem:
        wrong = [*wrong, str(problem)]
    known = row.get("Effect") in ("Allow", "Deny")
    if wrong or not known or set(row) - _ELEMENTS:
        condition |= unreadable(text)
    everybody_but = "NotPrincipal" in row
    for principal in _principals(row.get("NotPrincipal" if everybody_but else "Principal")):
        doubt = unreadable(f"{principal[1]} in {text}") if principal[0] == "unreadable" else ALWAYS
        for allows in (row["Effect"] == "Allow",) if known else (True, False):
            yield from (Trusted(allows, everybody_but, principal, condition | doubt, calls) for calls in ways)


def _opaque(text: str) -> tuple[Trusted, ...]:
    """What cannot be read at all may be about anybody."""
    return tuple(Trusted(allows, False, ("unreadable", text), unreadable(text), CALLS) for allows in (True, False))


def _fits(entry: str, call: str) -> bool:
    return fnmatchcase(call.casefold(), entry.casefold().replace("[", "[[]"))


def _principals(named: object) -> Iterator[PrincipalName]:
    if not isinstance(named, dict):
        yield ("AWS", "*") if named == "*" else ("unreadable", _short(named))
        return
    for kind, names in named.items():
        for name in names if isinstance(names, list) else [names]:
            plain = isinstance(name, str) and kind in _KINDS and (kind != "AWS" or _AWS_NAME.fullmatch(name))
            yield (kind, name) if plain else ("unreadable", _short({kind: name}))


def _short(value: object) -> str:
    return msgspec.json.encode(value, order="sorted").decode()


def _condition(extent: Extent) -> Condition:
    """The extent's condition; one more that nobody can tell if its resources depend on an unknown variable."""
    region = extent.region
    if any(has_variable(one) for one in (region.pattern, *region.without)):
        return extent.condition | unreadable(str(region))
    return extent.condition


@lru_cache(maxsize=16_384)
def _tags_asked(condition: Condition) -> tuple[str, ...]:
    """The keys in a condition that the tags of the role decide which is to be assumed, sorted."""
    texts = (text.casefold() for test in condition for text in (test.key, *test.values))
    return tuple(sorted({key for text in texts for key in _RESOURCE_TAG.findall(text)}))


@lru_cache(maxsize=16_384)
def _joined(mine: Condition, theirs: Conditions) -> Ways:
    """The ways where a user's policies allow it under a condition and the trust policy does too."""
    return Ways(frozenset(mine | other for other in theirs))


@lru_cache(maxsize=16_384)
def _limited(ways: Ways, limits: Conditions | None, denied: Conditions) -> Ways:
    """The ways within a permissions boundary, and with what denies them."""
    if limits is None:
        return Ways(ways.allowed, denied)
    return Ways(frozenset(one | limit for one in ways.allowed for limit in limits), denied)


class Reach:
    """The roles that somebody may assume, by name. `shared`: by everybody with the same policies, as one object."""

    __slots__ = ("shared", "ways")

    def __init__(self, ways: Mapping[str, Ways], *, shared: bool) -> None:
        self.ways = ways
        self.shared = shared


class Doors:
    """The roles of a snapshot, seen from the users who may assume them."""

    def __init__(self, snapshot: Snapshot, sides: Sides) -> None:
        self._snapshot = snapshot
        self._bit = sides.catalogue.bits(ASSUME)
        self._arns = sorted((snapshot.arn(role), name) for name, role in snapshot.roles.items())
        self._account: dict[str, Conditions] = {}  # by role: it trusts the account
        self._direct: dict[str, dict[str, set[Condition]]] = {}  # by user and role: it trusts the user
        self._barred: dict[str, list[Trusted]] = {}  # by role: what its trust policy denies
        self._anybody: dict[str, set[Condition]] = {}  # by role: it trusts everybody, or nobody can tell whom
        self._personal: dict[str, frozenset[str]] = {}  # by role: the keys in its trust that the user decides
        self._matched: dict[Region, frozenset[str]] = {}
        self._opened: dict[Extent, dict[str, Ways]] = {}
        self._extents: dict[tuple[Part, str], frozenset[Extent]] = {}
        self._by_policies: dict[object, Reach] = {}
        for role in snapshot.roles.values():
            self._enter(role)

    def reach(self, user: User, side: Side) -> Reach:
        """The roles that the user may assume; `side` is what the user can do in this snapshot."""
        shared = self._shared(side)
        own = {**self._direct.get(self._snapshot.arn(user), {}), **self._direct.get(user.seen.id or "-", {})}
        special = (
            own or self._anybody or any(not of.keys().isdisjoint(shared.ways) for of in (self._barred, self._personal))
        )
        return Reach(self._own_ways(user, side, own, shared.ways), shared=False) if special else shared

    def _own_ways(
        self, user: User, side: Side, own: Mapping[str, set[Condition]], shared: Mapping[str, Ways]
    ) -> Mapping[str, Ways]:
        """The ways of somebody whom trust policies name, or ask who it is."""
        found = dict(shared)
        denies = self._about(side.all_parts, "denies")
        for more in (own, self._anybody):
            for role, conditions in more.items():
                there = found.get(role)
                found[role] = Ways(
                    frozenset(conditions) | (there.allowed if there else frozenset()), self._conditions(denies, role)
                )
        for role in self._barred.keys() & found.keys():
            bars = frozenset(one.condition for one in self._barred[role] if self._is_about(one, user))
            found[role] = Ways(found[role].allowed, found[role].denied | bars)
        for role in self._personal.keys() & found.keys():
            found[role] = self._decided(found[role], user, self._personal[role])
        return {role: ways for role, ways in found.items() if ways.allowed and ALWAYS not in ways.denied}

    def _decided(self, ways: Ways, user: User, keys: frozenset[str]) -> Ways:
        facts = known_facts(self._snapshot, user, keys)
        allowed, denied = (
            frozenset(found for one in conditions if (found := decided_by(one, facts)) is not None)
            for conditions in (ways.allowed, ways.denied)
        )
        return Ways(allowed, denied)

    def _enter(self, role: Role) -> None:
        account = (self._snapshot.account, f"arn:{self._snapshot.partition}:iam::{self._snapshot.account}:root")
        if keys := own_keys(role.trust):
            self._personal[role.name] = keys
        for one in trusted(role.trust):
            kind, name = one.principal
            if ASSUME not in one.calls:
                continue
            if not one.allows:
                self._barred.setdefault(role.name, []).append(one)
            elif kind == "AWS" and (name in account or one.all_but):
                self._account[role.name] = self._account.get(role.name, frozenset()) | {one.condition}
            elif kind == "unreadable" or (kind, name) == ("AWS", "*"):
                self._anybody.setdefault(role.name, set()).add(one.condition)
            elif kind == "AWS":
                self._direct.setdefault(name, {}).setdefault(role.name, set()).add(one.condition)

    def _is_about(self, one: Trusted, user: User) -> bool:
        root = f"arn:{self._snapshot.partition}:iam::{self._snapshot.account}:root"
        names = {"*", self._snapshot.account, root, self._snapshot.arn(user), user.seen.id or "-"}
        return one.principal[0] == "unreadable" or (one.principal[1] in names) != one.all_but

    def _shared(self, side: Side) -> Reach:
        """The roles that trust the account, and that the user's own policies let her assume."""
        limits = None if side.boundary is None else self._about((side.boundary,), "allows")
        key = (self._about(side.parts, "allows"), limits, self._about(side.all_parts, "denies"))
        found = self._by_policies.get(key)
        if found is None:
            found = self._by_policies[key] = Reach(self._through_the_account(*key), shared=True)
        return found

    def _about(self, parts: Iterable[Part], effect: Literal["allows", "denies"]) -> frozenset[Extent]:
        """What the parts allow or deny about assuming roles."""
        found: frozenset[Extent] = frozenset()
        for part in parts:
            # What is nothing to anyone is nothing to this one: it need not be read.
            if self._extents_of(part.anyone, effect):
                found |= self._extents_of(part, effect)
        return found

    def _extents_of(self, part: Part, effect: Literal["allows", "denies"]) -> frozenset[Extent]:
        key = (part, effect)
        found = self._extents.get(key)
        if found is None:
            masks: Masks = part.allows if effect == "allows" else part.denies
            found = self._extents[key] = frozenset(extent for extent, bits in masks.items() if bits & self._bit)
        return found

    def _through_the_account(
        self, allows: frozenset[Extent], limits: frozenset[Extent] | None, denies: frozenset[Extent]
    ) -> Mapping[str, Ways]:
        found: dict[str, Ways] = {}
        for extent in allows:
            ways = self._ways(extent)
            twice = found.keys() & ways.keys()
            found |= ways | {role: Ways(found[role].allowed | ways[role].allowed) for role in twice}
        if limits is None and not denies:
            return found
        within = (
            (
                role,
                _limited(
                    ways, None if limits is None else self._conditions(limits, role), self._conditions(denies, role)
                ),
            )
            for role, ways in found.items()
        )
        return {role: ways for role, ways in within if ways.allowed and ALWAYS not in ways.denied}

    def _ways(self, extent: Extent) -> dict[str, Ways]:
        """The ways that one statement opens, by role."""
        found = self._opened.get(extent)
        if found is None:
            roles = self._roles(extent.region) & self._account.keys()
            found = self._opened[extent] = {
                role: _joined(mine, self._account[role])
                for role in roles
                if (mine := self._condition(extent, role)) is not None
            }
        return found

    def _conditions(self, extents: Iterable[Extent], role: str) -> Conditions:
        about = (self._condition(extent, role) for extent in extents if role in self._roles(extent.region))
        return frozenset(one for one in about if one is not None)

    def _condition(self, extent: Extent, role: str) -> Condition | None:
        """What is left of the extent's condition where it is this role that somebody would assume; None if the role's
        tags fail it.
        """
        condition = _condition(extent)
        keys = _tags_asked(condition)
        if not keys:
            return condition
        tags = {key.casefold(): value for key, value in self._snapshot.roles[role].tags.items()}
        return decided_by(condition, tuple((key, tags.get(key.partition("/")[2])) for key in keys))

    def _matching(self, pattern: Pattern) -> set[str]:
        first = bisect_left(self._arns, pattern.prefix, key=lambda one: one[0])
        last = bisect_right(self._arns, pattern.prefix, lo=first, key=lambda one: one[0][: len(pattern.prefix)])
        return {name for arn, name in self._arns[first:last] if matches(pattern, arn)}

    def _roles(self, region: Region) -> frozenset[str]:
        """The roles that lie in the region, by name."""
        found = self._matched.get(region)
        if found is None:
            inside = self._matching(widened(region.pattern)).difference(*map(self._matching, region.without))
            found = self._matched[region] = frozenset(inside)
        return found
