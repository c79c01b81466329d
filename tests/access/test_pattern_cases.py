"""The pattern algebra on cases that people can check."""

from __future__ import annotations

import random
import re
from itertools import product

import pytest

from secmigrate.access import patterns, search
from secmigrate.access.patterns import (
    Pattern,
    TooHard,
    Wild,
    arn_format,
    disjoint,
    example,
    has_variable,
    includes,
    literal,
    matches,
    resource,
    widened,
    witness,
)

INCLUDED = [
    ("*", "arn:aws:s3:::team/reports/2026"),
    ("arn:aws:s3:::*", "arn:aws:s3:::team-data/*"),
    ("arn:aws:s3:::team-*", "arn:aws:s3:::team-data/*"),
    ("arn:aws:s3:::team-*/*", "arn:aws:s3:::team-data/reports/*"),
    ("arn:aws:s3:::te?m/*", "arn:aws:s3:::team/*"),
    ("arn:aws:logs:*:*:*", "arn:aws:logs:eu-central-1:111122223333:log-group:/aws/lambda/pay:*"),
    ("arn:*:iam::*:role/*", "arn:aws:iam::111122223333:role/team/reader"),
    ("arn:aws:sns:*:topic", "arn:aws:sns:eu-central-1:111122223333:topic"),  # the star ends its segment
    ("arn:aws:logs:*:111122223333:log-group:/app*", "arn:aws:logs:eu-*:111122223333:log-group:/app:log-stream:s1"),
    ("arn:*:*:*:111122223333:queue-*", "arn:*:sqs:eu-*:111122223333:queue-a"),
    ("arn:aws:s3:::${aws:PrincipalTag/Team}/*", "arn:aws:s3:::${aws:principaltag/team}/reports"),
    ("arn:aws:s3:::*/home", "arn:aws:s3:::${aws:PrincipalTag/team}/home"),
    ("arn:aws:s3:::a*", "arn:aws:s3:::a**"),
    ("arn:aws:s3:::a?c", "arn:aws:s3:::a${*}c"),
]
NOT_INCLUDED = [
    ("arn:aws:s3:::team-data", "arn:aws:s3:::Team-data"),
    ("arn:aws:s3:::team-data/*", "arn:aws:s3:::team-data"),
    ("arn:aws:lambda:eu-*-1:111122223333:function:*", "arn:aws:lambda:eu-a:b-1:111122223333:function:pay"),
    ("arn:aws:sns:eu?central-1:111122223333:t", "arn:aws:sns:eu:central-1:111122223333:t"),
    ("arn:aws:s3:::te?m/*", "arn:aws:s3:::team*/x"),
    ("arn:aws:s3:::?", "arn:aws:s3:::${aws:PrincipalTag/team}"),
    ("arn:aws:s3:::aws:username/x", "arn:aws:s3:::${aws:username}/x"),
    ("arn:aws:s3:::${aws:PrincipalTag/t, 'A'}", "arn:aws:s3:::${aws:PrincipalTag/t, 'a'}"),
    ("arn:aws:s3:::${aws:PrincipalTag/a}/*", "arn:aws:s3:::${aws:PrincipalTag/b}/*"),
    ("arn:aws:s3:::a${*}", "arn:aws:s3:::a*"),
]


@pytest.mark.parametrize(("outer", "inner"), INCLUDED)
def test_included(outer: str, inner: str) -> None:
    assert includes(resource(outer), resource(inner))
    assert not disjoint(resource(outer), resource(inner))
    assert example([resource(inner)], [resource(outer)]) is None


@pytest.mark.parametrize(("outer", "inner"), NOT_INCLUDED)
def test_not_included(outer: str, inner: str) -> None:
    assert not includes(resource(outer), resource(inner))


def test_a_union_covers_what_none_of_it_does() -> None:
    colon, plain, short = resource("a:*"), resource("a?*"), resource("a")
    assert witness([resource("a*")], [colon, plain, short]) is None
    assert witness([resource("a*")], [colon, plain]) == ("a",)
    assert witness([resource("a*")], [colon, short]) == ("a", "x")
    assert witness([resource("a*")], [plain, short]) == ("a", ":")


def test_more_outside_never_makes_an_answer() -> None:
    outside = [resource("b/"), resource("b/?*"), resource("b/:*")]
    assert witness([resource("b/*")], outside) is None
    assert witness([resource("b/*")], [*outside, resource("b/${aws:PrincipalTag/team}/x")]) is None


