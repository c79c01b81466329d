"""Templates beside the account that they were deployed to: names that CloudFormation gave, owners, drift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from msgspec import structs

from secmigrate import documents, iam
from secmigrate.aws import Aws
from secmigrate.iam import Document, Gap, Group, Role, Snapshot, Stack, StackResource, User
from secmigrate.plan.permissions import reading_policy
from secmigrate.sources.cloudformation import Place
from secmigrate.sources.cloudformation.joining import by_tags, place_of
from secmigrate.sources.saved import read_managed, read_saved
from secmigrate.twin import Fault, Faults, Twin
from tests.cli.runs import run
from tests.plan.cases import dangers, decommission, groups, kept
from tests.plan.test_permissions import needs
from tests.small import ACCOUNT, allow, trust
from tests.sources.test_cloudformation import LUMEN
from tests.sources.test_merging import together

OPS = "OpsNestedStackOpsNestedStackResource2BBA1E8B"
OPS_NAME = f"lumen-platform-{OPS}-1AB2C3"
OPS_ARN = f"arn:aws:cloudformation:us-east-1:{ACCOUNT}:stack/{OPS_NAME}/00000001-0000-4000-8000-000000000000"
GIVEN: Mapping[str, Mapping[str, str]] = {
    "lumen-platform": {
        "EngineersE9FA6DBF": "lumen-platform-EngineersE9FA6DBF-Q1W2E3",
        "NightlyServiceRole54926D69": "lumen-platform-NightlyServiceRole54926D69-R4T5Z6",
        "ModelsC55D3500": "lumen-platform-models-u7i8o9",
        OPS: OPS_ARN,
    },
    OPS_NAME: {"Operators93109ECD": "operators"},
    "lumen-team": {},
    "lumen-sandbox": {"PlayersCF26CFA0": "players"},
}
ARN = f"arn:aws:iam::{ACCOUNT}"
BOTH = ("--json", "--from", "live", "--from", LUMEN)
NIGHTLY = "lumen-platform-NightlyServiceRole54926D69-R4T5Z6"


def deployed() -> Snapshot:
    """What the app's stacks make in the account, and what somebody made beside them."""

    def names(stack: str, region: str) -> Mapping[str, str] | None:
        assert region == "eu-central-1"
        return GIVEN[OPS_NAME if stack == OPS_ARN else stack]

    found = read_saved(LUMEN, Place(ACCOUNT, "aws", "", names))
    assert not any("gives it a name" in gap.why for gap in found.incomplete)
    found = structs.replace(found, incomplete=(), owners={})
    nightly = found.roles[NIGHTLY]
    tags = {
        "aws:cloudformation:stack-name": "lumen-platform",
        "aws:cloudformation:logical-id": "NightlyServiceRole54926D69",
    }
    for thing in (
        structs.replace(nightly, tags={**nightly.tags, **tags}),
        Group(name="by-hand"),
        Role(name="other", trust=trust(), tags={"aws:cloudformation:stack-name": "elsewhere"}),
    ):
        found = found.put(thing)
    return found


def stacks() -> list[Stack]:
    return [
        Stack(
            name=name,
            path="",
            resources=tuple(StackResource(key, "AWS::IAM::Group", {}, physical=one) for key, one in rows.items()),
        )
        for name, rows in sorted(GIVEN.items(), key=lambda row: row[0] != OPS_NAME)  # the first, by its ARN
    ]


@pytest.fixture(scope="module")
def live() -> Iterator[Twin]:
    with Twin(deployed(), aws_managed=documents.aws_managed(), page_size=2, stacks=stacks()) as twin:
        yield twin


def test_names_that_cloudformation_gave_are_found_in_the_account(live: Twin, tmp_path: Path) -> None:
    ran = run("inventory", "-w", tmp_path, "--endpoint-url", live.url, *BOTH)
    assert ran.code == 0, ran
    owners = ran.document["owners"]
    assert owners[f"{ARN}:group/lumen-platform-EngineersE9FA6DBF-Q1W2E3"] == "stack lumen-platform EngineersE9FA6DBF"
    assert owners[f"{ARN}:group/operators"] == f"stack {OPS_NAME} Operators93109ECD"
    assert owners[f"{ARN}:user/people/ana.adler"] == "stack lumen-team Ana1DFF4572"
    assert owners[f"{ARN}:role/other"] == "stack elsewhere"
    assert ran.document["unowned"] == [f"{ARN}:group/by-hand"]
    assert ran.document["drift"] == []
    assert ran.document["incomplete"] == []


def test_all_that_an_inventory_asks_is_in_its_policy(live: Twin) -> None:
    allowed = {action.split(":")[1] for action in needs(reading_policy())}
    assert {call for call in live.calls if call != "GetCallerIdentity"} <= allowed
    assert "ListStackResources" in live.calls


