"""Small accounts for the mapping, in few words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from secmigrate import documents, sec
from secmigrate.iam import Document, Entity, Group, Role, Snapshot

ACCOUNT = "111122223333"
CATALOGUE = documents.catalogue()
CLIENT = sec.Client(company_prefix="lumen", tenant_id="a001", account_id=ACCOUNT, company_name="Lumenfold")
ENVIRONMENT = sec.Environment(env="prod", region="eu-central-1")


def aws(*names: str) -> tuple[str, ...]:
    return tuple(f"arn:aws:iam::aws:policy/{name}" for name in names)


def statement(effect: str, actions: Iterable[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> Document:
    return Document({"Version": "2012-10-17", "Statement": list(statements)})


def group(name: str, *actions: str, attached: tuple[str, ...] = (), resource: str = "*") -> Group:
    inline = {"own": document(statement("Allow", actions, resource))} if actions else {}
    return Group(name=name, attached=aws(*attached), inline=inline)


def role(
    name: str, principal: dict[str, Any], *actions: str, condition: dict[str, Any] | None = None, **more: Any
) -> Role:
    trusting: dict[str, Any] = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if condition:
        trusting["Condition"] = condition
    inline = {"own": document(statement("Allow", actions))} if actions else {}
    return Role(name=name, trust=document(trusting), inline=inline, **more)


def root(account: str = ACCOUNT) -> dict[str, str]:
    return {"AWS": f"arn:aws:iam::{account}:root"}


def service(name: str) -> dict[str, str]:
    return {"Service": f"{name}.amazonaws.com"}


def account(*things: Entity) -> Snapshot:
    """An account of these, with the AWS managed policies that they use."""
    snapshot = Snapshot(account=ACCOUNT)
    managed = documents.aws_managed()
    for thing in things:
        snapshot = snapshot.put(thing)
        for arn in getattr(thing, "attached", ()):
            if arn in managed:
                snapshot = snapshot.put(managed[arn])
    return snapshot