def test_characters_of_their_own() -> None:
    assert matches(resource("a${*}b${?}c${$}"), "a*b?c$")
    assert not matches(resource("a${*}b${?}c${$}"), "axb?c$")
    assert matches(resource("a${b"), "a${b")
    assert matches(literal("*"), "*")
    assert not matches(literal("*"), "x")
    assert not matches(literal("a?${aws:username}"), "ab${aws:username}")
    assert matches(literal("a?${aws:username}"), "a?${aws:username}")
    assert includes(resource("*"), literal("*"))
    assert not includes(literal("*"), resource("*"))
    assert witness([resource("*"), literal("*")], [resource("arn:*")]) == ("*",)


def test_variables() -> None:
    home = resource("arn:aws:s3:::home/${aws:PrincipalTag/Team}/*")
    assert has_variable(home)
    assert not has_variable(resource("arn:aws:s3:::home/${*}/*"))
    assert not has_variable(literal("${aws:username}"))
    assert home == resource("arn:aws:s3:::home/${AWS:principaltag/team}/*")
    assert hash(home) == hash(resource("arn:aws:s3:::home/${AWS:principaltag/team}/*"))
    assert not matches(home, "arn:aws:s3:::home/blue/x")
    assert matches(widened(home), "arn:aws:s3:::home/blue/x")
    assert matches(widened(home), "arn:aws:s3:::home/a:b//x")
    assert widened(home).text == home.text
    assert widened(resource("a*")) is resource("a*")
    assert widened(resource("*a${v}b?")).tokens == (Wild(True, ":"), "a", Wild(True), "b", Wild(False, ":", False))
    assert example([home], []) == "arn:aws:s3:::home/${aws:PrincipalTag/Team}/example"
    assert witness([home], [resource("arn:aws:s3:::home/*/a*")]) == (
        *"arn:aws:s3:::home/",
        "${aws:principaltag/team}",
        "/",
    )


@pytest.mark.parametrize(
    ("written", "same"),
    [("***", "*"), ("a**b", "a*b"), ("a**:b", "a*:b"), ("a**", "a*")],
)
def test_stars_in_a_row_are_one(written: str, same: str) -> None:
    assert resource(written) == resource(same)
    assert resource(written).text == written


def test_stars_that_take_different_letters_stay() -> None:
    pattern = Pattern((Wild(True, ":"), Wild(True, "/"), Wild(True, "a"), "b"), "")
    assert len(pattern.tokens) == 4
    assert [matches(pattern, text) for text in ("b", "/:b", "/:/b", "/:/ab", "a:/b:a/b")] == [
        True,
        True,
        True,
        False,
        False,
    ]


FORMAT = "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}"
OBJECT = "arn:${Partition}:s3:::${BucketName}/${ObjectName}"


@pytest.mark.parametrize(
    ("written", "text", "expected"),
    [
        (OBJECT, "arn:aws:s3:::team/a/b:c", True),
        (OBJECT, "arn:aws:s3:::team", False),
        (OBJECT, "arn:aws:s3:::team/", False),
        (OBJECT, "arn:aws-cn:s3:::team/a", False),
        ("arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::team", True),
        ("arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::team/a", False),
        ("arn:${Partition}:s3:::${BucketName}", "arn:aws:s3:::", False),
        (FORMAT, "arn:aws:lambda:::function:pay", True),
        (FORMAT, "arn:aws:lambda:eu-central-1:111122223333:function:pay:1", True),
        (FORMAT, "arn:aws:lambda:eu:central:1:function:pay", False),
        ("arn:${Partition}:x:${Region}:${VpcOwnerAccount}:y/${Id}", "arn:aws:x:::y/1", True),
        ("arn:${Partition}:${Vendor}:${Region}:*:${Type}:${Id}", "arn:aws:a:b:c:1:d:e:f:g", True),
        ("arn:${Partition}:${Vendor}:r:*:x", "arn:aws:a:b:r:c:x", False),
        ("arn:${Partition}:dms:${Region}:${Account}:rep:*", "arn:aws:dms:r:1:rep:", True),
    ],
)
def test_formats(written: str, text: str, expected: bool) -> None:
    assert matches(arn_format(written, "aws"), text) is expected


