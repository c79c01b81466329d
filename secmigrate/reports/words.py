"""Words and figures that more than one form of the report uses."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from secmigrate.reports.migration import Counts, Report, Way

STEPS = {
    "inventory": "The account was read",
    "map": "It is decided what becomes what",
    "deploy": "The new groups and roles are deployed",
    "readd": "People are in their new groups",
    "decommission": "Old groups, roles and policies are gone",
    "tier-upgrade": "The tier is raised",
    "tier-downgrade": "The tier is lowered",
    "rollback": "All of it was rolled back",
}
STATES = {"done": "done", "next": "comes next", "waiting": "not yet", "blocked": "stopped half way"}


class Figures(Struct, frozen=True, kw_only=True):
    """How many users there are of which kind."""

    users: int
    same: int
    only_groups: int  # whose groups change, and nothing else
    lose: int
    open: int  # who lose, or may lose, what nobody has accepted
    accepted: int  # who lose, or may lose, what somebody has accepted
    gain: int
    raised: int  # who gain what raises privilege
    unsure: int


def figures(told: Report) -> Figures:
    """Counted from the report."""
    ways = {way.n: way for way in told.ways}

    def count(of: Iterable[Way]) -> int:
        return sum(len(way.people) for way in of)

    every = ways.values()
    return Figures(
        users=len(told.people),
        same=sum(not one.way for one in told.people),
        only_groups=sum(one.affected and not one.way for one in told.people),
        lose=count(way for way in every if way.lost or way.accepted or way.roles.lost),
        open=count(way for way in every if way.open),
        accepted=count(way for way in every if way.taken),
        gain=count(way for way in every if way.gained),
        raised=count(way for way in every if way.raises),
        unsure=count(way for way in every if _is_unsure(way)),
    )


def _is_unsure(way: Way) -> bool:
    return bool(way.may_lose or way.may_gain or way.unread or way.roles.unsure or way.roles.wider)


def verdict(told: Report) -> str:
    """The one sentence that whoever signs must have read."""
    if told.undone:
        return "What had been done was rolled back."
    if not told.mapped:
        return "The account was read; nothing is decided yet."
    found = figures(told)
    if found.open:
        who = "1 user loses" if found.open == 1 else f"{found.open} of {many(found.users, 'user')} lose"
        return f"{who}, or may lose, something that nobody has accepted yet."
    if found.accepted:
        who = "1 user loses" if found.accepted == 1 else f"{found.accepted} of {many(found.users, 'user')} lose"
        return f"{who}, or may lose, something; all of it is accepted in decisions.yaml."
    return "Nobody loses anything that they can do today."


def counted(counts: Counts, most: int = 0) -> str:
    """`s3 2 write, 1 read; kms 1 read`, of at most so many services (0: all)."""
    parts = by_services(counts)
    if most and len(parts) > most + 1:
        return f"{'; '.join(parts[:most])}; and {len(parts) - most} more services"
    return "; ".join(parts)


def by_services(counts: Counts) -> list[str]:
    """`s3 2 write, 1 read`, a text for each service."""
    return [
        f"{service} {', '.join(f'{n} {level.casefold()}' for level, n in levels.items())}"
        for service, levels in counts.items()
    ]


def briefly(counts: Counts, most: int = 4) -> str:
    """`12 actions of s3, kms`; empty if there are none."""
    number = sum(sum(levels.values()) for levels in counts.values())
    services = list(counts)
    rest = len(services) - most
    named = ", ".join(services) if rest <= 1 else f"{', '.join(services[:most])} and {rest} more services"
    return f"{many(number, 'action')} of {named}" if number else ""


def many(number: int, what: str) -> str:
    """`1 user`, `2 users`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
