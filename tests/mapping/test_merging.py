"""Three configs in one: nothing that a person wrote is lost, nothing that she left alone stands still."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secmigrate.sec import merge

leaves = st.sampled_from(["level1", "level2", "level3"]) | st.lists(st.sampled_from("ABCD"), unique=True, max_size=3)
configs = st.recursive(leaves, lambda inner: st.dictionaries(st.sampled_from("xyz"), inner, max_size=3), max_leaves=8)
tops = st.dictionaries(st.sampled_from("pqr"), configs, max_size=3)


@given(tops, tops)
def test_who_changed_nothing_gets_the_new_one(base: Any, ours: Any) -> None:
    assert merge(base, base, ours) == (ours, [])


@given(tops, tops)
def test_where_the_mapping_is_the_same_the_person_has_her_way(base: Any, theirs: Any) -> None:
    merged, kept = merge(base, theirs, base)
    assert merged == theirs
    assert bool(kept) == (theirs != base)


@given(tops, tops, tops)
def test_merging_again_changes_nothing(base: Any, theirs: Any, ours: Any) -> None:
    merged, _ = merge(base, theirs, ours)
    assert merge(ours, merged, ours)[0] == merged


@given(tops, tops, tops)
def test_everything_that_is_not_as_the_mapping_has_it_is_told(base: Any, theirs: Any, ours: Any) -> None:
    merged, kept = merge(base, theirs, ours)
    assert bool(kept) == (merged != ours)


@pytest.mark.parametrize(
    ("base", "theirs", "ours", "merged"),
    [
        (["A", "B"], ["A", "C"], ["A", "B", "D"], ["A", "C", "D"]),  # she took B and added C; D is new
        (["A"], ["A", "C"], [], ["C"]),
        ([], ["C"], ["C"], ["C"]),
    ],
)
def test_lists(base: list[str], theirs: list[str], ours: list[str], merged: list[str]) -> None:
    assert merge({"x": base}, {"x": theirs}, {"x": ours})[0] == {"x": merged}


def test_words() -> None:
    base = {"a": "1", "b": "1", "d": ["A"]}
    _, kept = merge(base, {"a": "2", "c": {"x": "1"}, "d": []}, {**base, "a": "3"})
    assert [one.told() for one in kept] == [
        "a: 2, where map would say 3",
        "c: yours, and map makes none",
        "d: none, where map would say A",
        "b: you took it out",
    ]