def test_a_format_takes_variables() -> None:
    entry = resource("arn:aws:s3:::${aws:PrincipalTag/team}/${aws:PrincipalTag/dir}")
    assert witness([arn_format(OBJECT, "aws"), entry], []) == entry.tokens


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        (["arn:aws:s3:::team-*/*"], [], "arn:aws:s3:::team-example/example"),
        ([FORMAT, "*"], [], "arn:aws:lambda:eu-central-1:111122223333:function:example"),
        ([FORMAT, "arn:aws:lambda:*:*:*team*"], [], "arn:aws:lambda:eu-central-1:111122223333:function:team"),
        (["*", FORMAT], ["arn:aws:lambda:*:*:function:example"], "arn:aws:lambda:eu-central-1:111122223333:function:y"),
        ([FORMAT, "*"], ["arn:aws:lambda:?*"], "arn:aws:lambda:::function:example"),
        ([OBJECT, "arn:aws:s3:::team/a*"], ["arn:aws:s3:::team/*e"], "arn:aws:s3:::team/a"),
        (["arn:aws:sqs:eu-west-?:*:jobs"], [], "arn:aws:sqs:eu-west-x:111122223333:jobs"),
        (["arn:aws:s3:::x*"], ["arn:aws:s3:::x", "arn:aws:s3:::*e", "arn:aws:s3:::xy*"], "arn:aws:s3:::xz"),
        # Nowhere that one expects.
        (["arn:aws:sqs:*:*:x"], ["arn:aws:sqs:eu-central-1:*", "arn:aws:sqs::*"], "arn:aws:sqs:y::x"),
        (["arn:aws:s3:::x*"], ["arn:aws:s3:::x", "arn:aws:s3:::x:*", "arn:aws:s3:::x?*"], None),
        (["arn:aws:s3:::x*"], ["arn:aws:*"], None),
        (["arn:aws:s3:::a*", "arn:aws:s3:::b*"], [], None),
    ],
)
def test_examples_that_people_can_read(inside: list[str], outside: list[str], expected: str | None) -> None:
    these = [arn_format(text, "aws") if "${Partition}" in text else resource(text) for text in inside]
    assert example(these, [resource(text) for text in outside]) == expected


def test_hundreds_outside() -> None:
    outside = [resource(f"arn:aws:s3:::team-{number}*/*") for number in range(100, 1000)]
    assert witness([resource("arn:aws:s3:::team-???/*")], outside) == tuple("arn:aws:s3:::team-xxx/")
    assert witness([resource("arn:aws:s3:::team-777-*/x")], outside) is None
    assert witness([resource("arn:aws:s3:::team-777*/x")], outside[:600]) == tuple("arn:aws:s3:::team-777/x")


def test_same_answer_in_any_order() -> None:
    inside = [resource("*a*b*a*"), resource("a*?:*b*")]
    outside = [resource(text) for text in ("a*", "*a:", "a?:*b", "*b:*", "a*a:*b?a", "*:?b*")]
    found = witness(inside, outside[1:])
    assert found is not None
    for seed in range(20):
        shuffled = random.Random(seed).sample(outside[1:], 5)
        assert search.find(inside, shuffled) == found


def test_a_union_of_nasty_ones_is_decided() -> None:
    outside = [
        resource("*" + "*".join(letters) + "*") for letters in product("ab", repeat=6) if letters != tuple("ababab")
    ]
    assert witness([resource("*a*b*a*b*a*b*")], outside) == tuple("ababab")
    assert witness([resource("*a*b*a*b*a*b*a*")], outside) is None


def test_what_is_too_hard_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, outside = resource("*a*a*a*a*a*a*a*a*"), [resource("*a" + "?" * length) for length in range(9, 16)]
    patterns._found.cache_clear()
    monkeypatch.setattr(search, "LIMIT", 50)
    with pytest.raises(TooHard, match=r"more than 50 steps for \*a\*a"):
        search.find([inside], outside)
    for _ in range(2):  # the second time from memory
        with pytest.raises(TooHard, match="more than 50 steps"):
            witness([inside], outside)
    assert example([inside], outside) == "a" * 8  # found by a plain try
    monkeypatch.undo()
    patterns._found.cache_clear()


def test_a_pattern_is_a_value() -> None:
    assert resource("a*") == Pattern(("a", Wild(True)), "other words")
    assert resource("a*") != resource("a*b")
    assert resource("a*") != "a*"
    assert repr(resource("a*")) == "Pattern('a*')"


@pytest.mark.parametrize("text", ["a**b", "a***", "**", "arn:aws:s3::**:x", "arn:aws:sqs:**:111122223333:a"])
def test_more_stars_than_one_are_the_same_value(text: str) -> None:
    one, other = resource(text), resource(re.sub(r"\*+", "*", text))
    assert one == other
    assert hash(one) == hash(other)
    assert one.tokens == other.tokens


def test_a_star_that_is_a_character_is_no_wildcard() -> None:
    assert resource("a${*}") != resource("a*")
    assert resource("a${*}") == literal("a*")
    assert len({resource("a*"), literal("a*"), Pattern(("a", Wild(True)), "other words")}) == 2


@pytest.mark.parametrize(("glob", "text"), [("a*a", "a"), ("ab*ba", "aba"), ("a?*a", "aa"), ("*a:*a", "a:")])
def test_what_begins_it_does_not_end_it(glob: str, text: str) -> None:
    assert not matches(resource(glob), text)
