"""Where it is told who manages what: kept in the workspace, and looked at again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from secmigrate import iam
from secmigrate.aws import Aws
from secmigrate.cli import account
from secmigrate.cli.out import Out
from secmigrate.errors import BadInput
from secmigrate.iam import Snapshot
from secmigrate.twin import Twin
from secmigrate.workspace import Workspace
from tests.cli.runs import run
from tests.small import ACCOUNT
from tests.sources.test_terraform import ARN, EXPECTED, version_4

OUT = Out(json=True)
DEVS = f"{ARN}:group/devs"
OPS = f"{ARN}:group/x/ops"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    path = tmp_path / "terraform.tfstate"
    path.write_text(json.dumps(version_4()))
    return path


@pytest.fixture
def space(tmp_path: Path, state: Path) -> Workspace:
    live = tmp_path / "live.json"
    live.write_bytes(iam.encode(EXPECTED))
    assert run("inventory", "-w", tmp_path / "w", "--from", live, "--from", state).code == 0
    return Workspace(tmp_path / "w")


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """Whoever asks about a stack hears that there is none."""
    with pytest.MonkeyPatch.context() as patch, Twin(Snapshot(account=ACCOUNT)) as twin:
        patch.setenv("AWS_ACCESS_KEY_ID", "invented")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "invented")
        yield Aws(endpoint=twin.url)


def without(kind: str) -> str:
    state: dict[str, Any] = version_4()
    return json.dumps({**state, "resources": [one for one in state["resources"] if one["type"] != kind]})


def test_only_what_tells_owners_is_kept(space: Workspace, state: Path) -> None:
    assert space.places() == [state]


def test_what_terraform_forgot_is_nobodys_at_the_next_look(space: Workspace, state: Path, aws: Aws) -> None:
    assert account.with_owners(space, EXPECTED, [], aws, OUT).owners.keys() >= {DEVS, OPS}
    state.write_text(without("aws_iam_group"))
    owners = account.with_owners(space, EXPECTED, [], aws, OUT).owners
    assert not {DEVS, OPS} & owners.keys()
    assert f"{ARN}:role/runner" in owners
    assert account.managed(space).resources


def test_a_stack_is_not_forgotten_with_it(space: Workspace, state: Path, aws: Aws) -> None:
    state.write_text(without("aws_iam_group"))
    kept = structs.replace(account.inventory(space), owners={DEVS: "stack people Devs"})
    space.inventory.write_bytes(iam.encode(kept))
    assert account.with_owners(space, EXPECTED, [], aws, OUT).owners[DEVS] == "stack people Devs"


def test_a_state_that_forgot_all_of_iam_manages_nothing(space: Workspace, state: Path, aws: Aws) -> None:
    state.write_text(json.dumps({**version_4(), "resources": []}))
    assert not any(account.with_owners(space, EXPECTED, [], aws, OUT).owners.values())
    assert account.managed(space).resources == []


def test_a_template_is_no_proof_that_terraform_forgot(space: Workspace, state: Path, tmp_path: Path, aws: Aws) -> None:
    """Who manages what came with a snapshot of somebody's; no state lies here to look at again."""
    template = tmp_path / "people.yaml"
    template.write_text("Resources: {Data: {Type: 'AWS::S3::Bucket'}}\n")
    space.remember([template])
    assert account.with_owners(space, EXPECTED, [], aws, OUT).owners[DEVS].startswith("terraform ")


def test_a_state_that_is_gone_is_no_proof(space: Workspace, state: Path, aws: Aws) -> None:
    state.unlink()
    with pytest.raises(BadInput, match=r"terraform\.tfstate"):
        account.with_owners(space, EXPECTED, [], aws, OUT)


def test_without_other_sources_the_places_stay(space: Workspace, tmp_path: Path) -> None:
    assert run("inventory", "-w", space.folder, "--from", tmp_path / "live.json").code == 0
    assert len(space.places()) == 1
