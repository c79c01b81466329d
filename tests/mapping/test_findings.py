"""One bad config for each thing that `validate` finds."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from secmigrate import documents, sec
from secmigrate.errors import BadInput
from secmigrate.iam import Group, Snapshot
from tests.mapping.accounts import ACCOUNT, CATALOGUE, CLIENT, ENVIRONMENT, account, role, service

MANAGED = documents.aws_managed()
S3_ROLE = sec.ServiceRole(service_principal="sagemaker.amazonaws.com", policy_assignments={"s3": "level2"})
SOUND = sec.SecConfig(
    client=CLIENT,
    environment=ENVIRONMENT,
    tier=sec.TierName(name="medium", version="medium-10"),
    security=sec.Security(
        iam_groups={"ml_engineers": sec.GroupEntry(policy_assignments={"s3": "level2"})},
        service_roles={"sagemaker_execution": S3_ROLE},
        assumable_roles={"aml_engineer": sec.AssumableRole(mirrors_group="ml_engineers")},
        cross_account_roles={
            "cicd_deployer": sec.CrossAccountRole(
                trusted_account_id="444455556666", external_id="abc", policy_assignments={"s3": "level1"}
            )
        },
    ),
)


def found(config: sec.SecConfig, existing: Snapshot | None = None) -> list[sec.Finding]:
    return list(sec.findings(config, CATALOGUE.tiers, CATALOGUE.levels, MANAGED, existing))


def having(**sections: Any) -> sec.SecConfig:
    """The sound config with other sections."""
    return structs.replace(SOUND, security=structs.replace(SOUND.security, **sections))


def group(**fields: Any) -> sec.SecConfig:
    return having(iam_groups={"ml_engineers": sec.GroupEntry(**fields)})


def cross(*accounts: str, external_id: str = "abc") -> sec.SecConfig:
    rows = {
        f"r{n}": sec.CrossAccountRole(
            trusted_account_id=one, external_id=external_id, policy_assignments={"s3": "level1"}
        )
        for n, one in enumerate(accounts)
    }
    return having(cross_account_roles=rows)


def client(**fields: str) -> sec.SecConfig:
    return structs.replace(SOUND, client=structs.replace(CLIENT, **fields))


def region(name: str) -> sec.SecConfig:
    return structs.replace(SOUND, environment=sec.Environment(env="prod", region=name))


def tier(name: str, version: str) -> sec.SecConfig:
    return structs.replace(SOUND, tier=sec.TierName(name=name, version=version))


def entries(*keys: str) -> dict[str, sec.GroupEntry]:
    return {"ml_engineers": sec.GroupEntry(), **{key: sec.GroupEntry() for key in keys}}


GROUP = "security.iam_groups.ml_engineers"
CROSS = "security.cross_account_roles"
ELEVEN = tuple(sorted(policy.name for policy in MANAGED.values()))[:11]
EMPTY = Snapshot(account=ACCOUNT)

BAD = [
    ("account id", client(account_id="123"), None, "client.account_id", "'123' is not an account id", "error"),
    (
        "other account",
        SOUND,
        Snapshot(account="999988887777"),
        "client.account_id",
        "is of 999988887777",
        "error",
    ),
    ("region", region("europe"), None, "environment.region", "'europe' is not a region", "error"),
    ("partition", region("cn-north-1"), EMPTY, "environment.region", "is in the partition aws-cn", "error"),
    ("tier", tier("gold", "gold-1"), None, "tier.name", "there is no tier 'gold'", "error"),
    ("version", tier("medium", "medium-9"), None, "tier.version", "the version of medium is medium-10", "error"),
    (
        "group above the tier",
        having(iam_groups=entries("finops_managers")),
        None,
        "security.iam_groups.finops_managers",
        "medium-10 has no group finops_managers",
        "error",
    ),
    (
        "own group",
        having(iam_groups=entries("wizards")),
        None,
        "security.iam_groups.wizards",
        "wizards is not one of SEC's groups",
        "warning",
    ),
    (
        "two cross-account roles",
        cross("444455556666", "555566667777"),
        None,
        "security.cross_account_roles",
        "medium-10 ships 1",
        "error",
    ),
    (
        "three",
        cross(*["444455556666"] * 3),
        None,
        "security.cross_account_roles",
        "3 entries, and medium-10 ships 1",
        "warning",
    ),
    (
        "six service roles",
        having(service_roles={f"s{n}": sec.ServiceRole(service_principal="x.amazonaws.com") for n in range(6)}),
        None,
        "security.service_roles",
        "6 entries, and medium-10 ships 5",
        "warning",
    ),
    (
        "level",
        group(policy_assignments={"s3": "level9"}),
        None,
        f"{GROUP}.policy_assignments.s3",
        "s3 has no level9",
        "error",
    ),
    (
        "service",
        group(policy_assignments={"ec2": "level1"}),
        None,
        f"{GROUP}.policy_assignments.ec2",
        "there is no service ec2",
        "error",
    ),
    (
        "policy",
        group(managed_policies=("Nope",)),
        None,
        f"{GROUP}.managed_policies.0",
        "no managed policy 'Nope'",
        "error",
    ),
    (
        "twice",
        group(managed_policies=("ReadOnlyAccess",) * 2),
        None,
        f"{GROUP}.managed_policies",
        "ReadOnlyAccess stands twice",
        "error",
    ),
    (
        "eleven policies",
        group(managed_policies=ELEVEN),
        None,
        f"{GROUP}.managed_policies",
        "11 managed policies, and IAM takes 10",
        "error",
    ),
    (
        "dangling mirror",
        having(assumable_roles={"aqa": sec.AssumableRole(mirrors_group="qa_testing")}),
        None,
        "security.assumable_roles.aqa.mirrors_group",
        "qa_testing is not in iam_groups",
        "error",
    ),
    (
        "trusted account",
        cross("12"),
        None,
        f"{CROSS}.r0.trusted_account_id",
        "'12' is not an account id",
        "error",
    ),
    (
        "own account",
        cross(ACCOUNT),
        None,
        f"{CROSS}.r0.trusted_account_id",
        "that is the account itself",
        "error",
    ),
    (
        "no external id",
        cross("444455556666", external_id=""),
        None,
        f"{CROSS}.r0.external_id",
        "there is no external id",
        "warning",
    ),
    (
        "long role name",
        having(service_roles={"x" * 50: sec.ServiceRole(service_principal="x.amazonaws.com")}),
        None,
        f"security.service_roles.{'x' * 50}",
        "has 71 characters, and IAM takes 64",
        "error",
    ),
    (
        "long group name",
        having(iam_groups=entries("g" * 110)),
        None,
        f"security.iam_groups.{'g' * 110}",
        "has 132 characters, and IAM takes 128",
        "error",
    ),
    (
        "one name in two sections",
        having(service_roles={"aml_engineer": sec.ServiceRole(service_principal="x.amazonaws.com")}),
        None,
        "security.assumable_roles.aml_engineer",
        "is taken by service_roles.aml_engineer",
        "error",
    ),
    (
        "existing group",
        SOUND,
        account(Group(name="lumen-prod-a001-group-ml-engineers")),
        "security.iam_groups.ml_engineers",
        "the account already has a group",
        "warning",
    ),
    (
        "existing group in another case",
        SOUND,
        account(Group(name="LUMEN-prod-a001-group-ml-engineers")),
        "security.iam_groups.ml_engineers",
        "the account already has a group LUMEN",
        "error",
    ),
    (
        "existing role",
        SOUND,
        account(role("lumen-prod-a001-role-Cicd-Deployer", service("lambda"))),
        "security.cross_account_roles.cicd_deployer",
        "the account already has a role",
        "error",
    ),
]


@pytest.mark.parametrize(
    ("config", "existing", "path", "message", "severity"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_each_thing_that_is_wrong_is_found(
    config: sec.SecConfig, existing: Snapshot | None, path: str, message: str, severity: str
) -> None:
    all_found = found(config, existing)
    (one,) = [each for each in all_found if ".".join(each.path) == path and message in each.message]
    assert one.severity == severity
    assert one.hint


def test_a_sound_config_has_no_findings() -> None:
    assert found(SOUND, EMPTY) == []


def test_what_this_very_stack_made_is_no_collision() -> None:
    tags = {"aws:cloudformation:stack-name": SOUND.stack}
    assert found(SOUND, account(role("lumen-prod-a001-role-cicd-deployer", service("lambda"), tags=tags))) == []


def test_inline_policies_beyond_the_quota() -> None:
    wide = structs.replace(CATALOGUE.levels["s3"].levels["level1"], document=_wide())
    levels = {**CATALOGUE.levels, "s3": structs.replace(CATALOGUE.levels["s3"], levels={"level2": wide})}
    one = next(one for one in sec.findings(SOUND, CATALOGUE.tiers, levels) if "5,120" in one.message)
    assert one.path == ("security", "iam_groups", "ml_engineers", "policy_assignments")
    assert "and IAM takes 5,120" in one.message


def test_names_that_count_as_the_projects_are_part_of_the_policies_sizes() -> None:
    names = [f"{n}-{'x' * 200}-*" for n in range(40)]
    (one,) = sec.findings(SOUND, CATALOGUE.tiers, CATALOGUE.levels, MANAGED, patterns=names)
    assert one.path == ("security", "iam_groups", "ml_engineers", "policy_assignments")
    assert "its inline policies come to 9,179 characters" in one.message


@pytest.mark.parametrize(
    ("groups", "roles", "expected"),
    [
        (299, 997, []),
        (300, 0, [("warning", "301 groups, and IAM takes 300 unless AWS raised it")]),
        (0, 998, [("warning", "1,001 roles, and IAM takes 1,000 unless AWS raised it")]),
        (310, 0, []),  # it was raised, nobody here knows how far
        (500, 0, [("error", "501 groups, and IAM takes 500 at most")]),
    ],
)
def test_what_an_account_can_hold(groups: int, roles: int, expected: list[tuple[str, str]]) -> None:
    there = account(
        *(Group(name=f"g{n}") for n in range(groups)), *(role(f"r{n}", service("lambda")) for n in range(roles))
    )
    assert [
        (one.severity, one.message.removeprefix("the account would have ")) for one in found(SOUND, there)
    ] == expected


def test_what_is_there_already_is_not_counted_twice() -> None:
    names = ["LUMEN-prod-a001-group-ml-engineers", *(f"g{n}" for n in range(299))]
    told = [one.message for one in found(SOUND, account(*(Group(name=name) for name in names)))]
    assert not any("IAM takes" in one for one in told)


def test_without_the_catalogue_of_aws_names_are_not_looked_up() -> None:
    assert sec.findings(group(managed_policies=("Nope",)), CATALOGUE.tiers, CATALOGUE.levels) == ()


def test_errors_can_be_required_away() -> None:
    sec.require(tuple(found(cross("444455556666", external_id=""))))
    with pytest.raises(BadInput, match="the config has 1 errors"):
        sec.require(tuple(found(region("europe"))))


def _wide() -> Any:
    from secmigrate.iam import Document

    names = [f"s3:Get{n:0200}" for n in range(30)]
    return Document({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": names, "Resource": "*"}]})
