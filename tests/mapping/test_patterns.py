from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secmigrate.mapping.patterns import inside, key_of, overlap, span, words

GLOBS = st.text(alphabet="ab*?", max_size=5)
TEXTS = [left + right for left in ("", "a", "b") for right in ("", "a", "b", "aa", "ab", "ba", "bb", "aab", "bba")]


def _fits(text: str, glob: str) -> bool:
    return re.fullmatch(glob.replace("*", ".*").replace("?", "."), text) is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ml-platform-admins", ("ml", "platform", "admins")),
        ("MLPlatformAdmins", ("ml", "platform", "admins")),
        ("dataScience_team2", ("data", "science", "team", "2")),
        ("ops.oncall@eu", ("ops", "oncall", "eu")),
        ("", ()),
    ],
)
def test_words(name: str, expected: tuple[str, ...]) -> None:
    assert words(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("MLPlatformAdmins", "ml_platform_admins"),
        ("s3-replication-dr", "s3_replication_dr"),
        ("ec2TrainingNode", "ec2_training_node"),
        ("2fa", "role_2fa"),
        ("+", "role"),
    ],
)
def test_keys_start_with_a_letter_and_keep_digits(name: str, expected: str) -> None:
    assert key_of(name) == expected


@pytest.mark.parametrize(
    ("name", "glob", "expected"),
    [
        ("data-science-team", "data scien*", (0, 2)),
        ("DataScientists", "data scien*", (0, 2)),
        ("datascience", "data scien*", (0, 1)),
        ("fin-ops", "finops", (0, 2)),
        ("html-team", "ml team", None),
        ("aqua", "qa", None),
        ("internal", "intern", None),
    ],
)
def test_globs_fit_whole_words(name: str, glob: str, expected: tuple[int, int] | None) -> None:
    assert span(words(name), glob) == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("s3:Get*", "s3:*Object", True),
        ("s3:Get*", "s3:Put*", False),
        ("S3:getobject", "s3:GetObject", True),
        ("*", "iam:CreateUser", True),
        ("s3:?et*", "s3:G*", True),
        ("s3:*", "sagemaker:*", False),
    ],
)
def test_overlap(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected
    assert overlap(other, one) is expected


@given(GLOBS, GLOBS)
def test_inside_never_says_a_wrong_yes(inner: str, outer: str) -> None:
    if inside(inner, outer):
        assert all(_fits(text, outer) for text in TEXTS if _fits(text, inner))


@given(GLOBS, GLOBS)
def test_overlap_sees_every_shared_text(one: str, other: str) -> None:
    if any(_fits(text, one) and _fits(text, other) for text in TEXTS):
        assert overlap(one, other)


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ("s3:*", "s3:?", False),
        ("s3:?", "s3:*", True),
        ("s3:Get?", "s3:?et?", True),
        ("*", "*", True),
        ("*", "s3:*", False),
    ],
)
def test_inside(inner: str, outer: str, expected: bool) -> None:
    assert inside(inner, outer) is expected
