"""The provisioner's stacks in the account: what of one is there, and what earlier plans tell of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct, structs

from secmigrate.iam import Group, Role, Snapshot
from secmigrate.operations import CreateStack, DeleteStack, Operation, RemoveUserFromGroup
from secmigrate.operations.stacks import TAG
from secmigrate.plan.fold import Plan
from secmigrate.plan.naming import named_roles

Members = Mapping[str, tuple[str, ...]]


class Stack(Struct, frozen=True):
    """A tier's stack, and what it holds: groups, roles and policies."""

    name: str
    tier: str
    region: str
    part: Snapshot
    added: tuple[str, ...] = ()  # what was added to it outside of it, a line each

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
    added = tuple(added_outside(part, (*named.groups.values(), *named.roles.values())))
    return structs.replace(stack, part=part, added=added)


def added_outside(live: Snapshot, planned: Iterable[Group | Role]) -> Iterator[str]:
    """The policies on a stack's groups and roles that are not of its config, a line each. If the provisioner renders
    the config in another way than we do, nobody can tell: so only where all is there that was planned, or everywhere if
    one of them is just as planned.

    CloudFormation takes away what it put there itself, and then IAM refuses to delete what still has policies
    (iam-rules, "Order of deletion"; reports of stacks that failed with "must detach all policies first").
    """
    pairs = [(one, there) for one in planned if (there := _there(live, one))]
    known = any(_hanging(one) == _hanging(there) != frozenset() for one, there in pairs)
    for one, there in pairs:
        if known or frozenset() != _hanging(one) <= _hanging(there):
            more = [f"inline policy {name}" for name in sorted(there.inline.keys() - one.inline.keys())]
            more += [f"policy {arn}" for arn in there.attached if arn not in one.attached]
            if more:
                yield f"{one.kind} {one.name} ({', '.join(more)})"


def _there(live: Snapshot, one: Group | Role) -> Group | Role | None:
    return live.groups.get(one.name) if isinstance(one, Group) else live.roles.get(one.name)


def _hanging(one: Group | Role) -> frozenset[str]:
    """The names of inline policies, and the ARNs of others."""
    return frozenset((*one.inline, *one.attached))


def trusting(live: Snapshot, part: Snapshot) -> list[str]:
    """Which roles of a stack are named in trust policies outside of it, a line each."""
    arns = {live.arn(role): role.name for role in part.roles.values()}
    return sorted(
        f"{arns[arn]} (in the trust policy of {role.name})"
        for role in live.roles.values()
        if role.name not in part.roles
        for arn in named_roles(role.trust) & arns.keys()
    )


def shared(live: Snapshot, part: Snapshot) -> list[str]:
    """Which policies of a stack are used outside of it, a line each."""
    things = {("group", name) for name in part.groups} | {("role", name) for name in part.roles}
    return sorted(
        f"{arn} ({one.kind} {one.name} uses it)"
        for arn in part.own_policies
        for one in live.uses(arn)
        if (one.kind, one.name) not in things
    )


def earlier(stack: str, plans: Sequence[Plan]) -> Plan | None:
    """The newest of these plans, oldest first, that leads to that stack and takes another away."""
    return next((plan for plan in reversed(plans) if _leads_to(plan, stack)), None)


def took_over(stack: str, plans: Sequence[Plan], live: Snapshot) -> bool:
    """Whether the stack that the newest of these plans, oldest first, took away for that one is gone, whatever has its
    names by now; not if a later one took that one away again, or brought another.
    """
    for plan in reversed(plans):
        if _leads_to(plan, stack):
            return _is_gone(plan, live)
        if _is_gone(plan, live) and any(_ends(one, stack, live) for one in plan.operations):
            return False
    return False


def brought(plans: Sequence[Plan], live: Snapshot) -> CreateStack | None:
    """The stack that the newest of these plans, oldest first, has brought, with what it takes away gone; if any has."""
    made = (one for plan in reversed(plans) if _is_gone(plan, live) for one in plan.operations)
    return next((one for one in made if isinstance(one, CreateStack) and _stands(one, live)), None)


def _stands(stack: CreateStack, live: Snapshot) -> bool:
    """Whether all of it is there, and no tag says that it is another stack's: two tiers share most of their names."""
    keepers = {live.roles[one.name].keeper for one in stack.roles if one.name in live.roles}
    return stack.is_done(live) and keepers <= {"", f"stack {stack.stack}"}


def _leads_to(plan: Plan, stack: str) -> bool:
    kinds = {type(one): one.stack for one in waits_for(plan.operations)}
    return kinds.get(CreateStack) == stack and DeleteStack in kinds


def _ends(operation: Operation, stack: str, live: Snapshot) -> bool:
    """Whether the stack is not there after it: it is deleted, or another stands."""
    if isinstance(operation, DeleteStack):
        return operation.stack == stack
    return isinstance(operation, CreateStack) and operation.stack != stack and _stands(operation, live)


def _is_gone(plan: Plan, live: Snapshot) -> bool:
    """Whether what the plan takes away is gone, by its unique ids."""
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
