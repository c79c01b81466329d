from __future__ import annotations

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import structs

from secmigrate import documents, mapping, sec
from secmigrate.errors import BadInput
from secmigrate.iam import Group, Snapshot
from secmigrate.mapping import Decisions
from secmigrate.mapping.answers import RoleAnswer
from secmigrate.mapping.ladders import Ladders
from tests.mapping.accounts import ACCOUNT, CATALOGUE, CLIENT, ENVIRONMENT, account, group, role, root, service

MANAGED = documents.aws_managed()


def built(snapshot: Snapshot, decisions: Decisions | None = None) -> tuple[sec.SecConfig, tuple[mapping.Decision, ...]]:
    decided = mapping.decide(snapshot, CATALOGUE, decisions, names=(CLIENT, ENVIRONMENT))
    tier = mapping.choose_tier(decided, CATALOGUE).tier
    return mapping.sec_config(decided, CATALOGUE, client=CLIENT, environment=ENVIRONMENT, tier=tier), decided


def test_names() -> None:
    config, _ = built(account(group("ml-engineers", "s3:GetObject")))
    assert config.stem == "lumen-prod-a001-eu-central-1-startup-sec"
    assert config.stack == "lumen-prod-a001-eu-central-1-startup-sec-stack"
    assert config.file_name == "lumen-prod-a001-eu-central-1-sec.yaml"
    assert config.group_name("data_scientists") == "lumen-prod-a001-group-data-scientists"
    assert config.role_name("aml_engineer") == "lumen-prod-a001-role-aml-engineer"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("eu-central-1", "aws"),
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
    ],
)
def test_partitions(region: str, partition: str) -> None:
    config, _ = built(account(group("security", attached=("SecurityAudit",))))
    there = structs.replace(config, environment=sec.Environment(env="prod", region=region))
    planned = sec.planned(there, CATALOGUE.levels, MANAGED)
    assert planned.partition == partition
    assert list(planned.policies) == [f"arn:{partition}:iam::aws:policy/SecurityAudit"]
    assert planned.groups["lumen-prod-a001-group-security-team"].attached == tuple(planned.policies)


def test_many_become_one_with_the_levels_of_all() -> None:
    snapshot = account(
        group("data-science-team", "s3:GetObject"),
        group("DataScientists", "s3:PutObject", attached=("AWSXrayReadOnlyAccess",)),
        group("research", "sagemaker:CreateTrainingJob", "s3:ListBucket", attached=("CloudWatchLogsReadOnlyAccess",)),
    )
    config, decided = built(snapshot)
    entry = config.security.iam_groups["data_scientists"]
    assert entry.policy_assignments == {"s3": "level2", "sagemaker": "level2"}
    assert entry.managed_policies == ("AWSXrayReadOnlyAccess", "CloudWatchLogsReadOnlyAccess")
    comments = mapping.sec_yaml_comments(config, decided, CATALOGUE)
    lines = comments["security", "iam_groups", "data_scientists"]
    assert lines[:2] == (
        "C: from DataScientists, data-science-team, research",
        "joined: for each service the lowest level that holds those of all",
    )
    assert comments["security", "iam_groups", "data_scientists", "policy_assignments", "s3"] == (
        "C: project-buckets-only",
    )


def test_levels_that_cannot_be_compared_are_joined_in_one_that_holds_both() -> None:
    snapshot = account(
        group("business-analysts", "sagemaker:InvokeEndpoint"), group("business-users", "sagemaker:InvokeEndpoint")
    )
    config, _ = built(snapshot)
    assert config.security.iam_groups["business_consumers"].policy_assignments == {"sagemaker": "level3"}
    assert Ladders(CATALOGUE.levels, CATALOGUE.actions).join("sagemaker", ("level2", "level3")) == "level4"


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "cn-north-1"])
def test_levels_are_compared_as_they_stand_in_the_partition_of_the_region(region: str) -> None:
    values = sec.placeholders(CLIENT, sec.Environment(env="prod", region=region))
    ladders = Ladders(CATALOGUE.levels, CATALOGUE.actions, values)
    reads, writes = (ladders.allowed("s3", level) for level in ("level1", "level2"))
    assert [action.name for action in ladders.actions.named(writes & ~reads) if action.name == "s3:PutObject"]


def test_things_that_cannot_be_one_are_refused() -> None:
    snapshot = account(role("a", root("444455556666")), role("b", root("555566667777")))
    answers = Decisions(roles={"a": RoleAnswer(become="gate"), "b": RoleAnswer(become="gate")})
    with pytest.raises(BadInput, match="a and b cannot both become gate"):
        built(snapshot, answers)


