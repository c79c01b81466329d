"""Small accounts to compare: statements in a few words, one user ana before and after, and what is told of her."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from secmigrate import documents
from secmigrate.access import Change, Comparison, Row
from secmigrate.iam import Document, Entity, Group, Policy, Role, Snapshot, User

ACCOUNT = "111122223333"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
LIMIT = f"arn:aws:iam::{ACCOUNT}:policy/Limit"
ALL = documents.aws_actions()

Row_ = dict[str, Any]  # one statement


def allow(action: Any = "s3:GetObject", resource: Any = "*", condition: Any = None, **more: Any) -> Row_:
    """An Allow; `more` are elements by name, and None takes one out."""
    return _statement("Allow", action, resource, condition, more)


def deny(action: Any = "s3:GetObject", resource: Any = "*", condition: Any = None, **more: Any) -> Row_:
    """A Deny, likewise."""
    return _statement("Deny", action, resource, condition, more)


def _statement(effect: str, action: Any, resource: Any, condition: Any, more: Mapping[str, Any]) -> Row_:
    found = {"Effect": effect, "Action": action, "Resource": resource, "Condition": condition, **more}
    return {name: value for name, value in found.items() if value is not None}


def document(*rows: Any, version: str = "2012-10-17") -> Document:
    """A policy with these statements; an empty version leaves the element out."""
    return Document({**({"Version": version} if version else {}), "Statement": list(rows)})


def trust(principal: Any = None, condition: Any = None, **more: Any) -> Document:
    """A trust policy with one Allow; without a principal, one for the whole account."""
    row = _statement("Allow", "sts:AssumeRole", None, condition, {"Principal": principal or {"AWS": ROOT}, **more})
    return document(row)


def account(*things: Entity, partition: str = "aws") -> Snapshot:
    """An account that holds these."""
    snapshot = Snapshot(account=ACCOUNT, partition=partition)
    for thing in things:
        snapshot = snapshot.put(thing)
    return snapshot


class Told(NamedTuple):
    """What is told of one principal: actions by certainty."""

    lost: set[str]
    may_lose: set[str]
    gained: set[str]
    may_gain: set[str]


NOTHING = Told(set(), set(), set(), set())


def lost(*actions: str) -> Told:
    """Only these are lost, for certain."""
    return NOTHING._replace(lost=set(actions))


def may_lose(*actions: str) -> Told:
    """Only these may be lost."""
    return NOTHING._replace(may_lose=set(actions))


def told(comparison: Comparison, change: Change) -> Told:
    """A change as names of actions."""

    def names(rows: tuple[Row, ...]) -> set[str]:
        return {action.name for row in rows for action in comparison.catalogue.named(row.actions)}

    return Told(names(change.lost), names(change.may_lose), names(change.gained), names(change.may_gain))


class Side(NamedTuple):
    """Ana's state at one moment: her statements, her boundary's, her tags."""

    rows: tuple[Any, ...]
    limit: tuple[Any, ...] | None = None
    tags: Mapping[str, str] = {}
    version: str = "2012-10-17"

    def snapshot(self) -> Snapshot:
        """The account that holds only this."""
        inline = {"own": document(*self.rows, version=self.version)} if self.rows else {}
        boundary = LIMIT if self.limit is not None else ""
        found = account(User(name="ana", inline=inline, boundary=boundary, tags=self.tags))
        return found if self.limit is None else found.put(Policy(arn=LIMIT, document=document(*self.limit)))


def ana(*rows: Any, limit: tuple[Any, ...] | None = None, version: str = "2012-10-17", **tags: str) -> Side:
    """Ana with these statements, a permissions boundary of those in `limit`, and these tags."""
    return Side(rows, limit, tags, version)


def compare(before: Side, after: Side) -> tuple[Comparison, Change]:
    """What becomes of ana."""
    comparison = Comparison(before.snapshot(), after.snapshot(), ALL)
    return comparison, comparison.user("ana")


def outcome(before: Side, after: Side) -> Told:
    """What becomes of ana, as names of actions."""
    return told(*compare(before, after))


def as_role(side: Side, *, tags: Mapping[str, str] | None = None) -> Snapshot:
    """The account with a role `app` that holds ana's policies instead."""
    inline = {"own": document(*side.rows, version=side.version)} if side.rows else {}
    return account(Role(name="app", trust=trust(), inline=inline, tags=tags or {}))


def role_outcome(before: Side, after: Side) -> Told:
    """What becomes of a role with the same statements: nobody knows its sessions' tags."""
    old, new = as_role(before), as_role(after)
    comparison = Comparison(old, new, ALL)
    return told(comparison, comparison.change(old.roles["app"], new.roles["app"]))


def user(name: str, *rows: Any, **fields: Any) -> User:
    """A user with one inline policy of these statements."""
    return User(name=name, inline={"own": document(*rows)} if rows else {}, **fields)


def group(name: str, *rows: Any) -> Group:
    """A group with one inline policy of these statements."""
    return Group(name=name, inline={"own": document(*rows)} if rows else {})
