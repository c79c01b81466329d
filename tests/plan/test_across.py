"""Groups that are one in several accounts, names that stand in several, and roles that let other accounts in."""

from __future__ import annotations

from typing import Any

import pytest

from secmigrate.iam import Document, Group, Policy, Role, Snapshot, User
from secmigrate.plan.across import Cluster, Door, across
from tests.small import READ_ONLY, allow, trust

A, B, C = "111122223333", "444455556666", "777788889999"


def account(number: str, *things: Any) -> Snapshot:
    found = Snapshot(account=number)
    for thing in things:
        found = found.put(thing)
    return found


def document(**row: Any) -> Document:
    return Document({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **row}]})


def with_policy(number: str, text: Document, name: str = "Data", group: str = "devs") -> Snapshot:
    arn = f"arn:aws:iam::{number}:policy/{name}"
    return account(number, Policy(arn=arn, document=text), Group(name=group, attached=(arn, READ_ONLY)))


def own(number: str) -> Document:
    """A document that names its own account."""
    return document(Action=["s3:GetObject", "s3:PutObject"], Resource=f"arn:aws:sqs:eu-west-1:{number}:jobs")


def clusters(*snapshots: Snapshot) -> tuple[Cluster, ...]:
    return across(snapshots).clusters


def test_the_same_policies_in_several_accounts_are_one_decision() -> None:
    found = clusters(with_policy(A, own(A)), with_policy(B, own(B)), with_policy(C, own(C), group="developers"))
    assert found == (Cluster(policies=("Data", "ReadOnlyAccess"), groups={"developers": (C,), "devs": (A, B)}),)
    assert found[0].accounts == (A, B, C)


SAME = {
    "order": document(Action=["s3:PutObject", "s3:GetObject"], Resource=[f"arn:aws:sqs:eu-west-1:{B}:jobs"]),
    "case of actions": document(Action=["S3:getobject", "s3:PutObject"], Resource=f"arn:aws:sqs:eu-west-1:{B}:jobs"),
    "sid": document(Sid="X", Action=["s3:GetObject", "s3:PutObject"], Resource=f"arn:aws:sqs:eu-west-1:{B}:jobs"),
    "twice": document(
        Action=["s3:GetObject", "s3:PutObject", "s3:GetObject"], Resource=f"arn:aws:sqs:eu-west-1:{B}:jobs"
    ),
    "no list": Document(
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject"],
                "Resource": f"arn:aws:sqs:eu-west-1:{B}:jobs",
            },
        }
    ),
}
OTHER = {
    "another's id": own(A),
    "an action more": document(Action=["s3:*", "s3:PutObject"], Resource=f"arn:aws:sqs:eu-west-1:{B}:jobs"),
    "case of a resource": document(Action=["s3:GetObject", "s3:PutObject"], Resource=f"arn:aws:sqs:eu-west-1:{B}:Jobs"),
    "a condition": document(
        Action=["s3:GetObject", "s3:PutObject"],
        Resource=f"arn:aws:sqs:eu-west-1:{B}:jobs",
        Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    ),
    "an id within digits": document(
        Action=["s3:GetObject", "s3:PutObject"], Resource=f"arn:aws:sqs:eu-west-1:{B}0:jobs"
    ),
}


@pytest.mark.parametrize("text", SAME)
def test_what_makes_no_difference(text: str) -> None:
    assert len(clusters(with_policy(A, own(A)), with_policy(B, SAME[text]))) == 1


@pytest.mark.parametrize("text", OTHER)
def test_what_makes_one(text: str) -> None:
    assert clusters(with_policy(A, own(A)), with_policy(B, OTHER[text])) == ()


def test_the_name_of_a_policy_makes_one_and_inline_is_not_attached() -> None:
    assert clusters(with_policy(A, own(A)), with_policy(B, own(B), name="Data2")) == ()
    inline = account(B, Group(name="devs", inline={"Data": own(B)}, attached=(READ_ONLY,)))
    assert clusters(with_policy(A, own(A)), inline) == ()


def test_where_the_same_name_has_other_policies_is_told() -> None:
    other = account(C, Group(name="devs", inline={"all": allow("*")}))
    (found,) = clusters(with_policy(A, own(A)), with_policy(B, own(B)), other)
    assert found.groups == {"devs": (A, B)}
    assert found.differs == {"devs": (C,)}


def test_two_groups_of_one_account_are_no_cluster_and_groups_without_policies_need_one_name() -> None:
    assert clusters(account(A, Group(name="a", attached=(READ_ONLY,)), Group(name="b", attached=(READ_ONLY,)))) == ()
    found = clusters(account(A, Group(name="a"), Group(name="b")), account(B, Group(name="b"), Group(name="c")))
    assert found == (Cluster(policies=(), groups={"b": (A, B)}),)


def test_names_that_stand_in_several_accounts() -> None:
    of_aws = Role(name="AWSServiceRoleForSupport", path="/aws-service-role/support.amazonaws.com/", trust=trust())
    found = across(
        [
            account(A, User(name="ana"), User(name="bo"), Role(name="deploy", trust=trust()), of_aws),
            account(B, User(name="ana"), User(name="Bo"), Role(name="deploy", trust=trust()), of_aws),
        ]
    )
    assert found.users == {"ana": (A, B)}
    assert found.roles == {"deploy": (A, B)}
    assert found.doors == ()


def test_roles_that_let_other_accounts_in() -> None:
    def letting(*principals: str) -> Document:
        return document(Principal={"AWS": list(principals)}, Action="sts:AssumeRole")

    found = across(
        [
            account(A, Role(name="own", trust=letting(f"arn:aws:iam::{A}:root"))),
            account(B, Role(name="deploy", trust=letting(f"arn:aws:iam::{A}:role/ci", C, f"arn:aws:iam::{B}:root"))),
        ]
    )
    assert found.doors == (Door(account=B, role="deploy", lets_in=(A, C)),)


def test_a_role_that_lets_everybody_in_and_what_every_way_in_asks() -> None:
    def way(principal: Any, *keys: str) -> dict[str, Any]:
        row = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return row | ({"Condition": {"StringEquals": dict.fromkeys(keys, "x")}} if keys else {})

    def role(name: str, *ways: dict[str, Any]) -> Role:
        return Role(name=name, trust=Document({"Statement": list(ways)}))

    found = across(
        [
            account(
                A,
                role("a", way("*", "aws:PrincipalOrgID")),
                role("b", way({"AWS": C}, "sts:ExternalId", "aws:SourceIp"), way({"AWS": B}, "sts:ExternalId")),
                role("c", way({"AWS": C}, "sts:ExternalId"), way({"AWS": C})),
                role("d", way({"AWS": C}, "sts:ExternalId"), way({"Service": "ec2.amazonaws.com"})),
                role("e", way({"Service": "ec2.amazonaws.com"})),
                role("f", {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}),
            )
        ]
    )
    assert found.doors == (
        Door(account=A, role="a", lets_in=(), everybody=True, conditions=("aws:PrincipalOrgID",)),
        Door(account=A, role="b", lets_in=(B, C), conditions=("sts:ExternalId",)),
        Door(account=A, role="c", lets_in=(C,)),
        Door(account=A, role="d", lets_in=(C,), conditions=("sts:ExternalId",)),
    )
