"""References to SSM and Secrets Manager in templates: each is a gap of its resource, and the rest is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from secmigrate import documents, iam
from secmigrate.access import Watch
from secmigrate.sources.saved import read_saved
from tests.small import ACCOUNT
from tests.sources.test_cloudformation import HERE_KNOWN, SECRET, stacks, written

TEMPLATE = """\
Parameters:
  Team: {Type: String, Default: '{{resolve:ssm:/iam/team}}'}
Conditions:
  Wide: !Equals ['{{resolve:ssm:/iam/wide}}', 'yes']
Resources:
  Devs: {Type: AWS::IAM::Group, Properties: {GroupName: devs}}
  Team:
    Type: AWS::IAM::Group
    Condition: Wide
    Properties: {GroupName: !Ref Team, Path: '{{resolve:ssm:/iam/path}}'}
  Runner:
    Type: AWS::IAM::Role
    Properties:
      RoleName: '{{resolve:ssm:/iam/role-name}}'
      Path: '{{resolve:ssm:/iam/path}}'
      Description: '{{resolve:ssm:/iam/description}}'
      MaxSessionDuration: '{{resolve:ssm:/iam/session}}'
      PermissionsBoundary: '{{resolve:ssm:/iam/boundary}}'
      ManagedPolicyArns: ['{{resolve:ssm:/iam/policy}}', !Ref Edge, 'arn:aws:iam::aws:policy/ReadOnlyAccess']
      Tags: [{Key: '{{resolve:ssm:/iam/key}}', Value: '{{resolve:ssm:/iam/value}}'}]
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement: {Effect: Allow, Principal: {AWS: '{{resolve:ssm:/iam/account}}'}, Action: sts:AssumeRole}
      Policies:
        - PolicyName: '{{resolve:ssm:/iam/policy-name}}'
          PolicyDocument: {Statement: {Effect: Allow, Action: 's3:Get*', Resource: '*'}}
  Whole:
    Type: AWS::IAM::Role
    Properties: {RoleName: whole, AssumeRolePolicyDocument: '{{resolve:ssm:/iam/trust}}'}
  Edge:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: !Sub 'edge-${Team}'
      Path: '{{resolve:ssm:/iam/path}}'
      PolicyDocument: {Statement: {Effect: Allow, Action: 'sqs:*', Resource: !GetAtt Runner.Arn}}
  Shared:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: shared
      Path: '{{resolve:ssm:/iam/path}}'
      Groups: ['{{resolve:ssm:/iam/group}}', devs]
      PolicyDocument: {Statement: {Effect: Allow, Action: 'sns:*', Resource: '*'}}
  Ana:
    Type: AWS::IAM::User
    Properties:
      UserName: !Join ['-', [ana, '{{resolve:ssm:/iam/suffix}}']]
      Groups: [!Ref Devs, '{{resolve:ssm:/iam/group}}']
  Bo:
    Type: AWS::IAM::User
    Properties: {UserName: bo, LoginProfile: {Password: '{{resolve:secretsmanager:not-for-anybody-to-see}}'}}
  Added:
    Type: AWS::IAM::UserToGroupAddition
    Properties: {GroupName: '{{resolve:ssm:/iam/group}}', Users: [!Ref Bo, '{{resolve:ssm:/iam/user}}']}
  Box:
    Type: AWS::IAM::InstanceProfile
    Properties:
      InstanceProfileName: '{{resolve:ssm:/iam/profile}}'
      Path: '{{resolve:ssm:/iam/path}}'
      Roles: [!Ref Runner]
  Own:
    Type: AWS::IAM::GroupPolicy
    Properties:
      GroupName: !Ref Devs
      PolicyName: '{{resolve:ssm:/iam/policy-name}}'
      PolicyDocument: {Statement: {Effect: Allow, Action: 's3:*', Resource: 'arn:aws:s3:::{{resolve:ssm:/iam/bucket}}'}}
