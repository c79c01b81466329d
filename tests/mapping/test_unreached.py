"""Names in today's policies that are not the project's, and levels rendered for a project."""

from __future__ import annotations

import pytest

from secmigrate import documents, mapping, sec
from secmigrate.errors import BadInput
from secmigrate.iam import Group, Snapshot
from secmigrate.mapping import Decisions
from tests.mapping.accounts import CATALOGUE, CLIENT, ENVIRONMENT, account, document, group, role, service, statement

NAMES = (CLIENT, ENVIRONMENT)


def unreached(snapshot: Snapshot, *patterns: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """The names, by service, and who names them."""
    answers = Decisions(patterns=patterns)
    decided = mapping.decide(snapshot, CATALOGUE, answers, names=NAMES)
    found = mapping.unreached(decided, snapshot, mapping.ladders_of(snapshot, CATALOGUE, answers, NAMES))
    return {(one.service, one.name): one.by for one in found}


def team(*resources: str, actions: tuple[str, ...] = ("s3:GetObject", "s3:PutObject")) -> Group:
    """Data scientists, on these resources."""
    return Group(name="data-science-team", inline={"own": document(statement("Allow", actions, list(resources)))})


def test_buckets_of_other_names() -> None:
    snapshot = account(
        team("arn:aws:s3:::lake/*", "arn:aws:s3:::lake-raw/in/*", "arn:aws:s3:::lumen-prod-a001-x/*"),
        role("etl", service("glue"), "s3:GetObject"),
    )
    assert unreached(snapshot) == {
        ("s3", "lake"): ("data-science-team",),
        ("s3", "lake-raw"): ("data-science-team",),
    }


def test_a_pattern_of_the_project_reaches_them() -> None:
    snapshot = account(team("arn:aws:s3:::lake/*", "arn:aws:s3:::other/*"))
    assert unreached(snapshot, "lake*") == {("s3", "other"): ("data-science-team",)}


def test_what_a_level_allows_everywhere_is_reached() -> None:
    models = team("arn:aws:sagemaker:*:111122223333:model/churn", actions=("sagemaker:DescribeModel",))
    assert unreached(account(models)) == {}
    endpoint = team("arn:aws:sagemaker:*:111122223333:endpoint/churn", actions=("sagemaker:InvokeEndpoint",))
    assert unreached(account(endpoint)) == {("sagemaker", "endpoint/churn"): ("data-science-team",)}


def test_all_of_a_kind_is_no_name() -> None:
    assert unreached(account(team("*", "arn:aws:s3:::*"), group("mlops", "s3:PutObject"))) == {}
    every = team("arn:aws:sagemaker:*:111122223333:endpoint/*", actions=("sagemaker:InvokeEndpoint",))
    assert unreached(account(every)) == {}


def test_patterns_are_rendered_beside_the_projects_own() -> None:
    snapshot = account(team("arn:aws:s3:::lake/*"))
    decided = mapping.decide(snapshot, CATALOGUE, names=NAMES)
    tier = mapping.choose_tier(decided, CATALOGUE).tier
    config = mapping.sec_config(decided, CATALOGUE, client=CLIENT, environment=ENVIRONMENT, tier=tier)
    planned = sec.planned(config, CATALOGUE.levels, documents.aws_managed(), ("lake*",))
    (inline,) = planned.groups["lumen-prod-a001-group-data-scientists"].inline.values()
    assert inline.statements[-1]["Resource"] == ["arn:aws:s3:::lumen-prod-a001-*", "arn:aws:s3:::lake*"]


@pytest.mark.parametrize("pattern", ["*", "", "lake:x", "a b", "${x}", "-x", "la*ke"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(BadInput, match="is no pattern of names"):
        mapping.decide(account(team("*")), CATALOGUE, Decisions(patterns=(pattern,)))
