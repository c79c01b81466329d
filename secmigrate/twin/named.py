"""Finding what a call names: the thing behind `UserName`, `GroupName`, `RoleName`, `PolicyArn`, `InstanceProfileName`.

All raise NoSuchEntity if it is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from secmigrate.twin.account import Account
from secmigrate.twin.entities import Group, InstanceProfile, ManagedPolicy, Principal, Role, User

Params = Mapping[str, Any]
FindPrincipal = Callable[[Account, Params], Principal]


def user(account: Account, params: Params) -> User:
    """The user behind `UserName`."""
    return account.user(params["UserName"])


def group(account: Account, params: Params) -> Group:
    """The group behind `GroupName`."""
    return account.group(params["GroupName"])


def role(account: Account, params: Params) -> Role:
    """The role behind `RoleName`."""
    return account.role(params["RoleName"])


def policy(account: Account, params: Params) -> ManagedPolicy:
    """The managed policy behind `PolicyArn`."""
    return account.policy(params["PolicyArn"])


def profile(account: Account, params: Params) -> InstanceProfile:
    """The instance profile behind `InstanceProfileName`."""
    return account.profile(params["InstanceProfileName"])


PARAMS: Mapping[str, Callable[[Account, Params], object]] = {
    "UserName": user,
    "GroupName": group,
    "RoleName": role,
    "PolicyArn": policy,
    "InstanceProfileName": profile,
}
PRINCIPALS: Mapping[str, FindPrincipal] = {"User": user, "Group": group, "Role": role}
# What can be tagged, and whether the case of its tags' keys makes no difference.
# Source: AWS, *Tags for IAM resources*, "Case sensitivity".
TAGGED: Mapping[str, tuple[Callable[[Account, Params], Any], bool]] = {
    "User": (user, True),
    "Role": (role, True),
    "Policy": (policy, False),
    "InstanceProfile": (profile, False),
}
