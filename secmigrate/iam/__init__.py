"""What exists in an account's IAM, as frozen and canonical values: `==` is the diff.

A `Snapshot` holds everything that an exact recreation needs. What IAM assigns or observes by itself and never
gives back (unique ids, dates, version numbers, last use) lies in `Seen`, which is equal to every other `Seen`: two
things that differ only in it are the same thing.
"""

from __future__ import annotations

from secmigrate.iam.document import Document, from_jsonable, has_functions, is_function, to_jsonable
from secmigrate.iam.entities import (
    AccountId,
    Arn,
    Entity,
    Group,
    IamPath,
    InstanceProfile,
    Name,
    Policy,
    Principal,
    PrincipalKind,
    Role,
    Seen,
    User,
    Version,
    is_aws_policy,
    is_aws_tag,
)
from secmigrate.iam.snapshot import Gap, Snapshot, SnapshotFile, decode, encode, keyed
from secmigrate.iam.stacks import Stack, StackResource
from secmigrate.iam.usage import UNTRACKED, ServiceUse, Usage

__all__ = [
    "UNTRACKED",
    "AccountId",
    "Arn",
    "Document",
    "Entity",
    "Gap",
    "Group",
    "IamPath",
    "InstanceProfile",
    "Name",
    "Policy",
    "Principal",
    "PrincipalKind",
    "Role",
    "Seen",
    "ServiceUse",
    "Snapshot",
    "SnapshotFile",
    "Stack",
    "StackResource",
    "Usage",
    "User",
    "Version",
    "decode",
    "encode",
    "from_jsonable",
    "has_functions",
    "is_aws_policy",
    "is_aws_tag",
    "is_function",
    "keyed",
    "to_jsonable",
]
