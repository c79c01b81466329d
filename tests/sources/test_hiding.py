"""What Terraform manages and what makes IAM of its own in turn, such as a stack: told where it may, and only there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from secmigrate import iam
from secmigrate.iam import Group, Snapshot
from secmigrate.sources.cloudformation import Place
from secmigrate.sources.merging import merged
from secmigrate.sources.saved import read_all, read_saved
from tests.small import ACCOUNT
from tests.sources.test_states import AWS, OTHER, THERE, block, group, saved, shown, state

GROUP = json.dumps({"Resources": {"A": {"Type": "AWS::IAM::Group", "Properties": {"GroupName": "x"}}}})
TOPIC = "Resources:\n  T:\n    Type: AWS::SNS::Topic\n"
NESTING = "Resources:\n  N:\n    Type: AWS::CloudFormation::Stack\n    Properties: {TemplateURL: 'https://x/y'}\n"
SAM = "Transform: AWS::Serverless-2016-10-31\nResources: {F: {Type: AWS::Serverless::Function}}\n"
IAM, NAMED, EXPAND = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"


def stack(body: str | None, *capabilities: str, **more: object) -> dict[str, Any]:
    return {"name": "s", "template_body": body, "capabilities": list(capabilities) or None, **more}


def hiding(found: Snapshot) -> set[str]:
    return {gap.what for gap in found.incomplete if gap.why.startswith("secmigrate does not know")}


HIDES: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("aws_cloudformation_stack", stack(GROUP, NAMED), True),
    ("aws_cloudformation_stack", stack(GROUP), True),  # whatever may be deployed without a capability
    ("aws_cloudformation_stack", stack(NESTING, IAM), True),
    ("aws_cloudformation_stack", stack(SAM, IAM, EXPAND), True),
    ("aws_cloudformation_stack", stack(None, IAM, template_url="https://x/y"), True),
    ("aws_cloudformation_stack", stack(None, template_url="https://x/y"), False),
    ("aws_cloudformation_stack", stack(TOPIC), False),
    ("aws_cloudformation_stack", stack(TOPIC, IAM), False),
    ("aws_cloudformation_stack", stack(NESTING), False),
    ("aws_cloudformation_stack", stack(SAM, EXPAND), False),
    ("aws_cloudformation_stack", stack('{"Resources": {"O": {"Type": "AWS::IAM::OIDCProvider"}}}'), False),
    ("aws_cloudformation_stack_set", stack(GROUP, NAMED), True),
    ("aws_cloudformation_stack_set", stack(TOPIC), False),
    ("aws_serverlessapplicationrepository_cloudformation_stack", {"name": "s", "capabilities": [IAM]}, True),
    ("aws_serverlessapplicationrepository_cloudformation_stack", {"name": "s", "capabilities": []}, False),
    ("awscc_cloudformation_stack", {"stack_name": "s", "template_url": "https://x/y", "capabilities": [IAM]}, True),
    ("awscc_cloudformation_stack_set", stack(TOPIC), False),
    ("aws_servicecatalog_provisioned_product", {"name": "p"}, True),
    ("awscc_servicecatalog_cloudformation_provisioned_product", {"provisioned_product_name": "p"}, True),
    ("aws_cloudcontrolapi_resource", {"type_name": "AWS::IAM::Group"}, True),
    ("aws_cloudcontrolapi_resource", {"type_name": "AWS::CloudFormation::StackSet"}, True),
    ("aws_cloudcontrolapi_resource", {"type_name": "AWS::IAM::SAMLProvider"}, False),
    ("aws_cloudcontrolapi_resource", {"type_name": "AWS::ECS::Cluster"}, False),
)


@pytest.mark.parametrize(("type_", "values", "is_told"), HIDES)
def test_what_may_make_iam_is_told(type_: str, values: dict[str, Any], is_told: bool, tmp_path: Path) -> None:
    path = saved(tmp_path, state(block("aws_iam_group", "a", group("devs")), block(type_, "x", values)))
    found = read_saved(path)
    assert hiding(found) == ({f"{type_}.x"} if is_told else set())
    assert set(found.groups) == {"devs"}


def test_the_template_of_a_stack_can_be_read_as_well(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        state(block("aws_iam_group", "a", group("devs")), block("aws_cloudformation_stack", "x", stack(GROUP))),
    )
    (why,) = (gap.why for gap in read_saved(path).incomplete if gap.what.startswith("aws_cloudformation"))
    assert "--from" in why


def test_what_a_plan_does_not_know_yet_may_be_iam(tmp_path: Path) -> None:
    rows: tuple[tuple[str, dict[str, Any]], ...] = (
        ("aws_iam_group.a", group("devs")),
        ("aws_cloudformation_stack.url", {"name": "s", "template_url": "https://x/y", "capabilities": [IAM]}),
        ("aws_cloudformation_stack.open", {"name": "s"}),
        ("aws_cloudformation_stack.none", {"name": "s", "template_url": "https://x/y", "capabilities": None}),
        ("aws_cloudcontrolapi_resource.c", {}),
    )
    found = read_saved(saved(tmp_path, shown(*rows, key="planned_values")))
    assert hiding(found) == {
        "aws_cloudformation_stack.url",
        "aws_cloudformation_stack.open",
        "aws_cloudcontrolapi_resource.c",
    }


def test_of_two_accounts_only_what_may_be_of_the_one_is_told(tmp_path: Path) -> None:
    there = f"{AWS}.other"
    arn = "arn:aws:cloudformation:eu-central-1:{}:stack/s/1"
    path = saved(
        tmp_path,
        state(
            block("aws_iam_group", "here", group("devs")),
            block("aws_iam_group", "there", group("devs", OTHER), there),
            block("aws_cloudformation_stack", "here", stack(GROUP, id=arn.format(ACCOUNT))),
            block("aws_cloudformation_stack", "there", stack(GROUP, id=arn.format(OTHER)), f"{AWS}.unknown"),
            block("aws_cloudcontrolapi_resource", "here", {"type_name": "AWS::IAM::Group"}),
            block("aws_cloudcontrolapi_resource", "there", {"type_name": "AWS::IAM::Group"}, there),
        ),
    )
    for place, whose in ((Place(ACCOUNT, "aws"), "here"), (THERE, "there")):
        expected = {f"aws_cloudformation_stack.{whose}", f"aws_cloudcontrolapi_resource.{whose}"}
        assert hiding(read_saved(path, place)) == expected


def test_beside_the_account_itself_it_is_told_who_may_manage_things_as_well(tmp_path: Path) -> None:
    blocks = block("aws_iam_group", "a", group("devs")), block("aws_cloudformation_stack", "x", stack(GROUP, NAMED))
    path = saved(tmp_path, state(*blocks))
    live = tmp_path / "live.json"
    live.write_bytes(iam.encode(Snapshot(account=ACCOUNT).put(Group(name="devs"))))
    found = merged(read_all([live, path]).sources)
    assert [gap.what for gap in found.unsure] == ["aws_cloudformation_stack.x"]
    assert found.snapshot.incomplete == ()
