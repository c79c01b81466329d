"""Which actions can mean anything on a resource pattern, and sets of actions service by service."""

from __future__ import annotations

import pytest

from secmigrate import documents
from secmigrate.access.formats import Formats
from secmigrate.access.patterns import resource

ALL = documents.aws_actions()
FORMATS = Formats(ALL.actions, "aws")


def bits(*actions: str) -> int:
    """Those actions."""
    found = 0
    for action in actions:
        found |= ALL.bits(action)
    return found


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("arn:aws:s3:::box/*", {"s3:GetObject", "s3:ListBucket"}),
        ("arn:aws:s3*:::box/*", {"s3:GetObject", "s3:ListBucket", "sqs:SendMessage", "s3:ListAllMyBuckets"}),
        ("arn:aws:sqs:*:*:*", {"sqs:SendMessage"}),
        ("arn:aws-cn:sqs:*:*:*", set()),
        ("arn:aws:nosuch:::box", set()),
        ("*", {"s3:GetObject", "s3:ListBucket", "sqs:SendMessage", "s3:ListAllMyBuckets"}),
    ],
)
def test_a_pattern_of_one_service_leaves_its_actions(pattern: str, kept: set[str]) -> None:
    asked = bits("s3:GetObject", "s3:ListBucket", "sqs:SendMessage", "s3:ListAllMyBuckets")
    assert {one.name for one in ALL.named(FORMATS.coarsely(resource(pattern), asked))} == kept


def test_nothing_is_left_out_that_could_be_meant() -> None:
    for pattern in map(resource, ("arn:aws:s3:::box/*", "arn:aws:iam::111122223333:role/*", "arn:aws:sqs:*:*:jobs")):
        left_out = ALL.everything & ~FORMATS.coarsely(pattern, ALL.everything)
        for look, _ in FORMATS.split(0, left_out):
            assert not FORMATS.meets(pattern, look)


def test_what_nobody_knows_may_be_meant_anywhere() -> None:
    catalogue = ALL.knowing(["nosuch:Thing"])
    formats = Formats(catalogue.actions, "aws")
    one = catalogue.bits("nosuch:Thing")
    assert formats.coarsely(resource("arn:aws:s3:::box"), one) == one


def test_looks() -> None:
    start = next(at for at, one in enumerate(ALL.actions) if one.name.startswith("s3:"))
    found = dict(FORMATS.split(start, bits("s3:GetObject", "s3:PutObject", "s3:ListAllMyBuckets") >> start))
    names = [{one.name for one in ALL.named(part << start)} for part in found.values()]
    assert {frozenset(each) for each in names} == {
        frozenset({"s3:GetObject", "s3:PutObject"}),
        frozenset({"s3:ListAllMyBuckets"}),
    }
    objects, none = (
        next(look for look, part in found.items() if part << start & bits(one))
        for one in ("s3:GetObject", "s3:ListAllMyBuckets")
    )
    assert FORMATS.meets(resource("arn:aws:s3:::box/*"), objects)
    assert not FORMATS.meets(resource("arn:aws:s3:::box"), objects)
    assert FORMATS.meets(resource("*"), none)
    assert not FORMATS.meets(resource("arn:aws:s3:::box"), none)
    assert FORMATS.meets(resource("arn:aws:s3:::${aws:username}"), objects)  # it may have a slash in it


def test_sets_by_service() -> None:
    asked = bits("a4b:GetRoom", "s3:GetObject", "s3:ListBucket", "sqs:SendMessage")
    found = list(ALL.by_service(asked))
    assert [part for service, part in found] == [ALL.of_service(service, asked) for service, _ in found]
    names = [[one.name for one in ALL.named(part << ALL.start(service))] for service, part in found]
    assert [sorted(each) for each in names if each[0].startswith("s")] == [
        ["s3:GetObject", "s3:ListBucket"],
        ["sqs:SendMessage"],
    ]
    assert list(ALL.by_service(0)) == []
    total = 0
    for service, part in ALL.by_service(ALL.everything):
        total |= part << ALL.start(service)
    assert total == ALL.everything
