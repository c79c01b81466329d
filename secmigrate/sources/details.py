"""Authorization details, as `GetAccountAuthorizationDetails` gives them, into entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from secmigrate.iam import Document, Group, InstanceProfile, Policy, Role, Seen, User, Version

Row = Mapping[str, Any]


def user(row: Row) -> User:
    """A row of `UserDetailList`."""
    return User(
        name=row["UserName"],
        path=row.get("Path", "/"),
        inline=_inline(row.get("UserPolicyList", ())),
        attached=_attached(row),
        groups=tuple(row.get("GroupList", ())),
        boundary=_boundary(row),
        tags=_tags(row),
        seen=_seen(row, "UserId"),
    )


def group(row: Row) -> Group:
    """A row of `GroupDetailList`."""
    return Group(
        name=row["GroupName"],
        path=row.get("Path", "/"),
        inline=_inline(row.get("GroupPolicyList", ())),
        attached=_attached(row),
        seen=_seen(row, "GroupId"),
    )


def role(row: Row, listed: Row) -> Role:
    """A row of `RoleDetailList`, with the role's row of `ListRoles` for what the details lack."""
    used = row.get("RoleLastUsed", {}).get("LastUsedDate")
    return Role(
        name=row["RoleName"],
        path=row.get("Path", "/"),
        trust=document(row["AssumeRolePolicyDocument"]),
        description=listed.get("Description", ""),
        max_session=listed.get("MaxSessionDuration", 3600),
        inline=_inline(row.get("RolePolicyList", ())),
        attached=_attached(row),
        boundary=_boundary(row),
        tags=_tags(row),
        seen=_seen(row, "RoleId", last_used=_time(used)),
    )


def policy(row: Row, tags: Mapping[str, str]) -> Policy:
    """A row of `Policies`, with the tags that the details lack. Of AWS's own only the default version is kept."""
    versions = {
        one["VersionId"]: Version(
            document=document(one["Document"]), seen=Seen(id=one["VersionId"], created=_time(one.get("CreateDate")))
        )
        for one in row["PolicyVersionList"]
    }
    default = versions.pop(row["DefaultVersionId"])
    own = row["Arn"].split(":")[4] != "aws"
    return Policy(
        arn=row["Arn"],
        document=default.document,
        older=tuple(versions.values()) if own else (),
        description=row.get("Description", ""),
        tags=tags,
        version=default.seen,
        seen=_seen(row, "PolicyId"),
    )


def instance_profiles(roles: Iterable[Row], tags: Mapping[str, Mapping[str, str]]) -> Iterable[InstanceProfile]:
    """The profiles that hold a role, as the role rows tell of them; empty ones are seen only by listing."""
    for row in roles:
        for found in row.get("InstanceProfileList", ()):
            yield instance_profile(found, tags)


def instance_profile(row: Row, tags: Mapping[str, Mapping[str, str]]) -> InstanceProfile:
    """A row of `ListInstanceProfiles` or of a role's `InstanceProfileList`."""
    return InstanceProfile(
        name=row["InstanceProfileName"],
        path=row.get("Path", "/"),
        roles=tuple(held["RoleName"] for held in row.get("Roles", ())),
        tags=tags.get(row["Arn"], {}),
        seen=_seen(row, "InstanceProfileId"),
    )


def document(found: object) -> Document:
    """A document as boto3 and the AWS CLI give it (an object) or as the API does (URL-encoded, RFC 3986)."""
    return Document.parse(unquote(found)) if isinstance(found, str) else Document(found)


def _inline(rows: Iterable[Row]) -> dict[str, Document]:
    return {row["PolicyName"]: document(row["PolicyDocument"]) for row in rows}


def _attached(row: Row) -> tuple[str, ...]:
    return tuple(found["PolicyArn"] for found in row.get("AttachedManagedPolicies", ()))


def _boundary(row: Row) -> str:
    return str(row.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))


def _tags(row: Row) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in row.get("Tags", ())}


def _seen(row: Row, key: str, last_used: str = "") -> Seen:
    return Seen(id=row.get(key, ""), created=_time(row.get("CreateDate")), last_used=last_used)


def _time(found: object) -> str:
    """ISO 8601 in UTC to the second, from boto3's datetime or the CLI's text."""
    if isinstance(found, datetime):
        return found.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(found or "").replace("+00:00", "Z")
