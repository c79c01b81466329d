"""What a group's policies say, as the mapping reads them: the usual statement by its form, any other word by word."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secmigrate.iam import Document, Group, Snapshot
from secmigrate.mapping.reach import Reach, reach

SNAPSHOT = Snapshot(account="111122223333")
WORDS = st.sampled_from(["s3:GetObject", "s3:*", ["s3:GetObject", "sqs:SendMessage"], []])
PLACES = st.sampled_from(["*", ["*"], "arn:aws:s3:::box/*", ["*", "arn:aws:s3:::box"]])
STATEMENTS = st.builds(
    lambda effect, actions, places, condition: {"Effect": effect, **actions, **places, **condition},
    st.sampled_from(["Allow", "Deny"]),
    st.builds(lambda key, words: {key: words}, st.sampled_from(["Action", "NotAction"]), WORDS),
    st.builds(lambda key, places: {key: places}, st.sampled_from(["Resource", "NotResource"]), PLACES),
    st.sampled_from([{}, {"Condition": {}}, {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}]),
)


def reading(*rows: object) -> Reach:
    document = Document({"Version": "2012-10-17", "Statement": list(rows)})
    return reach(Group(name="makers", inline={"own": document}), SNAPSHOT, ())


@given(st.lists(STATEMENTS, max_size=4))
def test_what_is_beside_a_statement_changes_nothing_of_what_it_says(rows: list[dict[str, Any]]) -> None:
    one, other = reading(*rows), reading(*[{**row, "Principal": "*"} for row in rows])
    assert [(each.allowed, each.all_but) for each in one.own] == [(each.allowed, each.all_but) for each in other.own]
    assert (one.denies, one.notes) == (other.denies, other.notes)


@pytest.mark.parametrize(
    "odd",
    [
        "s3:GetObject",
        {"Effect": "Allow", "Action": {"s3": "GetObject"}, "Resource": 7},
        {"Effect": "Allow", "NotAction": 7, "Resource": "*"},
        {"Action": "s3:GetObject", "Resource": "*"},
    ],
)
def test_what_is_no_statement_allows_nothing_and_is_told(odd: object) -> None:
    found = reading(odd, {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"})
    assert [one.allowed for one in found.own] == [("sqs:SendMessage",)]
    assert found.notes == (
        "not carried over: a statement of inline policy own that cannot be read: nobody knows what it says",
    )


@pytest.mark.parametrize("condition", [[], "aws:username", {"Bool": []}])
def test_a_condition_that_cannot_be_read_is_told_all_the_same(condition: object) -> None:
    found = reading({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Condition": condition})
    assert ["under which inline policy own allows s3:GetObject" in note for note in found.notes] == [True]
