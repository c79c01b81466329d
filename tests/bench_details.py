"""A generated account as `aws iam get-account-authorization-details` prints it: what other tools read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secmigrate.iam import Document, Policy, Principal, Role, Seen, Snapshot, User


def details(snapshot: Snapshot) -> dict[str, list[dict[str, Any]]]:
    """The account as `aws iam get-account-authorization-details` prints it, documents as objects."""
    return {
        "UserDetailList": [_user(snapshot, one) for one in snapshot.users.values()],
        "GroupDetailList": [_principal(snapshot, one, "Group") for one in snapshot.groups.values()],
        "RoleDetailList": [_role(snapshot, one) for one in snapshot.roles.values()],
        "Policies": [_policy(one) for one in snapshot.policies.values()],
    }


def write_details(snapshot: Snapshot, path: Path) -> Path:
    """The same in a file."""
    path.write_text(json.dumps(details(snapshot)))
    return path


def _principal(snapshot: Snapshot, one: Principal, kind: str) -> dict[str, Any]:
    return {
        **_common(snapshot.arn(one), one.path, kind, one.name, one.seen),
        f"{kind}PolicyList": [_named(name, document) for name, document in one.inline.items()],
        "AttachedManagedPolicies": [{"PolicyName": arn.rsplit("/", 1)[1], "PolicyArn": arn} for arn in one.attached],
    }


def _common(arn: str, path: str, kind: str, name: str, seen: Seen) -> dict[str, Any]:
    made = {"CreateDate": seen.created} if seen.created else {}
    return {"Path": path, f"{kind}Name": name, f"{kind}Id": seen.id or arn, "Arn": arn, **made}


def _named(name: str, document: Document) -> dict[str, Any]:
    return {"PolicyName": name, "PolicyDocument": document.value}


def _user(snapshot: Snapshot, user: User) -> dict[str, Any]:
    return {**_principal(snapshot, user, "User"), "GroupList": list(user.groups), **_extras(user.boundary, user.tags)}


def _role(snapshot: Snapshot, role: Role) -> dict[str, Any]:
    profiles = [one for one in snapshot.instance_profiles.values() if role.name in one.roles]
    return {
        **_principal(snapshot, role, "Role"),
        "AssumeRolePolicyDocument": role.trust.value,
        "InstanceProfileList": [
            {
                **_common(snapshot.arn(one), one.path, "InstanceProfile", one.name, one.seen),
                "Roles": [{"RoleName": role.name}],
            }
            for one in profiles
        ],
        "RoleLastUsed": {"LastUsedDate": role.seen.last_used} if role.seen.last_used else {},
        **_extras(role.boundary, role.tags),
    }


def _extras(boundary: str, tags: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    if boundary:
        shown["PermissionsBoundary"] = {
            "PermissionsBoundaryType": "PermissionsBoundaryPolicy",
            "PermissionsBoundaryArn": boundary,
        }
    return shown


def _policy(policy: Policy) -> dict[str, Any]:
    version = policy.version.id or "v1"
    return {
        **_common(policy.arn, policy.path, "Policy", policy.name, policy.seen),
        "DefaultVersionId": version,
        "IsAttachable": True,
        "PolicyVersionList": [{"VersionId": version, "IsDefaultVersion": True, "Document": policy.document.value}],
    }
