"""Several sources: who manages what, what a state says that is not so, and what is nobody's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate import iam
from secmigrate.errors import BadInput
from secmigrate.iam import Group, Policy, Role, Snapshot, User, Version
from secmigrate.sources.merging import Merged, merged, unowned
from secmigrate.sources.saved import read_saved
from secmigrate.sources.uniting import Source
from tests.cli.runs import run
from tests.plan.cases import dangers, decommission, group, groups, kept, role, roles, shell, snapshot, user
from tests.small import ACCOUNT, allow, trust
from tests.sources.test_terraform import ARN, EXPECTED, read, version_4

STATE = version_4()


def together(*snapshots: Snapshot) -> Merged:
    return merged([Source(f"{n}.json", one) for n, one in enumerate(snapshots)])


@pytest.fixture
def state(tmp_path: Path) -> Snapshot:
    return read(tmp_path, STATE)


def test_what_is_live_counts_and_the_state_tells_the_owners(state: Snapshot) -> None:
    more = EXPECTED.put(Group(name="by-hand")).put(
        Role(name="linked", path="/aws-service-role/x.amazonaws.com/", trust=trust())
    )
    found = together(more, state)
    assert found.snapshot == more
    assert found.snapshot.incomplete == ()
    assert found.drift == ()
    assert found.snapshot.owners == {
        f"{ARN}:group/devs": 'terraform module.team["a"].aws_iam_group.devs[0]',
        f"{ARN}:group/x/ops": "terraform aws_iam_group.ops",
        f"{ARN}:instance-profile/box": "terraform aws_iam_instance_profile.box",
        f"{ARN}:policy/shared/edge": "terraform aws_iam_policy.edge",
        f"{ARN}:role/aws-service-role/x.amazonaws.com/linked": "service-linked",
        f"{ARN}:role/runner": "terraform aws_iam_role.runner",
        f"{ARN}:user/bo": 'terraform aws_iam_user.people["bo"]',
        f"{ARN}:user/people/ana": 'terraform aws_iam_user.people["ana"]',
    }
    assert unowned(found.snapshot) == [f"{ARN}:group/by-hand"]
    assert together(state, more).snapshot.owners == found.snapshot.owners
    assert iam.decode(iam.encode(found.snapshot)).owners == found.snapshot.owners
    assert found.snapshot.fingerprint == more.fingerprint


def test_drift_is_what_the_state_says_and_is_not_so(state: Snapshot) -> None:
    live = EXPECTED.drop(EXPECTED.groups["ops"]).put(
        structs.replace(EXPECTED.groups["devs"], inline={"inline": allow("s3:*"), "by-hand": allow("iam:*")})
    )
    live = live.put(structs.replace(live.users["ana"], groups=("devs", "elsewhere"))).put(Group(name="elsewhere"))
    edge = live.policies[f"{ARN}:policy/shared/edge"]
    live = live.put(structs.replace(edge, older=(Version(document=allow("a:*")),)))
    drift = together(live, state).drift
    assert [line.split(": ")[0] for line in drift] == [
        "terraform aws_iam_group.ops",
        'terraform aws_iam_user.people["ana"]',
        'terraform module.team["a"].aws_iam_group.devs[0]',
    ]
    assert drift[0].endswith(f"{ARN}:group/x/ops is not in the account")
    assert "by-hand" in drift[2]


def test_two_states_may_hang_things_on_the_same_people(tmp_path: Path, state: Snapshot) -> None:
    rows = [
        {"mode": "managed", "type": "aws_iam_user", "name": "zoe", "instances": [
            {"attributes": {"name": "zoe", "path": "/z/", "arn": f"{ARN}:user/z/zoe"}}]},
        {"mode": "managed", "type": "aws_iam_group_membership", "name": "ops", "instances": [
            {"attributes": {"group": "ops", "users": ["zoe", "ana"]}}]},
    ]  # fmt: skip
    other = read(tmp_path, {"version": 4, "terraform_version": "1.9", "resources": rows})
    for sources in ([state, other], [other, state]):
        found = together(*sources).snapshot
        assert found.users["zoe"] == User(name="zoe", path="/z/", groups=("devs", "ops"))
        assert found.users["ana"].groups == ("devs", "ops")
        assert found.groups["ops"].path == "/x/"
        assert "user zoe" not in {gap.what for gap in found.incomplete}
        assert "what Terraform does not manage" in {gap.what for gap in found.incomplete}


def test_two_accounts_are_not_merged(state: Snapshot) -> None:
    with pytest.raises(BadInput, match="two accounts"):
        together(state, Snapshot(account="999988887777"))


def test_the_command(tmp_path: Path) -> None:
    (tmp_path / "live.json").write_bytes(iam.encode(EXPECTED.put(Group(name="by-hand"))))
    (tmp_path / "terraform.tfstate").write_text(json.dumps(STATE))
    places = ("--from", tmp_path / "live.json", "--from", tmp_path / "terraform.tfstate")
    ran = run("inventory", "-w", tmp_path / "w", "--json", *places)
    assert ran.code == 0, ran
    assert ran.document["unowned"] == [f"{ARN}:group/by-hand"]
    assert ran.document["owners"][f"{ARN}:role/runner"] == "terraform aws_iam_role.runner"
    assert ran.document["drift"] == []
    assert "owned by nobody: 1" in ran.err
    assert read_saved(tmp_path / "w" / "inventory.json").owners == ran.document["owners"]


def test_what_terraform_manages_is_not_decommissioned() -> None:
    live = snapshot(
        user("ana", "devs", "new"), group("devs"), group("new"), role("old"), role("fresh"),
        Policy(arn=f"arn:aws:iam::{ACCOUNT}:policy/p", document=allow("s3:*")),
    )  # fmt: skip
    moves = [*groups(devs="new"), *roles(old="fresh")]
    assert len(shell(decommission(live, moves))) == 3
    owners = {
        live.arn(live.groups["devs"]): "terraform aws_iam_group.devs",
        live.arn(live.roles["old"]): "terraform x.y",
    }
    plan = decommission(structs.replace(live, owners=owners), moves)
    assert (shell(plan), dangers(plan)) == ([], {"owned-elsewhere": ("devs", "old")})
    assert kept(plan) == {"devs": "managed by terraform aws_iam_group.devs", "old": "managed by terraform x.y"}


def test_what_may_be_managed_as_well_is_told(tmp_path: Path) -> None:
    """The account is known whole; who manages it is not."""
    live, template, state = (tmp_path / name for name in ("live.json", "iam.yaml", "terraform.tfstate"))
    live.write_bytes(iam.encode(EXPECTED.put(Group(name="prod-iam-Team-1A2B3C4D5E6F7"))))
    template.write_text(
        "Transform: AWS::LanguageExtensions\nResources:\n  Team: {Type: 'AWS::IAM::Group'}\n"
        "  'Fn::ForEach::Teams': [Name, [a, b], {'${Name}': {Type: 'AWS::IAM::Group'}}]\n"
        "  Below: {Type: 'AWS::CloudFormation::Stack', Properties: {TemplateURL: 'https://s3.example/t.json'}}\n"
    )
    linked = [one for one in STATE["resources"] if one["type"] == "aws_iam_service_linked_role"]
    state.write_text(json.dumps({**STATE, "resources": linked}))
    sources = [arg for path in (live, template, state) for arg in ("--from", path)]
    ran = run("inventory", "-w", tmp_path / "w", *sources, "--json")
    assert ran.code == 0, ran
    assert ran.document["incomplete"] == []
    assert ran.document["unsure"] == [
        f"{ARN}:group/iam-Team: CloudFormation gives it a name; called so here after stack iam Team",
        "aws_iam_service_linked_role.ecs: secmigrate does not know what such a resource may do",
        "stack iam Below: the template of this nested stack was not given",
        "stack iam Fn::ForEach::Teams: secmigrate does not know what such a resource may do",
    ]
    assert "may be managed as well: stack iam Below" in ran.err
