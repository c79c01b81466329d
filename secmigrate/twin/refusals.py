"""What AWS refuses and moto does: for every call the checks that it passes before moto sees it.

The order is AWS's as far as field reports tell it: the shape of the parameters (`shapes`), things that are not there,
things that must not be touched, names that are taken, documents, quotas, and what must be deleted first (`conflicts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from botocore.model import OperationModel

from secmigrate.twin import conflicts, documents, named, shapes
from secmigrate.twin.account import Account
from secmigrate.twin.entities import AWSPolicy
from secmigrate.twin.named import FindPrincipal, Params
from secmigrate.twin.quotas import size
from secmigrate.twin.refusal import Refusal

Check = Callable[[Account, Params], None]


def check(account: Account, operation: OperationModel, params: dict[str, Any]) -> None:
    """Raises what AWS would answer, if it would not do what is asked; otherwise does nothing."""
    action = operation.name
    shapes.check(operation, params)
    for param, find in named.PARAMS.items():
        if param in params and (action, param) not in _NEW:
            find(account, params)
    if any(error.name == "UnmodifiableEntityException" for error in operation.error_shapes):
        _unprotected(account, params)
    for one in CHECKS.get(action, ()):
        one(account, params)
    conflicts.check(account, action, params)


# Things that are not there -----------------------------------------------------------------------------------------

_NEW = {
    ("CreateUser", "UserName"),
    ("CreateGroup", "GroupName"),
    ("CreateRole", "RoleName"),
    ("CreateInstanceProfile", "InstanceProfileName"),
    # These say in other words that a policy is not there.
    ("AttachUserPolicy", "PolicyArn"),
    ("AttachGroupPolicy", "PolicyArn"),
    ("AttachRolePolicy", "PolicyArn"),
}


def _attachable(param: str) -> Check:
    def check(account: Account, params: Params) -> None:
        if param in params and params[param] not in account.managed_policies:
            scope = "Scope ARN: " if param == "PermissionsBoundary" else "Policy "
            raise Refusal("NoSuchEntity", f"{scope}{params[param]} does not exist or is not attachable.")

    return check


def _for_customers(account: Account, params: Params) -> None:
    """AWS keeps the policies of service-linked roles for those."""
    if isinstance(policy := named.policy(account, params), AWSPolicy) and policy.path == "/aws-service-role/":
        raise Refusal("PolicyNotAttachable", "Cannot attach a Service Role Policy to a Customer Role.")


# Things that must not be touched -----------------------------------------------------------------------------------


def _unprotected(account: Account, params: Params) -> None:
    """Refuses changes to the roles of AWS services and of Identity Center."""
    role = named.role(account, params)
    if role.path.startswith(("/aws-service-role/", "/aws-reserved/")):
        raise Refusal(
            "UnmodifiableEntity",
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only modifiable by AWS",
        )


def _own_policy(account: Account, params: Params) -> None:
    if isinstance(named.policy(account, params), AWSPolicy):
        raise Refusal("AccessDenied", "Policy is outside your own account.")


# Names that are taken ----------------------------------------------------------------------------------------------

_ROOMS: Mapping[str, tuple[str, Callable[[Account], Iterable[Any]]]] = {
    "User": ("User with name {} already exists.", Account.each_user),
    "Group": ("Group with name {} already exists.", Account.each_group),
    "Role": ("Role with name {} already exists.", Account.each_role),
    "InstanceProfile": ("Instance Profile {} already exists.", Account.each_profile),
    "Policy": ("A policy called {} already exists. Duplicate names are not allowed.", Account.own_policies),
}


def _free(kind: str, param: str) -> Check:
    """The name must be free ignoring case, for all paths, but a thing may keep its own name when it is renamed."""
    message, each = _ROOMS[kind]

    def check(account: Account, params: Params) -> None:
        name = params.get(param)
        if name is None:
            return
        # Whoever is renamed calls itself by the plain parameter.
        own = params.get(f"{kind}Name") if param.startswith("New") else None
        if any(one.name.lower() == name.lower() and one.name != own for one in each(account)):
            raise Refusal("EntityAlreadyExists", message.format(name))

    return check


# Documents ---------------------------------------------------------------------------------------------------------


def _inline_policy(_account: Account, params: Params) -> None:
    documents.check_inline_policy(params["PolicyDocument"])


def _managed_policy(_account: Account, params: Params) -> None:
    documents.check_managed_policy(params["PolicyDocument"])


def _trust_policy(param: str) -> Check:
    def check(account: Account, params: Params) -> None:
        documents.check_trust_policy(account, params[param])
        _fits(account, "ACLSizePerRole", size(params[param]))

    return check


# Quotas ------------------------------------------------------------------------------------------------------------


def _fits(account: Account, quota: str, number: int) -> None:
    if number > account.limits[quota]:
        raise Refusal("LimitExceeded", f"Cannot exceed quota for {quota}: {account.limits[quota]}")


def _room_for(quota: str, there: Callable[[Account, Params], int]) -> Check:
    """One more must fit beside those that are there."""
    return lambda account, params: _fits(account, quota, there(account, params) + 1)


def _counted(each: Callable[[Account], Iterable[object]]) -> Callable[[Account, Params], int]:
    return lambda account, _params: sum(1 for _ in each(account))


def _groups_per_user(account: Account, params: Params) -> None:
    user, group = named.user(account, params), named.group(account, params)
    if user not in group.users:
        _fits(account, "GroupsPerUser", len(account.groups_of(user)) + 1)


def _attachments(kind: str, find: FindPrincipal) -> Check:
    """A policy that is attached already takes no further room."""

    def check(account: Account, params: Params) -> None:
        attached = find(account, params).managed_policies
        if params["PolicyArn"] not in attached:
            _fits(account, f"PoliciesPer{kind}", len(attached) + 1)

    return check


def _inline_size(kind: str, find: FindPrincipal) -> Check:
    """All inline policies of one principal share one quota."""

    def check(account: Account, params: Params) -> None:
        principal, limit = find(account, params), account.limits[f"{kind}PolicySize"]
        after = {**principal.policies, params["PolicyName"]: params["PolicyDocument"]}
        if sum(map(size, after.values())) > limit:
            message = f"Maximum policy size of {limit} bytes exceeded for {kind.lower()} {principal.name}"
            raise Refusal("LimitExceeded", message)

    return check


def _policy_size(account: Account, params: Params) -> None:
    _fits(account, "PolicySize", size(params["PolicyDocument"]))


def _versions(account: Account, params: Params) -> None:
    limit = account.limits["VersionsPerPolicy"]
    if len(named.policy(account, params).versions) >= limit:
        raise Refusal(
            "LimitExceeded",
            f"A managed policy can have up to {limit} versions. Before you create a new version, you must delete an "
            "existing version.",
        )


def _one_role(account: Account, params: Params) -> None:
    _fits(account, "InstanceSessionsPerInstanceProfile", len(named.profile(account, params).roles) + 1)


# Tags --------------------------------------------------------------------------------------------------------------


def _tags(find: Callable[[Account, Params], Any] | None, *, folded: bool) -> Check:
    """Keys must differ, and fifty are enough. Users and roles ignore the case of keys, the others do not.

    Source: AWS, *Tags for IAM resources*, "Case sensitivity". `find` is None while the thing is being created.
    """

    def key(text: str) -> str:
        return text.lower() if folded else text

    def check(account: Account, params: Params) -> None:
        new = [key(tag["Key"]) for tag in params.get("Tags", ())]
        if len(set(new)) < len(new):
            raise Refusal("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        _not_reserved(tag["Key"] for tag in params.get("Tags", ()))
        there = {key(label) for label in find(account, params).labels} if find else set()
        _fits(account, "TagsPerEntity", len(there | set(new)))

    return check


def _not_reserved(keys: Iterable[str]) -> None:
    if any(key.lower().startswith("aws:") for key in keys):
        raise Refusal("InvalidInput", "aws: prefixed tag key names are not allowed for external use.")


def _foreign(kind: str) -> tuple[Check, ...]:
    return (_own_policy,) if kind == "Policy" else ()


def _untag(_account: Account, params: Params) -> None:
    _not_reserved(params["TagKeys"])


# The table ---------------------------------------------------------------------------------------------------------


CHECKS: Mapping[str, tuple[Check, ...]] = {
    "AddRoleToInstanceProfile": (_one_role,),
    "AddUserToGroup": (_groups_per_user,),
    "CreateGroup": (_free("Group", "GroupName"), _room_for("GroupsPerAccount", _counted(Account.each_group))),
    "CreateInstanceProfile": (
        _free("InstanceProfile", "InstanceProfileName"),
        _tags(None, folded=False),
        _room_for("InstanceProfilesPerAccount", _counted(Account.each_profile)),
    ),
    "CreatePolicy": (
        _free("Policy", "PolicyName"),
        _tags(None, folded=False),
        _managed_policy,
        _policy_size,
        _room_for("PoliciesPerAccount", _counted(Account.own_policies)),
    ),
    "CreatePolicyVersion": (_own_policy, _managed_policy, _policy_size, _versions),
    "CreateRole": (
        _free("Role", "RoleName"),
        _tags(None, folded=True),
        _attachable("PermissionsBoundary"),
        _trust_policy("AssumeRolePolicyDocument"),
        _room_for("RolesPerAccount", _counted(Account.each_role)),
    ),
    "CreateUser": (
        _free("User", "UserName"),
        _tags(None, folded=True),
        _attachable("PermissionsBoundary"),
        _room_for("UsersPerAccount", _counted(Account.each_user)),
    ),
    "DeletePolicy": (_own_policy,),
    "DeletePolicyVersion": (_own_policy,),
    "PutRolePermissionsBoundary": (_attachable("PermissionsBoundary"),),
    "PutUserPermissionsBoundary": (_attachable("PermissionsBoundary"),),
    "SetDefaultPolicyVersion": (_own_policy,),
    "UpdateAssumeRolePolicy": (_trust_policy("PolicyDocument"),),
    "UpdateGroup": (_free("Group", "NewGroupName"),),
    "UpdateUser": (_free("User", "NewUserName"),),
    **{
        f"Attach{kind}Policy": (_attachable("PolicyArn"), _for_customers, _attachments(kind, find))
        for kind, find in named.PRINCIPALS.items()
    },
    **{f"Put{kind}Policy": (_inline_policy, _inline_size(kind, find)) for kind, find in named.PRINCIPALS.items()},
    **{f"Tag{kind}": (*_foreign(kind), _tags(find, folded=folded)) for kind, (find, folded) in named.TAGGED.items()},
    **{f"Untag{kind}": (*_foreign(kind), _untag) for kind in named.TAGGED},
}
