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
from secmigrate.iam import Group, Role, Snapshot, User
from secmigrate.plan.permissions import policy_of
from secmigrate.twin import Twin
from secmigrate.workspace import Workspace
from tests.cli.runs import run
from tests.plan.cases import decommission, groups
from tests.small import ACCOUNT, allow, trust
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


def test_one_that_was_moved_is_named_where_the_message_says(space: Workspace, state: Path, aws: Aws) -> None:
    moved = state.rename(state.with_name("moved.tfstate"))
    for look in (
        lambda: account.managed(space),
        lambda: account.taken_over(space, EXPECTED, []),
        lambda: account.with_owners(space, EXPECTED, [], aws, OUT),
    ):
        with pytest.raises(BadInput, match=r"terraform\.tfstate") as error:
            look()
        assert error.value.hint.endswith(f"write where it lies now into {space.sources}")
    space.sources.write_text(space.sources.read_text().replace(str(state), str(moved)))
    assert account.with_owners(space, EXPECTED, [], aws, OUT).owners.keys() >= {DEVS, OPS}


def test_without_other_sources_the_places_stay(space: Workspace, tmp_path: Path) -> None:
    assert run("inventory", "-w", space.folder, "--from", tmp_path / "live.json").code == 0
    assert len(space.places()) == 1


LIVE = Snapshot(
    account=ACCOUNT,
    users={"ana": User(name="ana", groups=("new", "old"))},
    groups={name: Group(name=name, inline={"own": allow("s3:*")}) for name in ("new", "old")},
    roles={"old": Role(name="old", trust=trust())},
)


def of_terraform(path: Path, *resources: tuple[str, str]) -> None:
    """Writes a state that holds these, by type and name, and a user whom nothing here is about."""
    kinds = {f"aws_iam_{kind}": f"{ARN}:{kind}/{name}" for kind, name in (*resources, ("user", "ana"))}
    common = {"path": "/", "assume_role_policy": trust().text}
    rows = [
        {
            "mode": "managed",
            "type": kind,
            "name": "x",
            "provider": 'provider["registry.terraform.io/hashicorp/aws"]',
            "instances": [{"attributes": {**common, "arn": arn, "name": arn.rsplit("/", 1)[1]}}],
        }
        for kind, arn in kinds.items()
    ]
    path.write_text(json.dumps({**version_4(), "resources": rows}))


@pytest.fixture
def leaving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Twin, Workspace]]:
    """A decommission of the group `old`, planned while Terraform managed the user alone."""
    of_terraform(tmp_path / "terraform.tfstate")
    with Twin(LIVE) as twin:
        monkeypatch.setenv("AWS_ENDPOINT_URL", twin.url)
        sources = ("--from", "live", "--from", tmp_path / "terraform.tfstate")
        assert run("inventory", "-w", tmp_path / "w", *sources).code == 0
        space = Workspace(tmp_path / "w")
        plan = decommission(twin.snapshot(), groups(old="new"))
        space.save_plan(plan, "", policy_of(plan, LIVE))
        yield twin, space


EXECUTE = ("--execute", "--confirm-account", ACCOUNT)


def test_what_terraform_took_over_since_the_plan_stays(tmp_path: Path, leaving: tuple[Twin, Workspace]) -> None:
    twin, space = leaving
    of_terraform(tmp_path / "terraform.tfstate", ("group", "old"))
    ran = run("decommission", "-w", space.folder, *EXECUTE)
    assert (ran.code, twin.snapshot()) == (4, LIVE), ran
    assert "\nerror: owned-elsewhere: managed by Terraform or a CloudFormation stack: old\n" in ran.err
    assert not space.journals()
    of_terraform(tmp_path / "terraform.tfstate", ("role", "old"))  # of that name is another thing
    assert run("decommission", "-w", space.folder, *EXECUTE).code == 0
    assert set(twin.snapshot().groups) == {"new"}


def test_what_terraform_took_over_half_way_stays(tmp_path: Path, leaving: tuple[Twin, Workspace]) -> None:
    twin, space = leaving
    assert run("decommission", "-w", space.folder, *EXECUTE, "--stop-before", "delete").code == 3
    of_terraform(tmp_path / "terraform.tfstate", ("group", "old"))
    ran = run("resume", "-w", space.folder, "--confirm-account", ACCOUNT)
    assert (ran.code, set(twin.snapshot().groups)) == (4, {"new", "old"}), ran
    assert "owned-elsewhere" in ran.err
    # The way back does not ask what the state says, nor whether it can be read at all.
    (tmp_path / "terraform.tfstate").unlink()
    assert run("rollback", "-w", space.folder).code == 3
    assert run("rollback", "-w", space.folder, *EXECUTE).code == 0
    assert twin.snapshot() == LIVE
