"""Levels that follow use, groups that are split, and what use proposes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from msgspec import structs

from secmigrate import mapping
from secmigrate.documents import aws_actions
from secmigrate.errors import BadInput
from secmigrate.iam import Seen, ServiceUse, Snapshot, Usage, User
from secmigrate.mapping import Ambiguous, Decisions, Mapped, splits
from secmigrate.mapping.answers import GroupAnswer
from tests.mapping.accounts import ACCOUNT, CATALOGUE, CLIENT, ENVIRONMENT, account, group, role, service

AT = "2026-11-24T12:00:00Z"


def usage(services: Mapping[str, Mapping[str, ServiceUse]], unknown: Mapping[str, str] | None = None) -> Usage:
    """Use by the ends of ARNs: `group/devs`."""
    arns = {f"arn:aws:iam::{ACCOUNT}:{end}": told for end, told in services.items()}
    return Usage(account=ACCOUNT, at=AT, services=arns, unknown=unknown or {})


def decide(snapshot: Snapshot, use: Usage | None, decisions: Decisions | None = None) -> list[mapping.Decision]:
    return list(mapping.decide(snapshot, CATALOGUE, decisions, None, (CLIENT, ENVIRONMENT), use))


def only(snapshot: Snapshot, use: Usage | None) -> Mapped:
    (found,) = decide(snapshot, use)
    assert isinstance(found, Mapped)
    return found


SCIENTISTS = account(group("data-scientists", "s3:*", "sagemaker:*"))


def test_a_year_is_counted_back_from_the_reading() -> None:
    assert usage({}).since == "2025-11-24"
    use = usage({"group/g": {"s3": ServiceUse(last="2025-11-24"), "sqs": ServiceUse(last="2025-11-23")}})
    (arn,) = use.services
    assert use.unused(arn) == ("sqs:*",)
    assert use.used(arn) == {"s3"}


def test_a_service_that_nobody_used_has_no_level() -> None:
    assert set(only(SCIENTISTS, None).levels) == {"s3", "sagemaker"}
    found = only(
        SCIENTISTS, usage({"group/data-scientists": {"s3": ServiceUse("2026-11-01"), "sagemaker": ServiceUse()}})
    )
    assert set(found.levels) == {"s3"}
    (told,) = [line for line in found.reasons if line.endswith("nobody tried it since 2025-11-24")]
    assert told.startswith("not carried over: ")
    assert "sagemaker (" in told


def test_actions_that_nobody_tried_need_no_higher_level() -> None:
    """AWS tracks what changes buckets, not what reads and writes objects."""
    tracked = {"CreateBucket": "", "DeleteBucket": "2024-01-01", "PutBucketPolicy": ""}
    snapshot = account(group("data-scientists", "s3:Get*", "s3:List*", *(f"s3:{name}" for name in tracked)))
    use = usage({"group/data-scientists": {"s3": ServiceUse("2026-11-01", tracked)}})
    assert (only(snapshot, None).levels["s3"], only(snapshot, use).levels["s3"]) == ("level3", "level1")


def test_what_is_not_tracked_is_needed() -> None:
    found = only(SCIENTISTS, usage({"group/data-scientists": {"s3": ServiceUse("2026-11-01")}}))
    assert found.levels == only(SCIENTISTS, None).levels


def test_passing_roles_is_never_seen() -> None:
    actor = account(role("pipeline-runner", service("codepipeline.amazonaws.com"), "iam:PassRole", "iam:CreateRole"))
    (found,) = decide(actor, usage({"role/pipeline-runner": {"iam": ServiceUse()}}))
    waived = [line for line in found.reasons if "nobody tried" in line]
    assert waived
    assert not any("PassRole" in line for line in waived)


@pytest.mark.parametrize(
    ("use", "told"),
    [
        (usage({}), "usage.json has no report"),
        (usage({}, {f"arn:aws:iam::{ACCOUNT}:group/data-scientists": "too many"}), "too many"),
    ],
)
def test_without_a_report_all_is_covered(use: Usage, told: str) -> None:
    found = only(SCIENTISTS, use)
    assert found.levels == only(SCIENTISTS, None).levels
    assert any(told in line for line in found.reasons)


def test_what_is_younger_than_a_year_is_covered() -> None:
    young = structs.replace(SCIENTISTS.groups["data-scientists"], seen=Seen(created="2026-03-01T00:00:00Z"))
    found = only(account(young), usage({"group/data-scientists": {"s3": ServiceUse(), "sagemaker": ServiceUse()}}))
    assert found.levels == only(SCIENTISTS, None).levels
    assert any("made on 2026-03-01" in line for line in found.reasons)


MIXED = account(
    group("guild", attached=("AmazonSageMakerFullAccess", "AWSCodePipeline_FullAccess")),
    *(User(name=name, groups=("guild",)) for name in ("ana", "bo", "cy")),
)


def claimed() -> Ambiguous:
    (found,) = decide(MIXED, None)
    assert isinstance(found, Ambiguous), found
    return found


def test_use_tells_members_of_a_mixed_group_apart() -> None:
    assert {reading.target for reading in claimed().readings} > {"data_scientists", "data_engineers"}
    use = usage(
        {
            "user/ana": {"sagemaker": ServiceUse("2026-11-01"), "s3": ServiceUse("2026-11-01")},
            "user/bo": {"glue": ServiceUse("2026-11-01")},
            "user/cy": {"glue": ServiceUse("2020-11-01"), "s3": ServiceUse("2026-11-01")},
        }
    )
    (found,) = splits([claimed()], MIXED, use, CATALOGUE)
    assert found.parts == {"data_engineers": ("bo",), "data_scientists": ("ana",)}
    assert found.rest == ("cy",)
    assert found.answer() == "guild: {split: {data_engineers: [bo], data_scientists: [ana]}}"
    assert splits([claimed()], MIXED, usage({}), CATALOGUE) == ()


def test_use_that_fits_one_rule_only_answers_for_all() -> None:
    use = usage({f"user/{name}": {"glue": ServiceUse("2026-11-01")} for name in ("ana", "bo", "cy")})
    (found,) = splits([claimed()], MIXED, use, CATALOGUE)
    assert found.answer() == "guild: {become: data_engineers}"


def test_a_split_gives_each_part_its_own_levels() -> None:
    answer = GroupAnswer(split={"data_scientists": ("ana",), "data_engineers": ("b*", "cy")})
    snapshot = account(group("guild", "s3:*", "sagemaker:*", "glue:*", "dynamodb:PutItem"))
    science, engineering = decide(snapshot, None, Decisions(groups={"guild": answer}))
    assert isinstance(science, Mapped)
    assert isinstance(engineering, Mapped)
    assert (science.target, science.members) == ("data_scientists", ("ana",))
    assert (engineering.target, engineering.members) == ("data_engineers", ("b*", "cy"))
    assert "sagemaker" in science.levels
    assert "glue" not in science.levels
    assert "glue" in engineering.levels
    assert "sagemaker" not in engineering.levels
    assert any("dynamodb:PutItem" in line and "is not there for it" in line for line in science.reasons)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (GroupAnswer(split={"a": ("x",)}, become="b"), "one thing"),
        (GroupAnswer(split={"a": ("x",)}, levels={"s3": "level1"}), "levels go with become"),
    ],
)
def test_answers_that_contradict_themselves(answer: GroupAnswer, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        decide(MIXED, None, Decisions(groups={"guild": answer}))


def test_members_that_are_not_there_are_strangers() -> None:
    answer = GroupAnswer(split={"data_scientists": ("ana", "zoe"), "ml_engineers": ("c*", "q*")})
    assert Decisions(groups={"guild": answer}).strangers(MIXED, aws_actions()) == (
        "groups.guild.split: zoe",
        "groups.guild.split: q*",
    )
