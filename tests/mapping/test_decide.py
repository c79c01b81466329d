from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from secmigrate import documents, mapping
from secmigrate.errors import BadInput
from secmigrate.iam import Document, Group, InstanceProfile, Policy, Snapshot, User
from secmigrate.mapping import Ambiguous, Decision, Decisions, LeftOut, Mapped, Scope, Unmapped
from secmigrate.mapping.answers import GroupAnswer, RoleAnswer
from secmigrate.mapping.rules import ManagedPolicy
from tests.mapping.accounts import (
    ACCOUNT,
    CATALOGUE,
    CLIENT,
    ENVIRONMENT,
    account,
    aws,
    document,
    group,
    role,
    root,
    service,
    statement,
)


def decide(snapshot: Snapshot, decisions: Decisions | None = None, scope: Scope | None = None) -> dict[str, Decision]:
    decided = mapping.decide(snapshot, CATALOGUE, decisions, scope, names=(CLIENT, ENVIRONMENT))
    assert len(decided) == len(snapshot.groups) + len(snapshot.roles)
    assert {one.name for one in decided} == {*snapshot.groups, *snapshot.roles}
    assert all(one.reasons for one in decided)
    return {one.name: one for one in decided}


def only(decided: dict[str, Decision]) -> Any:
    (found,) = decided.values()
    return found


def said(one: Decision) -> str:
    return "\n".join(one.reasons)


def test_the_guides_own_example() -> None:
    team = Group(
        name="data-science-team",
        attached=aws("CloudWatchLogsReadOnlyAccess"),
        inline={
            "s3": document(
                statement("Allow", ["s3:GetObject", "s3:PutObject", "s3:ListBucket"], "arn:aws:s3:::lumenfold-*")
            ),
            "sagemaker": document(statement("Allow", ["sagemaker:*"])),
        },
    )
    found = only(decide(account(team)))
    assert found.target == "data_scientists"
    assert found.levels == {"s3": "level2", "sagemaker": "level2"}
    assert found.managed_policies == ("CloudWatchLogsReadOnlyAccess",)
    assert found.mark == "C"
    assert "chosen lower: sagemaker level2, not level4" in said(found)


def test_the_example_account() -> None:
    snapshot = documents.read_snapshot(documents.example("manual-account/inventory.json"))  # type: ignore[arg-type]
    decided = decide(snapshot)
    assert {name: one.target for name in snapshot.groups if isinstance(one := decided[name], Mapped)} == {
        "MLPlatformAdmins": "platform_administrators",
        "business-analysts": "business_consumers",
        "data-engineering": "data_engineers",
        "data-science-team": "data_scientists",
        "finance-billing": "finops_managers",
        "ml-engineers": "ml_engineers",
        "mlops": "mlops_engineers",
        "ops-oncall": "operations_support",
        "qa-team": "qa_testing",
        "security-audit": "security_team",
    }
    assert isinstance(decided["all-staff"], Unmapped)
    assert isinstance(decided["deny-outside-eu"], Unmapped)


def test_name_and_policies_that_contradict_each_other_are_both_told() -> None:
    found = only(decide(account(group("interns", attached=("AdministratorAccess",)))))
    assert isinstance(found, Ambiguous)
    assert [reading.target for reading in found.readings] == ["external_contractors", "platform_administrators"]
    assert "it has AdministratorAccess" in said(found)


def test_one_reading_that_something_forbids_is_ambiguous_too() -> None:
    found = only(decide(account(group("business-analysts", "s3:PutObject", "sagemaker:InvokeEndpoint"))))
    assert isinstance(found, Ambiguous)
    assert [reading.target for reading in found.readings] == ["business_consumers"]


def test_the_policies_alone_may_decide() -> None:
    found = only(decide(account(group("wheel", "*"))))
    assert (found.target, found.levels, found.managed_policies) == (
        "platform_administrators",
        {},
        ("AdministratorAccess",),
    )


def test_several_rules_of_equal_weight_are_for_a_person() -> None:
    found = only(decide(account(group("team-blue", "s3:*", "sagemaker:*", "glue:*"))))
    assert isinstance(found, Ambiguous)
    assert {"data_engineers", "data_scientists"} <= {reading.target for reading in found.readings}


