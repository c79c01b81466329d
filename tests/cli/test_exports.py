"""The provisioner's exports against the plan and the account: names are the same on all sides (guide, step 6)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from secmigrate import documents
from secmigrate.diff import Exported
from secmigrate.diff.exports import named
from secmigrate.iam import Snapshot
from tests.cli.runs import run

OWNER = "lumen-prod-a001"


def exported(ready: Path, *, leave: int = 0) -> Snapshot:
    """Everything of the plan, exported as the guide's expression has it, but for so many groups."""
    planned = documents.read_snapshot(ready / "migration/planned.json")
    for room, things in (("groups", planned.groups), ("roles", planned.roles)):
        folder = ready / "migration/sec" / room
        folder.mkdir()
        for name, one in list(things.items())[leave if room == "groups" else 0 :]:
            tail = name.removeprefix(f"{OWNER}-")
            body = {"policies": [document.value for document in one.inline.values()]}
            (folder / f"2026-{tail}.json").write_text(json.dumps(body))
    return planned


def test_what_is_as_planned_is_silent(ready: Path) -> None:
    exported(ready)
    ran = run("diff", "--exports", "--json")
    assert ran.code == 0, ran
    assert [ran.document[key] for key in ("missing", "extra", "different", "existing")] == [[], [], [], []]


def test_what_is_missing_extra_and_different(ready: Path) -> None:
    planned = exported(ready, leave=1)
    missing, other, *_ = planned.groups
    groups = ready / "migration/sec/groups"
    (groups / "2026-group-new-one.json").write_text('{"GroupName": "lumen-prod-a001-group-new-one"}')
    changed = groups / f"2026-{other.removeprefix(f'{OWNER}-')}.json"
    changed.write_text('[{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}]')
    ran = run("diff", "--exports", "--json")
    assert ran.code == 3
    assert ran.document["missing"] == [{"kind": "group", "name": missing}]
    assert ran.document["extra"] == [{"kind": "group", "name": "lumen-prod-a001-group-new-one"}]
    (different,) = ran.document["different"]
    assert different["name"] == other
    assert any("1 policy document in the export" in line for line in different["changes"])
    assert "2026-group-new-one.json" in {Path(one).name for one in ran.document["unread"]}


def test_what_exists_already_is_named(ready: Path) -> None:
    exported(ready)
    path = ready / "migration/inventory.json"
    value = json.loads(path.read_text())
    value["groups"].append({"name": "lumen-prod-a001-group-ml-engineers"})
    path.write_text(json.dumps(value))
    found = run("diff", "--exports", "--json").document
    assert found["existing"] == [{"kind": "group", "name": "lumen-prod-a001-group-ml-engineers"}]


def test_without_exports_it_says_how_to_make_some(ready: Path) -> None:
    ran = run("diff", "--exports")
    assert ran.code == 2
    assert "provisioner export-groups --run" in ran.err


@pytest.mark.parametrize(
    ("names", "meant"),
    [
        (("edge-prod-b001-us-west-1-medium-sec-group-ml-engineers",), "edge-prod-b001-group-ml-engineers"),
        (("group-ml-engineers",), "edge-prod-b001-group-ml-engineers"),
        (("edge-prod-b001-group-engineers",), "edge-prod-b001-group-engineers"),
        (("Group-ML_Engineers",), "edge-prod-b001-group-ml-engineers"),
        (("export-17", "edge-prod-b001-group-focus-group-x"), "edge-prod-b001-group-focus-group-x"),
        (("edge-group-focus-group-x",), "edge-prod-b001-group-focus-group-x"),
        (("edge-group-x",), "edge-group-x"),
        (("xgroup-engineers",), "edge-prod-b001-group-engineers"),
    ],
)
def test_names_mean_the_same_on_both_sides(names: tuple[str, ...], meant: str) -> None:
    planned = [f"edge-prod-b001-group-{tail}" for tail in ("engineers", "ml-engineers", "focus-group-x")]
    assert named(Exported(kind="group", file="", names=names, documents=()), planned) == meant
