"""A DeletionPolicy of Retain, written into templates as people and programs wrote them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from secmigrate.documents import patch, retained
from secmigrate.errors import BadInput

YAML = """\
# People
Resources:
  Devs:   # the developers
    Type: AWS::IAM::Group
    Properties: {GroupName: !Sub "${Env}-devs"}
  "Ops":
    DeletionPolicy: Delete
    Type: AWS::IAM::Group
  Flow: {Type: AWS::IAM::Group}
  Kept: {Type: AWS::S3::Bucket}
"""
JSON = json.dumps(
    {
        "Resources": {
            "Devs": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "größe"}},
            "Ops": {"Type": "AWS::IAM::Group", "DeletionPolicy": "Delete"},
            "Kept": {"Type": "AWS::S3::Bucket"},
        }
    },
    ensure_ascii=False,
)


def pretty(indent: int | str | None) -> str:
    return json.dumps(json.loads(JSON), indent=indent, ensure_ascii=False)


def test_yaml_keeps_all_that_a_person_wrote() -> None:
    after = retained(YAML, ["Devs", "Ops", "Flow"], "t.yaml")
    assert after == (
        YAML.replace(
            "    Type: AWS::IAM::Group\n    Prop", "    DeletionPolicy: Retain\n    Type: AWS::IAM::Group\n    Prop"
        )
        .replace("DeletionPolicy: Delete", "DeletionPolicy: Retain")
        .replace("{Type: AWS::IAM::Group}", "{DeletionPolicy: Retain, Type: AWS::IAM::Group}")
    )


@pytest.mark.parametrize("text", [JSON, pretty(1), pretty(2), pretty("\t"), pretty(None) + "\n"])
def test_json_stays_json(text: str) -> None:
    after = retained(text, ["Devs", "Ops"], "t.json")
    expected = json.loads(text)
    for name in ("Devs", "Ops"):
        expected["Resources"][name]["DeletionPolicy"] = "Retain"
    assert json.loads(after) == expected
    assert retained(after, ["Devs", "Ops"], "t.json") == after


@pytest.mark.parametrize("text", [YAML, JSON, pretty(1)])
@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on this machine")
def test_the_patch_applies(text: str, tmp_path: Path) -> None:
    file = tmp_path / "template"
    file.write_text(text, encoding="utf-8")
    after = retained(text, ["Devs"], "template")
    (tmp_path / "p.patch").write_text(patch(text, after, "template"), encoding="utf-8")
    subprocess.run(["git", "apply", "-p0", "p.patch"], cwd=tmp_path, check=True)
    assert file.read_text(encoding="utf-8") == after


@pytest.mark.parametrize("text", [YAML, JSON, "Resources: [", "", "a: 1"])
def test_what_it_does_not_hold_is_said(text: str) -> None:
    with pytest.raises(BadInput):
        retained(text, ["Nobody"], "t")


def test_what_an_alias_repeats_is_written_once() -> None:
    text = "Resources:\n  Devs: &group\n    Type: AWS::IAM::Group\n  Ops: *group\n"
    assert retained(text, ["Devs", "Ops"], "t.yaml").count("DeletionPolicy: Retain\n") == 1


def test_a_policy_that_says_nothing_yet_says_retain() -> None:
    text = "Resources:\n  Devs:\n    DeletionPolicy:\n    Type: AWS::IAM::Group\n"
    assert "    DeletionPolicy: Retain\n    Type" in retained(text, ["Devs"], "t.yaml")


@pytest.mark.skipif(shutil.which("patch") is None, reason="there is no patch on this machine")
def test_line_breaks_that_only_unicode_knows_do_not_break_a_patch(tmp_path: Path) -> None:
    text = '{"Resources": {"Devs": {\n"Type": "AWS::IAM::Group",\n"Metadata": {"note": "a\u2028b\x85c"}}}}'
    after = retained(text, ["Devs"], "t.json")
    (tmp_path / "t.json").write_text(text, newline="")
    made = patch(text, after, "t.json").encode()
    subprocess.run(["patch", "t.json"], input=made, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "t.json").read_bytes().decode() == after
