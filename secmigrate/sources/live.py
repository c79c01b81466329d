"""The account itself, through its IAM API, at the minimum of calls.

Pages of 1,000: authorization details (users, groups, roles, customer-managed policies), `ListRoles` (description and
session length), `ListInstanceProfiles` (those that hold no role). Pages of 100: the tags of policies and instance
profiles, which only the tagging service gives without a call for each. One `ListPolicies` for AWS's own policies that
are attached, one for those that are only somebody's boundary: a version of them never changes, so a call is made only
for versions that the shipped catalogue does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import structs

from secmigrate.errors import AwsRefused, AwsSilent
from secmigrate.iam import Gap, InstanceProfile, Policy, Seen, Snapshot, is_aws_policy, keyed
from secmigrate.sources import details

if TYPE_CHECKING:
    from secmigrate.aws import Aws

FILTER = ["User", "Role", "Group", "LocalManagedPolicy"]
Progress = Callable[[str, int], None]  # what is being read, how many so far


def read_live(aws: Aws, known: Mapping[str, Policy], progress: Progress = lambda what, n: None) -> Snapshot:
    """The account's snapshot. What cannot be read becomes `incomplete`, never an empty list.

    `known` are AWS's own policies of the shipped catalogue. Raises Failed only if the account itself cannot be told.
    """
    account, arn = aws.identity()
    partition = arn.split(":")[1]
    gaps: list[Gap] = []
    rows = _details(aws, gaps, progress)
    listed = {row["RoleName"]: row for row in _list(aws, "ListRoles", "Roles", gaps, progress)}
    profiles = _list(aws, "ListInstanceProfiles", "InstanceProfiles", gaps, progress)
    tags = _tags(aws, gaps)
    roles = [details.role(row, listed.get(row["RoleName"], {})) for row in rows["RoleDetailList"]]
    gaps += [Gap(f"role {role.name}", "ListRoles did not have it") for role in roles if role.name not in listed]
    snapshot = Snapshot(
        account=account,
        partition=partition,
        users=keyed(details.user(row) for row in rows["UserDetailList"]),
        groups=keyed(details.group(row) for row in rows["GroupDetailList"]),
        roles=keyed(roles),
        policies=keyed(details.policy(row, tags.get(row["Arn"], {})) for row in rows["Policies"]),
        instance_profiles=_profiles(profiles, tags),
    )
    return _finished(aws, snapshot, known, gaps)


def _details(aws: Aws, gaps: list[Gap], progress: Progress) -> Mapping[str, list[Any]]:
    rows: dict[str, list[Any]] = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}
    try:
        for page in aws.pages("GetAccountAuthorizationDetails", Filter=FILTER):
            for key, found in rows.items():
                found.extend(page.get(key, ()))
            progress("users, groups, roles, policies", sum(map(len, rows.values())))
    except (AwsRefused, AwsSilent) as error:
        gaps.append(Gap("iam:GetAccountAuthorizationDetails", error.message))
    return rows


def _list(aws: Aws, method: str, key: str, gaps: list[Gap], progress: Progress) -> list[Any]:
    rows: list[Any] = []
    try:
        for page in aws.pages(method):
            rows += page[key]
            progress(method, len(rows))
    except (AwsRefused, AwsSilent) as error:
        gaps.append(Gap(f"iam:{method}", error.message))
    return rows


def _tags(aws: Aws, gaps: list[Gap]) -> Mapping[str, Mapping[str, str]]:
    try:
        return dict(aws.tagged("iam:policy", "iam:instance-profile"))
    except (AwsRefused, AwsSilent) as error:
        gaps.append(Gap("tag:GetResources", error.message))
        return {}


def _profiles(rows: list[Any], tags: Mapping[str, Mapping[str, str]]) -> dict[str, InstanceProfile]:
    return keyed(details.instance_profile(row, tags) for row in rows)


def _finished(aws: Aws, snapshot: Snapshot, known: Mapping[str, Policy], gaps: list[Gap]) -> Snapshot:
    """With the documents of AWS's own policies where something uses them."""
    attached, bounding = _used(snapshot)
    found: list[Policy] = []
    try:
        versions = _versions(aws, OnlyAttached=True) if attached else {}
        if bounding:
            versions |= _versions(aws, PolicyUsageFilter="PermissionsBoundary")
        for arn in sorted(attached | bounding):
            version = versions.get(arn) or str(aws.read("GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"])
            found.append(_aws_policy(aws, arn, version, known.get(arn)))
    except (AwsRefused, AwsSilent) as error:
        gaps.append(Gap(error.where, error.message))
    policies = {**snapshot.policies, **{policy.arn: policy for policy in found}}
    return structs.replace(snapshot, policies=policies, incomplete=tuple(sorted(gaps)))


def _used(snapshot: Snapshot) -> tuple[set[str], set[str]]:
    """AWS's own policies that something has attached, and those that are nothing but boundaries."""
    every = list(snapshot.principals())
    attached = {arn for one in every for arn in one.attached if is_aws_policy(arn)}
    boundaries = {getattr(one, "boundary", "") for one in every}
    return attached, {arn for arn in boundaries if is_aws_policy(arn)} - attached


def _versions(aws: Aws, **which: Any) -> dict[str, str]:
    """Default versions of AWS's own policies, of those asked for or of more."""
    pages = aws.pages("ListPolicies", Scope="AWS", **which)
    return {row["Arn"]: row["DefaultVersionId"] for page in pages for row in page["Policies"]}


def _aws_policy(aws: Aws, arn: str, version: str, known: Policy | None) -> Policy:
    if known is not None and known.version.id == version:
        return known
    answer = aws.read("GetPolicyVersion", PolicyArn=arn, VersionId=version)
    return Policy(arn=arn, document=details.document(answer["PolicyVersion"]["Document"]), version=Seen(id=version))
