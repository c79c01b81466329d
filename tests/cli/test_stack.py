"""What became of a stack, told from its events; test deployments; and a rollback that ends with the stack's own end."""

from __future__ import annotations

from pathlib import Path

import pytest

from secmigrate import documents
from secmigrate.deployment import StackEvent, advice, failures
from secmigrate.iam import Group, Snapshot
from secmigrate.twin import Twin
from tests.cli.conftest import NAMES
from tests.cli.runs import run
from tests.cli.test_tier import ACCOUNT, EXAMPLE, GROUP, confirmed, space, start, twin

__all__ = ["space", "start", "twin"]
STACK = "fjord-prod-b001-eu-north-1-startup-sec-stack"


def event(logical: str, status: str, reason: str = "", kind: str = "AWS::IAM::Group") -> StackEvent:
    return StackEvent(at="2026", logical=logical, physical="", type=kind, status=status, reason=reason)


def test_the_cause_comes_first_and_what_was_cancelled_is_no_cause() -> None:
    whole = "AWS::CloudFormation::Stack"
    events = [
        event("st", "ROLLBACK_COMPLETE", kind=whole),
        event("C", "CREATE_FAILED", "Resource creation cancelled"),
        event("B", "CREATE_FAILED", "no-such-policy does not exist or is not attachable. (NoSuchEntity)"),
        event("A", "CREATE_FAILED", "x already exists (Service: Iam, Status Code: 409)"),
        event("st", "CREATE_IN_PROGRESS", "User Initiated", kind=whole),
        # An earlier run.
        event("st", "DELETE_FAILED", kind=whole),
        event("Z", "DELETE_FAILED", "must remove users from group first"),
    ]
    found = failures(events)
    assert [(one.logical, one.root) for one in found] == [("A", True), ("B", False)]
    assert "`secmigrate diff`" in found[0].advice


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("G already exists (Service: Iam)", "diff"),
        ("Cannot delete entity, must remove users from group first.", "takes them out"),
        ("Cannot delete entity, must detach all policies first.", "hung on it outside"),
        ("User: arn:… is not authorized to perform: iam:CreateRole", "export-iam-policy"),
        ("Cannot exceed quota for GroupsPerAccount: 300", "quota"),
        ("Policy arn:x does not exist or is not attachable.", "validate"),
        ("MalformedPolicyDocument", "validate"),
        ("S3 error: Access Denied For more information", "bucket"),
        ("Rate exceeded", "again in a few minutes"),
        ("something new", "look at the entry"),
    ],
)
def test_what_to_do_about_each(reason: str, told: str) -> None:
    assert told in advice(reason)


def test_a_failed_deployment_is_explained(space: Path, start: Snapshot) -> None:
    empty = Snapshot(account=ACCOUNT, users=start.users).put(Group(name=f"{GROUP}-ml-engineers"))
    plain = {name: type(one)(name=name) for name, one in start.users.items()}
    with Twin(Snapshot(account=ACCOUNT, users=plain, groups=empty.groups), aws_managed=documents.aws_managed()) as made:
        from secmigrate import sec

        config = documents.read_config(EXAMPLE / "fjord-prod-b001-eu-north-1-sec.yaml")[0]
        part = sec.planned(config, documents.catalogue().levels, documents.aws_managed())
        assert made.create_stack(STACK, part) == "ROLLBACK_COMPLETE"
        ran = run("stack", "--endpoint-url", made.url)
        assert ran.code == 3
        assert f"stack {STACK}: ROLLBACK_COMPLETE" in ran.out
        cause, reason, todo = ran.out.partition("  cause")[2].splitlines()[:3]
        assert "already exists" in reason
        assert "secmigrate diff" in todo
        assert "cancelled" not in ran.out
        assert "delete-stack --tier startup" in ran.out
        (failure,) = run("stack", "--json", "--endpoint-url", made.url).document["failures"]
        assert failure["root"]
        assert failure["name"] in cause


