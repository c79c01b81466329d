"""Stacks: made, deleted, refused and told of as CloudFormation does, to boto3 and to the AWS CLI."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from secmigrate.iam import Group, Policy, Role, Snapshot, User
from secmigrate.twin import Fault, Faults, Twin
from secmigrate.twin.template import template_of
from tests.small import ACCOUNT, READ_ONLY, allow, trust
from tests.twin.conftest import client, code_of

OWN = f"arn:aws:iam::{ACCOUNT}:policy/made/Own"
EMPTY = Snapshot(account=ACCOUNT).put(User(name="ana")).put(Policy(arn=READ_ONLY, document=allow("s3:Get*")))
PART = (
    Snapshot(account=ACCOUNT)
    .put(Policy(arn=OWN, document=allow("sqs:*"), description="own"))
    .put(Group(name="g-one", inline={"s3": allow("s3:*")}, attached=(READ_ONLY,)))
    .put(Group(name="g-two", path="/x/", inline={"a": allow("a:*"), "b": allow("b:*")}))
    .put(Role(name="r", trust=trust(), inline={"l": allow("logs:*")}, max_session=7200, tags={"k": "v"}))
)
NAMED = ["CAPABILITY_NAMED_IAM"]


def create(twin: Twin, name: str = "st", part: Snapshot = PART) -> None:
    client(twin, "cloudformation").create_stack(StackName=name, TemplateBody=template_of(part), Capabilities=NAMED)


def status(twin: Twin, name: str = "st") -> str:
    return str(client(twin, "cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackStatus"])


def events(twin: Twin, name: str = "st") -> list[tuple[str, str, str]]:
    """Resource, status and reason, oldest first."""
    rows = client(twin, "cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [(r["LogicalResourceId"], r["ResourceStatus"], r.get("ResourceStatusReason", "")) for r in rows[::-1]]


def untagged(snapshot: Snapshot) -> Snapshot:
    """Without the tags that CloudFormation leaves."""
    for role in snapshot.roles.values():
        tags = {key: value for key, value in role.tags.items() if not key.startswith("aws:")}
        snapshot = snapshot.put(Role(**{**{f: getattr(role, f) for f in role.__struct_fields__}, "tags": tags}))
    return snapshot


def test_a_stack_is_made_told_of_and_deleted() -> None:
    with Twin(EMPTY) as twin:
        create(twin)
        assert status(twin) == "CREATE_COMPLETE"
        there = twin.snapshot()
        assert set(there.groups) == {"g-one", "g-two"}
        assert there.groups["g-one"] == PART.groups["g-one"]
        assert there.groups["g-two"] == PART.groups["g-two"]
        assert there.roles["r"].keeper == "stack st"
        assert untagged(there).roles["r"] == PART.roles["r"]
        assert there.policies[OWN].document == PART.policies[OWN].document
        rows = client(twin, "cloudformation").describe_stack_resources(StackName="st")["StackResources"]
        assert {row["PhysicalResourceId"] for row in rows} == {"g-one", "g-two", "r", OWN}
        assert code_of(lambda: create(twin)) == "AlreadyExistsException"
        client(twin, "cloudformation").delete_stack(StackName="st")
        assert twin.snapshot() == EMPTY
        assert code_of(lambda: status(twin)) == "ValidationError"
        create(twin)
        assert status(twin) == "CREATE_COMPLETE"


def test_a_group_with_members_does_not_delete_until_they_are_out() -> None:
    with Twin(EMPTY) as twin:
        create(twin)
        client(twin).add_user_to_group(UserName="ana", GroupName="g-one")
        client(twin, "cloudformation").delete_stack(StackName="st")
        assert status(twin) == "DELETE_FAILED"
        assert set(twin.snapshot().groups) == {"g-one"}
        (failed,) = [one for one in events(twin) if one[1] == "DELETE_FAILED" and one[0] != "st"]
        assert "must remove users from group first" in failed[2]
        client(twin).remove_user_from_group(UserName="ana", GroupName="g-one")
        client(twin, "cloudformation").delete_stack(StackName="st")
        assert twin.snapshot() == EMPTY


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(match="PutGroupPolicy", kind="deny", after=1), "AccessDenied"),
        (Fault(match="CreateRole", kind="error", code="LimitExceeded", status=409), "LimitExceeded"),
    ],
)
def test_a_stack_that_fails_half_way_rolls_back(fault: Fault, code: str) -> None:
    with Twin(EMPTY, faults=Faults(faults=(fault,))) as twin:
        create(twin)
        assert status(twin) == "ROLLBACK_COMPLETE"
        assert twin.snapshot() == EMPTY
        told = events(twin)
        first = next(one for one in told if one[1] == "CREATE_FAILED")
        assert code in first[2]
        assert [one[1] for one in told if one[0] == "st"] == [
            "CREATE_IN_PROGRESS",
            "ROLLBACK_IN_PROGRESS",
            "ROLLBACK_COMPLETE",
        ]
        # It is in the way until it is deleted.
        assert code_of(lambda: create(twin)) == "AlreadyExistsException"


def test_a_name_that_is_taken_fails_the_stack_and_is_left_alone() -> None:
    before = EMPTY.put(Group(name="G-two", inline={"mine": allow("s3:*")}))
    with Twin(before) as twin:
        create(twin)
        assert status(twin) == "ROLLBACK_COMPLETE"
        assert twin.snapshot() == before
        failures = [one for one in events(twin) if one[1] == "CREATE_FAILED"]
        assert "already exists" in failures[0][2]
        assert failures[1:] == [("RoleR", "CREATE_FAILED", "Resource creation cancelled")]


def test_what_went_by_hand_is_no_obstacle() -> None:
    with Twin(EMPTY) as twin:
        create(twin)
        client(twin).delete_group_policy(GroupName="g-one", PolicyName="s3")
        client(twin).detach_group_policy(GroupName="g-one", PolicyArn=READ_ONLY)
        client(twin).delete_group(GroupName="g-one")
        client(twin, "cloudformation").delete_stack(StackName="st")
        assert twin.snapshot() == EMPTY


def test_what_was_hung_on_it_by_hand_is_one() -> None:
    with Twin(EMPTY) as twin:
        create(twin)
        client(twin).attach_role_policy(RoleName="r", PolicyArn=READ_ONLY)
        client(twin, "cloudformation").delete_stack(StackName="st")
        assert status(twin) == "DELETE_FAILED"


def test_a_stack_of_earlier_can_be_held() -> None:
    before = EMPTY.put(PART.groups["g-two"])
    with Twin(before) as twin:
        twin.holds_stack("st", Snapshot(account=ACCOUNT).put(PART.groups["g-two"]))
        client(twin, "cloudformation").delete_stack(StackName="st")
        assert twin.snapshot() == EMPTY


@pytest.mark.parametrize(
    ("body", "more", "code"),
    [
        (template_of(PART), {}, "InsufficientCapabilitiesException"),
        ("Resources:\n  a: b", {"Capabilities": NAMED}, "ValidationError"),
        ('{"Resources": {}}', {"Capabilities": NAMED}, "ValidationError"),
        ('{"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}', {"Capabilities": NAMED}, "ValidationError"),
        ('{"Resources": {"B": {"Type": "AWS::IAM::Group"}}}', {"Capabilities": NAMED}, "ValidationError"),
    ],
)
def test_what_it_does_not_take(body: str, more: dict[str, Any], code: str) -> None:
    with Twin(EMPTY) as twin:
        with pytest.raises(ClientError) as refused:
            client(twin, "cloudformation").create_stack(StackName="st", TemplateBody=body, **more)
        assert refused.value.response["Error"]["Code"] == code
        assert client(twin, "cloudformation").describe_stacks()["Stacks"] == []


def test_the_aws_cli_can_ask_it(aws_cli: Path, tmp_path: Path) -> None:
    template = tmp_path / "t.json"
    template.write_text(template_of(PART))
    with Twin(EMPTY) as twin:

        def aws(*words: str) -> Any:
            done = subprocess.run(
                [aws_cli / "aws", "cloudformation", *words, "--output", "json"],
                env={**os.environ, "AWS_ENDPOINT_URL": twin.url, "AWS_DEFAULT_REGION": "eu-central-1"},
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
            return json.loads(done.stdout) if done.stdout else None

        made = aws(
            "create-stack", "--stack-name", "st", "--template-body", f"file://{template}", "--capabilities", *NAMED
        )
        aws("wait", "stack-create-complete", "--stack-name", "st")
        query = "StackEvents[?ResourceStatus=='CREATE_COMPLETE'].LogicalResourceId"
        told = aws("describe-stack-events", "--stack-name", "st", "--query", query)
        assert set(told) == {"st", "PolicyOwn", "GroupGOne", "GroupGTwo", "RoleR"}
        aws("delete-stack", "--stack-name", "st")
        aws("wait", "stack-delete-complete", "--stack-name", made["StackId"])
        assert twin.snapshot() == EMPTY


def test_a_stack_that_a_snapshot_tells_of_is_there() -> None:
    there = EMPTY.put(Group(name="g-one"))
    part = msgspec.structs.replace(there, owners={f"arn:aws:iam::{ACCOUNT}:group/g-one": "stack people One"})
    with Twin(part) as twin:
        rows = client(twin, "cloudformation").list_stack_resources(StackName="people")["StackResourceSummaries"]
        assert [(row["LogicalResourceId"], row["PhysicalResourceId"]) for row in rows] == [("One", "g-one")]


def test_what_lies_in_a_stack_comes_in_pages() -> None:
    with Twin(EMPTY, page_size=2) as twin:
        create(twin)
        calls = client(twin, "cloudformation")
        first = calls.list_stack_resources(StackName="st")
        rest = calls.list_stack_resources(StackName="st", NextToken=first["NextToken"])
        found = [row["PhysicalResourceId"] for page in (first, rest) for row in page["StackResourceSummaries"]]
        assert sorted(found) == ["arn:aws:iam::111122223333:policy/made/Own", "g-one", "g-two", "r"]
        with pytest.raises(ClientError):
            calls.list_stack_resources(StackName="st", NextToken="other")


def test_what_is_named_still_cannot_leave_its_template() -> None:
    body = json.loads(template_of(PART))
    del body["Resources"]["GroupGOne"]
    body["Resources"]["GroupGTwo"]["Properties"]["Path"] = {"Ref": "GroupGOne"}
    with Twin(EMPTY) as twin:
        create(twin)
        with pytest.raises(ClientError, match=r"Unresolved resource dependencies \[GroupGOne\]"):
            client(twin, "cloudformation").update_stack(StackName="st", TemplateBody=json.dumps(body))
        assert "g-one" in twin.snapshot().groups
