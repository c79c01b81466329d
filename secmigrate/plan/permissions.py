"""What the caller of a plan needs, as a policy of least privilege, and whether the plan would take it away on its way.

Source: AWS, *Actions, resources, and condition keys for AWS Identity and Access Management*.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from secmigrate.access import ActionCatalogue, Grants
from secmigrate.dangers import Danger, some
from secmigrate.iam import Document, Principal, Snapshot, User
from secmigrate.operations import (
    AddRoleToInstanceProfile,
    AddUserToGroup,
    CreateInstanceProfile,
    CreatePolicy,
    CreateRole,
    Operation,
    RemoveUserFromGroup,
    RenameGroup,
)
from secmigrate.plan.fold import Plan, fold

MANAGED_SIZE = 6144  # characters of a managed policy (iam-rules, "Quotas")
READING = (
    "iam:GetAccountAuthorizationDetails",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:ListInstanceProfiles",
    "iam:ListPolicies",
    "iam:ListRoles",
    "tag:GetResources",
)
READING_STACKS = ("cloudformation:ListImports", "cloudformation:ListStackResources")


def reading_policy() -> Document:
    """All that an inventory needs; the stacks, only to tell which thing of a template is which in the account."""
    return _document([_statement("Read", READING, ["*"]), _statement("ReadStacks", READING_STACKS, ["*"])])


def reading_many_policy(role: str, partition: str = "aws") -> Document:
    """What whoever reads many accounts needs besides: to assume the role of that name in each, which has the reading
    policy there, and for `--organization` to list them.
    """
    assuming = _statement("Assume", ["sts:AssumeRole"], [f"arn:{partition}:iam::*:role/{role}"])
    return _document([assuming, _statement("List", ["organizations:ListAccounts"], ["*"])])


def policy_of(plan: Plan, live: Snapshot) -> Document:
    """What carrying out the plan needs, reading the account included; `live` is what the plan was made from.

    Where naming every resource would be too long for one managed policy, long lists become `…:group/*`.
    """
    needed: dict[str, set[str]] = {}
    for operation, before, after in fold(live, plan.operations):
        if not operation.ours:
            continue
        for action, resource in _needs(operation, before, after):
            needed.setdefault(action, set()).add(resource)
    found = _written(needed)
    return found if found.size <= MANAGED_SIZE else _written({key: _widened(value) for key, value in needed.items()})


def caller_dangers(plan: Plan, live: Snapshot, caller: str, catalogue: ActionCatalogue) -> tuple[Danger, ...]:
    """`lacks-permission`, if the caller (an ARN) may not make some of the plan's calls, and `locks-you-out`, if it may
    no longer make some of them, or undo them, once a part of the plan is carried out.

    By action, not by resource. A caller that is not in the snapshot (root, another account) is taken at its word.
    """
    who = _caller(live, caller)
    if who is None or not plan.operations:
        return ()
    # Of each state no more is kept than this: all of them together would be many times as large as the account.
    states = chain([live], (after for _, _, after in fold(live, plan.operations)))
    held = list(dict.fromkeys(_documents(who, state) for state in states))
    grants = Grants(catalogue, [document for some_ in held for document in some_], live.partition)
    every = {document: grants.allowed(document) & _within(who, live, grants) for document in held}
    ours = [operation for operation in plan.operations if operation.ours]
    forth = grants.catalogue.bits_of(operation.call().permission for operation in ours)
    back = grants.catalogue.bits_of(operation.undo().call().permission for operation in ours)
    lacking = forth & ~every[held[0]]
    lost = (forth | back) & every[held[0]]
    for document in held[1:]:
        lost &= every[document]
    gone = (forth | back) & every[held[0]] & ~lost
    names = [action.name for action in grants.catalogue.named(lacking)]
    taken = [f"{caller} ({action.name})" for action in grants.catalogue.named(gone)]
    return (*some("lacks-permission", names), *some("locks-you-out", taken))


def _needs(operation: Operation, before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str]]:
    """Each action that the call needs, and on what."""
    kind, name = operation.subject
    if isinstance(operation, AddUserToGroup | RemoveUserFromGroup):
        kind, name = "group", operation.group
    resource = _arn(kind, name, before, after)
    yield operation.call().permission, resource
    match operation:
        case AddRoleToInstanceProfile(role=role):
            yield "iam:PassRole", _arn("role", role, before, after)
        case RenameGroup(to=new):
            yield "iam:UpdateGroup", _arn("group", new, before, after)
        case CreateRole() | CreatePolicy() | CreateInstanceProfile() if "Tags" in operation.call().params:
            yield operation.call().permission.replace("Create", "Tag"), resource


def _arn(kind: str, name: str, before: Snapshot, after: Snapshot) -> str:
    if kind == "policy":
        return name
    room = {"user": "users", "group": "groups", "role": "roles"}.get(kind, "instance_profiles")
    found = getattr(before, room).get(name) or getattr(after, room)[name]
    return before.arn(found)


def _widened(resources: Iterable[str]) -> set[str]:
    """Any group, role, … in place of many of them."""
    listed = sorted(resources)
    return {one.split("/", 1)[0] + "/*" for one in listed} if len(listed) > 1 else set(listed)


def _written(needed: dict[str, set[str]]) -> Document:
    """One statement for actions on the same resources."""
    together: dict[tuple[str, ...], list[str]] = {}
    for action, resources in sorted(needed.items()):
        together.setdefault(tuple(sorted(resources)), []).append(action)
    rows = [_statement(f"Change{n}", actions, resources) for n, (resources, actions) in enumerate(together.items(), 1)]
    return _document([_statement("Read", READING, ["*"]), *rows])


def _statement(sid: str, actions: Iterable[str], resources: Iterable[str]) -> dict[str, object]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _document(rows: list[dict[str, object]]) -> Document:
    return Document({"Version": "2012-10-17", "Statement": rows})


def _caller(live: Snapshot, arn: str) -> Principal | None:
    """The user or role of the account that an ARN of STS means."""
    _, _, service, _, account, what = [*arn.split(":", 5), "", "", "", "", "", ""][:6]
    kind, _, rest = what.partition("/")
    if account != live.account:
        return None
    if service == "sts" and kind == "assumed-role":
        return live.roles.get(rest.split("/", 1)[0])
    return live.users.get(rest.rsplit("/", 1)[-1]) if kind == "user" else None


def _documents(who: Principal, state: Snapshot) -> tuple[Document, ...]:
    """Its permissions policies at that moment; none once it is gone."""
    now = state.principal(who.kind, who.name)
    if now is None:
        return ()
    holders = [now, *(state.groups[name] for name in now.groups)] if isinstance(now, User) else [now]
    return tuple(
        document
        for one in holders
        for document in (
            *one.inline.values(),
            *(state.policies[arn].document for arn in one.attached if arn in state.policies),
        )
    )


def _within(who: Principal, live: Snapshot, grants: Grants) -> int:
    """What its permissions boundary leaves."""
    boundary = live.policies.get(getattr(who, "boundary", ""))
    return grants.allowed((boundary.document,)) if boundary else grants.catalogue.everything
