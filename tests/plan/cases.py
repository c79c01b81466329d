"""A case: a small account and what becomes of it, told in few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from secmigrate import documents, plan
from secmigrate.access import Accepted, Watch
from secmigrate.iam import Document, Entity, Group, Policy, Role, Seen, Snapshot, User
from secmigrate.operations import Operation
from secmigrate.plan import Move, Plan, Tried, fold
from tests.small import ACCOUNT, allow, trust

ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
LAST_YEAR = "2025-06-01"  # a role that was used on that day or later stays


EVERY_LOSS = Accepted(actions=("*",), why="this case is about something else")


def watching(*snapshots: Snapshot, accept: Sequence[Accepted] = ()) -> Watch:
    """What compares the access in these snapshots."""
    return Watch(documents.aws_actions(), snapshots, accept)


def readd(live: Snapshot, moves: Sequence[Move], saved: Mapping[str, tuple[str, ...]], unmapped: Sequence[str]) -> Plan:
    """The plan `readd`."""
    return plan.readd(live, moves, saved, unmapped, watching(live))


def decommission(live: Snapshot, moves: Sequence[Move], unused_since: str = LAST_YEAR) -> Plan:
    """The plan `decommission`, whoever loses by it."""
    return plan.decommission(live, moves, unused_since, watching(live, accept=[EVERY_LOSS]))


def snapshot(*things: Entity) -> Snapshot:
    """An account of these things."""
    found = Snapshot(account=ACCOUNT)
    for thing in things:
        found = found.put(thing)
    return found


def user(name: str, *groups: str, **more: Any) -> User:
    return User(name=name, groups=groups, **more)


def group(name: str, *documents: Document, **more: Any) -> Group:
    """A group with that many inline policies, p1 and on."""
    return Group(name=name, inline={f"p{n}": document for n, document in enumerate(documents, 1)}, **more)


def role(name: str, trusting: Document | None = None, *, last_used: str = "", **more: Any) -> Role:
    return Role(name=name, trust=trusting or trust(), seen=Seen(last_used=last_used), **more)


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{name}"


def policy(name: str, *actions: str, **more: Any) -> Policy:
    return Policy(arn=arn(name), document=allow(*actions), version=Seen(id="v1"), **more)


def trusting(*roles: str) -> Document:
    """A trust policy that names roles."""
    principal = {"AWS": [role_arn(name) for name in roles]}
    return Document(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
    )


def groups(**new_of: str) -> list[Move]:
    return [Move("group", old, new) for old, new in new_of.items()]


def roles(**new_of: str) -> list[Move]:
    return [Move("role", old, new) for old, new in new_of.items()]


def shell(plan: Plan) -> list[str]:
    """The plan's calls, without the `aws iam` before each."""
    return [operation.call().as_shell().removeprefix("aws iam ") for operation in plan.operations]


def dangers(plan: Plan) -> Mapping[str, tuple[str, ...]]:
    """Subjects by code."""
    return {danger.code: danger.subjects for danger in plan.dangers}


def kept(plan: Plan) -> Mapping[str, str]:
    """Why each thing stays."""
    return {one.name: one.why for one in plan.kept}


def after(before: Snapshot, operations: Sequence[Operation]) -> Snapshot:
    """What becomes of an account."""
    now = before
    for _, _, now in fold(before, operations):  # noqa: B007 - the last one counts
        pass
    return now


def tried(*plans: Plan) -> list[Tried]:
    """What the journals of these plans say when all went well."""
    return [Tried(operation) for plan in plans for operation in plan.operations]
