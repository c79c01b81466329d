"""What a stack has let go: asked of CloudFormation itself, and taken for held where nobody can tell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from secmigrate.aws import Aws
from secmigrate.handover import Resource
from secmigrate.iam import Group, Role, Snapshot, Stack, StackResource
from secmigrate.sources.owning import Owners, owners_now
from secmigrate.sources.saved import Managed
from secmigrate.twin import Fault, Faults, Twin
from secmigrate.twin.template import template_of
from tests.small import ACCOUNT, trust

PART = Snapshot(account=ACCOUNT).put(Group(name="devs")).put(Group(name="ops")).put(Role(name="runner", trust=trust()))
DEVS, OPS, RUNNER = (f"arn:aws:iam::{ACCOUNT}:{what}" for what in ("group/devs", "group/ops", "role/runner"))
THEN = {DEVS: "stack people GroupDevs", OPS: "stack people GroupOps"}
HOME = "eu-central-1"
NAMED = ["CAPABILITY_NAMED_IAM"]


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "invented")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "invented")


@pytest.fixture
def twin() -> Iterator[Twin]:
    with Twin(Snapshot(account=ACCOUNT)) as twin:
        yield twin


def stack(twin: Twin, method: str, *, retain: tuple[str, ...] = (), without: tuple[str, ...] = ()) -> None:
    """Makes or updates the stack `people`, with a DeletionPolicy of Retain for some, and without others."""
    body: dict[str, Any] = json.loads(template_of(PART))
    for logical in retain:
        body["Resources"][logical]["DeletionPolicy"] = "Retain"
    for logical in without:
        del body["Resources"][logical]
    client = boto3.client("cloudformation", endpoint_url=twin.url, region_name=HOME)
    getattr(client, method)(StackName="people", TemplateBody=json.dumps(body), Capabilities=NAMED)


def now(
    twin: Twin,
    *,
    then: Mapping[str, str] = THEN,
    region: str = HOME,
    home: str | None = HOME,
    about: set[str] | None = None,
) -> Owners:
    aws = Aws(region=home, endpoint=twin.url)
    stacks = [Stack(name="people", path="t", region=region)]
    managed = Managed([], stacks, has_state=False)
    return owners_now(twin.snapshot(), then, [], managed, aws, {DEVS, OPS, RUNNER} if about is None else about)


def test_what_lies_in_it_is_its_own(twin: Twin) -> None:
    stack(twin, "create_stack")
    assert now(twin) == Owners({**THEN, RUNNER: "stack people"}, ())


def test_what_left_it_is_nobodys_though_the_tags_stay(twin: Twin) -> None:
    stack(twin, "create_stack")
    kept = ("GroupDevs", "RoleRunner")
    stack(twin, "update_stack", retain=kept)
    stack(twin, "update_stack", retain=kept, without=kept)
    there = twin.snapshot()
    assert set(there.groups) == {"devs", "ops"}
    assert there.roles["runner"].tags["aws:cloudformation:stack-name"] == "people"
    assert now(twin).by_arn == {DEVS: "", OPS: "stack people GroupOps", RUNNER: ""}


def test_what_leaves_without_retain_is_deleted(twin: Twin) -> None:
    stack(twin, "create_stack")
    stack(twin, "update_stack", without=("GroupDevs",))
    assert set(twin.snapshot().groups) == {"ops"}


def test_a_stack_that_was_deleted_holds_nothing(twin: Twin) -> None:
    everything = ("GroupDevs", "GroupOps", "RoleRunner")
    stack(twin, "create_stack")
    stack(twin, "update_stack", retain=everything)
    boto3.client("cloudformation", endpoint_url=twin.url, region_name=HOME).delete_stack(StackName="people")
    assert now(twin) == Owners({DEVS: "", OPS: "", RUNNER: ""}, ())


def test_a_stack_that_is_nowhere_to_be_found_is_no_proof(twin: Twin) -> None:
    with Twin(Snapshot(account=ACCOUNT).put(Group(name="devs"))) as other:
        then = {DEVS: "stack people GroupDevs"}
        found = now(other, then=then, region="")
        assert found.by_arn == then
        (line,) = found.unsure
        assert line.startswith(f"stack people is not in {HOME} (--region names another; a template's file is called")
        assert line.endswith("it counts as managing what it managed")
        assert now(other, then=then, region=HOME).by_arn == {DEVS: ""}  # the CDK says where it would be


def test_who_may_not_look_takes_it_for_held() -> None:
    denied = Faults(faults=(Fault(match="ListStackResources", kind="deny"),))
    with Twin(Snapshot(account=ACCOUNT).put(Group(name="devs")), faults=denied) as twin:
        then = {DEVS: "stack people GroupDevs"}
        found = now(twin, then=then)
        assert found.by_arn == then
        assert "may not be looked at" in found.unsure[0]


def test_what_no_state_tells_any_more_was_forgotten(twin: Twin) -> None:
    aws, live = Aws(endpoint=twin.url), PART
    then = {DEVS: "terraform aws_iam_group.devs", OPS: "terraform aws_iam_group.ops"}
    assert owners_now(live, then, [], Managed([], [], has_state=False), aws, then).by_arn == then
    told = [{OPS: then[OPS]}]
    assert owners_now(live, then, told, Managed([], [], has_state=True), aws, then).by_arn == {OPS: then[OPS]}
    told = [{OPS.replace("ops", "Ops"): then[OPS]}]  # one name to IAM
    assert owners_now(live, then, told, Managed([], [], has_state=True), aws, then).by_arn == {OPS: then[OPS]}


def test_only_what_is_asked_about_costs_a_call(twin: Twin) -> None:
    stack(twin, "create_stack")
    before = len(twin.calls)
    assert now(twin, about=set()).by_arn == {**THEN, RUNNER: "stack people"}
    assert twin.calls[before:] == []
    assert now(twin, about={DEVS, OPS}).by_arn == {**THEN, RUNNER: "stack people"}
    assert twin.calls[before:] == ["ListStackResources"]


def of(twin: Twin, managed: Managed, about: set[str]) -> Mapping[str, str]:
    """Who manages what moves, where neither the inventory nor a state says that it is anybody's."""
    owners = owners_now(twin.snapshot(), {}, [], managed, Aws(region=HOME, endpoint=twin.url), about).by_arn
    return {arn: owner for arn, owner in owners.items() if arn in about}


