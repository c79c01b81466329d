"""The data proves itself: examples, schemas, references, sizes."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import structs

from secmigrate import documents, mapping, sec
from secmigrate.documents.whole import shipped
from secmigrate.errors import BadInput
from secmigrate.mapping import Ambiguous, Mapped
from secmigrate.mapping.groups import decide_group
from secmigrate.mapping.patterns import words
from secmigrate.mapping.reach import listed, reach
from secmigrate.mapping.rules import Rule
from secmigrate.mapping.weighing import weigh
from tests.mapping.accounts import account, group

CATALOGUE = documents.catalogue()
LONG = sec.SecConfig(
    client=sec.Client(company_prefix="a-rather-long-company", tenant_id="a001", account_id="111122223333"),
    environment=sec.Environment(env="staging", region="us-gov-west-1"),
    tier=sec.TierName(name="enterprise", version="enterprise-12"),
)


def _raw(folder: str) -> dict[str, dict[str, Any]]:
    schema = {"groups": "mapping-rule", "roles": "mapping-rule", "levels": "level", "tiers": "tier"}[folder]
    files = [file for file in (shipped("mappings") / folder).iterdir() if file.name.endswith(".yaml")]
    return {file.name.removesuffix(".yaml"): documents.read_yaml(file, schema)[0] for file in files}


def test_every_rule_proves_itself() -> None:
    assert mapping.prove(CATALOGUE) == ()


def test_a_file_that_is_not_of_its_schema_is_told_with_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copytree(Path(str(shipped("mappings"))), tmp_path / "mappings")
    monkeypatch.setattr("secmigrate.documents.shipped.shipped", lambda name: tmp_path / name)
    documents.check_mappings()
    file = tmp_path / "mappings" / "groups" / "qa_testing.yaml"
    file.write_text(file.read_text() + "colour: red\n")
    with pytest.raises(BadInput, match=r"qa_testing.yaml:\d+:1: colour: is not known here"):
        documents.check_mappings()


def test_there_is_a_rule_for_each_of_the_twelve_groups() -> None:
    assert sorted(CATALOGUE.groups) == sorted(CATALOGUE.group_keys)
    assert len(CATALOGUE.group_keys) == 12


@pytest.mark.parametrize("rule", CATALOGUE.rules(), ids=lambda rule: rule.id)
def test_enough_examples(rule: Rule) -> None:
    yes, no = (3, 2) if rule.kind == "group" else (2, 1)
    assert len(rule.examples.yes) >= yes
    assert len(rule.examples.no) >= no


@pytest.mark.parametrize("rule", CATALOGUE.groups.values(), ids=lambda rule: rule.id)
def test_a_group_rule_names_the_tier_that_first_ships_it(rule: Rule) -> None:
    assert rule.tier == next(name for name, tier in CATALOGUE.tiers.items() if rule.id in tier.groups)


def test_a_failing_example_is_told() -> None:
    rule = CATALOGUE.groups["data_scientists"]
    wrong = structs.replace(rule, examples=structs.replace(rule.examples, yes=rule.examples.no, no=()))
    broken = structs.replace(CATALOGUE, groups={**CATALOGUE.groups, rule.id: wrong})
    told = [failure.message for failure in mapping.prove(broken)]
    assert "it has no no example" in told
    assert any(message.startswith("a yes example, but it is mapped: platform_administrators") for message in told)


def test_an_example_may_name_an_action_that_nobody_knows() -> None:
    rule = CATALOGUE.groups["data_scientists"]
    new = structs.replace(rule.examples.yes[0], actions=(*rule.examples.yes[0].actions, "nosuch:Thing"))
    more = structs.replace(rule, examples=structs.replace(rule.examples, yes=(*rule.examples.yes, new)))
    assert mapping.prove(structs.replace(CATALOGUE, groups={**CATALOGUE.groups, rule.id: more})) == ()


def test_an_example_that_two_rules_claim_is_told() -> None:
    rule = CATALOGUE.groups["qa_testing"]
    theirs = CATALOGUE.groups["data_scientists"].examples.yes[0]
    greedy = structs.replace(rule, examples=structs.replace(rule.examples, yes=(*rule.examples.yes, theirs)))
    broken = structs.replace(CATALOGUE, groups={**CATALOGUE.groups, rule.id: greedy})
    assert "data_scientists claims the same example" in [failure.message for failure in mapping.prove(broken)]


EXAMPLES = [one for rule in CATALOGUE.groups.values() for one in (*rule.examples.yes, *rule.examples.no)]
WORDS = sorted({word for one in EXAMPLES for word in words(one.name)})
ACTIONS = sorted({action for one in EXAMPLES for action in one.actions})
POLICIES = sorted({name for one in EXAMPLES for name in one.attached})


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    st.lists(st.sampled_from(ACTIONS), max_size=4),
    st.lists(st.sampled_from(POLICIES), max_size=2, unique=True),
)
def test_no_two_rules_claim_one_group_silently(name: list[str], actions: list[str], attached: list[str]) -> None:
    one = group("-".join(name), *actions, attached=tuple(attached))
    snapshot = account(one)
    decision = decide_group(one, snapshot, CATALOGUE, mapping.ladders_of(snapshot, CATALOGUE), None)
    readings = weigh(CATALOGUE.groups.values(), words(one.name), reach(one, snapshot, CATALOGUE.aws_policies))
    most = max((reading.weight for reading in readings), default=0)
    claiming = {reading.rule for reading in readings if reading.weight and reading.weight == most}
    match decision:
        case Mapped():
            assert claiming == {decision.rule}
        case Ambiguous():
            assert {reading.rule for reading in decision.readings} == claiming
        case _:
            assert not claiming


@pytest.mark.parametrize("rule", CATALOGUE.rules(), ids=lambda rule: rule.id)
def test_every_managed_policy_of_a_rule_exists(rule: Rule) -> None:
    names = sec.by_name(documents.aws_managed())
    assert [policy.name for policy in rule.become.managed_policies if policy.name not in names] == []


@pytest.mark.parametrize(
    ("folder", "name", "at", "value"),
    [
        ("groups", "data_scientists", ("matches",), {}),
        ("groups", "data_scientists", ("match", "trusts"), ["lambda.amazonaws.com"]),
        ("groups", "data_scientists", ("match", "can"), ["s3 GetObject"]),
        ("groups", "data_scientists", ("become", "polcy_assignments"), {}),
        ("groups", "data_scientists", ("examples", "no"), []),
        ("groups", "data_scientists", ("mark",), "X"),
        ("roles", "cicd_execution", ("section",), "roles"),
        ("roles", "cicd_execution", ("examples", "yes"), [{"name": "without-principal"}]),
        ("levels", "s3", ("levels", "first"), {}),
        ("levels", "s3", ("levels", "level1", "document", "Version"), "2008-10-17"),
        ("tiers", "medium", ("counts", "users"), 3),
    ],
)
def test_schemas_refuse_what_is_wrong(folder: str, name: str, at: tuple[str, ...], value: object) -> None:
    schema = {"groups": "mapping-rule", "roles": "mapping-rule", "levels": "level", "tiers": "tier"}[folder]
    validator = Draft202012Validator(documents.schema(schema))
    good = _raw(folder)[name]
    assert validator.is_valid(good)
    bad = copy.deepcopy(good)
    inner = bad
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = value
    assert not validator.is_valid(bad)


@pytest.mark.parametrize("name", ["mapping-rule", "level", "tier", "sec-config", "decisions"])
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(documents.schema(name))


@pytest.mark.parametrize(
    ("folder", "name", "at", "value", "message"),
    [
        ("groups", "qa_testing", "id", "qa", "its id is 'qa'"),
        ("groups", "qa_testing", "tier", "gold", "there is no tier 'gold'"),
        ("groups", "qa_testing", "become", {"target": "qa", "description": "x"}, "a group rule's id is the key"),
        (
            "roles",
            "glue_execution",
            "become",
            {"description": "x", "policy_assignments": {"s3": {"level": "level9", "mark": "I"}}},
            "there is no level s3: level9",
        ),
        ("levels", "s3", "levels", {}, "there is no level s3: level"),
        ("tiers", "medium", "counts", {}, "Object missing required field"),
    ],
)
def test_the_catalogue_refuses_what_does_not_hang_together(
    folder: str, name: str, at: str, value: object, message: str
) -> None:
    raw = {each: _raw(each) for each in ("groups", "roles", "levels", "tiers")}
    raw[folder][name] = {**raw[folder][name], at: value}
    with pytest.raises(BadInput, match=message) as caught:
        mapping.catalogue(**raw, actions=documents.aws_actions(), aws_policies=())
    assert caught.value.where.startswith("mappings/")


@pytest.mark.parametrize("service", CATALOGUE.levels.values(), ids=lambda service: service.id)
def test_levels_speak_of_their_own_service(service: sec.Service) -> None:
    allowed = {*service.prefixes, "iam"}
    for level in service.levels.values():
        actions = [action for row in level.document.statements for action in listed(row["Action"])]
        assert {action.partition(":")[0] for action in actions} <= allowed
        assert all(action == "iam:PassRole" for action in actions if action.startswith("iam:"))


def test_s3_level_1_opens_as_the_vendor_says() -> None:
    first = CATALOGUE.levels["s3"].levels["level1"].document.statements[0]
    assert first == {
        "Sid": "AllowListAllBuckets",
        "Effect": "Allow",
        "Action": "s3:ListAllMyBuckets",
        "Resource": "*",
    }


def test_any_choice_of_levels_fits_into_a_group() -> None:
    """Every service at its largest, with long names: the sum still stays within IAM's quota."""
    largest = 0
    for service in CATALOGUE.levels.values():
        sizes = [
            sum(d.size for d in sec.Rendered(LONG, CATALOGUE.levels).inline({service.id: level}).values())
            for level in service.levels
        ]
        largest += max(sizes)
    assert largest <= sec.INLINE_SIZE["group"]


@pytest.mark.parametrize("service", CATALOGUE.levels.values(), ids=lambda service: service.id)
def test_no_placeholder_stays(service: sec.Service) -> None:
    for level in service.levels:
        for document in sec.Rendered(LONG, CATALOGUE.levels).inline({service.id: level}).values():
            assert "${" not in document.text
