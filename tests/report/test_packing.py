"""What the page's script reads says the same as the report, and does not grow with users times roles."""

from __future__ import annotations

import json
from typing import Any

from msgspec import structs

from secmigrate.access import Reached
from secmigrate.reports.migration import Part, Report
from secmigrate.reports.packing import packed
from secmigrate.reports.words import counted
from tests.report.large import many_users

FIGURES = (
    ("lost", "lost"),
    ("accepted", "accepted"),
    ("mayLose", "may_lose"),
    ("gained", "gained"),
    ("mayGain", "may_gain"),
)


class Unpacked:
    """The data as page.js reads it."""

    def __init__(self, told: Report) -> None:
        self.all: dict[str, Any] = json.loads("".join(packed(told)))

    def listed(self, number: int) -> tuple[str, ...]:
        return tuple(self.all["texts"][one] for one in self.all["lists"][number])

    def members(self, number: int) -> tuple[str, ...]:
        runs = self.all["sets"][number]
        return tuple(name for first, length in runs for name in self.all["names"][first : first + length])

    def part(self, number: int) -> Part:
        actions, resources, *texts, accepted = self.all["parts"][number]
        condition, why, example = (self.all["texts"][one] for one in texts)
        return Part(self.listed(actions), self.listed(resources), condition, why, example, accepted)


def test_each_change_is_told_as_it_is(told: Report) -> None:
    found = Unpacked(told)
    assert len(found.all["ways"]) == len(told.ways)
    for one, way in zip(found.all["ways"], told.ways, strict=True):
        names = ("rolesLost", "rolesGained", "rolesUnsure", "rolesWider")
        roles = Reached(*(found.members(one[name]) for name in names))
        assert (roles, found.listed(one["raises"])) == (way.roles, way.raises)
        assert tuple(map(found.part, one["losses"])) == way.losses
        assert tuple(map(found.part, one["raising"])) == way.raising
        assert found.listed(one["unread"]) == way.unread
        for here, there in FIGURES:
            assert "; ".join(found.listed(one[here]["full"])) == counted(getattr(way, there))
    assert any(way.roles.lost for way in told.ways)
    assert any(way.losses for way in told.ways)


def test_each_role_is_told_as_it_is(told: Report) -> None:
    found = Unpacked(told)
    for one, row in zip(found.all["roles"], told.roles, strict=True):
        assert found.listed(one.get("reasons", 0)) == row.reasons
        assert found.listed(one.get("raises", 0)) == row.raises


def test_nothing_has_number_zero(told: Report) -> None:
    found = Unpacked(told)
    assert (found.listed(0), found.members(0)) == ((), ())


def test_sets_of_roles_are_runs_of_names(told: Report) -> None:
    names = tuple(f"role-{n:04}" for n in range(1000))
    one, *_ = many_users(told, 1000).ways
    sets = (names, names[:500], (*names[:10], *names[20:30], *names[995:]), names[::250])
    ways = tuple(structs.replace(one, n=n, roles=Reached(gained=sets[n % len(sets)])) for n in range(400))
    found = Unpacked(structs.replace(told, ways=ways, people=many_users(told, 1000).people))
    assert found.all["names"] == list(names)
    assert found.all["sets"][1:] == [
        [[0, 1000]],
        [[0, 500]],
        [[0, 10], [20, 10], [995, 5]],
        [[0, 1], [250, 1], [500, 1], [750, 1]],
    ]
    assert [found.members(way["rolesGained"]) for way in found.all["ways"]] == [way.roles.gained for way in ways]


def test_what_many_changes_have_in_common_is_told_once(told: Report) -> None:
    found, twice = Unpacked(told).all, Unpacked(structs.replace(told, ways=told.ways * 2)).all
    assert len(twice["ways"]) == 2 * len(found["ways"])
    assert all(twice[name] == found[name] for name in ("names", "sets", "parts", "lists", "texts"))