def test_the_config_satisfies_its_schema_and_reads_back() -> None:
    config, _ = built(documents.read_snapshot(documents.example("manual-account/inventory.json")))  # type: ignore[arg-type]
    plain = msgspec.to_builtins(config)
    Draft202012Validator(documents.schema("sec-config")).validate(msgspec.json.decode(msgspec.json.encode(plain)))
    assert msgspec.convert(plain, sec.SecConfig) == config
    assert [
        found for found in sec.findings(config, CATALOGUE.tiers, CATALOGUE.levels, MANAGED) if found.severity == "error"
    ] == []


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("sec-config", {"client": {}, "environment": {}, "tier": {}, "security": {}}),
        ("sec-config", {"security": {"iam_groups": {"ml_engineers": {"policies": []}}}}),
        ("decisions", {"kind": "decisions", "version": 2}),
        ("decisions", {"kind": "decisions", "version": 1, "groups": {"a": {}}}),
        (
            "decisions",
            {"kind": "decisions", "version": 1, "groups": {"a": {"become": "x", "section": "service_roles"}}},
        ),
        ("decisions", {"kind": "decisions", "version": 1, "roles": {"a": {"become": "Bad-Key"}}}),
    ],
)
def test_schemas_refuse_what_is_wrong(schema: str, value: object) -> None:
    assert not Draft202012Validator(documents.schema(schema)).is_valid(value)


def test_answers_satisfy_their_schema() -> None:
    answers = {
        "kind": "decisions",
        "version": 1,
        "groups": {"interns": {"leave": "gone"}, "team": {"become": "data_scientists", "levels": {"s3": "level2"}}},
        "roles": {"box": {"become": "elf", "section": "assumable_roles"}},
    }
    Draft202012Validator(documents.schema("decisions")).validate(answers)
    assert msgspec.convert(answers, Decisions).roles["box"].section == "assumable_roles"


def test_planned_is_what_the_config_says() -> None:
    snapshot = account(
        group("ml-engineers", "sagemaker:CreateTrainingJob", "s3:PutObject", attached=("AWSXrayReadOnlyAccess",)),
        role("ml-engineer-standin", root()),
        role("trainer", service("sagemaker"), "s3:GetObject"),
        role("partner", root("444455556666"), condition={"StringEquals": {"sts:ExternalId": "abc"}}),
    )
    config, _ = built(snapshot)
    planned = sec.planned(config, CATALOGUE.levels, MANAGED)
    assert planned.account == ACCOUNT
    team = planned.groups["lumen-prod-a001-group-ml-engineers"]
    assert list(team.inline) == ["s3-level2", "sagemaker-level2"]
    assert "arn:aws:s3:::lumen-prod-a001-*" in team.inline["s3-level2"].text
    assert f"arn:aws:sagemaker:*:{ACCOUNT}:*/lumen-dev-a001-*" in team.inline["sagemaker-level2"].text
    assert team.attached == ("arn:aws:iam::aws:policy/AWSXrayReadOnlyAccess",)
    assert planned.policies[team.attached[0]].document == MANAGED[team.attached[0]].document
    standin = planned.roles["lumen-prod-a001-role-aml-engineer"]
    assert standin.inline == team.inline
    assert standin.attached == ()
    assert standin.trust.statements[0]["Principal"] == root()
    trainer = planned.roles["lumen-prod-a001-role-sagemaker-execution"]
    assert trainer.trust.statements[0]["Principal"] == service("sagemaker")
    partner = planned.roles["lumen-prod-a001-role-partner"].trust.statements[0]
    assert partner["Principal"] == root("444455556666")
    assert partner["Condition"] == {"StringEquals": {"sts:ExternalId": "abc"}}


def test_planned_of_the_example_stays_within_the_quotas() -> None:
    config, _ = built(documents.read_snapshot(documents.example("manual-account/inventory.json")))  # type: ignore[arg-type]
    planned = sec.planned(config, CATALOGUE.levels, MANAGED)
    for kind, rows in (("group", planned.groups), ("role", planned.roles)):
        for one in rows.values():
            assert sum(document.size for document in one.inline.values()) <= sec.INLINE_SIZE[kind]
            assert len(one.attached) <= 10
            assert len(one.name) <= sec.NAME_LENGTH[kind]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (sec.GroupEntry(managed_policies=("NoSuchPolicy",)), "no managed policy 'NoSuchPolicy'"),
        (sec.GroupEntry(policy_assignments={"s3": "level7"}), "no level s3: level7"),
        (sec.GroupEntry(policy_assignments={"ec2": "level1"}), "no level ec2: level1"),
    ],
)
def test_planned_refuses_what_does_not_exist(entry: sec.GroupEntry, message: str) -> None:
    config = with_group(entry)
    with pytest.raises(BadInput, match=message) as caught:
        sec.planned(config, CATALOGUE.levels, MANAGED)
    assert caught.value.hint


