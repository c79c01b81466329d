"""Templates and cdk.out folders: the cases of `cloudformation/` and `cdk/`, and what is no template."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate import documents, iam
from secmigrate.access import Watch
from secmigrate.documents import read_snapshot, write_snapshot
from secmigrate.errors import BadInput
from secmigrate.iam import Snapshot, Stack
from secmigrate.sources.cloudformation import Place
from secmigrate.sources.saved import read_all, read_managed, read_saved
from tests.small import ACCOUNT

HERE = Path(__file__).parent
LUMEN = HERE / "cdk/lumen/cdk.out"
HERE_KNOWN = Place(ACCOUNT, "aws", "eu-central-1")
CASES = {
    **{f"cdk/{path.parent.name}": path for path in sorted(HERE.glob("cdk/*/cdk.out"))},
    **{f"cloudformation/{path.parent.name}": path for path in sorted(HERE.glob("cloudformation/*/template.*"))},
}
SECRET = "not-for-anybody-to-see"


def stacks(path: Path) -> list[Stack]:
    return read_managed([path], HERE_KNOWN).stacks


@pytest.mark.parametrize("case", CASES)
def test_a_template_is_read_as_expected(tmp_path: Path, case: str) -> None:
    found = read_saved(CASES[case], HERE_KNOWN)
    expected = CASES[case].parent / "expected.json"
    assert found == read_snapshot(expected)
    bare = structs.replace(found, policies=found.own_policies)  # AWS's are those of the catalogue
    assert write_snapshot(tmp_path / "found.json", bare).read_bytes() == expected.read_bytes()
    assert SECRET not in iam.encode(found).decode()
    assert SECRET not in str(stacks(CASES[case]))


def test_the_manifest_names_the_account_and_a_template_does_not() -> None:
    assert read_saved(LUMEN) == read_saved(LUMEN / "manifest.json") == read_saved(LUMEN, HERE_KNOWN)
    with pytest.raises(BadInput, match="does not say of which account") as caught:
        read_saved(CASES["cloudformation/in-json"])
    assert caught.value.where == f"{CASES['cloudformation/in-json']}:1"
    assert "--from live" in caught.value.hint


def test_another_source_tells_a_template_its_account(tmp_path: Path) -> None:
    state = write_snapshot(tmp_path / "known.json", Snapshot(account=ACCOUNT))
    found = [one.snapshot for one in read_all([CASES["cloudformation/in-json"], state]).sources]
    assert [one.account for one in found] == [ACCOUNT, ACCOUNT]
    assert "team" in found[1].groups


def test_one_stack_imports_what_another_file_exports(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(
        "Resources: {G: {Type: AWS::IAM::Group, Properties: {GroupName: devs}}}\n"
        "Outputs: {G: {Value: !Ref G, Export: {Name: !Sub '${AWS::StackName}-group'}}}\n"
    )
    (tmp_path / "two.yaml").write_text(
        "Resources: {A: {Type: AWS::IAM::UserToGroupAddition, "
        "Properties: {GroupName: !ImportValue one-group, Users: [ana]}}}\n"
    )
    for names in (("one", "two"), ("two", "one")):
        ((_, found),) = read_all([tmp_path / f"{name}.yaml" for name in names], HERE_KNOWN).sources
        assert found.users["ana"].groups == ("devs",)
    alone = read_saved(tmp_path / "two.yaml", HERE_KNOWN)
    assert alone.users["ana"].groups == ()
    assert alone.users["ana"].attached == (f'arn:aws:iam::{ACCOUNT}:policy/two/{{"Fn::ImportValue":"one-group"}}',)
    one, two = (stacks(tmp_path / f"{name}.yaml")[0] for name in ("one", "two"))
    assert (one.exports, one.imports, two.imports) == ({"one-group": "devs"}, (), ("one-group",))


def test_stacks_of_other_accounts_are_left_out_or_asked_about(tmp_path: Path) -> None:
    shutil.copytree(LUMEN, tmp_path / "cdk.out")
    file = tmp_path / "cdk.out/manifest.json"
    head = json.loads(file.read_text())
    head["artifacts"]["Team"]["environment"] = "aws://444455556666/eu-central-1"
    file.write_text(json.dumps(head))
    with pytest.raises(BadInput, match="stacks of 2 accounts: 111122223333, 444455556666"):
        read_saved(tmp_path / "cdk.out")
    found = read_saved(tmp_path / "cdk.out", HERE_KNOWN)
    assert "partner-audit" not in found.roles
    assert "players" in found.groups
    with pytest.raises(BadInput, match="and not of 999988887777"):
        read_saved(LUMEN, Place("999988887777"))


@pytest.mark.parametrize("case", ["cloudformation/who-is-unknown", "cloudformation/every-tag", "cdk/lumen"])
def test_what_is_not_known_makes_access_unsure(case: str) -> None:
    """It never allows nothing: whoever has a function in a policy, or an unknown policy or group, is unsure."""
    found = read_saved(CASES[case], HERE_KNOWN)
    nobody = iam.Snapshot(account=ACCOUNT)
    for user in found.users.values():
        nobody = nobody.put(iam.User(name=user.name))
    compared = Watch(documents.aws_actions(), (found, nobody)).between(found, nobody)
    assert {change.name for change in compared.users() if change.may_lose or change.unread} == {
        "cloudformation/who-is-unknown": {"ana"},
        "cloudformation/every-tag": {"prod.bot"},
        "cdk/lumen": {"ana.adler", "cleo.costa"},  # the bucket that the scientists read has no name yet
    }[case]


WRONG: dict[str, tuple[str, int, str]] = {
    "a key twice": ("Resources:\n  A: {Type: AWS::IAM::Group}\n  A: {Type: AWS::IAM::Group}\n", 3, "'A' stands twice"),
    "a key twice in JSON": ('{"Resources": {\n"A": {"Type": "AWS::IAM::Group"},\n"A": {}}}', 3, "'A' stands twice"),
    "an unknown tag": ("Resources:\n  A: !Reff x\n", 2, "no tag !Reff"),
    "no list": (
        "Resources:\n  B: {}\n  A: {Type: AWS::IAM::Group, Properties: {Policies: x}}",
        3,
        "A: Policies is not a",
    ),
    "no trust": ("Resources:\n  A: {Type: AWS::IAM::Role}", 2, "A: there is no 'AssumeRolePolicyDocument'"),
    "a bad name": ("Resources:\n  A:\n    Type: AWS::IAM::Group\n    Properties: {GroupName: a b}", 2, "A: "),
    "one name twice": (
        "Resources:\n  A: &g {Type: AWS::IAM::Group, Properties: {GroupName: x}}\n  B: *g\n",
        3,
        "x is there already, by stack template A",
    ),
    "no such item": (
        "Resources:\n  A: {Type: AWS::IAM::Group, Properties: {GroupName: !Select [3, [a]]}}",
        2,
        "A: Fn::Select wants item 3 of 1",
    ),
    "a condition that is none": (
        "Conditions: {C: !Equals [!If [x], y]}\nResources:\n  A: {Type: AWS::IAM::Group, Condition: C}",
        3,
        "Fn::If takes a condition and two values",
    ),
    "no sections": ("Resources:\n  A: {Type: AWS::IAM::Group}\nOutputs: [x]\n", 3, "Outputs is not a mapping"),
    "something else": ("just: text", 1, "neither a snapshot nor"),
    "text": ("hello", 1, "neither a snapshot nor"),
}


def test_a_file_of_no_kind_is_told_the_kinds(tmp_path: Path) -> None:
    for text in ("a: b: c", "hello", "{}", "[]"):
        (tmp_path / "x").write_text(text)
        with pytest.raises(BadInput) as caught:
            read_saved(tmp_path / "x")
        assert "a cdk.out folder" in caught.value.hint


def test_properties_that_are_none_give_no_traceback_beside_another_source(tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text('{"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": true}}}')
    with pytest.raises(BadInput):
        read_saved(tmp_path / "t.json", HERE_KNOWN)


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, case: str) -> None:
    text, line, said = WRONG[case]
    path = tmp_path / "template.yaml"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_saved(path, HERE_KNOWN)
    assert said in caught.value.message
    assert caught.value.where.split(":")[:2] == [str(path), str(line)]
    assert caught.value.hint


@pytest.mark.parametrize("name", ["../outside", "nowhere.json", 7, None])
def test_a_manifest_leads_nowhere_else(tmp_path: Path, name: object) -> None:
    (tmp_path / "outside").write_text('{"Resources": {}}')
    row = {"type": "aws:cloudformation:stack", "properties": {"templateFile": name}}
    (tmp_path / "cdk.out").mkdir()
    (tmp_path / "cdk.out/manifest.json").write_text(json.dumps({"version": "55", "artifacts": {"A": row}}))
    with pytest.raises(BadInput) as caught:
        read_saved(tmp_path / "cdk.out", HERE_KNOWN)
    assert str(tmp_path / "cdk.out") in caught.value.where


def test_a_folder_that_is_no_assembly_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"without manifest\.json"):
        read_saved(tmp_path)


def test_stacks_tell_what_lies_in_them_beside_iam() -> None:
    platform, ops, team, sandbox = stacks(LUMEN)
    assert (platform.name, team.name, sandbox.name) == ("lumen-platform", "lumen-team", "lumen-sandbox")
    rows = {one.logical_id: one for one in platform.resources}
    lake = rows["Lake5F1B88EA"]
    assert (lake.type, lake.deletion_policy, lake.physical) == ("AWS::S3::Bucket", "Retain", "lumen-data-lake")
    assert rows["Scientists57C3E451"].physical == "data-science-team"
    assert rows["EngineersE9FA6DBF"].physical == ""
    assert [one.children for one in platform.resources if one.children] == [ops.name]
    assert "Guard" not in rows  # its condition does not hold
    assert platform.exports["lumen-platform-lake"] == "lumen-data-lake"
    assert "not-of-this-app" in team.imports
    with pytest.raises(BadInput, match="nor a template"):
        stacks(HERE / "saved/snapshot/input.json")


def written(folder: Path, text: str) -> Path:
    path = folder / "iam.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "row",
    [
        "Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/x'}}",
        "Everywhere: {Type: AWS::CloudFormation::StackSet, Properties: {StackSetName: x}}",
        "Ours: {Type: My::Org::Team::MODULE}",
        "Product: {Type: AWS::ServiceCatalog::CloudFormationProvisionedProduct}",
    ],
)
def test_what_makes_more_than_stands_there_is_told(tmp_path: Path, row: str) -> None:
    path = written(
        tmp_path, f"Resources:\n  {row}\n  Devs: {{Type: AWS::IAM::Group, Properties: {{GroupName: devs}}}}\n"
    )
    gaps = [gap.what for gap in read_saved(path, HERE_KNOWN).incomplete]
    assert f"stack iam {row.split(': ', maxsplit=1)[0]}" in gaps
    assert not stacks(path)[0].tells_all
    assert stacks(LUMEN)[0].tells_all


def test_a_macro_within_properties_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    macro = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: 's3://b/x'}}"
    path = written(
        tmp_path, f"Resources: {{Devs: {{Type: AWS::IAM::Group, Properties: {{GroupName: devs, {macro}}}}}}}\n"
    )
    found = read_saved(path, HERE_KNOWN)
    assert found.owners == {f"arn:aws:iam::{ACCOUNT}:group/devs": "stack iam Devs"}
    assert "the transform in it may say more than stands there" in [gap.why for gap in found.incomplete]


EITHER = """\
Parameters: {Kind: {Type: String}}
Conditions: {Wide: !Equals [!Ref Kind, wide], Narrow: !Not [!Condition Wide]}
Resources:
  A: {Type: AWS::IAM::Group, Condition: Wide, Properties: {GroupName: devs, ManagedPolicyArns: [WIDE]}}
  B: {Type: AWS::IAM::Group, Condition: Narrow, Properties: {GroupName: devs, ManagedPolicyArns: [NARROW]}}
""".replace("WIDE", "arn:aws:iam::aws:policy/AdministratorAccess").replace(
    "NARROW", "arn:aws:iam::aws:policy/ReadOnlyAccess"
)


def test_one_of_two_that_exclude_each_other_is_there(tmp_path: Path) -> None:
    """Which one it is depends on a parameter, and the stack tells if it may be asked."""
    path = written(tmp_path, EITHER)
    found = read_saved(path, HERE_KNOWN)
    assert set(found.owners.values()) == {"stack iam A"}
    assert {gap.what for gap in found.incomplete} >= {"stack iam A", "stack iam B"}
    asked = HERE_KNOWN._replace(names=lambda stack, region: {"B": "devs"})
    found = read_saved(path, asked)
    assert found.groups["devs"].attached == ("arn:aws:iam::aws:policy/ReadOnlyAccess",)
    assert set(found.owners.values()) == {"stack iam B"}
