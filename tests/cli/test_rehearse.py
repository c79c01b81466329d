"""A rehearsal says what the real run would do, goes nowhere else, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from secmigrate import documents
from secmigrate.iam import Snapshot
from secmigrate.twin import Twin
from tests.cli.conftest import NAMES
from tests.cli.runs import PROGRAM, run, run_alone

TERRAFORM = Path(__file__).parents[2] / "examples/terraform"
ACCEPTED = "accept:\n- {actions: ['*'], why: invented}\n"


@pytest.fixture
def managed(empty: Path) -> Path:
    """A working folder, with the workspace of an account whose groups and roles Terraform manages."""
    state = empty / "terraform.tfstate"
    state.write_bytes((TERRAFORM / "terraform.tfstate").read_bytes())
    run("inventory", "--from", state, "-w", "code")
    with Twin(documents.read_snapshot(empty / "code/inventory.json"), aws_managed=documents.aws_managed()) as twin:
        assert run("inventory", "--from", "live", "--from", state, "--endpoint-url", twin.url).code == 0
    assert run("map", *NAMES).code == 0
    (empty / "migration/decisions.yaml").write_text(ACCEPTED)
    return empty


def test_what_terraform_manages_stays_as_it_would(managed: Path) -> None:
    ran = run("rehearse", "--json")
    assert ran.code == 0, ran
    assert [leg["name"] for leg in ran.document["legs"] if leg["calls"]] == ["readd"]
    assert "owned-elsewhere" in ran.err


def test_what_terraform_only_hangs_on_it_keeps_it_as_it_would(managed: Path) -> None:
    """The groups and roles are nobody's by now, and what hangs on them is Terraform's still."""
    state, inventory = managed / "terraform.tfstate", managed / "migration/inventory.json"
    left = json.loads(state.read_bytes())
    left["resources"] = [one for one in left["resources"] if one["type"] not in ("aws_iam_group", "aws_iam_role")]
    state.write_text(json.dumps(left))
    inventory.write_text(json.dumps({**json.loads(inventory.read_bytes()), "owners": {}}))
    ran = run("rehearse", "--json")
    assert ran.code == 0, ran
    assert "owned-elsewhere" in ran.err


def test_what_terraform_would_take_away_again_blocks_it_as_it_would(managed: Path) -> None:
    state = managed / "terraform.tfstate"
    subprocess.run([sys.executable, TERRAFORM / "exclusive.py", state], check=True)
    ran = run("rehearse")
    assert (ran.code, ran.out.count("is blocked")) == (4, 1), ran
    assert "verify" not in ran.out.partition("is blocked: the rehearsal ends here")[2]


def test_no_proxy_hears_of_it(ready: Path) -> None:
    nowhere = dict.fromkeys(("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"), "http://127.0.0.1:9")
    ran = run_alone("rehearse", env=nowhere)
    assert ran.code == 0, ran.err


def test_nothing_is_left_behind_when_it_is_ended(ready: Path) -> None:
    (ready / "left").mkdir()
    with subprocess.Popen(
        [*PROGRAM, "rehearse"], stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(ready / "left")}
    ) as process:
        assert process.stdout
        while not process.stdout.readline().startswith(b"readd"):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert list((ready / "left").iterdir()) == []


def test_what_is_left_once_it_is_deployed_and_read_again(ready: Path, example: Snapshot) -> None:
    """Nothing is a rehearsal of nothing: `readd` still has to come."""
    (ready / "migration/decisions.yaml").write_text(ACCEPTED)
    planned = documents.read_snapshot(ready / "migration/planned.json")
    with Twin(example, aws_managed=documents.aws_managed()) as twin:
        twin.create_stack("lumen", planned)
        assert run("inventory", "--endpoint-url", twin.url).code == 0
    ran = run("rehearse", "--json")
    assert ran.code == 0, ran
    assert [(leg["name"], leg["calls"] > 0) for leg in ran.document["legs"]] == [
        ("readd", True),
        ("decommission", True),
    ]


def test_a_twin_with_a_stack_that_is_not_there(ready: Path) -> None:
    ran = run("twin", "--stack")
    assert (ran.code, "not in the account" in ran.err) == (2, True), ran


def test_where_nothing_is_mapped_there_is_nothing_to_deploy(ready: Path, example: Snapshot) -> None:
    everything = {"groups": example.groups, "roles": example.roles}
    left = {kind: {name: {"leave": "invented"} for name in names} for kind, names in everything.items()}
    (ready / "migration/decisions.yaml").write_bytes(msgspec.yaml.encode(left))
    assert run("map", *NAMES).code == 0
    ran = run("rehearse")
    assert (ran.code, "nothing to deploy, for nothing is mapped" in ran.out) == (0, True), ran


def test_a_stack_that_would_not_deploy_is_told_with_the_reason_and_validate_knew(ready: Path) -> None:
    names = "".join(f"- {n}-{'x' * 120}-*\n" for n in range(40))
    (ready / "migration/decisions.yaml").write_text(f"patterns:\n{names}")
    ran = run("validate")
    assert (ran.code, "its inline policies come to" in ran.out) == (2, True), ran
    ran = run("rehearse")
    assert ran.code != 0
    assert ": ROLLBACK_COMPLETE" in ran.out
    told = ran.out.partition(": ROLLBACK_COMPLETE")[2]
    assert "  cause  CREATE_FAILED" in told
    assert "Maximum policy size" in told
    assert "delete-stack" not in told
