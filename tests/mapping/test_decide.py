from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from secmigrate import documents, mapping
from secmigrate.errors import BadInput
from secmigrate.iam import Group, Snapshot, User
from secmigrate.mapping import Ambiguous, Decision, Decisions, LeftOut, Mapped, Scope, Unmapped
from secmigrate.reports.decisions import decision_lines
from tests.mapping.accounts import (
    CATALOGUE,
    CLIENT,
    ENVIRONMENT,
    account,
    aws,
    document,
    group,
    role,
    root,
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


EXTERNAL = {"StringEquals": {"sts:ExternalId": "e"}}


def test_the_table_of_map_tells_all_that_is_not_carried_over() -> None:
    team = Group(
        name="data-science-team",
        inline={
            "own": document(
                statement("Allow", ["s3:GetObject", "athena:StartQueryExecution"]),
                statement("Allow", ["s3:PutObject"], Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
                statement("Deny", ["s3:DeleteObject"], "arn:aws:s3:::lumenfold-hr/*"),
                {"Effect": "Allow", "Resource": "*"},
            )
        },
    )
    partner = role(
        "partner", {"AWS": ["444455556666", "555566667777"]}, "s3:GetObject", condition=EXTERNAL, max_session=7200
    )
    decided = tuple(decide(account(team, partner)).values())
    lines = [line.strip() for line in decision_lines(decided, mapping.choose_tier(decided, CATALOGUE))]
    assert lines[lines.index("1 group: 1 mapped") + 2 :] == [
        "not carried over: athena (athena:StartQueryExecution); neither a level nor an AWS managed policy covers it",
        "not carried over: the condition on aws:SourceVpc under which inline policy own allows s3:PutObject",
        "not carried over: inline policy own denies s3:DeleteObject",
        "not carried over: a statement of inline policy own that cannot be read: nobody knows what it says",
        "1 role: 1 mapped",
        "partner -> partner  [s3: level1]",
        "not expressible: its sessions last 7200 s: SEC v1 gives an hour",
        "not expressible: 555566667777 may assume it today: SEC's entry names one principal of its own kind",
    ]


def test_what_is_denied_everywhere_is_not_taken_for_allowed() -> None:
    team = Group(
        name="data-science-team",
        inline={"own": document(statement("Allow", ["s3:GetObject", "s3:PutObject"]), statement("Deny", ["s3:Put*"]))},
    )
    assert only(decide(account(team))).levels == {"s3": "level1"}


def test_a_group_without_policies_is_given_nothing() -> None:
    found = only(decide(account(Group(name="ml-engineers"))))
    assert (found.target, found.levels, found.managed_policies) == ("ml_engineers", {}, ())
    assert "given nothing" in said(found)


def test_secs_own_names_are_left_out() -> None:
    decided = decide(account(Group(name="lumen-prod-a001-group-qa-testing"), role("Lumen-prod-a001-role-x", root())))
    assert all(isinstance(one, LeftOut) and "already managed by SEC" in said(one) for one in decided.values())


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


def test_explain_ignores_case_and_knows_what_was_meant() -> None:
    decided = mapping.decide(account(Group(name="QA-Team")), CATALOGUE)
    assert mapping.explain("qa-team", decided) == decided
    with pytest.raises(BadInput) as caught:
        mapping.explain("qa-taem", decided)
    assert caught.value.hint == "did you mean QA-Team?"