"""
LATER = "not known before it is deployed: "


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path, TEMPLATE)


def unknown(found: iam.Snapshot) -> Iterator[tuple[str, list[str]]]:
    for gap in found.incomplete:
        if gap.why.startswith(LATER):
            yield gap.what.removeprefix("stack iam "), gap.why.removeprefix(LATER).split(", ")


def test_each_is_a_gap_of_its_resource_and_all_is_read(path: Path) -> None:
    found = read_saved(path, HERE_KNOWN)
    assert set(found.groups) == {"devs", "iam-Team"}
    assert set(found.roles) == {"iam-Runner", "whole"}
    assert set(found.users) == {"iam-Ana", "bo"}
    assert {arn.rsplit(":", 1)[1] for arn in found.policies if ACCOUNT in arn} == {
        "policy/iam-Edge",
        "policy/iam-Shared",
    }
    assert found.instance_profiles["iam-Box"].roles == ("iam-Runner",)
    told = dict(unknown(found))
    assert told.keys() == {"Added", "Ana", "Box", "Edge", "Own", "Runner", "Shared", "Team", "Whole"}
    assert all(any("{{resolve:" in line for line in lines) for lines in told.values())
    assert told["Team"] == ["Fn::Sub {{resolve:ssm:/iam/path}}", "Fn::Sub {{resolve:ssm:/iam/team}}"]
    assert SECRET not in iam.encode(found).decode() + str(stacks(path))


def test_what_they_leave_open_is_never_nothing(path: Path) -> None:
    role = read_saved(path, HERE_KNOWN).roles["iam-Runner"]
    assert (role.path, role.max_session, len(role.attached), "{{resolve:" in role.boundary) == ("/", 3600, 3, True)
    assert f"arn:aws:iam::{ACCOUNT}:policy/iam-Edge" in role.attached
    found = read_saved(path, HERE_KNOWN)
    nobody = iam.Snapshot(account=ACCOUNT)
    for user in found.users.values():
        nobody = nobody.put(iam.User(name=user.name))
    compared = Watch(documents.aws_actions(), (found, nobody)).between(found, nobody)
    assert {change.name for change in compared.users() if change.may_lose or change.unread} == {"bo", "iam-Ana"}


def test_what_the_stack_tells_is_known(path: Path) -> None:
    asked = HERE_KNOWN._replace(names=lambda stack, region: {"Runner": "runs", "Team": "team"})
    found = read_saved(path, asked)
    assert found.roles.keys() == {"runs", "whole"}
    assert dict(unknown(found))["Team"] == ["Fn::Sub {{resolve:ssm:/iam/path}}"]


@pytest.mark.parametrize("open_path", ["'{{resolve:ssm:/iam/path}}'", "!Ref Path"])
def test_an_arn_with_a_path_that_is_not_known_is_not_known(open_path: str, tmp_path: Path) -> None:
    """Who may assume a role somewhere under an unknown path is not somebody who may assume it under `/`."""
    text = (
        "Parameters: {Path: {Type: String}}\n"
        "Resources:\n"
        "  Role:\n"
        "    Type: AWS::IAM::Role\n"
        f"    Properties: {{RoleName: r, Path: {open_path}, AssumeRolePolicyDocument: {{}}}}\n"
        "  Edge:\n"
        "    Type: AWS::IAM::ManagedPolicy\n"
        "    Properties:\n"
        "      ManagedPolicyName: edge\n"
        f"      Path: {open_path}\n"
        "      Roles: [!Ref Role]\n"
        "      PolicyDocument: {Statement: {Effect: Allow, Action: sts:AssumeRole, Resource: !GetAtt Role.Arn}}\n"
    )
    found = read_saved(written(tmp_path, text), HERE_KNOWN)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/iam-Edge"
    assert found.roles["r"].attached == (arn,)
    assert arn in {gap.what for gap in found.incomplete}
    assert "Fn::" in found.policies[arn].document.text