def people(*resources: StackResource, tells_all: bool = True) -> Managed:
    return Managed([], [Stack(name="people", path="t", resources=resources, tells_all=tells_all)], has_state=False)


def test_who_hangs_something_on_it_manages_it_as_well() -> None:
    """A group of somebody's on which Terraform has a policy: deleting the group would delete the policy."""
    hung = [
        Resource("aws_iam_group_policy.devs", "aws_iam_group_policy", {"group": "devs", "name": "own"}),
        Resource("aws_iam_instance_profile.box", "aws_iam_instance_profile", {"name": "box", "role": "runner"}),
        Resource("aws_iam_policy_attachment.all", "aws_iam_policy_attachment", {"groups": ["ops"], "roles": ["gone"]}),
        Resource("aws_iam_user_group_membership.all", "aws_iam_user_group_membership", {"groups": ["ops", "devs"]}),
        Resource("aws_iam_group_policy.stays", "aws_iam_group_policy", {"group": "stays", "name": "own"}),
    ]
    with Twin(PART.put(Group(name="stays"))) as twin:
        assert of(twin, Managed(hung, [], has_state=True), {DEVS, OPS, RUNNER}) == {
            DEVS: "terraform aws_iam_group_policy.devs",
            OPS: "terraform aws_iam_user_group_membership.all",
        }


def test_a_stack_that_hangs_something_on_what_goes_alone_manages_it() -> None:
    rows = (
        StackResource("OnDevs", "AWS::IAM::Policy", {"Groups": ["devs"]}, physical="x"),
        StackResource("Both", "AWS::IAM::Policy", {"Groups": ["ops", "elsewhere"]}, physical="y"),
    )
    with Twin(PART) as twin:
        assert of(twin, people(*rows), {DEVS, OPS}) == {DEVS: "stack people OnDevs"}


def test_what_a_stack_has_let_go_hangs_there_no_more(twin: Twin) -> None:
    kept = ("GroupDevs", "GroupOps")
    stack(twin, "create_stack")
    stack(twin, "update_stack", retain=kept)
    stack(twin, "update_stack", retain=kept, without=kept)
    rows = [StackResource(name, "AWS::IAM::Policy", {"Groups": ["devs"]}) for name in ("GroupDevs", "RoleRunner")]
    assert of(twin, people(rows[0]), {DEVS}) == {}
    assert of(twin, people(*rows), {DEVS}) == {DEVS: "stack people RoleRunner"}


def test_what_a_macro_or_a_loop_made_is_looked_up(twin: Twin) -> None:
    """The template tells no more than that there may be something."""
    stack(twin, "create_stack")
    assert of(twin, people(tells_all=False), {DEVS}) == {DEVS: "stack people"}
    assert of(twin, people(), {DEVS}) == {}


def test_what_may_be_of_a_stack_that_is_not_found_stays() -> None:
    """The template's file is not called as its stack is, and CloudFormation named the group."""
    name, other = "prod-iam-Devs-1A2B3C4D5E6F7", "prod-iam-Devs"
    arns = {f"arn:aws:iam::{ACCOUNT}:group/{one}" for one in (name, other)}
    row = StackResource("Devs", "AWS::IAM::Group", {})
    with Twin(Snapshot(account=ACCOUNT).put(Group(name=name)).put(Group(name=other))) as twin:
        assert of(twin, people(row), arns) == {f"arn:aws:iam::{ACCOUNT}:group/{name}": "stack people Devs"}
