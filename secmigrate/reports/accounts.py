"""Many accounts in plain lines: which are ready, who has access where, and which groups one decision serves."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from secmigrate.reports.overview import ClusterRow, DoorRow, Overview, ready, sayings

SHOWN = 5  # accounts of a line, and lines of a list; --json has them all


def standing_lines(folder: Path, told: Overview) -> Iterator[str]:
    """One line an account: what is next, or why it is not ready."""
    yield f"{folder}: {ready(told)}"
    for row in told.accounts:
        why = "" if row.ready else f": {row.why}"
        yield f"  {' '.join(filter(None, (row.account, row.name)))}: {row.at}{why}"
    yield from (f"  left out: {account} {why}" for account, why in told.left_out.items())
    if not all(row.ready for row in told.accounts):
        yield f"to read only what is missing: secmigrate resume -w {shlex.quote(str(folder))}"


def across_lines(told: Overview, file: Path) -> Iterator[str]:
    """What several accounts have in common."""
    for what, names in (("users", told.users), ("roles", told.roles)):
        if names:
            yield f"{what} of the same name in several accounts: {len(names)}"
            yield from _shown(f"{name}: {listed(accounts)}" for name, accounts in names.items())
    if told.doors:
        yield f"roles that let other accounts in: {len(told.doors)}"
        yield from _shown(f"{door.account} {door.role}: {listed(_whom(door))}" for door in told.doors)
    if told.clusters:
        yield f"groups with the same policies in several accounts: {len(told.clusters)}; answers for all: {file}"
        for cluster in told.clusters[: SHOWN * 4]:
            yield from _cluster_lines(cluster)
        yield from _rest(len(told.clusters) - SHOWN * 4)


def listed(accounts: Collection[str]) -> str:
    """The first of them, and how many more."""
    more = len(accounts) - SHOWN
    return f"{', '.join(list(accounts)[:SHOWN])}{f' and {more} more' if more > 0 else ''}"


def _whom(door: DoorRow) -> list[str]:
    return [*["everybody"] * door.everybody, *door.lets_in]


def _cluster_lines(cluster: ClusterRow) -> Iterator[str]:
    yield f"  {', '.join(cluster.policies) or 'no policies'}"
    for name, accounts in cluster.groups.items():
        yield f"    {name}: {listed(accounts)}{' (answered for all)' if name in cluster.answered else ''}"
        for said in sayings(cluster, name):
            yield f"      {said.words}: {listed(said.accounts)}{f'; {said.after}' if said.after else ''}"


def _shown(lines: Iterable[str]) -> Iterator[str]:
    rows = list(lines)
    yield from (f"  {row}" for row in rows[: SHOWN * 2])
    yield from _rest(len(rows) - SHOWN * 2)


def _rest(more: int) -> Iterator[str]:
    if more > 0:
        yield f"  and {more} more (--json lists them)"
