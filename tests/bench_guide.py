"""The shell loops of the vendor's guide that take stock (steps 1 and 4), with the real AWS CLI, beside `inventory`.

Both read a twin of the same account, each call of the CLI being a process of its own, as in a person's shell.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from secmigrate import documents
from secmigrate.iam import Snapshot
from secmigrate.twin import Twin
from tests.bench_measuring import LONGEST, Pair

PROGRAMS = Path(sys.executable).parent

# As tests/twin/test_guide_loops.py has them, which says what they find.
LOOPS = """
set -e
for group in $(aws iam list-groups --query 'Groups[*].GroupName' --output text); do
  aws iam list-attached-group-policies --group-name $group --query 'AttachedPolicies[*].PolicyName' --output text
  aws iam list-group-policies --group-name $group --query 'PolicyNames' --output text
  aws iam get-group --group-name $group --query 'Users[*].UserName' --output text
done
for role in $(aws iam list-roles --query 'Roles[*].RoleName' --output text); do
  aws iam get-role --role-name $role --output text \
    --query 'Role.[RoleName, AssumeRolePolicyDocument.Statement[0].Principal.Service]'
  aws iam list-attached-role-policies --role-name $role --query 'AttachedPolicies[*].PolicyName' --output text
done
"""


def cli_version() -> str:
    """Of the AWS CLI that is beside this Python; empty if there is none."""
    try:
        return version("awscli") if (PROGRAMS / "aws").exists() else ""
    except PackageNotFoundError:
        return ""


def loops(account: Snapshot) -> Pair:
    """`secmigrate inventory`, from start to end, and the guide's loops."""
    with (
        Twin(account, aws_managed=documents.aws_managed()) as twin,
        tempfile.TemporaryDirectory(prefix="secmigrate-bench-") as home,
    ):
        ours = _seconds(home, twin, str(PROGRAMS / "secmigrate"), "inventory", "-w", str(Path(home) / "migration"))
        our_calls = len(twin.calls)
        theirs = _seconds(home, twin, "bash", "-c", LOOPS)
        return Pair(ours, theirs, our_calls, len(twin.calls) - our_calls)


def _seconds(home: str, twin: Twin, *command: str) -> float:
    """How long a program takes that knows no other AWS than the twin. Raises CalledProcessError, TimeoutExpired."""
    environment = {
        "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        "HOME": home,
        "AWS_ENDPOINT_URL": twin.url,
        "AWS_ACCESS_KEY_ID": "invented",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment, cwd=home, timeout=LONGEST)
    return time.perf_counter() - start
