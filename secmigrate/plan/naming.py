"""Which documents name which roles: what is named must be made first and deleted last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from secmigrate.iam import Document, Entity, Policy, Principal, Role, Snapshot

_POLICY_ARN = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:policy/[!-~]*?(?=\")")
_PRINCIPAL = re.compile(r"arn:[a-z-]+:iam::(?P<account>[0-9]{12}):(?P<kind>user|role)/(?:[!-~]*/)?(?P<name>[^/]+)")
_DELETED = re.compile(r"A(?:RO|ID)A[A-Z0-9]{12,}")  # what a trust policy shows in place of somebody who is gone
_ROLE_ID = re.compile(r"AROA[A-Z0-9]{12,}")
_ROLE_ARN = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[!-~]*?(?=\")")


def named_roles(document: Document) -> frozenset[str]:
    """The ARNs of roles that a document names in full."""
    return frozenset(_ROLE_ARN.findall(document.text))


def namers(snapshot: Snapshot) -> Mapping[str, tuple[Entity, ...]]:
    """By the ARN of each role that some document names, or by its unique id, as `aws:userId` has it: what holds such a
    document.
    """
    by_id = {role.seen.id: snapshot.arn(role) for role in snapshot.roles.values() if role.seen.id}
    found: dict[str, list[Entity]] = {}
    for thing in snapshot.entities():
        documents = list(_documents(thing))
        arns = {arn for document in documents for arn in named_roles(document)}
        arns |= {by_id[one] for document in documents for one in _ROLE_ID.findall(document.text) if one in by_id}
        for arn in arns:
            found.setdefault(arn, []).append(thing)
    return {arn: tuple(things) for arn, things in found.items()}


def policy_namers(snapshot: Snapshot) -> Mapping[str, tuple[Entity, ...]]:
    """By the ARN of each managed policy that some document names in full, such as a condition on the permissions
    boundary that a new user must have: what holds such a document.
    """
    found: dict[str, list[Entity]] = {}
    for thing in snapshot.entities():
        texts = (document.text for document in _documents(thing) if ":policy/" in document.text)
        for arn in {arn for text in texts for arn in _POLICY_ARN.findall(text)}:
            found.setdefault(arn, []).append(thing)
    return {arn: tuple(things) for arn, things in found.items()}


def referring_last(snapshot: Snapshot, roles: Iterable[Role]) -> list[Role]:
    """The roles in an order in which each comes after those that its trust policy names: IAM refuses to create a role
    that trusts one that does not exist. Roles that trust each other in a ring cannot be made anew; they come by name.
    """
    by_arn = {snapshot.arn(role): role for role in roles}
    graph = {arn: sorted(named_roles(role.trust) & by_arn.keys() - {arn}) for arn, role in sorted(by_arn.items())}
    try:
        return [by_arn[arn] for arn in TopologicalSorter(graph).static_order()]
    except CycleError:
        return [by_arn[arn] for arn in sorted(by_arn)]


def in_rings(snapshot: Snapshot, roles: Iterable[Role]) -> list[Role]:
    """The roles that trust each other in a ring, or themselves: once deleted, none of them could be made anew first.

    Also what lies between two rings, which is named by one of them in any case.
    """
    left = {snapshot.arn(role): role for role in roles}
    while True:
        trusted = {arn: named_roles(role.trust) & left.keys() for arn, role in left.items()}
        by_some = frozenset[str]().union(*trusted.values())
        ringed = {arn: role for arn, role in left.items() if trusted[arn] and arn in by_some}
        if len(ringed) == len(left):
            return [ringed[arn] for arn in sorted(ringed)]
        left = ringed


def nobody(trust: Document, snapshot: Snapshot) -> list[str]:
    """The users and roles of this account that a trust policy names and that are gone, by ARN, or by the unique id that
    IAM shows instead: it would not take the policy again.
    """
    return sorted({name for name in trust.aws_principals if _is_gone(name, snapshot)})


def _is_gone(principal: str, snapshot: Snapshot) -> bool:
    named = _PRINCIPAL.fullmatch(principal)
    if named is None or named["account"] != snapshot.account:
        return _DELETED.fullmatch(principal) is not None
    there = snapshot.users.get(named["name"]) if named["kind"] == "user" else snapshot.roles.get(named["name"])
    return there is None or snapshot.arn(there) != principal


def _documents(thing: Entity) -> Iterator[Document]:
    if isinstance(thing, Principal):
        yield from thing.inline.values()
    if isinstance(thing, Role):
        yield thing.trust
    if isinstance(thing, Policy):
        yield thing.document
