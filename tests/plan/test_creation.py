"""What makes an account hold what a snapshot wants: in an order that IAM accepts, and nothing over what is there."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from msgspec import structs

from secmigrate.aws import Aws
from secmigrate.iam import Document, InstanceProfile, Role, Seen, Snapshot, Version
from secmigrate.operations import Impossible
from secmigrate.plan import creation
from secmigrate.twin import Twin
from tests.accounts import AWS_MANAGED, accounts
from tests.plan.cases import after, arn, dangers, group, policy, role, shell, snapshot, trusting, user
from tests.small import account, allow, trust


def users_alone(whole: Snapshot) -> Snapshot:
    """The account with only its users, and nothing on them."""
    plain = {
        name: structs.replace(one, inline={}, attached=(), groups=(), boundary="") for name, one in whole.users.items()
    }
    return structs.replace(whole, users=plain, groups={}, roles={}, policies={}, instance_profiles={})


def without_boundaries(whole: Snapshot) -> Snapshot:
    """No operation puts a boundary on a user: secmigrate leaves users as they are, apart from what groups give them."""
    return structs.replace(whole, users={name: structs.replace(one, boundary="") for name, one in whole.users.items()})


def test_each_thing_after_what_it_refers_to() -> None:
    wanted = snapshot(
        user("ana", "devs"),
        group("devs", attached=(arn("p"),)),
        policy("p", "s3:*", older=(Version(document=allow("a:*"), seen=Seen(id="v1")),)),
        role("a", trusting("b"), boundary=arn("p")),
        role("b"),
        InstanceProfile(name="box", roles=("a",)),
    )
    plan = creation(snapshot(user("ana")), wanted)
    assert [" ".join(line.split()[:1]) for line in shell(plan)] == [
        "create-policy",
        "create-policy-version",
        "create-group",
        "create-role",
        "create-role",
        "create-instance-profile",
        "add-role-to-instance-profile",
        "add-user-to-group",
        "attach-group-policy",
    ]
    assert "--role-name b" in shell(plan)[3]
    assert "--permissions-boundary" in shell(plan)[4]


def test_what_is_there_is_not_made_again() -> None:
    whole = account()
    assert creation(whole, whole).operations == ()
    partly = whole.put(structs.replace(whole.groups["team"], inline={}))
    (line,) = shell(creation(partly, whole))
    assert line.startswith("put-group-policy --group-name team --policy-name notes --policy-document '{")


def test_a_role_comes_into_a_profile_that_is_there() -> None:
    there = snapshot(role("r"), InstanceProfile(name="box"))
    plan = creation(there, there.put(InstanceProfile(name="box", roles=("r",))))
    assert shell(plan) == ["add-role-to-instance-profile --instance-profile-name box --role-name r"]


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (group("devs", path="/a/"), group("devs")),
        (role("r", trust("lambda.amazonaws.com")), role("r")),
        (role("r", max_session=7200), role("r")),
        (policy("p", "s3:*"), policy("p", "sqs:*")),
        (group("devs", allow("s3:*")), group("devs", allow("sqs:*"))),
        (InstanceProfile(name="box", tags={"a": "1"}), InstanceProfile(name="box")),
        (group("DEVS"), group("devs")),
    ],
)
def test_what_is_there_and_differs_is_never_overwritten(there: object, wanted: object) -> None:
    with pytest.raises(Impossible):
        creation(snapshot(there), snapshot(wanted))  # type: ignore[arg-type]


def test_users_must_be_there() -> None:
    plan = creation(snapshot(), snapshot(user("ana")))
    assert dangers(plan) == {"target-missing": ("ana",)}
    assert plan.blocking


def test_more_than_a_group_may_hold_blocks() -> None:
    many = tuple(f"arn:aws:iam::aws:policy/P{n:02}" for n in range(11))
    plan = creation(snapshot(), snapshot(group("devs", attached=many)))
    assert dangers(plan) == {"quota-exceeded": ("group devs with 11 attached policies",)}
    large = Document({"Statement": [{"Effect": "Allow", "Action": "s3:" + "x" * 5200, "Resource": "*"}]})
    assert "quota-exceeded" in dangers(creation(snapshot(), snapshot(group("devs", large))))


@settings(max_examples=100, deadline=None)
@given(accounts())
def test_from_its_users_alone_the_whole_account_comes_back(whole: Snapshot) -> None:
    whole = without_boundaries(whole)
    bare = users_alone(whole)
    plan = creation(bare, whole)
    assert after(bare, plan.operations) == whole
    assert plan.dangers == ()
    assert creation(whole, whole).operations == ()


@settings(max_examples=8, deadline=None, phases=(Phase.generate,), suppress_health_check=[HealthCheck.too_slow])
@given(accounts())
def test_an_iam_does_what_the_fold_says(whole: Snapshot) -> None:
    whole = without_boundaries(whole)
    with Twin(users_alone(whole), aws_managed=AWS_MANAGED) as twin:
        aws = Aws(endpoint=twin.url)
        for operation in creation(twin.snapshot(), whole).operations:
            aws.send(operation.call())
        assert twin.snapshot() == whole


def test_roles_in_a_ring_are_made_by_name_though_iam_will_refuse_the_first() -> None:
    wanted = snapshot(role("a", trusting("b")), role("b", trusting("a")))
    made = [operation.role for operation in creation(snapshot(), wanted).operations if hasattr(operation, "role")]
    assert [one.name for one in made if isinstance(one, Role)] == ["a", "b"]
