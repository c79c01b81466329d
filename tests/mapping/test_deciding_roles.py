"""Roles: which section of the config holds one, by its trust, and which none can."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from secmigrate.iam import Document, InstanceProfile, Role
from secmigrate.mapping import Ambiguous, Decisions, LeftOut, Mapped, Unmapped
from secmigrate.mapping.answers import RoleAnswer
from tests.mapping.accounts import (
    ACCOUNT,
    account,
    group,
    role,
    root,
    service,
)
from tests.mapping.test_decide import decide, only, said

ROLES = [
    (role("x", service("sagemaker")), "service_roles", "sagemaker_execution", "C"),
    (role("x", service("lambda")), "service_roles", "lambda_execution", "I"),
    (role("x", service("glue")), "service_roles", "glue_execution", "I"),
    (role("x", service("codebuild")), "service_roles", "codebuild_execution", "I"),
    (role("x", service("codepipeline")), "service_roles", "cicd_execution", "I"),
    (role("ec2-node", service("ec2")), "service_roles", "ec2_node", "U"),
    (role("deployer", root("444455556666")), "cross_account_roles", "cicd_deployer", "I"),
    (role("x", root("444455556666"), "cloudwatch:GetMetricData"), "cross_account_roles", "monitoring_reader", "I"),
    (role("Partner-Read", root("444455556666")), "cross_account_roles", "partner_read", "U"),
    (role("breakglass", root()), "assumable_roles", "break_glass", "I"),
    (role("approver", root()), "assumable_roles", "approver", "U"),
]


@pytest.mark.parametrize(("one", "section", "target", "mark"), ROLES, ids=lambda value: getattr(value, "name", value))
def test_roles(one: Any, section: str, target: str, mark: str) -> None:
    found = only(decide(account(one)))
    assert (found.section, found.target, found.mark) == (section, target, mark)


@pytest.mark.parametrize(
    ("principal", "why"),
    [
        ({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"}, "only the identity provider okta"),
        ({"AWS": "*"}, "it trusts *"),
        ({"AWS": "AROAEXAMPLEEXAMPLE123"}, "it trusts AROAEXAMPLEEXAMPLE123"),
    ],
)
def test_trust_that_no_section_can_hold(principal: dict[str, Any], why: str) -> None:
    found = only(decide(account(role("x", principal))))
    assert isinstance(found, Unmapped)
    assert why in said(found)


def test_a_ci_with_its_own_identity_provider_is_for_a_person() -> None:
    provider = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"}
    found = only(decide(account(role("GitHubDeploy", provider))))
    assert isinstance(found, Ambiguous)
    assert found.readings[0].target == "cicd_execution"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"path": "/aws-service-role/x.amazonaws.com/"}, "service-linked"),
        ({"path": "/aws-reserved/sso.amazonaws.com/"}, "Identity Center"),
        ({"tags": {"aws:cloudformation:stack-name": "shop"}}, "the stack shop owns it"),
    ],
)
def test_kept_roles_are_left_out(more: dict[str, Any], why: str) -> None:
    found = only(decide(account(role("x", service("lambda"), **more))))
    assert isinstance(found, LeftOut)
    assert why in said(found)


def test_a_stacks_role_moves_where_a_person_means_it_to() -> None:
    """She gave the stack's template, so that its owner has a logical id, or she says what the role becomes."""
    there = account(role("x", service("lambda"), tags={"aws:cloudformation:stack-name": "shop"}))
    template = structs.replace(there, owners={there.arn(there.roles["x"]): "stack shop Worker"})
    assert isinstance(only(decide(template)), Mapped)
    other = structs.replace(there, owners={there.arn(there.roles["x"]): "stack shop"})
    assert isinstance(only(decide(other)), LeftOut)
    answers = Decisions(roles={"x": RoleAnswer(become="lambda_execution")})
    assert isinstance(only(decide(there, answers)), Mapped)
    linked = account(role("x", service("lambda"), path="/aws-service-role/x.amazonaws.com/"))
    assert isinstance(only(decide(linked, answers)), LeftOut)


def test_a_stand_in_mirrors_the_group_of_its_name_where_that_group_will_be() -> None:
    standin = role("ml-engineer-standin", root(), "s3:GetObject")
    decided = decide(account(standin, group("ml-engineers", "sagemaker:CreateTrainingJob", "s3:PutObject")))
    found = decided["ml-engineer-standin"]
    assert isinstance(found, Mapped)
    assert (found.target, found.mirrors_group, found.levels) == ("aml_engineer", "ml_engineers", {})
    alone = only(decide(account(standin)))
    assert (alone.target, alone.mirrors_group, alone.levels) == ("ml_engineer_standin", "", {"s3": "level1"})


def test_a_stand_in_keeps_its_own_levels_where_the_group_has_less() -> None:
    standin = role("ml-engineer-standin", root(), "s3:GetObject", "glue:GetTable")
    decided = decide(account(standin, group("ml-engineers", "sagemaker:CreateTrainingJob", "s3:PutObject")))
    found = decided["ml-engineer-standin"]
    assert isinstance(found, Mapped)
    assert (found.mirrors_group, found.levels) == ("", {"s3": "level1", "glue": "level1"})
    assert "mirror ml_engineers: it needs glue: level1, and that group has no glue" in found.nearly[0].told()


