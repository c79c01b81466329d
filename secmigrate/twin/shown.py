"""How IAM shows a thing in its answers. What it leaves out of lists is left out here too.

Sources: botocore's service model; AWS API reference, *ListUsers*, *ListRoles* and *ListPolicies* ("this operation does
not return the following attributes").
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from moto.iam.models import PolicyVersion

from secmigrate.twin.account import Account
from secmigrate.twin.entities import Group, InstanceProfile, ManagedPolicy, Principal, Role, User

Shown = dict[str, Any]


def encoded(document: str) -> str:
    """A policy document as it travels in answers: URL-encoded after RFC 3986."""
    return quote(document, safe="")


def tags(labels: dict[str, str]) -> list[Shown]:
    """Tags, sorted by key."""
    return [{"Key": key, "Value": labels[key]} for key in sorted(labels)]


def boundary(arn: str | None) -> Shown | None:
    """A permissions boundary; nothing if there is none."""
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn} if arn else None


def _common(thing: Principal | InstanceProfile) -> Shown:
    return {"Path": thing.path, "Arn": thing.arn, "CreateDate": thing.create_date}


def user_row(user: User) -> Shown:
    """A user as in ListUsers and GetGroup: without boundary and tags."""
    return {**_common(user), "UserName": user.name, "UserId": user.id, "PasswordLastUsed": user.password_last_used}


def user(user: User) -> Shown:
    """A user as in GetUser."""
    return {
        **user_row(user),
        "PermissionsBoundary": boundary(user.permissions_boundary_arn),
        "Tags": tags(user.labels) or None,
    }


def group(group: Group) -> Shown:
    """A group, the same everywhere."""
    return {**_common(group), "GroupName": group.name, "GroupId": group.id}


def role_row(role: Role) -> Shown:
    """A role as in ListRoles: without boundary, tags and last use."""
    return {
        **_common(role),
        "RoleName": role.name,
        "RoleId": role.id,
        "AssumeRolePolicyDocument": encoded(role.assume_role_policy_document),
        "Description": role.description or None,
        "MaxSessionDuration": role.max_session_duration,
    }


def last_used(role: Role) -> Shown:
    """When a role was last used; empty says nothing."""
    return {"LastUsedDate": role.last_used, "Region": "us-east-1"} if role.last_used else {}


def role(role: Role) -> Shown:
    """A role as in GetRole."""
    return {
        **role_row(role),
        "PermissionsBoundary": boundary(role.permissions_boundary_arn),
        "Tags": tags(role.labels) or None,
        "RoleLastUsed": last_used(role),
    }


def profile_row(profile: InstanceProfile) -> Shown:
    """An instance profile as in lists: without its tags."""
    return {
        **_common(profile),
        "InstanceProfileName": profile.name,
        "InstanceProfileId": profile.id,
        "Roles": [role_row(one) for one in profile.roles if isinstance(one, Role)],
    }


def profile(profile: InstanceProfile) -> Shown:
    """An instance profile as in GetInstanceProfile."""
    return {**profile_row(profile), "Tags": tags(profile.labels) or None}


def policy_row(policy: ManagedPolicy, attached: int, bounding: int) -> Shown:
    """A managed policy as in ListPolicies: without description and tags."""
    return {
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": policy.default_version_id,
        "AttachmentCount": attached,
        "PermissionsBoundaryUsageCount": bounding,
        "IsAttachable": True,
        "CreateDate": policy.create_date,
        "UpdateDate": policy.update_date,
    }


def policy(policy: ManagedPolicy, attached: int, bounding: int) -> Shown:
    """A managed policy as in GetPolicy."""
    return {
        **policy_row(policy, attached, bounding),
        "Description": policy.description or None,
        "Tags": tags(policy.labels) or None,
    }


def version_row(version: PolicyVersion) -> Shown:
    """A policy version as in ListPolicyVersions: without its document."""
    return {
        "VersionId": version.version_id,
        "IsDefaultVersion": version.is_default,
        "CreateDate": version.create_date,
    }


def version(version: PolicyVersion) -> Shown:
    """A policy version as in GetPolicyVersion."""
    return {**version_row(version), "Document": encoded(version.document)}


def attached(policy: ManagedPolicy) -> Shown:
    """A managed policy as in the lists of what is attached to somebody."""
    return {"PolicyName": policy.name, "PolicyArn": policy.arn}


# GetAccountAuthorizationDetails ------------------------------------------------------------------------------------


def _details(principal: Principal, policy_list: str) -> Shown:
    return {
        "AttachedManagedPolicies": [
            attached(principal.managed_policies[arn])  # type: ignore[arg-type]
            for arn in sorted(principal.managed_policies)
        ],
        policy_list: [
            {"PolicyName": name, "PolicyDocument": encoded(principal.policies[name])}
            for name in sorted(principal.policies)
        ],
    }


def user_details(user_: User, groups: list[Group]) -> Shown:
    """A user with policies and groups."""
    return {**user(user_), **_details(user_, "UserPolicyList"), "GroupList": [group.name for group in groups]}


def group_details(group_: Group) -> Shown:
    """A group with its policies, but without its members, which this call does not tell."""
    return {**group(group_), **_details(group_, "GroupPolicyList")}


def role_details(role_: Role, account: Account) -> Shown:
    """A role with everything; that this call does not tell description and longest session, the model sees to."""
    return {
        **role(role_),
        **_details(role_, "RolePolicyList"),
        "InstanceProfileList": [profile_row(one) for one in account.profiles_of(role_)],
    }


def policy_details(policy_: ManagedPolicy, attached: int, bounding: int) -> Shown:
    """A managed policy with all its versions; that this call does not tell its tags, the model sees to."""
    shown = policy(policy_, attached, bounding)
    return {**shown, "PolicyVersionList": [version(one) for one in reversed(policy_.versions)]}