def test_a_stack_that_is_well_or_not_there(space: Path, twin: Twin) -> None:
    ran = run("stack", "--json")
    assert ran.code == 0
    assert ran.document["status"] == "CREATE_COMPLETE"
    assert run("stack", "no-such-stack", "--json").document["status"] is None
    named = run("stack", f"{STACK}-test")  # the stack in force is no test deployment
    assert (named.code, "there is also" in named.out) == (0, False)


def test_another_account_has_no_say_in_it(space: Path) -> None:
    """With the wrong profile "there is none" would be the truth about another account."""
    with Twin(Snapshot(account="444455556666")) as other:
        ran = run("stack", "--endpoint-url", other.url)
    assert (ran.code, "wrong-account" in ran.err, ran.out) == (4, True, ""), ran


def test_a_test_deployment_is_compared_and_its_own_delete_command_told(space: Path, twin: Twin) -> None:
    assert run("stack", "--test").code == 0
    assert confirmed("provisioner", "test-deploy", "--run").code == 0
    ran = run("stack", "--test", "--json")
    assert ran.code == 0, ran
    (found,) = ran.document["tests"]
    name = f"{STACK}-test-4f7a"
    assert found["name"] == name
    assert found["delete"] == f"aws cloudformation delete-stack --stack-name {name} --region eu-north-1"
    assert [found[key] for key in ("missing", "extra", "different")] == [[], [], []]
    # Somebody changes the config: the test stack is another by now.
    path = space / "sec/configs/fjord-prod-b001-eu-north-1-sec.yaml"
    path.write_text(path.read_text().replace("sagemaker: level1", "sagemaker: level2"))
    ran = run("stack", "--test", "--json")
    assert ran.code == 3
    assert [one["name"] for one in ran.document["tests"][0]["different"]] == [f"{GROUP}-business-consumers"]
    # The command takes that stack away, and no other.
    before = twin.snapshot()
    twin.delete_stack(name)
    assert set(before.groups) - set(twin.snapshot().groups) == {
        f"{one}-test-4f7a" for one in before.groups if f"{one}-test-4f7a" in before.groups
    }


def test_a_rollback_ends_with_the_stack(empty: Path, example: Snapshot) -> None:
    """After a deployment and step 9: old memberships back, and then the provisioner's turn."""
    with Twin(example, aws_managed=documents.aws_managed()) as made:
        at = ("--endpoint-url", made.url)
        yes = ("--confirm-account", example.account)
        assert run("inventory", *at).code == 0
        assert run("map", *NAMES).code == 0
        Path("migration/decisions.yaml").write_text("accept:\n  - {actions: ['*'], why: a test}\n")
        planned = documents.read_snapshot(Path("migration/planned.json"))
        stack = "lumen-prod-a001-eu-central-1-enterprise-sec-stack"
        assert made.create_stack(stack, planned) == "CREATE_COMPLETE"
        assert run("readd", *at).code == 3
        assert run("readd", "--execute", *yes, *at).code == 0
        assert run("verify", *at).code == 0
        assert run("decommission", "--quarantine", "none", *at).code == 3
        assert run("decommission", "--execute", *yes, *at).code == 0
        moved = made.snapshot().users
        assert run("rollback", "--only", "user:kofi.asantewaa", *at).code == 3
        assert run("rollback", "--execute", *yes, *at).code == 0
        back = made.snapshot()
        assert back.users == {**moved, "kofi.asantewaa": example.users["kofi.asantewaa"]}
        assert set(example.users["kofi.asantewaa"].groups) <= back.groups.keys()
        ran = run("rollback", *at)
        assert ran.code == 3
        assert "affected since" in ran.out
        assert "the provisioner: aws cloudformation delete-stack" in ran.out
        ran = run("rollback", "--execute", *yes, *at)
        assert ran.code == 3, ran
        assert "provisioner delete-stack --tier enterprise" in ran.out
        there = made.snapshot()
        assert {name: one.groups for name, one in there.users.items()} == {
            n: u.groups for n, u in example.users.items()
        }
        assert made.delete_stack(stack) == "DELETE_COMPLETE"
        assert run("resume", *yes, *at).code == 0
        assert made.snapshot() == example
        assert run("rollback", *at).code == 0