def test_a_stand_in_keeps_its_managed_policies() -> None:
    managed = ("arn:aws:iam::aws:policy/AWSXrayReadOnlyAccess",)
    standin = role("ml-engineer-standin", root(), attached=managed)
    found = decide(account(standin, group("ml-engineers", "s3:GetObject")))["ml-engineer-standin"]
    assert isinstance(found, Mapped)
    assert (found.mirrors_group, found.managed_policies) == ("ml_engineers", ("AWSXrayReadOnlyAccess",))


def test_what_sec_cannot_express_is_told() -> None:
    condition = {
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
        "StringEquals": {"sts:ExternalId": "e"},
    }
    one = role(
        "x",
        {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"},
        condition=condition,
        max_session=7200,
        boundary=f"arn:aws:iam::{ACCOUNT}:policy/edge",
    )
    lines = only(decide(account(one, InstanceProfile(name="box", roles=("x",))))).not_expressible
    assert len(lines) == len(set(lines))
    told = "\n".join(lines)
    for part in ("MFA is asked for", "external id", "7200 s", "policy/edge", "instance profile box", "user/ann may"):
        assert part in told


@pytest.mark.parametrize(
    ("services", "kept", "lost"),
    [
        (("lambda", "apigateway"), "lambda", "apigateway"),
        (("apigateway", "edgelambda"), "apigateway", "edgelambda"),
        (("sagemaker", "apigateway"), "sagemaker", "apigateway"),
    ],
)
def test_the_service_that_is_told_as_lost_is_not_the_one_that_is_kept(
    services: tuple[str, ...], kept: str, lost: str
) -> None:
    found = only(decide(account(role("x", {"Service": [f"{one}.amazonaws.com" for one in services]}))))
    assert found.entry.service_principal == f"{kept}.amazonaws.com"
    (told,) = found.not_expressible
    assert told.startswith(f"{lost}.amazonaws.com may assume it today")


JANE = "arn:aws:iam::444455556666:user/jane"


@pytest.mark.parametrize(
    ("trusted", "told"),
    [
        (JANE, f"only {JANE} may assume it: SEC trusts the whole account 444455556666"),
        ([JANE, "arn:aws:sts::444455556666:assumed-role/ci/run"], f"{JANE}, arn:aws:sts::444455556666:assumed"),
        ([JANE, "444455556666"], ""),
        ([JANE, "arn:aws:iam::444455556666:root"], ""),
        ([JANE.replace("jane", "joe").replace("4444", "5555"), "444455556666"], "555555556666 may assume it today"),
    ],
)
def test_that_more_of_another_account_may_assume_it_is_told(trusted: str | list[str], told: str) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "abc"}}
    found = only(decide(account(role("partner", {"AWS": trusted}, condition=condition))))
    assert found.entry.trusted_account_id == "444455556666"
    assert [told in line for line in found.not_expressible] == [True] * bool(told)


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        (["sts:AssumeRole", "sts:TagSession"], ["sts:TagSession"]),
        (["sts:AssumeRole", "sts:SetSource*"], ["sts:SetSourceIdentity"]),
        ("sts:*", ["sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession"]),
        ("sts:AssumeRole", []),
        ("sts:AssumeRole*", []),
    ],
)
def test_what_may_be_brought_along_is_not_expressible(actions: object, told: list[str]) -> None:
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": actions}
    one = Role(name="x", trust=Document({"Version": "2012-10-17", "Statement": [trust]}))
    found = only(decide(account(one))).not_expressible
    assert [line.partition(" (")[2].partition(")")[0] for line in found] == told


def test_the_external_id_and_the_account_are_kept() -> None:
    condition = {"StringEquals": {"sts:ExternalId": "abc"}}
    found = only(decide(account(role("partner", root("444455556666"), condition=condition))))
    assert (found.entry.trusted_account_id, found.entry.external_id) == ("444455556666", "abc")
    assert found.not_expressible == ()


def test_roles_that_cannot_be_one_keep_apart() -> None:
    one, two = (role(f"deploy-{account_id[0]}", root(account_id)) for account_id in ("444455556666", "555566667777"))
    decided = decide(account(one, two))
    assert [(found.target, found.mark) for found in decided.values() if isinstance(found, Mapped)] == [
        ("cicd_deployer", "I"),
        ("deploy_5", "U"),
    ]


def test_names_that_give_one_key_keep_apart_in_all_sections() -> None:
    decided = decide(account(role("Foo-bar", service("ec2")), role("foo_bar", service("ec2")), role("fooBar", root())))
    assert sorted(found.target for found in decided.values() if isinstance(found, Mapped)) == [
        "foo_bar",
        "foo_bar_2",
        "foo_bar_3",
    ]


def test_long_names_are_cut_to_what_iam_takes() -> None:
    names = ("a" * 60 + "-1", "a" * 60 + "-2")
    decided = decide(account(*(role(name, service("ec2")) for name in names)))
    targets = [found.target for found in decided.values() if isinstance(found, Mapped)]
    assert len(set(targets)) == 2
    assert all(len(f"lumen-prod-a001-role-{target}") <= 64 for target in targets)
