"""Sets of actions in words, against the same said action by action."""

from __future__ import annotations

from collections import Counter

from hypothesis import example, given
from hypothesis import strategies as st

from secmigrate.access.actions import Action, ActionCatalogue
from secmigrate.mapping.reach import Actions
from secmigrate.mapping.wording import Wording

NAMES = ("s:GetA", "s:GetB", "s:PutA", "s:PutB", "s:List", "t:Get", "t:Put")
CATALOGUE = ActionCatalogue(
    "nobody", "", [Action(one, "Write" if "Put" in one else "Read", (), anywhere=True) for one in NAMES]
).knowing(["S:New", "t:Gone*"])
GLOBS = (
    "s:*",
    "s:Get*",
    "s:get?",
    "S:PutA",
    "s:puta",
    "s:GetA",
    "s:GetB",
    "*",
    "*:Get",
    "t:*",
    "t:Put",
    "S:New",
    "t:Gone*",
)

sets = st.integers(0, CATALOGUE.everything)


@example(CATALOGUE.everything, {"S:New", "S:PutA", "t:*", "s:get?"}, {"S:New"})
@given(sets, st.sets(st.sampled_from(GLOBS)), st.sets(st.sampled_from(GLOBS)))
def test_globs_come_first_and_what_is_left_is_counted(bits: int, here: set[str], there: set[str]) -> None:
    told, left = [], bits
    for glob in sorted(here | there, key=lambda one: ("*" not in one, one)):
        meant = CATALOGUE.bits(glob)
        if meant & left and not meant & ~bits:
            left &= ~meant
            told.append(glob)
    told += [one.name for one in CATALOGUE.named(left)]
    more = f" and {len(told) - 3} more" if len(told) > 3 else ""
    written = [Actions(tuple(sorted(each))) for each in (here, there)]
    assert Wording(CATALOGUE).some(bits, written) == ", ".join(told[:3]) + more


@given(sets)
def test_counts_by_access_level(bits: int) -> None:
    counts = Counter(one.level.lower() for one in CATALOGUE.named(bits))
    assert Wording(CATALOGUE).counted(bits) == ", ".join(
        f"{number} {level}" for level, number in sorted(counts.items())
    )


@given(sets)
def test_sums_by_service(bits: int) -> None:
    rows: dict[str, list[str]] = {}
    for one in CATALOGUE.named(bits):
        rows.setdefault(one.name.partition(":")[0], []).append(one.name)
    told = [f"{key} ({names[0] if len(names) == 1 else f'{len(names)} actions'})" for key, names in rows.items()]
    assert Wording(CATALOGUE).summed(bits) == ", ".join(told)


@given(st.sets(st.sampled_from([*GLOBS, "s-t:Get", "s:Zap", "t", "S:*", "**", "*-s:Get", "?:Get", "s;:x"])))
def test_actions_by_service(written: set[str]) -> None:
    rows: dict[str, list[str]] = {}
    for one in sorted(written):
        service = one.partition(":")[0].casefold()
        rows.setdefault("*" if "*" in service or "?" in service else service, []).append(one)
    found = Actions(tuple(sorted(written))).by_service
    assert {service: list(ones) for service, ones in found.items()} == rows
