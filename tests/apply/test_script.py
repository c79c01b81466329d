"""The plan as a shell script, run with the real AWS CLI: it does what `--execute` does, stops, and can be run again."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate.plan import Plan
from secmigrate.reports.shell import as_script
from secmigrate.twin import Fault, Faults, Twin
from tests.apply.stage import BEFORE, END, PLAN
from tests.kept import AWS
from tests.plan import tiers
from tests.plan.cases import snapshot, user

pytestmark = pytest.mark.skipif(not AWS.exists(), reason="the AWS CLI is a development dependency")


def ran(aws_cli: Path, plan: Plan, twin: Twin) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": f"{aws_cli}{os.pathsep}{os.environ['PATH']}",
        "AWS_ENDPOINT_URL": twin.url,
        "AWS_ACCESS_KEY_ID": "invented",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
    }
    return subprocess.run(
        ["/bin/sh"], input=as_script(plan), env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_it_stops_at_the_first_failure_and_goes_on_when_it_is_run_again(aws_cli: Path) -> None:
    plan = PLAN
    with Twin(BEFORE, faults=Faults(faults=(Fault(match="DetachGroupPolicy", kind="deny", times=1),))) as twin:
        first = ran(aws_cli, plan, twin)
        assert first.returncode == 1
        assert "AccessDenied" in first.stderr
        half = twin.snapshot()
        assert half not in (BEFORE, END)
        assert "devs" in half.groups
        again = ran(aws_cli, plan, twin)
        # IAM gives another version number each time, so of versions it would make another one: told in the script.
        versions = [one for one in twin.calls if one == "CreatePolicyVersion"]
        assert len(versions) == 2
        assert again.returncode == 0, again.stderr
        assert "done already: aws iam create-group" in again.stdout
        assert twin.snapshot().users == END.users
        assert twin.snapshot().groups == END.groups
        assert twin.snapshot().roles == END.roles
        assert twin.snapshot().instance_profiles == END.instance_profiles


def test_it_does_what_the_plan_says_and_nothing_in_another_account(aws_cli: Path) -> None:
    with Twin(BEFORE) as twin:
        assert ran(aws_cli, PLAN, twin).returncode == 0
        assert twin.snapshot() == END
    other = snapshot(user("zoe"))
    with Twin(type(other)(account="999988887777")) as twin:
        refused = ran(aws_cli, PLAN, twin)
        assert refused.returncode == 4
        assert "111122223333" in refused.stderr
        assert twin.calls == ["GetCallerIdentity"]


def test_it_ends_where_the_provisioner_has_to_do_something_and_is_run_again(aws_cli: Path) -> None:
    """The same script, three times, with the provisioner's part in between."""
    small = tiers.account()
    small = structs.replace(small, users={"bo": structs.replace(small.users["bo"], groups=(tiers.OPS,))})
    with Twin(small) as twin:
        twin.holds_stack(tiers.OLD, tiers.STARTUP.part)
        before = twin.snapshot()
        plan = tiers.planned(before)
        first = ran(aws_cli, plan, twin)
        assert first.returncode == 3, first.stderr
        assert "secmigrate provisioner delete-stack --tier startup --run" in first.stdout
        twin.delete_stack(tiers.OLD)
        second = ran(aws_cli, plan, twin)
        assert second.returncode == 3, second.stderr
        assert "secmigrate provisioner deploy --tier medium --run" in second.stdout
        twin.create_stack(tiers.NEW, tiers.MEDIUM.part)
        last = ran(aws_cli, plan, twin)
        assert last.returncode == 0, last.stderr
        assert {name: one.groups for name, one in twin.snapshot().users.items()} == {
            name: one.groups for name, one in before.users.items()
        }
        assert not any(name.startswith("secmigrate-bridge-") for name in twin.snapshot().groups)
