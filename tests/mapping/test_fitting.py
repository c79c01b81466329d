"""The levels that a group gets for what its policies allow, and what is added where none reaches."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate import documents, mapping
from secmigrate.iam import Document, Group, Policy, Snapshot
from secmigrate.mapping import Decisions
from secmigrate.mapping.answers import GroupAnswer
from secmigrate.mapping.rules import ManagedPolicy
from tests.mapping.accounts import (
    ACCOUNT,
    CATALOGUE,
    account,
    aws,
    document,
    group,
    role,
    service,
    statement,
)
from tests.mapping.test_decide import decide, only, said


@pytest.mark.parametrize(
    ("actions", "levels"),
    [
        (("s3:Get*", "s3:List*"), {"s3": "level1"}),
        (("s3:*Object", "s3:ListBucket"), {"s3": "level2"}),
        (("s3:*",), {"s3": "level3"}),
        (("s3:PutBucketPolicy",), {"s3": "level3"}),
        (("ecr:BatchGetImage",), {"ecr": "level1"}),
        (("ecr:PutImage",), {"ecr": "level2"}),
        (("ecr:CreateRepository",), {"ecr": "level3"}),
        (("ecr:*",), {"ecr": "level4"}),
        (("codebuild:StartBuild",), {"pipeline": "level2"}),
        (("codepipeline:UpdatePipeline",), {"pipeline": "level3"}),
        (("sagemaker:Describe*",), {"sagemaker": "level1"}),
        (("sagemaker:CreateTrainingJob",), {"sagemaker": "level2"}),
        (("bedrock:InvokeModel",), {"bedrock": "level2"}),
        (("glue:GetTable",), {"glue": "level1"}),
        (("redshift:DescribeClusters", "redshift-data:ExecuteStatement"), {"redshift": "level2"}),
        (("redshift:PauseCluster",), {"redshift": "level3"}),
        (("sqs:SendMessage",), {}),
    ],
)
def test_the_lowest_level_that_covers(actions: tuple[str, ...], levels: dict[str, str]) -> None:
    assert only(decide(account(group("data-science-team", *actions)))).levels == levels


def test_a_level_is_called_lower_only_for_what_it_limits() -> None:
    team = Group(
        name="data-science-team",
        inline={
            "s3": document(
                statement("Allow", ["s3:ListAllMyBuckets", "s3:GetBucketLocation"]),
                statement("Allow", ["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::lumenfold-*"),
            ),
            "ecr": document(statement("Allow", ["ecr:PutImage", "ecr:BatchGetImage"])),
        },
    )
    lower = [line for line in only(decide(account(team))).reasons if line.startswith("chosen lower")]
    assert [line.split(" hold ")[0] for line in lower] == ["chosen lower: ecr level2, not level4: today ecr:PutImage"]


def test_where_levels_cannot_be_compared_the_rule_decides() -> None:
    """Level 2 (dev, all) and level 3 (prod, calls only) both let somebody call an endpoint."""
    consumer = only(decide(account(group("business-analysts", "sagemaker:InvokeEndpoint"))))
    scientist = only(decide(account(group("data-science-team", "sagemaker:InvokeEndpoint"))))
    assert (consumer.levels, scientist.levels) == ({"sagemaker": "level3"}, {"sagemaker": "level2"})


def test_automation_that_only_deploys_gets_the_level_that_only_deploys() -> None:
    deploy = ("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint")
    assert only(decide(account(role("release", service("codepipeline"), *deploy)))).levels == {"sagemaker": "level5"}


def test_an_aws_managed_policy_goes_along_where_levels_would_not_reach_as_far() -> None:
    found = only(
        decide(account(group("data-science-team", attached=("AmazonS3ReadOnlyAccess", "AWSXrayReadOnlyAccess"))))
    )
    assert found.levels == {"s3": "level1"}
    assert found.managed_policies == ("AWSXrayReadOnlyAccess", "AmazonS3ReadOnlyAccess")
    assert "s3: level1 (read-only) adds nothing to the AWS managed policies that go along" in found.reasons


def test_an_aws_managed_policy_is_dropped_where_a_level_holds_all_of_it() -> None:
    full = documents.catalogue().levels["bedrock"].levels["level4"]
    policy = Policy(arn="arn:aws:iam::aws:policy/AmazonBedrockReadOnly", document=full.document)
    team = Group(name="data-science-team", attached=(policy.arn,))
    answers = Decisions(groups={team.name: GroupAnswer(become="data_scientists")})
    found = only(decide(account(team).put(policy), answers))
    assert (found.levels, found.managed_policies) == ({"bedrock": "level4"}, ())


def test_a_name_with_a_path_carries_the_mark_u() -> None:
    found = only(decide(account(group("finance", attached=("job-function/Billing",)))))
    assert found.managed_policies == ("Billing",)
    assert "Billing goes along as it is (U: its path job-function/ is left out" in said(found)


def test_a_policy_that_could_not_be_read_gives_the_rules_level() -> None:
    unread = Group(
        name="data-science-team", attached=(f"arn:aws:iam::{ACCOUNT}:policy/lost", *aws("AmazonS3FullAccess"))
    )
    found = only(decide(Snapshot(account=ACCOUNT).put(unread)))
    assert found.levels["s3"] == "level2"
    assert "could not be read" in said(found)


def test_an_aws_managed_policy_that_nobody_can_be_given_any_more_is_answered_for_by_levels() -> None:
    """AWSConfigRole: withdrawn by AWS in 2022, and still valid where it was attached."""
    withdrawn = Policy(
        arn="arn:aws:iam::aws:policy/service-role/AWSConfigRole",
        document=document(
            statement("Allow", ["s3:GetObject", "config:Put*"]), statement("Deny", ["s3:PutObject"], "arn:aws:s3:::a/*")
        ),
    )
    for one in (
        Group(name="data-science-team", attached=(withdrawn.arn,)),
        role("config-recorder", service("config"), attached=(withdrawn.arn,)),
    ):
        found = only(decide(account(one).put(withdrawn)))
        assert (found.levels, found.managed_policies) == ({"s3": "level1"}, ())
        assert "not carried over: policy AWSConfigRole as such: AWS has withdrawn it" in said(found)
        assert "not carried over: config (" in said(found)
        assert "not carried over: policy AWSConfigRole denies s3:PutObject" in said(found)


def test_without_its_document_such_a_policy_is_told_and_gives_nothing() -> None:
    team = Group(name="data-science-team", attached=aws("AWSLambdaFullAccess"))
    found = only(decide(account(team)))
    assert (found.levels, found.managed_policies) == ({}, ())
    assert "not carried over: policy AWSLambdaFullAccess as such" in said(found)
    assert "its document is not in the inventory" in said(found)


def test_a_managed_policy_of_the_rule_is_added_for_what_nothing_else_covers() -> None:
    found = only(decide(account(group("ops", "cloudwatch:GetMetricData", "xray:*"))))
    assert found.managed_policies == ("AWSXrayFullAccess", "CloudWatchReadOnlyAccess")


def test_several_managed_policies_of_the_rule_answer_for_one_service_together() -> None:
    rule = CATALOGUE.groups["operations_support"]
    halves = (
        ManagedPolicy(mark="U", name="Readers", actions=("xray:Get*", "xray:BatchGet*")),
        ManagedPolicy(mark="U", name="Writers", actions=("xray:Put*",)),
    )
    become = structs.replace(rule.become, managed_policies=halves)
    groups = {**CATALOGUE.groups, rule.id: structs.replace(rule, become=become)}
    ops = account(group("ops", "xray:GetSamplingRules", "xray:PutTraceSegments", "xray:UntagResource"))
    found = only({one.name: one for one in mapping.decide(ops, structs.replace(CATALOGUE, groups=groups))})
    assert found.managed_policies == ("Readers", "Writers")
    assert "not carried over: xray (xray:UntagResource)" in said(found)


def test_a_policy_that_cannot_be_read_gives_no_levels_and_is_told() -> None:
    group = Group(name="ml-engineers", inline={"own": Document({"Statement": ["s3:*"]})})
    found = only(decide(account(group)))
    assert (found.target, found.levels, found.managed_policies) == ("ml_engineers", {}, ())
    assert "not carried over: a statement of inline policy own that cannot be read" in said(found)
