"""Which actions can mean anything on a resource pattern, and sets of actions service by service."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from secmigrate import documents
from secmigrate.access.actions import Action
from secmigrate.access.arns import is_apart
from secmigrate.access.formats import Formats, meet
from secmigrate.access.patterns import arn_format, arn_prefix, resource, widened

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
        ("arn:aws:s3:::box/*", {"s3:GetObject", "s3:ListBucket", "s3:ListAllMyBuckets"}),
        ("arn:aws:s3*:::box/*", {"s3:GetObject", "s3:ListBucket", "sqs:SendMessage", "s3:ListAllMyBuckets"}),
        ("arn:aws:sqs:*:*:*", {"sqs:SendMessage"}),
        ("arn:aws-cn:sqs:*:*:*", set()),
        ("arn:aws:nosuch:::box", set()),
        ("*", {"s3:GetObject", "s3:ListBucket", "sqs:SendMessage", "s3:ListAllMyBuckets"}),
    ],
)
def test_a_pattern_of_one_service_leaves_its_actions(pattern: str, kept: set[str]) -> None:
    asked = bits("s3:GetObject", "s3:ListBucket", "sqs:SendMessage", "s3:ListAllMyBuckets")
    assert {one.name for one in ALL.named(FORMATS.coarsely(resource(pattern).head, asked))} == kept


@pytest.mark.parametrize(
    ("action", "pattern", "perhaps"),
    [
        ("s3:ListAllMyBuckets", "arn:aws:s3:::*", True),  # AWS, S3 user guide: Controlling a bucket with user policies
        ("iam:ListUsers", "arn:aws:iam::*:*", True),  # AWS, IAM user guide: Permissions required to access IAM
        ("iam:ListRoles", "arn:aws:iam::111122223333:role/*", True),  # AWS managed policies have the next two as well
        ("logs:DescribeLogGroups", "arn:aws:logs:*:*:log-group:*", True),
        ("cloudformation:ListStacks", "arn:aws:cloudformation:*:*:stack/*", True),
        ("pricing:GetProducts", "arn:aws:pricing:*:*:*", True),
        ("iam:ListUsers", "*", True),
        ("s3:ListAllMyBuckets", "arn:aws:s3:::box", False),
        ("s3:ListAllMyBuckets", "arn:aws:s3:::box*", False),
        ("iam:ListRoles", "arn:aws:iam::111122223333:role/team/*", False),
        ("iam:ListUsers", "arn:aws:s3:::*", False),
        ("iam:ListUsers", "arn:aws-cn:iam::*:*", False),
    ],
)
def test_all_of_a_type_may_be_meant_by_who_is_about_no_resource(action: str, pattern: str, perhaps: bool) -> None:
    assert FORMATS.on(pattern, bits(action)) == (bits(action) if perhaps else 0)
    assert FORMATS.all_of(pattern, bits(action)) == (bits(action) if pattern == "*" else 0)


def test_nothing_is_left_out_that_could_be_meant() -> None:
    for pattern in map(resource, ("arn:aws:s3:::box/*", "arn:aws:iam::111122223333:role/*", "arn:aws:sqs:*:*:jobs")):
        left_out = ALL.everything & ~FORMATS.coarsely(pattern.head, ALL.everything)
        for look, _ in FORMATS.split(0, left_out):
            assert not FORMATS.meets(pattern, look)


def test_what_nobody_knows_may_be_meant_anywhere() -> None:
    catalogue = ALL.knowing(["nosuch:Thing"])
    formats = Formats(catalogue.actions, "aws")
    one = catalogue.bits("nosuch:Thing")
    assert formats.coarsely(resource("arn:aws:s3:::box").head, one) == one


@pytest.mark.parametrize(
    ("pattern", "whole"),
    [
        ("*", {"s3:GetObject", "s3:PutBucketAcl", "s3:ListBucket", "sqs:SendMessage", "s3:ListAllMyBuckets"}),
        ("arn:*", {"s3:GetObject", "s3:PutBucketAcl", "s3:ListBucket", "sqs:SendMessage"}),
        ("arn:aws:s3*", {"s3:GetObject", "s3:PutBucketAcl", "s3:ListBucket"}),
        ("arn:aws:s3:::*", {"s3:PutBucketAcl"}),  # all others are asked of access points too
        ("arn:aws:s3:::box*", set()),
        ("arn:aws:sqs:*:*:*", {"sqs:SendMessage"}),
        ("arn:aws:sqs:*:111122223333:*", set()),
        ("arn:aws:sqs:eu-central-1:*", set()),
    ],
)
def test_a_pattern_holds_all_that_an_action_takes(pattern: str, whole: set[str]) -> None:
    asked = bits("s3:GetObject", "s3:ListBucket", "sqs:SendMessage", "s3:ListAllMyBuckets", "s3:PutBucketAcl")
    assert {one.name for one in ALL.named(FORMATS.all_of(pattern, asked))} == whole


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


def test_what_is_told_of_a_format_before_it_is_spelt_out() -> None:
    for text in {"*", "arn:${Partition}:s:a", *(text for one in ALL.actions for text in one.formats)}:
        spelt = arn_format(text, "aws-us-gov")
        assert arn_prefix(text, "aws-us-gov") == spelt.prefix, text
        assert is_apart(text) == (spelt.tokens.count(":") >= 5), text


@pytest.mark.parametrize("written", [("arn:${Partition}:s:a",), ()])
def test_who_takes_what_no_arn_tells_of_may_be_meant(written: tuple[str, ...]) -> None:
    formats = Formats([Action("s:A", "Read", written, anywhere=False)], "aws")
    assert formats.on("arn:aws:s:*", 1) == formats.on("*", 1) == 1
    assert formats.on("arn:aws:t:*", 1) == (written != ("arn:${Partition}:s:a",))


# Formats and patterns of one service that meet in many ways: stems that begin each other, colons and slashes in
# what names the resource, wildcards in every segment.
_FORMAT = st.tuples(
    st.sampled_from(["${Region}", "a", "*"]),
    st.sampled_from(["${Account}", "111122223333"]),
    st.lists(st.sampled_from(["a", "ab", "b", ":", "/", "${BucketName}", "${Name}", "*"]), min_size=1, max_size=3),
).map(lambda one: f"arn:${{Partition}}:s:{one[0]}:{one[1]}:{''.join(one[2])}")
_ENTRY = st.tuples(
    st.sampled_from(["a", "*", "", "?", "b*"]),
    st.sampled_from(["111122223333", "", "*", "1111*", "444455556666"]),
    st.lists(st.sampled_from(["a", "b", "c", "dddd", ":", "/", "*", "?", "${a:b}"]), max_size=5)
    | st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from([":", "/", ""]), st.sampled_from(["*", "a", "a*"])),
).map(lambda one: f"arn:aws:s:{one[0]}:{one[1]}:{''.join(one[2])}")


@settings(max_examples=500)
@example(["arn:${Partition}:s:a:${Account}:${BucketName}/a"], "arn:aws:s:a:111122223333:/*")
@example(["arn:${Partition}:s:${Region}:${Account}:${Name}a"], "arn:aws:s:a:111122223333:ca")
@example([f"arn:${{Partition}}:s:a:${{Account}}:{name}" for name in ("${Name}", "ab")], "arn:aws:s:a:111122223333:a*")
@example([f"arn:${{Partition}}:s:a:${{Account}}:{name}" for name in ("${Name}b", "a${Name}")], "arn:aws:s:a::ab")
@given(
    st.lists(_FORMAT, min_size=1, max_size=4), _ENTRY | st.sampled_from(["arn:aws:s:*", "arn:aws:s:a", "arn:aws:t:::a"])
)
def test_formats_taken_apart_meet_what_they_meet_as_a_whole(written: list[str], entry: str) -> None:
    actions = [Action(f"s:A{at}", "Read", (one,), anywhere=False) for at, one in enumerate(written)]
    formats, pattern = Formats(actions, "aws"), resource(entry)
    meeting = [meet(arn_format(one, "aws"), widened(pattern)) for one in written]
    assert [bool(formats.on(entry, 1 << at)) for at, _ in enumerate(written)] == meeting
    looks = {part: look for look, part in formats.split(0, (1 << len(written)) - 1)}
    assert all(formats.meets(pattern, look) == meeting[(part & -part).bit_length() - 1] for part, look in looks.items())
