"""Every danger has its sentence and its hint, says what it blocks, and is one that something can find."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from msgspec import structs

import secmigrate
from secmigrate.dangers import KINDS, Code, danger, incomplete, stale, wrong_account
from secmigrate.iam import Gap, Snapshot
from secmigrate.plan import Plan, refusal
from secmigrate.plan.fold import is_intact, sealed
from tests.plan.cases import group, snapshot, user
from tests.small import ACCOUNT

CODES = get_args(Code)


def test_every_code_is_a_kind() -> None:
    assert set(KINDS) == set(CODES)
    assert len(CODES) == len(set(CODES))


@pytest.mark.parametrize("code", CODES)
def test_it_has_a_sentence_and_a_hint(code: Code) -> None:
    found = danger(code, ["ana", "bo"])
    assert "ana, bo" in found.message
    assert "{" not in found.message
    assert found.hint
    assert not found.hint.endswith(".")
    assert found.blocks in {"plan", "subjects", "nothing"}


def test_every_code_is_found_by_something() -> None:
    """A literal of its name stands somewhere in the code beside the table of kinds."""
    found = {code for path in Path(secmigrate.__path__[0]).rglob("*.py") for code in _named(path.read_text())}
    assert found == set(CODES)


def _named(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Call(func=ast.Name(id="some" | "danger"), args=[ast.Constant(value=str(name)), *_]):
                yield name


def test_long_lists_are_cut_in_the_sentence_only() -> None:
    names = [f"u{n}" for n in range(12)]
    found = danger("role-in-use", names)
    assert found.message.endswith("u0, u1, u2, u3, u4 and 7 more")
    assert found.subjects == tuple(names)


def test_what_the_account_itself_says() -> None:
    gap = Snapshot(account=ACCOUNT, incomplete=(Gap("iam:ListRoles", "denied"),))
    assert [one.subjects for one in incomplete(gap)] == [("iam:ListRoles (denied)",)]
    assert incomplete(Snapshot(account=ACCOUNT)) == ()
    assert wrong_account("1", "1") == ()
    assert [one.subjects for one in wrong_account("1", "2")] == [("2, not 1",)]
    live = snapshot(user("ana"))
    assert stale(live.fingerprint, live) == ()
    assert [one.subjects for one in stale("x", live, lambda now: list(now.users))] == [("ana",)]
    assert [one.subjects for one in stale("x", live)] == [("something changed",)]


def plan(*codes: Code) -> Plan:
    return sealed("readd", snapshot(group("g")), [], [danger(code, ["it"]) for code in codes])


def test_only_a_danger_to_the_whole_plan_refuses_it() -> None:
    assert refusal(plan("too-many-groups", "unmapped-members")) is None
    error = refusal(plan("target-missing", "incomplete-snapshot"))
    assert error is not None
    assert re.search("incomplete-snapshot: .*\n  target-missing: ", error.message)
    assert error.hint == KINDS["incomplete-snapshot"].hint


def test_a_danger_taken_out_of_a_plan_is_noticed() -> None:
    made = plan("target-missing")
    assert is_intact(made)
    assert not is_intact(structs.replace(made, dangers=()))
