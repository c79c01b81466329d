"""The same account as Terraform's state, as a CDK app and live: three equal snapshots and one SEC config."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate import documents
from secmigrate.iam import Document, Entity, Group, InstanceProfile, Policy, Role, Snapshot, User
from secmigrate.sources.saved import read_saved
from secmigrate.twin import Twin
from tests.cli.conftest import CONFIG, NAMES
from tests.cli.runs import run
from tests.small import ACCOUNT, allow, trust

ROOT = Path(__file__).parent.parent.parent
STATE = ROOT / "examples/terraform/terraform.tfstate"
CDK = ROOT / "examples/cdk/cdk.out"
OWN = f"arn:aws:iam::{ACCOUNT}:policy"
AWS = "arn:aws:iam::aws:policy"


def one(action: str, resource: str) -> object:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}


def trusts(principal: str, condition: object) -> object:
    row = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}, "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [row]}


def account() -> Snapshot:
    """It, by hand."""
    lake = ["arn:aws:s3:::lumen-prod-a001-lake", "arn:aws:s3:::lumen-prod-a001-lake/*"]
    notebooks = allow("sagemaker:CreatePresignedNotebookInstanceUrl", "sagemaker:StartNotebookInstance")
    password = Document(one("iam:ChangePassword", f"arn:aws:iam::{ACCOUNT}:user/${{aws:username}}"))
    models = allow("s3:GetObject", "s3:PutObject").value
    models["Statement"][0]["Resource"] = "arn:aws:s3:::lumen-prod-a001-models/*"
    data = allow("s3:GetObject", "s3:ListBucket").value
    data["Statement"][0]["Resource"] = lake
    queue = one("sqs:ReceiveMessage", f"arn:aws:sqs:eu-central-1:{ACCOUNT}:lumen-prod-a001-jobs")
    partner = trusts("arn:aws:iam::444455556666:root", {"StringEquals": {"sts:ExternalId": "partner-7"}})
    breakglass = trusts(f"arn:aws:iam::{ACCOUNT}:root", {"Bool": {"aws:MultiFactorAuthPresent": "true"}})
    found = Snapshot(account=ACCOUNT)
    for thing in (
        Group(
            name="data-science-team",
            inline={"notebooks": notebooks},
            attached=(f"{AWS}/AmazonSageMakerReadOnly", f"{OWN}/data/lumen-data-read"),
        ),
        Group(
            name="data-engineering",
            path="/teams/",
            attached=(f"{AWS}/AmazonS3FullAccess", f"{AWS}/AWSGlueConsoleFullAccess"),
        ),
        Group(name="finance-billing", attached=(f"{AWS}/job-function/Billing",)),
        User(name="ana.adler", path="/people/", tags={"team": "data"}, groups=("data-science-team",)),
        User(name="bo.berg", groups=("data-science-team", "data-engineering"), inline={"own-password": password}),
        User(name="cleo.costa", groups=("finance-billing",)),
        User(
            name="dan.diaz",
            groups=("data-science-team",),
            attached=(f"{AWS}/AmazonS3ReadOnlyAccess",),
            boundary=f"{OWN}/lumen-contractor-edge",
        ),
        Policy(arn=f"{OWN}/data/lumen-data-read", document=Document(data), description="the lake, to look at"),
        Policy(arn=f"{OWN}/lumen-contractor-edge", document=allow("s3:*", "sagemaker:*")),
        Role(
            name="sagemaker-training",
            description="trains the demand model",
            max_session=14400,
            trust=trust("sagemaker.amazonaws.com"),
            inline={"artifacts": Document(models)},
            attached=(f"{AWS}/AmazonSageMakerReadOnly",),
        ),
        Role(
            name="lambda-etl",
            path="/service/",
            trust=trust("lambda.amazonaws.com"),
            attached=(f"{AWS}/service-role/AWSLambdaBasicExecutionRole",),
            tags={"team": "data"},
        ),
        Role(name="ec2-batch", trust=trust(), inline={"queue": Document(queue)}),
        Role(name="partner-audit", trust=Document(partner), attached=(f"{AWS}/SecurityAudit",)),
        Role(name="breakglass-admin", trust=Document(breakglass), attached=(f"{AWS}/AdministratorAccess",)),
        InstanceProfile(name="batch-box", roles=("ec2-batch",)),
    ):
        found = found.put(thing)
    return found


@pytest.fixture(scope="module")
def live() -> Iterator[Twin]:
    with Twin(account(), aws_managed=documents.aws_managed()) as twin:
        yield twin


def test_three_snapshots_are_equal_but_for_what_a_file_cannot_know(live: Twin, tmp_path: Path) -> None:
    ran = run("inventory", "-w", tmp_path, "--endpoint-url", live.url)
    assert ran.code == 0, ran
    there = documents.read_snapshot(tmp_path / "inventory.json")
    state, stacks = read_saved(STATE), read_saved(CDK)
    assert there.incomplete == ()
    assert [gap.what for gap in state.incomplete] == ["what Terraform does not manage"]
    assert [gap.what for gap in stacks.incomplete] == ["what CloudFormation does not manage"]
    for found in (there, structs.replace(state, incomplete=()), structs.replace(stacks, incomplete=())):
        assert found == account()
    assert {owner.split()[0] for owner in state.owners.values()} == {"terraform"}
    assert {owner.split()[0] for owner in stacks.owners.values()} == {"stack"}
    assert state.owners.keys() == stacks.owners.keys() == {there.arn(thing) for thing in own(there)}


def own(snapshot: Snapshot) -> Iterator[Entity]:
    yield from (thing for thing in snapshot.entities() if not (isinstance(thing, Policy) and thing.is_aws))


def test_map_writes_the_same_config_from_each(live: Twin, tmp_path: Path) -> None:
    """And from all three together, of which what is live counts."""
    ways: dict[str, tuple[str | Path, ...]] = {
        "live": ("live",),
        "terraform": (STATE,),
        "cdk": (CDK,),
        "together": ("live", STATE, CDK),
        "files": (STATE, CDK),
    }
    configs = {}
    for way, places in ways.items():
        folder = tmp_path / way
        froms: list[str | Path] = [word for place in places for word in ("--from", place)]
        ran = run("inventory", "-w", folder, "--endpoint-url", live.url, "--json", *froms)
        assert ran.code == 0, ran
        assert ran.document["drift"] == []
        ran = run("map", "-w", folder, *NAMES)
        assert ran.code == 0, ran
        configs[way] = (folder / CONFIG).read_bytes()
    assert len(set(configs.values())) == 1
    assert b"data_scientists" in configs["live"]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="there is no terraform here")
def test_terraform_itself_reads_the_state(tmp_path: Path) -> None:
    shutil.copy(STATE, tmp_path / "terraform.tfstate")
    listed = subprocess.run(
        ["terraform", "state", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"},
    )
    told = {owner.removeprefix("terraform ") for owner in read_saved(STATE).owners.values()}
    assert told <= set(listed.stdout.splitlines())
    assert len(json.loads(STATE.read_text())["resources"]) == 27