def test_reading_everything_gives_no_levels_to_the_security_team() -> None:
    found = only(decide(account(group("security-audit", attached=("SecurityAudit", "ReadOnlyAccess")))))
    assert (found.target, found.levels, found.managed_policies) == (
        "security_team",
        {},
        ("ReadOnlyAccess", "SecurityAudit"),
    )


def test_nothing_that_matches_is_unmapped_and_says_what_nearly_did() -> None:
    found = only(decide(account(group("blue", "s3:GetObject", "sqs:SendMessage"))))
    assert isinstance(found, Unmapped)
    assert "s3, sqs" in said(found)
    assert "data_engineers" in [reading.rule for reading in found.nearly]


def test_a_group_that_only_denies_has_no_counterpart() -> None:
    deny = Group(name="data-science-team", inline={"no": document(statement("Deny", ["ec2:*"]))})
    found = only(decide(account(deny)))
    assert isinstance(found, Unmapped)
    assert "only denies" in said(found)
    assert "denies ec2:*" in said(found)


def test_what_no_level_holds_is_never_dropped_in_silence() -> None:
    denying = Group(
        name="data-science-team",
        inline={
            "own": document(
                statement("Allow", ["s3:GetObject", "athena:StartQueryExecution", "kms:Decrypt"]),
                statement("Allow", ["sqs:SendMessage"], Condition={"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
                statement("Deny", ["s3:DeleteObject"], "arn:aws:s3:::lumenfold-hr/*"),
            )
        },
    )
    told = said(only(decide(account(denying))))
    assert "not carried over: athena (athena:StartQueryExecution), kms (kms:Decrypt), sqs (sqs:SendMessage)" in told
    assert "not carried over: the condition on aws:MultiFactorAuthPresent under which" in told
    assert "not carried over: inline policy own denies s3:DeleteObject" in told


def test_what_is_denied_everywhere_is_not_taken_for_allowed() -> None:
    team = Group(
        name="data-science-team",
        inline={"own": document(statement("Allow", ["s3:GetObject", "s3:PutObject"]), statement("Deny", ["s3:Put*"]))},
    )
    assert only(decide(account(team))).levels == {"s3": "level1"}


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
    assert "inline policy own has a statement that cannot be read" in said(found)


def test_a_group_without_policies_is_given_nothing() -> None:
    found = only(decide(account(Group(name="ml-engineers"))))
    assert (found.target, found.levels, found.managed_policies) == ("ml_engineers", {}, ())
    assert "given nothing" in said(found)


def test_secs_own_names_are_left_out() -> None:
    decided = decide(account(Group(name="lumen-prod-a001-group-qa-testing"), role("Lumen-prod-a001-role-x", root())))
    assert all(isinstance(one, LeftOut) and "already managed by SEC" in said(one) for one in decided.values())


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


def test_the_path_speaks_where_the_name_does_not() -> None:
    found = only(decide(account(structs.replace(group("team-blue", "s3:GetObject"), path="/ml/data-science/"))))
    assert found.target == "data_scientists"
    assert "its path /ml/data-science/ says so (data scien*)" in said(found)
    named = only(decide(account(structs.replace(group("ml-engineers", "s3:GetObject"), path="/ml/data-science/"))))
    assert named.target == "ml_engineers"


def test_a_tag_that_all_members_share_speaks_where_name_and_path_do_not() -> None:
    team = group("team-blue", "s3:GetObject")
    members = [User(name=name, groups=("team-blue",), tags={"team": "data-science"}) for name in ("ana", "bo")]
    found = only(decide(account(team, *members)))
    assert found.target == "data_scientists"
    assert "its members' tag team says so (data scien*)" in said(found)
    mixed = (members[0], structs.replace(members[1], tags={"team": "finance"}))
    assert isinstance(only(decide(account(team, *mixed))), Unmapped)
    assert isinstance(only(decide(account(team, members[0]))), Unmapped)


def test_groups_with_the_very_same_policies_are_told_together() -> None:
    decided = decide(account(group("ds-one", "s3:GetObject"), group("two", "s3:GetObject"), group("three", "s3:Put*")))
    assert "has the very same policies as two" in decided["ds-one"].reasons
    assert "has the very same policies as ds-one" in decided["two"].reasons
    assert not any("very same" in line for line in decided["three"].reasons)
    assert not any(
        "very same" in line
        for one in decide(account(Group(name="a"), Group(name="b"))).values()
        for line in one.reasons
    )


def test_what_sec_cannot_express_is_told() -> None:
    condition = {"Bool": {"aws:MultiFactorAuthPresent": "true"}, "StringEquals": {"sts:ExternalId": "e"}}
    one = role(
        "x",
        {"AWS": f"arn:aws:iam::{ACCOUNT}:user/ann"},
        condition=condition,
        max_session=7200,
        boundary=f"arn:aws:iam::{ACCOUNT}:policy/edge",
    )
    told = "\n".join(only(decide(account(one, InstanceProfile(name="box", roles=("x",))))).not_expressible)
    for part in ("MFA is asked for", "external id", "7200 s", "policy/edge", "instance profile box", "user/ann may"):
        assert part in told


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


def test_a_persons_answers_come_first() -> None:
    snapshot = account(
        group("interns", attached=("AdministratorAccess",)),
        group("team", "s3:GetObject"),
        group("ml-engineers", "s3:GetObject"),
        role("box", service("lambda")),
        role("ci", root("444455556666")),
    )
    answers = Decisions(
        groups={
            "interns": GroupAnswer(leave="they are gone by May"),
            "team": GroupAnswer(become="data_scientists", levels={"s3": "level2"}),
            "ml-engineers": GroupAnswer(become="wizards"),
        },
        roles={
            "box": RoleAnswer(become="elf", section="assumable_roles"),
            "ci": RoleAnswer(leave="not ours"),
        },
    )
    decided = decide(snapshot, answers)
    assert isinstance(decided["interns"], LeftOut)
    assert "they are gone by May" in said(decided["interns"])
    team, wizards, box = decided["team"], decided["ml-engineers"], decided["box"]
    assert isinstance(team, Mapped)
    assert isinstance(wizards, Mapped)
    assert isinstance(box, Mapped)
    assert (team.target, team.levels, team.mark) == ("data_scientists", {"s3": "level2"}, "C")
    assert (wizards.target, wizards.mark) == ("wizards", "U")
    assert (box.section, box.target, box.mark) == ("assumable_roles", "elf", "U")
    assert isinstance(decided["ci"], LeftOut)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (GroupAnswer(), "says one thing"),
        (GroupAnswer(become="x", leave="y"), "says one thing"),
        (GroupAnswer(become="x", levels={"s3": "level9"}), "no level s3: level9"),
        (GroupAnswer(become="x", levels={"ec2": "level1"}), "no level ec2: level1"),
    ],
)
def test_answers_that_cannot_be_used(answer: GroupAnswer, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        decide(account(), Decisions(groups={"g": answer}))
    assert caught.value.where == "decisions.yaml: groups.g"


def test_answers_for_what_is_not_there_are_found() -> None:
    answers = Decisions(groups={"a": GroupAnswer(leave="x")}, roles={"b": RoleAnswer(leave="x")})
    assert answers.strangers(account(Group(name="a"))) == ("roles.b",)


def test_scope() -> None:
    snapshot = account(Group(name="ml-engineers"), Group(name="qa"), role("ml-x", service("lambda")))
    decided = decide(snapshot, scope=Scope(only=("group:*", "role:other"), skip=("group:ML-*",)))
    assert {name: mapping.outcome(one) for name, one in decided.items()} == {
        "ml-engineers": "left-out",
        "qa": "mapped",
        "ml-x": "left-out",
    }
    assert said(decided["ml-engineers"]) == "out of scope: --skip group:ML-*"


@pytest.mark.parametrize("pattern", ["ml-*", "user:x", "group:", ":x"])
def test_a_scope_that_is_none(pattern: str) -> None:
    with pytest.raises(BadInput, match="is not a scope"):
        Scope(only=(pattern,))


def test_explain_ignores_case_and_knows_what_was_meant() -> None:
    decided = mapping.decide(account(Group(name="QA-Team")), CATALOGUE)
    assert mapping.explain("qa-team", decided) == decided
    with pytest.raises(BadInput) as caught:
        mapping.explain("qa-taem", decided)
    assert caught.value.hint == "did you mean QA-Team?"
