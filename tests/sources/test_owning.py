"""What a stack has let go: asked of CloudFormation itself, and taken for held where nobody can tell."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from secmigrate.aws import Aws
from secmigrate.iam import Group, Role, Snapshot, Stack
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
        assert found.unsure == (
            f"stack people is not in {HOME} (--region names another): it counts as managing what it managed",
        )
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


def test_only_what_is_asked_about_costs_a_call(twin: Twin) -> None:
    stack(twin, "create_stack")
    before = len(twin.calls)
    assert now(twin, about=set()).by_arn == {**THEN, RUNNER: "stack people"}
    assert twin.calls[before:] == []
    assert now(twin, about={DEVS, OPS}).by_arn == {**THEN, RUNNER: "stack people"}
    assert twin.calls[before:] == ["ListStackResources"]
