"""Each different change of access once, with all to whom it happens, and what of it somebody has accepted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, structs

from secmigrate.access import Accepted, Change, Row
from secmigrate.access.assuming import ASSUME
from secmigrate.access.telling import Teller, alike
from secmigrate.reports.access import Access
from secmigrate.reports.migration import Part, Way
from secmigrate.reports.statements import Block, grouped

MOST = 60  # parts of one change; `secmigrate access --user NAME` has them all


class _Entry(Struct, frozen=True):
    """What one entry under `accept` says, by its number from 1."""

    n: int
    actions: int  # bits
    said: Accepted


def ways_of(found: Access, accept: Sequence[Accepted]) -> tuple[Way, ...]:
    """What nobody has accepted comes first, then what happens to the most people."""
    catalogue = found.teller.comparison.catalogue
    entries = [_Entry(n, catalogue.bits_of(one.actions), one) for n, one in enumerate(accept, 1)]
    ways: list[Way] = []
    for _, ones in alike(found.changed):
        by_entries: dict[tuple[_Entry, ...], list[Change]] = {}
        for one in ones:
            by_entries.setdefault(tuple(entry for entry in entries if entry.said.covers(one.name)), []).append(one)
        ways += (_way(found.teller, tuple(mine), covering) for covering, mine in by_entries.items())
        found.teller.forget()  # another change has hardly any row of this one
    ways.sort(key=lambda way: (not way.open, -len(way.people), way.people[0]))
    return tuple(structs.replace(way, n=n) for n, way in enumerate(ways, 1))


def _way(teller: Teller, ones: tuple[Change, ...], entries: Sequence[_Entry]) -> Way:
    change = ones[0]
    lost, may_lose = _shared_out(change.lost, entries), _shared_out(change.may_lose, entries)
    accepted = [row for rows in (lost, may_lose) for n, row in rows if n]
    assuming = teller.comparison.catalogue.bits(ASSUME)
    losses = tuple(_losses(teller, change, (*lost, *may_lose)))
    raising = tuple(_raising(teller, change))
    return Way(
        n=0,
        people=tuple(one.name for one in ones),
        lost=teller.counted(row for n, row in lost if not n),
        accepted=teller.counted(accepted),
        may_lose=teller.counted(row for n, row in may_lose if not n),
        gained=teller.counted(change.gained),
        may_gain=teller.counted(change.may_gain),
        raises=tuple(teller.raising(change.gained)),
        losses=losses[:MOST],
        raising=raising[:MOST],
        left_out=max(0, len(losses) - MOST) + max(0, len(raising) - MOST),
        roles=change.roles,
        roles_accepted=next((entry.n for entry in entries if entry.actions & assuming), 0),
        unread=change.unread,
    )


def _shared_out(rows: Iterable[Row], entries: Sequence[_Entry]) -> list[tuple[int, Row]]:
    """The rows in parts: what each entry accepts, the first that does, with its number; what none does, with 0."""
    found: list[tuple[int, Row]] = []
    for row in rows:
        left = row.actions
        for entry in entries:
            if taken := left & entry.actions:
                found.append((entry.n, structs.replace(row, actions=taken)))
                left &= ~taken
        if left:
            found.append((0, structs.replace(row, actions=left)))
    return found


def _losses(teller: Teller, change: Change, rows: Sequence[tuple[int, Row]]) -> Iterator[Part]:
    """What nobody accepted comes first."""
    for n in sorted({n for n, _ in rows}):
        for certain in (True, False):
            mine = tuple(row for number, row in rows if number == n and row.certain == certain)
            yield from (_part(one, n) for one in grouped(teller, ((change,), mine), gained=False, raising=False))


def _raising(teller: Teller, change: Change) -> Iterator[Part]:
    """Only actions that raise privilege are worked out: all gains are most of the time of a large account."""
    mine = tuple(
        structs.replace(row, actions=raised)
        for row in (*change.gained, *change.may_gain)
        if (raised := teller.raised(row.actions))
    )
    yield from (_part(one, 0) for one in grouped(teller, ((change,), mine), gained=True, raising=True))


def _part(block: Block, n: int) -> Part:
    told = block.example
    tests = [f"{key} is {'absent' if value is None else value}" for key, value in sorted(told.context.items())]
    where = told.example if told.example not in block.resources or len(block.resources) > 1 else ""
    tests = tests if where or not block.condition else []  # the condition says it already
    return Part(
        actions=block.actions,
        resources=block.resources,
        condition=block.condition,
        why=block.why,
        example=f"{where}{' when ' * bool(tests)}{' and '.join(tests)}".strip(),
        accepted=n,
    )
