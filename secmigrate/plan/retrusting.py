"""Trust policies that hold the id of a role which is made anew."""

from __future__ import annotations

import re
from collections.abc import Iterable

from secmigrate.iam import Document, Snapshot
from secmigrate.operations import CreateRole, Operation, UpdateTrustPolicy
from secmigrate.plan.fold import Kept

_ID = re.compile(r'"(A(?:RO|ID)A[A-Z0-9]{12,})"')  # how a trust policy shows somebody who is gone


def trust_again(now: Snapshot, operations: Iterable[Operation]) -> tuple[list[UpdateTrustPolicy], list[Kept]]:
    """Trust policies that named a role which comes back: IAM keeps its unique id in them, which is gone for good."""
    arns = {one.id: now.arn(one.role) for one in operations if isinstance(one, CreateRole) and one.id}
    alive = {thing.seen.id for thing in now.principals()}
    again: list[UpdateTrustPolicy] = []
    lost: list[Kept] = []
    for role in now.roles.values():
        text = role.trust.text
        for gone in sorted(set(_ID.findall(text)) & arns.keys() - alive):
            text = text.replace(f'"{gone}"', f'"{arns[gone]}"')
        if text == role.trust.text:
            continue
        unknown = sorted(set(_ID.findall(text)) - alive)
        if role.keeper or unknown:
            why = f"IAM does not take {unknown[0]} again" if unknown else f"AWS manages it ({role.keeper})"
            lost.append(Kept("role", role.name, f"its trust policy cannot be put again: {why}"))
        else:
            again.append(UpdateTrustPolicy(role=role.name, before=role.trust, after=Document.parse(text)))
    return again, lost