def test_drift_is_what_the_templates_say_and_is_not_so(live: Twin) -> None:
    there = deployed()
    there = there.drop(there.groups["players"])
    scientists = there.groups["data-science-team"]
    there = there.put(structs.replace(scientists, inline={**scientists.inline, "lake": allow("s3:*")}))
    engineers = there.groups["lumen-platform-EngineersE9FA6DBF-Q1W2E3"]
    there = there.put(structs.replace(engineers, attached=("arn:aws:iam::aws:policy/AdministratorAccess",)))
    place = place_of(there, Aws(region="eu-central-1", endpoint=live.url))
    drift = together(there, read_saved(LUMEN, place)).drift
    assert {line.split(":")[0] for line in drift} == {
        "stack lumen-platform EngineersE9FA6DBF",
        "stack lumen-platform Scientists57C3E451",
        "stack lumen-sandbox PlayersCF26CFA0",
    }
    assert any(line.endswith("group/players is not in the account") for line in drift)


def test_what_is_not_known_of_a_template_is_no_drift() -> None:
    """A function stands for whatever is there, a list of another length or another action does not."""
    resource = {"Fn::GetAtt": ["Bucket", "Arn"]}
    open_ = Document({"Statement": [{"Action": "s3:Get*", "Resource": [resource, "*"]}]})
    for there, drifts in (
        (["arn:aws:s3:::x", "*"], False),
        (["arn:aws:s3:::x"], True),
        (["arn:aws:s3:::x", "y"], True),
    ):
        live = Group(name="g", inline={"p": Document({"Statement": [{"Action": "s3:Get*", "Resource": there}]})})
        marker = f'{ARN}:policy/web/{{"Ref":"P"}}'
        state = Snapshot(
            account=ACCOUNT,
            groups={"g": Group(name="g", inline={"p": open_}, attached=(marker,))},
            owners={f"{ARN}:group/g": "stack web G"},
            incomplete=(Gap("what CloudFormation does not manage", ""),),
        )
        account = Snapshot(account=ACCOUNT, groups={"g": structs.replace(live, attached=(f"{ARN}:policy/any",))})
        assert bool(together(account, state).drift) == drifts
        assert together(structs.replace(account, groups={"g": live}), state).drift  # something must be attached


def test_without_the_permission_the_tags_tell_and_the_rest_has_no_name(tmp_path: Path) -> None:
    denied = Faults(faults=(Fault(match="ListStackResources", kind="deny"),))
    with Twin(deployed(), aws_managed=documents.aws_managed(), faults=denied) as twin:
        ran = run("inventory", "-w", tmp_path, "--endpoint-url", twin.url, "--json", "--from", "live", "--from", LUMEN)
    assert ran.code == 0, ran
    owners = ran.document["owners"]
    assert owners[f"{ARN}:role/{NIGHTLY}"] == "stack lumen-platform NightlyServiceRole54926D69"
    assert f"{ARN}:group/lumen-platform-EngineersE9FA6DBF-Q1W2E3" not in owners
    assert f"{ARN}:group/lumen-platform-EngineersE9FA6DBF-Q1W2E3" in ran.document["unowned"]
    assert "stack lumen-platform: AccessDenied" in ran.err
    assert not any("Engineers" in line and "not in the account" in line for line in ran.document["drift"])


def test_a_stack_that_is_not_deployed_is_no_error(tmp_path: Path) -> None:
    with Twin(Snapshot(account=ACCOUNT), aws_managed=documents.aws_managed()) as twin:
        ran = run("inventory", "-w", tmp_path, "--endpoint-url", twin.url, "--json", "--from", "live", "--from", LUMEN)
    assert ran.code == 0, ran
    assert ran.document["owners"] == {}
    assert all(line.endswith("is not in the account") for line in ran.document["drift"])


def test_tags_tell_which_thing_is_which(live: Twin) -> None:
    there = deployed()
    assert by_tags(there) == {"lumen-platform": {"NightlyServiceRole54926D69": NIGHTLY}}
    assert together(there).snapshot.owners == {
        f"{ARN}:role/{NIGHTLY}": "stack lumen-platform",
        f"{ARN}:role/other": "stack elsewhere",
    }
    assert Aws(region="eu-central-1", endpoint=live.url).stack_resources("no-such") is None


def test_what_a_stack_manages_is_not_decommissioned() -> None:
    live = iam.Snapshot(account=ACCOUNT).put(User(name="ana", groups=("devs", "new")))
    live = live.put(Group(name="devs")).put(Group(name="new"))
    owned = structs.replace(live, owners={f"{ARN}:group/devs": "stack web Devs"})
    plan = decommission(owned, groups(devs="new"))
    assert dangers(plan) == {"owned-elsewhere": ("devs",)}
    assert kept(plan) == {"devs": "managed by stack web Devs"}


def test_stacks_have_their_real_names(live: Twin) -> None:
    place = place_of(deployed(), Aws(region="eu-central-1", endpoint=live.url))
    platform, ops, *_ = read_managed([LUMEN], place).stacks
    assert (ops.name, [one.children for one in platform.resources if one.children]) == (OPS_NAME, [OPS_NAME])
    rows = {one.logical_id: one.physical for one in platform.resources}
    assert rows["ModelsC55D3500"] == "lumen-platform-models-u7i8o9"
