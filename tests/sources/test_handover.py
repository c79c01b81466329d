"""Terraform lets go: the addresses, the blocks, and what would take the new things away again."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from secmigrate import iam
from secmigrate.handover import Resource, configuration, handover, leaving, script, takes_away
from secmigrate.iam import Group, Snapshot
from secmigrate.sources.states import resources
from tests.cli.runs import run
from tests.small import ACCOUNT, READ_ONLY, allow
from tests.sources.test_terraform import ARN, EXPECTED, version_4

TERRAFORM = shutil.which("terraform")
STATE = version_4()
FOUND = list(resources(STATE))
NOBODY = Snapshot(account=ACCOUNT)
EDGE = ("policy", f"{ARN}:policy/shared/edge")


def test_what_goes_takes_all_along_that_hangs_on_it_alone() -> None:
    gone = leaving([("group", "devs")], EXPECTED)
    assert gone == {("group", "devs"), EDGE}
    found = handover(FOUND, gone, NOBODY)
    assert found.state_rm == (
        "aws_iam_group_membership.devs",
        "aws_iam_group_policy.devs",
        "aws_iam_group_policy_attachment.devs",
        "aws_iam_policy.edge",
        'module.team["a"].aws_iam_group.devs[0]',
    )
    assert found.blocks[-1] == 'module.team["a"].aws_iam_group.devs'
    assert found.removed == found.blocks[:-1]  # a `removed` block knows no instances, of modules neither
    assert (found.edit, found.takes_away) == ((), ())


def test_a_policy_that_something_else_uses_stays() -> None:
    live = EXPECTED.put(structs.replace(EXPECTED.users["bo"], boundary=EDGE[1]))
    assert leaving([("group", "devs")], live) == {("group", "devs")}


def test_what_names_others_as_well_is_edited() -> None:
    found = handover(FOUND, leaving([("group", "ops")], EXPECTED), NOBODY)
    assert found.state_rm == ("aws_iam_group.ops", "aws_iam_user_group_membership.ana")
    assert found.edit == (
        "aws_iam_policy_attachment.all: take group ops out of its configuration; the rest of it stays",
    )


def test_a_profile_that_stays_names_the_role_that_goes() -> None:
    found = handover(FOUND, {("role", "runner")}, NOBODY)
    assert found.state_rm == ("aws_iam_role.runner", "aws_iam_role_policy.more")
    edited = [line.split(":")[0] for line in found.edit]
    assert edited == ["aws_iam_instance_profile.box", "aws_iam_policy_attachment.all"]


def test_instances_of_a_block_that_stays_are_forgotten_alone() -> None:
    many = [*FOUND, FOUND[3]._replace(address="aws_iam_group.ops", values={"name": "other"})]
    found = handover(many, {("group", "ops")}, NOBODY)
    assert "aws_iam_group.ops" not in found.removed


def test_what_is_exclusive_would_take_the_new_away() -> None:
    planned = NOBODY.put(Group(name="devs", attached=(READ_ONLY,)))
    assert handover(FOUND, frozenset(), planned).takes_away == (
        "aws_iam_group_membership.devs: would take everybody whom it does not list out of devs again",
        f"aws_iam_policy_attachment.all: would detach {READ_ONLY} from group devs again",
    )


def test_what_says_that_nothing_else_hangs_there_takes_the_new_away() -> None:
    planned = NOBODY.put(Group(name="new", attached=(READ_ONLY,), inline={"i": allow("s3:*")}))

    def exclusive(what: str, **listed: object) -> Resource:
        return Resource(f"{what}.x", what, {"group_name": "new", **listed})

    attachments, policies = "aws_iam_group_policy_attachments_exclusive", "aws_iam_group_policies_exclusive"
    all_of_it = [exclusive(attachments, policy_arns=[READ_ONLY]), exclusive(policies, policy_names=["i", "more"])]
    assert takes_away(all_of_it, planned) == []
    assert takes_away(all_of_it, NOBODY) == []
    assert takes_away([exclusive(attachments, policy_arns=[]), exclusive(policies)], planned) == [
        f"{policies}.x: would take i from group new again",
        f"{attachments}.x: would take {READ_ONLY} from group new again",
    ]


def test_who_lists_the_new_takes_nothing_away() -> None:
    planned = NOBODY.put(Group(name="new", attached=(READ_ONLY,)))
    values = {"policy_arn": READ_ONLY, "groups": ["new"]}
    assert takes_away([Resource("aws_iam_policy_attachment.x", "aws_iam_policy_attachment", values)], planned) == []


@pytest.mark.parametrize("name", ['x\n}\ndata "external" "y" {', "x\ny", "x y", "x#", "x[0", "${x}"])
def test_a_forged_name_gets_into_no_configuration(name: str) -> None:
    forged = Resource(f"aws_iam_group.{name}", "aws_iam_group", {"name": "devs"})
    found = handover([forged], frozenset({("group", "devs")}), NOBODY)
    assert found.state_rm == (forged.address,)
    assert configuration(found) == ""


def whole_state() -> dict[str, Any]:
    """With what the real program insists on."""
    state = version_4()
    for block in state["resources"]:
        block["provider"] = 'provider["registry.terraform.io/hashicorp/aws"]'
        for instance in block["instances"]:
            instance["schema_version"] = 0
    return {**state, "lineage": "00000000-0000-0000-0000-000000000000", "outputs": {}}


@pytest.mark.skipif(TERRAFORM is None, reason="there is no terraform on this machine")
def test_the_real_terraform_forgets(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text(json.dumps(whole_state()))
    found = handover(FOUND, leaving([("group", "devs"), ("role", "runner")], EXPECTED), NOBODY)

    def listed() -> set[str]:
        told = subprocess.run(["terraform", "state", "list"], cwd=tmp_path, capture_output=True, text=True, check=True)
        return set(told.stdout.split("\n")) - {""}

    before = listed()
    assert set(found.state_rm) < before
    ran = subprocess.run(["/bin/sh"], input=script(found), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert listed() == before - set(found.state_rm)
    folder = tmp_path / "configuration"
    folder.mkdir()
    (folder / "handover.tf").write_text(configuration(found))
    checked = subprocess.run(
        ["terraform", "fmt", "-check", "-diff"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_command(tmp_path: Path) -> None:
    live = EXPECTED.put(Group(name="ml-engineers", inline={"i": allow("sagemaker:*")}))
    (tmp_path / "live.json").write_bytes(iam.encode(live))
    state = version_4()
    row = {"attributes": {"name": "ml-engineers", "path": "/"}}
    state["resources"].append({"mode": "managed", "type": "aws_iam_group", "name": "ml", "instances": [row]})
    path = tmp_path / "terraform.tfstate"
    path.write_text(json.dumps(state))
    space = ("-w", tmp_path / "w")
    assert run("inventory", *space, "--from", tmp_path / "live.json", "--from", path).code == 0
    names = ("--company-prefix", "lumen", "--tenant-id", "a001", "--region", "eu-central-1")
    assert run("map", *space, *names).code == 0
    ran = run("handover", *space, "--from", path, "--json")
    assert ran.code == 3, ran
    assert "aws_iam_group.ml" in ran.document["state_rm"]
    assert (tmp_path / "w" / "plans" / "handover.sh").read_text().count("terraform state rm aws_iam_group.ml\n") == 1
    assert "from = aws_iam_group.ml" in (tmp_path / "w" / "plans" / "handover.tf").read_text()
    assert run("handover", *space, "--from", tmp_path / "live.json").code == 2
