"""IAM's quotas: what they are called in errors and in `GetAccountSummary`, their defaults, how far they can be raised.

Source: AWS, *IAM and STS quotas*; the names in errors ("Cannot exceed quota for GroupsPerUser: 10") from field reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from secmigrate.iam import Document
from secmigrate.twin.account import Account
from secmigrate.twin.entities import Principal


class Quota(NamedTuple):
    """One quota. `summary` is its key in GetAccountSummary, empty where that call does not tell it."""

    summary: str
    default: int
    most: int  # as far as AWS raises it on request


QUOTAS: Mapping[str, Quota] = {
    "UsersPerAccount": Quota("UsersQuota", 5000, 5000),
    "GroupsPerAccount": Quota("GroupsQuota", 300, 500),
    "RolesPerAccount": Quota("RolesQuota", 1000, 10000),
    "PoliciesPerAccount": Quota("PoliciesQuota", 1500, 10000),
    "InstanceProfilesPerAccount": Quota("InstanceProfilesQuota", 1000, 10000),
    "GroupsPerUser": Quota("GroupsPerUserQuota", 10, 10),
    "PoliciesPerUser": Quota("AttachedPoliciesPerUserQuota", 10, 20),
    "PoliciesPerGroup": Quota("AttachedPoliciesPerGroupQuota", 10, 10),
    "PoliciesPerRole": Quota("AttachedPoliciesPerRoleQuota", 10, 25),
    "UserPolicySize": Quota("UserPolicySizeQuota", 2048, 2048),
    "GroupPolicySize": Quota("GroupPolicySizeQuota", 5120, 5120),
    "RolePolicySize": Quota("RolePolicySizeQuota", 10240, 10240),
    "ACLSizePerRole": Quota("AssumeRolePolicySizeQuota", 2048, 8192),
    "PolicySize": Quota("PolicySizeQuota", 6144, 6144),
    "VersionsPerPolicy": Quota("VersionsPerPolicyQuota", 5, 5),
    "PolicyVersionsInUse": Quota("PolicyVersionsInUseQuota", 10000, 10000),
    "InstanceSessionsPerInstanceProfile": Quota("", 1, 1),
    "TagsPerEntity": Quota("", 50, 50),
}


def used(account: Account) -> dict[str, int]:
    """How much of each quota the account uses; for those that count per entity, what the fullest entity uses."""

    def most(numbers: Iterable[int]) -> int:
        return max(numbers, default=0)

    kinds: dict[str, Iterable[Principal]] = {
        "User": account.each_user(),
        "Group": account.each_group(),
        "Role": account.each_role(),
    }
    return {
        "UsersPerAccount": len(account.users),
        "GroupsPerAccount": len(account.groups),
        "RolesPerAccount": len(account.roles),
        "PoliciesPerAccount": sum(1 for _ in account.own_policies()),
        "InstanceProfilesPerAccount": len(account.instance_profiles),
        "GroupsPerUser": most(map(len, account.memberships().values())),
        **{f"PoliciesPer{kind}": most(len(one.managed_policies) for one in ones) for kind, ones in kinds.items()},
        "ACLSizePerRole": most(size(role.assume_role_policy_document) for role in account.each_role()),
        "PolicyVersionsInUse": sum(len(policy.versions) for policy in account.own_policies()),
    }


def limits(account: Account) -> dict[str, int]:
    """The quotas in force: the defaults, or where the account is already beyond one, as far as AWS raises it."""
    there = used(account)
    return {
        name: quota.default if there.get(name, 0) <= quota.default else quota.most for name, quota in QUOTAS.items()
    }


def size(document: str) -> int:
    """A policy's length as the quotas count it, without white space."""
    return Document.parse(document).size
