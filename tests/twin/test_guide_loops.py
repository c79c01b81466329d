"""The vendor guide's own shell loops, with the real AWS CLI, against a twin: what they find, and where they fail.

Each of its calls takes a while, so the account is small.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from secmigrate.iam import Group, InstanceProfile, Role, Snapshot, User
from secmigrate.twin import Twin
from tests.accounts import AWS_MANAGED
from tests.kept import AWS
from tests.small import allow, trust
from tests.twin.conftest import ACCOUNT

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"

pytestmark = pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is a development dependency")


def account() -> Snapshot:
    things = (
        User(name="ann", groups=("admins",)),
        Group(name="admins", attached=(READ_ONLY,), inline={"more": allow("s3:*")}),
        Group(name="sec-admins"),
        Role(name="clean", trust=trust(), attached=(READ_ONLY,)),
        Role(name="carried", trust=trust()),
        Role(name="with-inline", trust=trust(), inline={"more": allow("s3:*")}),
        InstanceProfile(name="carried", roles=("carried",)),
        AWS_MANAGED[READ_ONLY],
    )
    snapshot = Snapshot(account=ACCOUNT)
    for thing in things:
        snapshot = snapshot.put(thing)
    return snapshot


@pytest.fixture
def twin() -> Iterator[Twin]:
    with Twin(account(), page_size=2) as twin:
        yield twin


def shell(aws_cli: Path, twin: Twin, script: str) -> tuple[list[str], str]:
    """What a script of the guide prints, line by line, and what it complains of."""
    environment = {
        "PATH": f"{aws_cli}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": twin.url,
        "AWS_ACCESS_KEY_ID": "invented",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
        "AWS_CONFIG_FILE": os.environ["AWS_CONFIG_FILE"],
        "AWS_SHARED_CREDENTIALS_FILE": os.environ["AWS_SHARED_CREDENTIALS_FILE"],
    }
    ran = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return ran.stdout.split("\n"), ran.stderr


def test_step_one_finds_groups_policies_and_members(aws_cli: Path, twin: Twin) -> None:
    lines, complaints = shell(
        aws_cli,
        twin,
        """
        for group in $(aws iam list-groups --query 'Groups[*].GroupName' --output text); do
          echo "== $group"
          aws iam list-attached-group-policies --group-name $group --output text \
            --query 'AttachedPolicies[*].PolicyName'
          aws iam list-group-policies --group-name $group --query 'PolicyNames' --output text
          aws iam get-group --group-name $group --query 'Users[*].UserName' --output text
        done
        """,
    )
    assert complaints == ""
    assert [line for line in lines if line] == ["== admins", "ReadOnlyAccess", "more", "ann", "== sec-admins"]


def test_step_four_finds_roles_and_policies(aws_cli: Path, twin: Twin) -> None:
    lines, complaints = shell(
        aws_cli,
        twin,
        """
        for role in $(aws iam list-roles --query 'Roles[*].RoleName' --output text); do
          aws iam get-role --role-name $role --output text \
            --query 'Role.[RoleName, AssumeRolePolicyDocument.Statement[0].Principal.Service]'
          aws iam list-attached-role-policies --role-name $role --query 'AttachedPolicies[*].PolicyName' --output text
        done
        """,
    )
    assert complaints == ""
    roles = [f"{role}\tec2.amazonaws.com" for role in ("carried", "clean", "with-inline")]
    assert [line for line in lines if line] == [*roles[:2], "ReadOnlyAccess", roles[2]]


def test_step_nine_adds_and_step_ten_takes_away(aws_cli: Path, twin: Twin) -> None:
    _, complaints = shell(
        aws_cli,
        twin,
        """
        for user in ann; do aws iam add-user-to-group --group-name sec-admins --user-name $user; done
        for user in $(aws iam get-group --group-name admins --query 'Users[*].UserName' --output text); do
          aws iam remove-user-from-group --group-name admins --user-name $user
        done
        for policy in $(aws iam list-attached-group-policies --group-name admins \
                          --query 'AttachedPolicies[*].PolicyArn' --output text); do
          aws iam detach-group-policy --group-name admins --policy-arn $policy
        done
        aws iam delete-group --group-name admins
        """,
    )
    left = twin.snapshot()
    assert left.users["ann"].groups == ("sec-admins",)
    # The guide forgets inline policies: the group is drained, and still there.
    assert "(DeleteConflict) when calling the DeleteGroup operation" in complaints
    assert (left.groups["admins"].attached, set(left.groups["admins"].inline)) == ((), {"more"})


def test_step_ten_deletes_only_roles_that_have_nothing_but_attached_policies(aws_cli: Path, twin: Twin) -> None:
    _, complaints = shell(
        aws_cli,
        twin,
        """
        for role in clean carried with-inline; do
          for policy in $(aws iam list-attached-role-policies --role-name $role \
                            --query 'AttachedPolicies[*].PolicyArn' --output text); do
            aws iam detach-role-policy --role-name $role --policy-arn $policy
          done
          aws iam delete-role --role-name $role
        done
        """,
    )
    assert set(twin.snapshot().roles) == {"carried", "with-inline"}
    assert complaints.count("(DeleteConflict) when calling the DeleteRole operation") == 2
    assert "must remove roles from instance profile first" in complaints
    assert "must delete policies first" in complaints
