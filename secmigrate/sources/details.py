"""Authorization details, as `GetAccountAuthorizationDetails` gives them, into entities."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from msgspec import structs

from secmigrate.iam import (
    Document,
    Gap,
    Group,
    InstanceProfile,
    Policy,
    Role,
    Seen,
    Snapshot,
    User,
    Version,
    is_aws_policy,
    keyed,
)
from secmigrate.sources.uniting import FURTHER, LISTS, NO_TRUST, NOT_IN_FILE, UNTOLD

Row = Mapping[str, Any]
_ARN = re.compile(r"^arn:(aws[a-z-]*):iam::([0-9]{12}):")
# How the API, and the AWS CLI with --max-items, say that there is more.
_TRUNCATED = ("IsTruncated", "NextToken")


def account(found: Mapping[str, Any]) -> Snapshot:
    """What one file of authorization details, perhaps one page of several, tells of the account. What it names and does
    not hold is a gap. Raises ValueError, KeyError, … for what AWS would not have written.
    """
    rows = {key: found.get(key) or [] for key in LISTS}
    roles = [row for row in rows["RoleDetailList"] if "AssumeRolePolicyDocument" in row]
    partition, number = _owner(rows)
    snapshot = Snapshot(
        account=number,
        partition=partition,
        users=keyed(user(row) for row in rows["UserDetailList"]),
        groups=keyed(group(row) for row in rows["GroupDetailList"]),
        roles=keyed(role(row, {}) for row in roles),
        policies=keyed(policy(row, {}) for row in rows["Policies"]),
        instance_profiles={profile.name: profile for profile in instance_profiles(roles, {})},
    )
    gaps = {
        UNTOLD,
        *(Gap(key, NOT_IN_FILE) for key in LISTS if found.get(key) is None),
        *(Gap(FURTHER, f"the file says {key}") for key in _TRUNCATED if found.get(key)),
        *(
            Gap(f"role {row.get('RoleName') or row.get('Arn', '?')}", NO_TRUST)
            for row in rows["RoleDetailList"]
            if "AssumeRolePolicyDocument" not in row
        ),
        *(Gap(what, NOT_IN_FILE) for what in _only_named(snapshot)),
    }
    return structs.replace(snapshot, incomplete=tuple(sorted(gaps)))


def _only_named(snapshot: Snapshot) -> Iterator[str]:
    """Groups that somebody is in, and policies that somebody has, which the file does not hold: a filter writes empty
    lists.
    """
    yield from (f"group {name}" for name in snapshot.memberships.keys() - snapshot.groups.keys())
    used = {arn for one in snapshot.principals() for arn in (*one.attached, getattr(one, "boundary", "")) if arn}
    yield from (f"policy {arn}" for arn in used - snapshot.policies.keys() if not is_aws_policy(arn))


def _owner(rows: Mapping[str, list[Any]]) -> tuple[str, str]:
    for key in LISTS:
        for row in rows[key]:
            if match := _ARN.match(row.get("Arn", "")):
                return match.group(1), match.group(2)
    raise ValueError("no ARN in it names the account")


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
