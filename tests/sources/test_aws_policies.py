"""AWS's own policies that a source names and does not hold: the catalogue has them, or they are a gap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secmigrate.documents import read_snapshot
from secmigrate.iam import Gap, Policy, Snapshot, User
from secmigrate.sources.aws_policies import with_aws_policies
from tests.cli.runs import run
from tests.small import ACCOUNT, READ_ONLY, allow

NAMES = ("AmazonS3ReadOnlyAccess", "AmazonSageMakerReadOnly")
REGIONS = {"aws": "eu-central-1", "aws-us-gov": "us-gov-west-1", "aws-cn": "cn-north-1"}
KNOWN = {READ_ONLY: Policy(arn=READ_ONLY, document=allow("s3:Get*", resource="arn:aws:s3:::b"))}


def details(partition: str) -> dict[str, Any]:
    """What the AWS CLI prints with `--filter User Role Group LocalManagedPolicy`: none of AWS's own policies."""
    group = {"GroupName": "ml-engineers", "Arn": f"arn:{partition}:iam::{ACCOUNT}:group/ml-engineers"}
    attached = [{"PolicyName": name, "PolicyArn": f"arn:{partition}:iam::aws:policy/{name}"} for name in NAMES]
    lists: dict[str, list[Any]] = {"UserDetailList": [], "RoleDetailList": [], "Policies": []}
    return {**lists, "GroupDetailList": [{**group, "AttachedManagedPolicies": attached}]}


def state(partition: str) -> dict[str, Any]:
    """The same group in Terraform's hands."""
    group = {"name": "ml-engineers", "arn": f"arn:{partition}:iam::{ACCOUNT}:group/ml-engineers"}
    rows = [{"mode": "managed", "type": "aws_iam_group", "name": "g", "instances": [{"attributes": group}]}]
    rows += [
        {"mode": "managed", "type": "aws_iam_group_policy_attachment", "name": name, "instances": [
            {"attributes": {"group": "ml-engineers", "policy_arn": f"arn:{partition}:iam::aws:policy/{name}"}}]}
        for name in NAMES
    ]  # fmt: skip
    return {"version": 4, "terraform_version": "1.9.0", "resources": rows}


@pytest.mark.parametrize("form", [details, state])
@pytest.mark.parametrize("partition", REGIONS)
def test_a_group_that_only_reads_goes_on_only_reading(tmp_path: Path, form: Any, partition: str) -> None:
    source, folder = tmp_path / "source.json", tmp_path / "w"
    source.write_text(json.dumps(form(partition)))
    assert run("inventory", "-w", folder, "--from", source).code == 0
    words = ("--company-prefix", "lumen", "--tenant-id", "a001", "--region", REGIONS[partition], "--json")
    (mapped,) = run("map", "-w", folder, *words).document["groups"]
    assert (mapped["levels"], mapped["managed_policies"]) == ({"s3": "level1"}, list(NAMES))
    told = [gap for gap in read_snapshot(folder / "inventory.json").incomplete if "AWS's own" in gap.what]
    assert [gap.what for gap in told] == [f"AWS's own policies in {partition}"] * (partition != "aws")


def test_what_the_catalogue_does_not_have_is_a_gap() -> None:
    new = "arn:aws:iam::aws:policy/Brand_New"
    snapshot = Snapshot(account=ACCOUNT).put(User(name="ann", attached=(new,), boundary=READ_ONLY))
    found = with_aws_policies(snapshot, KNOWN)
    assert found.policies == KNOWN
    assert found.incomplete == (Gap(f"policy {new}", "it is AWS's own, and the catalogue does not have it"),)


def test_what_the_source_itself_has_counts() -> None:
    own = Policy(arn=READ_ONLY, document=allow("s3:Get*"))
    snapshot = Snapshot(account=ACCOUNT).put(User(name="ann", attached=(READ_ONLY,))).put(own)
    assert with_aws_policies(snapshot, KNOWN).policies == {READ_ONLY: own}


def test_in_another_partition_arns_are_its_own() -> None:
    there = READ_ONLY.replace("arn:aws:", "arn:aws-cn:")
    found = with_aws_policies(
        Snapshot(account=ACCOUNT, partition="aws-cn").put(User(name="ann", attached=(there,))), KNOWN
    )
    assert found.policies == {there: Policy(arn=there, document=allow("s3:Get*", resource="arn:aws-cn:s3:::b"))}
