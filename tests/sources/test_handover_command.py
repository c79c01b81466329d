"""`handover` on a stack, as a person runs it: what it says, what it writes, and that the patch does what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from secmigrate import iam
from secmigrate.documents import parse_template
from secmigrate.iam import Group, Snapshot, User
from secmigrate.twin import Twin
from secmigrate.workspace import Workspace
from tests.cli.runs import run
from tests.small import ACCOUNT, allow

TEMPLATE = """\
# People and their machines
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Ml:
    Type: AWS::IAM::Group
    Properties: {GroupName: ml-engineers}
  MlPolicy:
    Type: AWS::IAM::Policy   # what they train with
    Properties:
      PolicyName: train
      PolicyDocument: {Statement: [{Effect: Allow, Action: "sagemaker:*", Resource: "*"}]}
      Groups: [!Ref Ml]
  Ana:
    Type: AWS::IAM::User
    Properties: {UserName: ana, Groups: [!Ref Ml]}
  Data:
    Type: AWS::S3::Bucket
Outputs:
  Group: {Value: !Ref Ml, Export: {Name: people-ml}}
"""
CHANGE = (
    "names Ml: write ml-engineers instead, which changes nothing, until step 10 is done, "
    "or let it use what takes its place"
)
LIVE = Snapshot(
    account=ACCOUNT,
    groups={"ml-engineers": Group(name="ml-engineers", inline={"train": allow("sagemaker:*")})},
    users={"ana": User(name="ana", groups=("ml-engineers",))},
)


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    with pytest.MonkeyPatch.context() as patch, Twin(LIVE) as twin:
        patch.setenv("AWS_ACCESS_KEY_ID", "invented")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
        patch.setenv("AWS_ENDPOINT_URL", twin.url)
        yield twin


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "people.yaml"
    path.write_text(TEMPLATE)
    return path


@pytest.fixture
def space(tmp_path: Path, template: Path, twin: Twin) -> Workspace:
    live = tmp_path / "live.json"
    live.write_bytes(iam.encode(LIVE))
    folder = tmp_path / "w"
    assert run("inventory", "-w", folder, "--from", live, "--from", template).code == 0
    names = ("--company-prefix", "lumen", "--tenant-id", "a001", "--region", "eu-central-1")
    assert run("map", "-w", folder, *names).code == 0
    return Workspace(folder)


def test_it_says_what_to_do_in_order(space: Workspace, template: Path) -> None:
    ran = run("handover", "-w", space.folder)
    assert ran.code == 3, ran
    patch = space.folder / "plans" / "handover-people.patch"
    assert [line.strip() for line in ran.out.splitlines()[:12]] == [
        f"stack people ({template}): of its resources 2 go, 2 stay",
        "1. change what stays and names what goes",
        f"Ana (AWS::IAM::User) {CHANGE}",
        "output Group names Ml: take it out",
        "2. give what goes a DeletionPolicy of Retain, and deploy",
        f"patch {template} < {patch}",
        "Ml",
        "MlPolicy",
        "3. see that the deployed template says Retain for each of them",
        "aws cloudformation get-template --stack-name people",
        "4. take them out of the template or the app, and deploy: they stay in the account",
        "Ml",
    ]  # fmt: skip
    assert "would take besides (2):" in ran.out
    assert "Data (AWS::S3::Bucket): deleted" in ran.out
    assert "destroys-more: deleting these stacks would take more" in ran.out


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no patch on this machine")
def test_the_patch_that_it_names_keeps_what_goes_and_all_that_a_person_wrote(space: Workspace, template: Path) -> None:
    ran = run("handover", "-w", space.folder)
    (command,) = [line.strip() for line in ran.out.splitlines() if line.strip().startswith("patch ")]
    subprocess.run(command, shell=True, check=True, capture_output=True)
    after = template.read_text()
    assert after.replace("    DeletionPolicy: Retain\n", "") == TEMPLATE
    rows = parse_template(template, after.encode()).value["Resources"]
    assert {name for name, row in rows.items() if row.get("DeletionPolicy") == "Retain"} == {"Ml", "MlPolicy"}
    again = run("handover", "-w", space.folder, "--json").document
    assert [one["retain"] for one in again["stacks"]] == [[]]
    assert again["stacks"][0]["goes"] == ["Ml", "MlPolicy"]


def test_for_programs(space: Workspace) -> None:
    (stack,) = run("handover", "-w", space.folder, "--json").document["stacks"]
    assert stack["stack"] == "people"
    assert stack["destroys"] == [
        {"logical_id": "Ana", "type": "AWS::IAM::User", "deletion_policy": "Delete"},
        {"logical_id": "Data", "type": "AWS::S3::Bucket", "deletion_policy": "Delete"},
    ]


def test_of_a_cdk_app_the_constructs_are_named(space: Workspace, template: Path, tmp_path: Path) -> None:
    made = parse_template(template, template.read_bytes()).value
    for logical_id in ("Ml", "MlPolicy"):
        made["Resources"][logical_id]["Metadata"] = {"aws:cdk:path": f"People/{logical_id}/Resource"}
    path = tmp_path / "people.template.json"
    path.write_text(json.dumps(made))
    ran = run("handover", "-w", space.folder, "--from", path)
    written = (space.folder / "plans" / "handover-retain.ts").read_text()
    assert '"People/Ml/Resource",' in written
    assert "handover-retain.ts to the app" in ran.out
    assert path in space.places()


def test_where_nothing_goes_nothing_is_to_do(space: Workspace, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("Resources: {Data: {Type: 'AWS::S3::Bucket'}}\n")
    ran = run("handover", "-w", space.folder, "--from", other)
    assert (ran.code, ran.out.splitlines()[-1]) == (0, "nobody else manages anything that goes")


def test_a_template_in_another_encoding_gets_no_patch_that_does_not_fit(space: Workspace, template: Path) -> None:
    template.write_bytes(TEMPLATE.encode("utf-16"))
    ran = run("handover", "-w", space.folder)
    assert ran.code == 2, ran
    assert "save it as UTF-8" in ran.err
