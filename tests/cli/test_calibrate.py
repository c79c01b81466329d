"""`calibrate` in a workspace: from exports to a `map` that goes by them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from secmigrate import documents
from tests.cli.runs import Ran, run

EXAMPLE = documents.example("manual-account/inventory.json")
MAP = ("--company-prefix", "lumen", "--tenant-id", "a001", "--region", "eu-central-1")


@pytest.fixture
def space(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    assert run("inventory", "--from", str(EXAMPLE), "-w", folder).code == 0
    assert run("map", *MAP, "-w", folder).code == 0
    return folder


def planned(space: Path) -> dict[str, dict[str, object]]:
    """The inline policies of each planned group."""
    found = documents.read_snapshot(space / "planned.json")
    return {
        name: {key: one.value for key, one in group.inline.items()}
        for name, group in {**found.groups, **found.roles}.items()
    }


def exported(space: Path, value: object, name: str = "all.json") -> None:
    (space / "sec" / "groups").mkdir(exist_ok=True)
    (space / "sec" / "groups" / name).write_bytes(msgspec.json.encode(value))


def test_our_own_plan_as_export_is_as_we_assume(space: Path) -> None:
    before = planned(space)
    exported(space, before)
    ran = run("calibrate", "-w", space)
    assert ran.code == 0, ran.out + ran.err
    assert "not as we assume" not in ran.out
    assert "not understood" not in ran.out
    assert run("map", "-w", space).code == 0
    assert planned(space) == before


def other(space: Path) -> Ran:
    """An export that says of s3 level2 what we do not assume, and something that nobody understands."""
    statement = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}
    policies = [
        {"PolicyName": "s3-level2", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
        {"PolicyName": "extras", "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]}},
    ]
    exported(space, {"GroupName": "lumen-prod-a001-eu-central-1-nobody", "Policies": policies})
    return run("calibrate", "-w", space)


def test_what_differs_counts_from_then_on(space: Path) -> None:
    before = planned(space)
    ran = other(space)
    assert ran.code == 3, ran.out + ran.err
    assert "s3 level2: not as we assume" in ran.out
    assert "allows less: " in ran.out
    assert "extras / PolicyDocument: it is not said which level this is" in ran.out
    assert run("map", "-w", space).code == 0
    after = planned(space)
    assert after != before
    assert all("s3-level2" not in policies or "GetObject" in str(policies["s3-level2"]) for policies in after.values())
    (space / "levels.json").unlink()
    assert run("map", "-w", space).code == 0
    assert planned(space) == before


def test_the_json_says_the_same(space: Path) -> None:
    other(space)
    ran = run("calibrate", "-w", space, "--json")
    level = ran.document["levels"][0]
    assert (level["service"], level["level"], level["differs"]) == ("s3", "level2", True)
    assert len(ran.document["unknown"]) == 1


def test_nothing_learned_writes_nothing(space: Path) -> None:
    exported(space, {"x": {"Statement": []}})
    ran = run("calibrate", "-w", space)
    assert ran.code == 3
    assert "nothing was learned" in ran.out
    assert not (space / "levels.json").exists()


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[]"])
def test_bad_exports(space: Path, text: str) -> None:
    (space / "sec" / "groups").mkdir()
    (space / "sec" / "groups" / "x.json").write_text(text)
    ran = run("calibrate", "-w", space)
    assert ran.code == 2
    assert "sec" in ran.err


def test_no_exports_and_no_such_folder(space: Path) -> None:
    assert run("calibrate", "-w", space).code == 2
    ran = run("calibrate", "-w", space, space / "nowhere")
    assert ran.code == 2
    assert "no such file" in ran.err


def test_damaged_levels_are_bad_input(space: Path) -> None:
    (space / "levels.json").write_text('{"kind": "levels", "version": 1, "services": {"s3": 1}}')
    for words in (("map",), ("rules", "check")):
        ran = run(*words, "-w", space)
        assert ran.code == 2
        assert "calibrate" in ran.err


def test_levels_that_are_not_in_the_exports_any_more_are_told(space: Path) -> None:
    """The file is written anew: what an earlier run learned must not go without a word."""
    other(space)
    statement = {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": "*"}
    exported(space, {"ecr-level1": {"Version": "2012-10-17", "Statement": [statement]}}, "ecr.json")
    ran = run("calibrate", space / "sec/groups/ecr.json", "-w", space, "--json")
    assert ran.code == 3
    assert ran.document["forgotten"] == ["s3 level2"]
    assert "s3 level2: learned earlier, and not in these exports: ours counts again" in ran.err
    assert run("calibrate", space / "sec/groups/ecr.json", "-w", space, "--json").document["forgotten"] == []
    (space / "levels.json").write_text("{")
    assert run("calibrate", "-w", space).code == 3
