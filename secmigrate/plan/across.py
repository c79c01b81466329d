"""What several accounts have in common: the same names, the same groups, and ways from one into another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from secmigrate.iam import Document, Group, Role, Snapshot, is_aws_policy
from secmigrate.mapping.trust import trust_of

_OF_AWS = ("/aws-service-role/", "/aws-reserved/")  # in every account under the same names
_LISTS = ("Action", "NotAction", "Resource", "NotResource")

Accounts = tuple[str, ...]  # ids, sorted


class Cluster(Struct, frozen=True, kw_only=True):
    """Groups of several accounts that have the same policies, so that one decision serves all of them."""

    policies: tuple[str, ...]  # their names
    groups: Mapping[str, Accounts]  # by name: in which accounts
    differs: Mapping[str, Accounts] = {}  # by name: where a group of that name has other policies

    @property
    def accounts(self) -> Accounts:
        """All of them."""
        return tuple(sorted({one for accounts in self.groups.values() for one in accounts}))


class Door(Struct, frozen=True, kw_only=True):
    """A role whose trust policy lets other accounts in."""

    account: str
    role: str
    lets_in: Accounts
    everybody: bool = False  # whatever account they are of
    conditions: tuple[str, ...] = ()  # keys that every statement asks by which they come in


class Across(Struct, frozen=True, kw_only=True):
    """Who has access where, and which groups are one."""

    users: Mapping[str, Accounts]  # names that stand in several accounts
    roles: Mapping[str, Accounts]  # the same, but for AWS's own
    doors: tuple[Door, ...]
    clusters: tuple[Cluster, ...]  # those in most accounts first


def across(snapshots: Iterable[Snapshot]) -> Across:
    """Of each snapshot only names and fingerprints are kept, so they may come one by one from the disk."""
    users: dict[str, Accounts] = {}
    roles: dict[str, Accounts] = {}
    doors: list[Door] = []
    groups: dict[str, dict[str, Accounts]] = {}  # by fingerprint, by name: in which accounts
    policies: dict[str, tuple[str, ...]] = {}
    for snapshot in snapshots:
        here = (snapshot.account,)  # one for all names that stand nowhere else: there may be millions
        for name in snapshot.users:
            users[name] = users[name] + here if name in users else here
        for role in snapshot.roles.values():
            if not role.path.startswith(_OF_AWS):
                roles[role.name] = roles[role.name] + here if role.name in roles else here
                doors += _door(role, snapshot.account)
        for group in snapshot.groups.values():
            key, names = _same(group, snapshot)
            policies[key] = names
            alike = groups.setdefault(key, {})
            alike[group.name] = alike.get(group.name, ()) + here
    clusters = _clusters(groups, policies)
    return Across(
        users=_several(users),
        roles=_several(roles),
        doors=tuple(sorted(doors, key=lambda one: (one.account, one.role))),
        clusters=tuple(sorted(clusters, key=lambda one: (-len(one.accounts), sorted(one.groups)))),
    )


def _several(found: Mapping[str, Accounts]) -> dict[str, Accounts]:
    return {name: tuple(sorted(found[name])) for name in sorted(found) if len(found[name]) > 1}


def _door(role: Role, account: str) -> list[Door]:
    found = trust_of(role.trust, account)
    if not (found.others or found.everybody):
        return []
    each = (trust_of(Document({"Statement": [row]}), account) for row in role.trust.statements)
    asked = [one.asked for one in each if one.others or one.everybody]
    return [
        Door(
            account=account,
            role=role.name,
            lets_in=found.others,
            everybody=found.everybody,
            conditions=tuple(sorted(frozenset.intersection(*asked))),
        )
    ]


def _clusters(groups: Mapping[str, Mapping[str, Accounts]], policies: Mapping[str, tuple[str, ...]]) -> list[Cluster]:
    everywhere: dict[str, set[str]] = {}
    for named in groups.values():
        for name, accounts in named.items():
            everywhere.setdefault(name, set()).update(accounts)
    found = []
    for key, named in groups.items():
        if len(set().union(*named.values())) > 1:
            elsewhere = {name: everywhere[name] - {*accounts} for name, accounts in named.items()}
            found.append(
                Cluster(
                    policies=policies[key],
                    groups={name: tuple(sorted(named[name])) for name in sorted(named)},
                    differs={name: tuple(sorted(elsewhere[name])) for name in sorted(elsewhere) if elsewhere[name]},
                )
            )
    return found


def _same(group: Group, snapshot: Snapshot) -> tuple[str, tuple[str, ...]]:
    """What is equal for groups with the same policies, and the names of these. A group without any is only like others
    of its name.
    """
    rows: list[tuple[str, str]] = []
    for name, document in group.inline.items():
        rows.append((name, _canonical(document, snapshot.account)))
    for arn in group.attached:
        policy = snapshot.policies.get(arn)
        # AWS's own are the same everywhere, though the one account may have been read before they changed.
        text = "" if is_aws_policy(arn) or policy is None else _canonical(policy.document, snapshot.account)
        rows.append((_abstract(arn, snapshot.account), text))
    rows.sort()
    key = msgspec.json.encode(rows or group.name)
    return sha256(key).hexdigest(), tuple(name.rpartition("/")[2] for name, _ in rows)


def _canonical(document: Document, account: str) -> str:
    """The document without the account's id, and without what makes no difference: statement ids and order."""
    value: dict[str, Any] = msgspec.json.decode(_abstract(document.text, account))
    statements = value.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    rows = [_row(row) for row in listed if isinstance(row, dict)]
    rows.sort(key=lambda row: msgspec.json.encode(row, order="sorted"))
    return msgspec.json.encode({"Version": value.get("Version", ""), "Statement": rows}, order="sorted").decode()


def _row(row: dict[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in row.items() if key != "Sid"}
    for key in _LISTS:
        if key in found:
            values = found[key] if isinstance(found[key], list) else [found[key]]
            found[key] = sorted({str(one).lower() if key.endswith("Action") else str(one) for one in values})
    return found


def _abstract(text: str, account: str) -> str:
    """A text in which the account's own id stands for itself no more."""
    return re.sub(rf"(?<!\d){account}(?!\d)", "ACCOUNT", text)
