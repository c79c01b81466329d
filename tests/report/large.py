"""A report of many users, made from one of few: each happens to be like one of them."""

from __future__ import annotations

from msgspec import structs

from secmigrate.reports.migration import Report


def many_users(told: Report, number: int) -> Report:
    """So many users, in the groups and with the changes of those that there are, a change in turn."""
    people = tuple(structs.replace(told.people[n % len(told.people)], name=f"user-{n}") for n in range(number))
    of_way: dict[int, list[str]] = {}
    for one in people:
        of_way.setdefault(one.way, []).append(one.name)
    ways = tuple(structs.replace(way, people=tuple(of_way.get(way.n, ()))) for way in told.ways)
    return structs.replace(told, people=people, ways=ways)
