"""The provisioner's stacks in the account: what of one is there, and what earlier plans tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from secmigrate.iam import Snapshot
from secmigrate.operations import CreateStack, DeleteStack, Operation, RemoveUserFromGroup
from secmigrate.operations.stacks import TAG
from secmigrate.plan.fold import Plan

Members = Mapping[str, tuple[str, ...]]


class Stack(Struct, frozen=True):
    """A tier's stack, and what it holds: groups, roles and policies."""

    name: str
    tier: str
    region: str
    part: Snapshot

    @property
    def empty(self) -> bool:
        return not (self.part.groups or self.part.roles or self.part.own_policies)


def standing(live: Snapshot, stack: Stack, newer: str) -> Stack:
    """What of a stack is in the account: all that its planned part names, and what CloudFormation's tags say is its.
    Nothing, if the tags say that these names are those of the newer stack by now.
    """
    named = stack.part
    groups = {name: live.groups[name] for name in named.groups if name in live.groups}
    roles = {
        name: role for name, role in live.roles.items() if name in named.roles or role.keeper == f"stack {stack.name}"
    }
    policies = {arn: one for arn, one in live.own_policies.items() if one.tags.get(TAG) == stack.name}
    if any(role.keeper == f"stack {newer}" for role in live.roles.values()):
        groups, roles, policies = {}, {}, {}
    part = Snapshot(account=live.account, partition=live.partition, groups=groups, roles=roles, policies=policies)
    return structs.replace(stack, part=part)


def earlier(stack: str, plans: Iterable[Plan]) -> Plan | None:
    """The newest of these plans, oldest first, that leads to that stack and takes another away."""
    found = None
    for plan in plans:
        kinds = {type(one): one.stack for one in waits_for(plan.operations)}
        if kinds.get(CreateStack) == stack and DeleteStack in kinds:
            found = plan
    return found


def is_gone(plan: Plan, live: Snapshot) -> bool:
    """Whether the stack that the plan takes away is gone, whatever has its names by now."""
    return all(one.is_done(live) for one in waits_for(plan.operations) if isinstance(one, DeleteStack))


def members(plan: Plan) -> Members:
    """Whom the plan takes out of which groups of the stack that goes."""
    rows: dict[str, list[str]] = {}
    for one in plan.operations:
        if isinstance(one, DeleteStack):
            return {group: tuple(users) for group, users in rows.items()}
        if isinstance(one, RemoveUserFromGroup):
            rows.setdefault(one.group, []).append(one.user)
    return {}


def waits_for(operations: Iterable[Operation]) -> list[CreateStack | DeleteStack]:
    """What the provisioner has to do in a plan."""
    return [one for one in operations if isinstance(one, CreateStack | DeleteStack)]