def test_an_entry_with_a_policy_that_aws_does_not_have_is_named() -> None:
    with pytest.raises(BadInput) as caught:
        sec.planned(with_group(sec.GroupEntry(managed_policies=("NoSuchPolicy",))), CATALOGUE.levels, MANAGED)
    assert caught.value.where == "security.iam_groups.ml_engineers.managed_policies"


def test_a_managed_policy_may_be_named_with_its_path() -> None:
    planned = sec.planned(
        with_group(sec.GroupEntry(managed_policies=("job-function/Billing",))), CATALOGUE.levels, MANAGED
    )
    assert list(planned.policies) == ["arn:aws:iam::aws:policy/job-function/Billing"]


def test_values_are_escaped_where_they_are_put_in() -> None:
    document = sec.fill(
        documents.catalogue().levels["s3"].levels["level1"].document, {"project": ('a"b', "c-*"), "partition": ("aws",)}
    )
    assert document.statements[2]["Resource"] == ['arn:aws:s3:::a"b', "arn:aws:s3:::c-*"]


def with_group(entry: sec.GroupEntry, key: str = "ml_engineers", **more: Any) -> sec.SecConfig:
    return sec.SecConfig(
        client=CLIENT,
        environment=ENVIRONMENT,
        tier=sec.TierName(name="enterprise", version="enterprise-12"),
        security=sec.Security(iam_groups={key: entry}, **more),
    )


TIERS = [
    (("ml-engineers",), (), "startup"),
    (("ml-engineers", "data-engineers"), (), "medium"),
    (("finops",), (), "enterprise"),
    (("contractors",), (), "enterprise"),
    (("ml-engineers",), ("444455556666",), "medium"),
    (("ml-engineers",), ("444455556666", "555566667777"), "enterprise"),
    (("ml-engineers",), ("444455556666", "555566667777", "666677778888"), "enterprise"),
    ((), (), "startup"),
]


@pytest.mark.parametrize(("groups", "accounts", "tier"), TIERS)
def test_the_lowest_tier_that_holds_everything(groups: tuple[str, ...], accounts: tuple[str, ...], tier: str) -> None:
    snapshot = account(*(Group(name=name) for name in groups), *(role(f"p{one[0]}", root(one)) for one in accounts))
    choice = mapping.choose_tier(mapping.decide(snapshot, CATALOGUE), CATALOGUE)
    assert choice.tier.name == tier
    assert choice.reasons


def test_the_guides_table_stands_beside_and_a_difference_is_explained() -> None:
    decided = mapping.decide(account(Group(name="finops")), CATALOGUE)
    told = mapping.choose_tier(decided, CATALOGUE).reasons
    assert told[0] == "enterprise-12 is the lowest tier that holds finops_managers"
    assert told[1] == "medium-10 would do if finops became something else than finops_managers"
    assert told[2].startswith("by the guide's table, 1 existing group makes it startup; what the groups become counts")


def test_what_the_next_lower_tier_would_take() -> None:
    accounts = (role(f"deploy-{each}", root(each)) for each in ("444455556666", "555566667777"))
    decided = mapping.decide(account(group("qa", "s3:GetObject"), *accounts), CATALOGUE)
    assert mapping.choose_tier(decided, CATALOGUE).reasons[1] == (
        "medium-10 would do if 1 of 2 cross-account roles were left out"
    )


def test_a_tier_that_is_asked_for() -> None:
    decided = mapping.decide(account(Group(name="qa")), CATALOGUE)
    assert mapping.choose_tier(decided, CATALOGUE, "enterprise").tier.name == "enterprise"
    with pytest.raises(BadInput, match=r"the tier startup does not hold qa_testing \(medium\)"):
        mapping.choose_tier(decided, CATALOGUE, "startup")
    with pytest.raises(BadInput, match="there is no tier 'gold'"):
        mapping.choose_tier(decided, CATALOGUE, "gold")
