"""The way back where others were at work meanwhile, and what is known of the start."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from secmigrate import documents, plan
from secmigrate.aws import Aws
from secmigrate.documents import read_snapshot
from secmigrate.iam import Snapshot
from secmigrate.operations import RemoveUserFromGroup
from secmigrate.twin import Twin
from tests.cli.runs import Ran, run

TEAM = "data-science-team"
NEW = "lumen-prod-a001-group-data-scientists"


@pytest.fixture
def twin(ready: Path, example: Snapshot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Twin]:
    """The example account with the new groups and roles on it, and everybody in them."""
    deployed = example
    for operation in plan.creation(example, read_snapshot(ready / "migration/planned.json")).operations:
        deployed = operation.applied(deployed)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    with Twin(deployed, aws_managed=documents.aws_managed()) as made:
        monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
        assert run("readd").code == 3
        assert confirmed("readd", "--execute").code == 0
        yield made


def confirmed(*words: str) -> Ran:
    return run(*words, "--confirm-account", "111122223333")


def test_whom_others_took_out_of_the_old_group_keeps_the_new_one(twin: Twin) -> None:
    team = twin.snapshot().members[TEAM]
    aws = Aws(endpoint=twin.url)
    for name in team:
        aws.send(RemoveUserFromGroup(user=name, group=TEAM).call())
    assert run("rollback").code == 3
    assert confirmed("rollback", "--execute").code == 0
    after = twin.snapshot()
    assert after.members[NEW] == team
    assert {one for group, names in after.members.items() for one in names if group.startswith("lumen-")} == {*team}


def test_without_an_inventory_what_nobody_knows_is_told(twin: Twin) -> None:
    Path("migration/inventory.json").unlink()
    ran = run("rollback")
    assert ran.code == 3
    assert "nobody can tell who would end with less than at the start" in ran.err + ran.out


def test_the_stack_that_goes_last_is_the_one_that_was_deployed(twin: Twin) -> None:
    """The config has come to another tier since, by `map`; the tags of the roles tell whose they are."""
    deployed = "lumen-prod-a001-eu-central-1-medium-sec-stack"
    twin.holds_stack(deployed, read_snapshot(Path("migration/planned.json")))
    last = run("rollback", "--json").document["operations"][-1]
    assert (last["method"], last["params"]) == ("DeleteStack", {"StackName": deployed})
    assert "delete-stack --tier medium" in confirmed("rollback", "--execute").out
    assert twin.delete_stack(deployed) == "DELETE_COMPLETE"
    assert confirmed("resume").code == 0
    assert run("rollback").code == 0


def test_where_no_role_tells_it_is_the_kept_config_whose_groups_are_all_there(twin: Twin) -> None:
    (config,) = Path("migration/sec/configs").iterdir()
    kept = Path("migration/sec/tiers/medium") / config.name
    kept.parent.mkdir(parents=True)
    text = config.read_text()
    kept.write_text(text.replace("name: enterprise", "name: medium"))
    config.write_text(text.replace("  iam_groups:\n", "  iam_groups:\n    more:\n      description: not deployed\n", 1))
    last = run("rollback", "--json").document["operations"][-1]
    assert last["params"] == {"StackName": "lumen-prod-a001-eu-central-1-medium-sec-stack"}
