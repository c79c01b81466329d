"""Files: our own snapshot, authorization details as the AWS CLI prints them, what Terraform knows (`terraform`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from secmigrate import iam
from secmigrate.documents import json_syntax, read_bytes, read_snapshot
from secmigrate.errors import BadInput
from secmigrate.handover import Resource
from secmigrate.iam import Gap, Snapshot, is_aws_policy, keyed
from secmigrate.sources import details
from secmigrate.sources.terraform import from_terraform, is_terraform, resources

_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
_HINT = (
    "a snapshot of ours, terraform.tfstate, the output of `terraform show -json`, or of "
    "`aws iam get-account-authorization-details --filter User Role Group LocalManagedPolicy`"
)
_ARN = re.compile(r"^arn:(aws[a-z-]*):iam::([0-9]{12}):")


def read_saved(path: Path) -> Snapshot:
    """The account that the file holds. What the file's form cannot tell is `incomplete`. Raises BadInput."""
    head = json_syntax(path, read_bytes(path))
    if isinstance(head, dict) and head.get("kind") == "snapshot":
        return read_snapshot(path)
    terraform = is_terraform(head)
    if not isinstance(head, dict) or not (terraform or any(key in head for key in _LISTS)):
        told = "neither a snapshot nor authorization details nor Terraform's state"
        raise BadInput(told, where=f"{path}:1", hint=_HINT)
    writer = "Terraform" if terraform else "AWS"
    try:
        # By way of our own form: what IAM would never have named so must not get into an inventory.
        return iam.decode(iam.encode(from_terraform(head) if terraform else _from_details(head)))
    except BadInput as error:
        raise BadInput(error.message, where=f"{path}:1", hint=error.hint or _HINT) from None
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise BadInput(f"not as {writer} writes it: {error!r}", where=f"{path}:1", hint=_HINT) from None


def read_resources(path: Path) -> list[Resource]:
    """What Terraform manages, by address. Raises BadInput for other files."""
    head = json_syntax(path, read_bytes(path))
    if not isinstance(head, dict) or not is_terraform(head):
        raise BadInput(
            "not a state of Terraform's", where=f"{path}:1", hint="terraform.tfstate, or `terraform state pull`"
        )
    try:
        found = [one for one in resources(head) if one.type.startswith("aws_iam_")]
        from_terraform(head)  # whatever would be odd in it is told there
    except BadInput as error:
        raise BadInput(error.message, where=f"{path}:1", hint=error.hint or _HINT) from None
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise BadInput(f"not as Terraform writes it: {error!r}", where=f"{path}:1", hint=_HINT) from None
    return found


def _from_details(found: Mapping[str, Any]) -> Snapshot:
    rows = {key: found.get(key) or [] for key in _LISTS}
    roles = [row for row in rows["RoleDetailList"] if "AssumeRolePolicyDocument" in row]
    partition, account = _owner(rows)
    missing = [key for key in _LISTS if found.get(key) is None]
    gaps = [Gap("descriptions, session lengths, some tags", "authorization details do not hold them")]
    gaps += [Gap(key, "the file does not have it") for key in missing]
    if found.get("IsTruncated"):
        gaps.append(Gap("further pages", "the file says IsTruncated"))
    gaps += [
        Gap(f"role {row.get('RoleName') or row.get('Arn', '?')}", "no trust policy in the file")
        for row in rows["RoleDetailList"]
        if "AssumeRolePolicyDocument" not in row
    ]
    profiles = {profile.name: profile for profile in details.instance_profiles(roles, {})}
    snapshot = Snapshot(
        account=account,
        partition=partition,
        users=keyed(details.user(row) for row in rows["UserDetailList"]),
        groups=keyed(details.group(row) for row in rows["GroupDetailList"]),
        roles=keyed(details.role(row, {}) for row in roles),
        policies=keyed(details.policy(row, {}) for row in rows["Policies"]),
        instance_profiles=profiles,
    )
    attached = {arn for one in snapshot.principals() for arn in one.attached if not is_aws_policy(arn)}
    gaps += [Gap(f"policy {arn}", "the file does not have it") for arn in attached - snapshot.policies.keys()]
    return structs.replace(snapshot, incomplete=tuple(sorted(gaps)))


def _owner(rows: Mapping[str, list[Any]]) -> tuple[str, str]:
    for key in _LISTS:
        for row in rows[key]:
            if match := _ARN.match(row.get("Arn", "")):
                return match.group(1), match.group(2)
    raise ValueError("no ARN in it names the account")
