"""Levels learned from exports: which level a document is, and that it means the same with placeholders."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
import pytest

from secmigrate import documents, sec
from secmigrate.iam import Document
from secmigrate.mapping import Export, calibrated, differences, with_learned
from secmigrate.mapping.calibrating import unfilled
from secmigrate.sec import Client, Environment, GroupEntry, SecConfig, Security, fill, placeholders

CATALOGUE = documents.catalogue()
NAMES = (
    Client(company_prefix="edge", tenant_id="b001", account_id="111122223333"),
    Environment(env="prod", region="eu-central-1"),
)
VALUES = placeholders(*NAMES)
CONFIG = SecConfig(
    client=NAMES[0],
    environment=NAMES[1],
    tier=sec.TierName(name="medium", version="medium-10"),
    security=Security(iam_groups={"data_scientists": GroupEntry(policy_assignments={"s3": "level2"})}),
)
EVERY = [(service.id, key) for service in CATALOGUE.levels.values() for key in service.levels]


def filled(service: str, level: str) -> Document:
    return fill(CATALOGUE.levels[service].levels[level].document, VALUES)


def export(*names: str, document: Document | None = None) -> Export:
    return Export(file="groups.json", names=("groups", *names), document=document or filled("s3", "level2"))


def learned(*exports: Export) -> set[tuple[str, str]]:
    found = calibrated(exports, CONFIG, CATALOGUE.levels)
    return {(service, level) for service, levels in found.learned.items() for level in levels}


@pytest.mark.parametrize(("service", "level"), EVERY)
def test_a_document_without_names_of_the_account_means_the_same(service: str, level: str) -> None:
    document = filled(service, level)
    back = unfilled(document, VALUES)
    assert fill(back, VALUES) == document
    assert "111122223333" not in back.text
    assert "edge-prod-b001-eu-central-1-*" not in back.text


def test_names_that_go_on_stay_as_they_are() -> None:
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::edge-prod-b001-eu-central-1-models/*"}
    document = Document({"Version": "2012-10-17", "Statement": [statement]})
    assert fill(unfilled(document, VALUES), VALUES) == document


@pytest.mark.parametrize(
    "names",
    [
        ("s3-level2",),
        ("edge-prod-b001-eu-central-1-s3-level2",),
        ("edge-prod-b001-eu-central-1-group-data-scientists", "S3Level2Policy"),
        ("s3_level_2",),
        ("Resources", "S3ProjectBucketsOnly"),
        ("athena-level1", "s3-level2"),  # the innermost counts
        ("s3-level2", "AllowWrite"),
        ("edge-prod-b001-eu-central-1-data-scientists", "inline"),  # s3 is what the document is about
    ],
)
def test_names_that_say_a_level(names: tuple[str, ...]) -> None:
    assert learned(export(*names)) == {("s3", "level2")}


@pytest.mark.parametrize(
    "names",
    [(), ("s3",), ("level2",), ("s3-level22",), ("s3-level9",), ("lead-data-scientists-of-mine",), ("interns", "p")],
)
def test_names_that_do_not(names: tuple[str, ...]) -> None:
    found = calibrated([export(*names)], CONFIG, CATALOGUE.levels)
    assert not found.learned
    assert "groups.json" in found.unknown[0]


def test_what_two_exports_say_differently_is_not_taken() -> None:
    same = [export("s3-level2"), export("other", "s3-level2")]
    assert learned(*same) == {("s3", "level2")}
    other = export("s3-level2", document=filled("s3", "level1"))
    found = calibrated([*same, other], CONFIG, CATALOGUE.levels)
    assert not found.learned
    assert "not the same everywhere" in found.unknown[0]


def test_a_template_is_not_what_iam_gets() -> None:
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": [{"Fn::Sub": "arn:aws:s3:::${Bucket}"}]}
    found = calibrated([export("s3-level2", document=Document({"Statement": [statement]}))], CONFIG, CATALOGUE.levels)
    assert not found.learned
    assert "functions of CloudFormation" in found.unknown[0]


def said(actions: object, resource: object = "*", effect: object = "Allow") -> object:
    return {"Effect": effect, "Action": actions, "Resource": resource}


@pytest.mark.parametrize(
    ("statements", "why"),
    [
        ([said("s3:*", effect="Deny")], "allows nothing"),
        ([], "no Statement"),
        (None, "no Statement"),
        (["x"], "statement 1: it is not an object"),
        ([said("s3:*", effect="allow")], "neither Allow nor Deny"),
        ([said(5)], "Action holds 5"),
        ([{"Effect": "Allow", "Action": "s3:*"}], "statement 1: it needs either Resource or NotResource"),
        ([{**said("s3:*"), "Condition": {"Foo": "bar"}}], "statement 1: "),  # type: ignore[dict-item]
        ([said("s3:*", "arn:${AWS::Partition}:s3:::x")], "functions of CloudFormation"),
        ([said("s3:*", "arn:aws:s3:::${Bucket}/*")], "functions of CloudFormation"),
    ],
)
def test_what_cannot_be_read_is_no_level(statements: object, why: str) -> None:
    """A level is what people are given: what nobody can read must not count as much, or as nothing."""
    document = Document({"Version": "2012-10-17", "Statement": statements})
    found = calibrated([export("s3-level2", document=document)], CONFIG, CATALOGUE.levels)
    assert not found.learned
    assert why in found.unknown[0], found.unknown


def test_variables_of_iam_are_none_of_cloudformations() -> None:
    home = said(
        "s3:*", ["arn:aws:s3:::x/${aws:username}/*", "arn:aws:s3:::x/${saml:sub}/${*}", "arn:aws:s3:::${s3:x, 'y'}"]
    )
    document = Document({"Version": "2012-10-17", "Statement": [home]})
    assert learned(export("s3-level2", document=document)) == {("s3", "level2")}


@pytest.mark.parametrize("owner", ["globex-prod-b001", "edge-dev-b001", "edge-prod-b002"])
@pytest.mark.parametrize("inside", ["group-data-scientists", "policy-s3-level2", "eu-central-1-policy-s3-level2"])
def test_what_is_of_another_project_is_not_taken(owner: str, inside: str) -> None:
    found = calibrated([export(f"{owner}-{inside}", "s3-level2")], CONFIG, CATALOGUE.levels)
    assert not found.learned
    assert f"of {owner}, and not of edge-prod-b001" in found.unknown[0]
    assert learned(export(f"edge-prod-b001-{inside}", "s3-level2")) == {("s3", "level2")}


@pytest.mark.parametrize("owner", ["globex-prod-b001", "edge-staging-b001", "edge-prod-b002"])
def test_what_is_about_another_project_is_not_taken_whatever_it_is_called(owner: str) -> None:
    document = Document.parse(filled("s3", "level2").text.replace("edge-prod-b001", owner))
    found = calibrated([export("s3-level2", document=document)], CONFIG, CATALOGUE.levels)
    assert not found.learned
    assert f"what it is about is of {owner}, and not of edge-prod-b001" in found.unknown[0]


@pytest.mark.parametrize("resource", ["edge-prod-b001-x/*", "edge-dev-b001-*", "shared-data", "*", "data-prod-archive"])
def test_what_is_about_this_project_or_none_is_taken(resource: str) -> None:
    """And one that names another project beside this one, which shares something with it."""
    statements = [said("s3:Get*", [f"arn:aws:s3:::{resource}"])]
    if resource.startswith("edge"):
        statements.append(said("s3:List*", ["arn:aws:s3:::globex-prod-b001-shared"]))
    document = Document({"Version": "2012-10-17", "Statement": statements})
    assert learned(export("s3-level2", document=document)) == {("s3", "level2")}


def test_a_document_that_is_about_all_but_something_is_not_about_one_service() -> None:
    all_but = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}
    document = Document({"Version": "2012-10-17", "Statement": [said("s3:Get*"), all_but]})
    assert not learned(export("edge-prod-b001-group-data-scientists", "inline", document=document))


def test_our_own_levels_do_not_differ() -> None:
    """The snapshot that a config plans, exported: the same levels, whatever they are of."""
    exports = [export(f"{service}-{level}", document=filled(service, level)) for service, level in EVERY]
    found = calibrated(exports, CONFIG, CATALOGUE.levels)
    assert not found.unknown
    assert learned(*exports) == set(EVERY)
    assert not [one for one in differences(CATALOGUE, found.learned, NAMES) if one.differs]


def test_what_differs_is_told() -> None:
    narrow = Document.parse(filled("s3", "level1").text.replace('"s3:List*"', '"s3:PutObject"'))
    elsewhere = Document.parse(filled("s3", "level2").text.replace(":::edge-prod", ":::edge-dev"))
    exports = [export("s3-level1", document=narrow), export("s3-level2", document=elsewhere)]
    found = calibrated(exports, CONFIG, CATALOGUE.levels)
    first, second = differences(CATALOGUE, found.learned, NAMES)
    assert first.differs
    assert "s3:PutObject" in first.more
    assert "list" in first.less
    assert (second.more, second.less) == ("", "")
    assert "such as arn:aws:s3:::edge-dev" in second.wider
    assert "such as arn:aws:s3:::edge-prod" in second.narrower


def test_the_learned_level_is_the_one_that_is_planned() -> None:
    wide = Document({"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::edge-*"}]})
    found = calibrated([export("s3-level2", document=wide)], CONFIG, CATALOGUE.levels)
    changed = with_learned(CATALOGUE, found.learned)
    group = next(iter(sec.planned(CONFIG, changed.levels, documents.aws_managed()).groups.values()))
    assert group.inline == {"s3-level2": wide}
    assert changed.levels["s3"].levels["level2"].mark == "C"
    assert changed.levels["s3"].levels["level1"] == CATALOGUE.levels["s3"].levels["level1"]


DOCUMENT = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "x.amazonaws.com"}, "Action": "sts:AssumeRole"}]}


@pytest.mark.parametrize(
    "value",
    [
        {"Policies": [{"PolicyName": "s3-level2", "PolicyDocument": DOCUMENT}]},
        {"Policies": {"s3-level2": DOCUMENT}, "AssumeRolePolicyDocument": TRUST},
        {"policies": [{"name": "s3-level2", "document": msgspec.json.encode(DOCUMENT).decode()}]},
        [{"PolicyName": "s3-level2", "PolicyDocument": quote(msgspec.json.encode(DOCUMENT).decode())}],
        {"Resources": {"S3Level2": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": DOCUMENT}}}},
    ],
)
def test_documents_are_found_anywhere(tmp_path: Any, value: object) -> None:
    (tmp_path / "group-data-scientists.json").write_bytes(msgspec.json.encode(value))
    (found,) = documents.read_exports([tmp_path])
    assert found.document == Document(DOCUMENT)
    assert learned(found) == {("s3", "level2")}
