"""Many accounts: which are ready, who has access where, and which groups one decision serves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from secmigrate.plan.across import Across, Cluster
from secmigrate.workspace import Step

SHOWN = 5  # accounts of a line, and lines of a list; --json has them all

Undecided = Mapping[str, Collection[str]]  # accounts in which `map` could not place a group, by its name


class Standing(Struct, frozen=True, kw_only=True):
    """Where one account stands."""

    account: str
    name: str
    ready: bool  # whether all of it was read
    why: str  # why not
    steps: tuple[Step, ...]


def standing_lines(folder: Path, standing: Iterable[Standing], left_out: Mapping[str, str]) -> Iterator[str]:
    """One line an account: what is next, or why it is not ready."""
    rows = list(standing)
    yield f"{folder}: {sum(row.ready for row in rows)} of {len(rows)} accounts are ready"
    for row in rows:
        step = next((one for one in row.steps if one.state != "done"), None)
        stands = f"{step.state}: {step.step}" if step else "done"
        yield f"  {' '.join(filter(None, (row.account, row.name)))}: {stands if row.ready else f'not ready: {row.why}'}"
    yield from (f"  left out: {account} {why}" for account, why in sorted(left_out.items()))
    if not all(row.ready for row in rows):
        yield f"to read only what is missing: secmigrate resume -w {folder}"


def across_lines(found: Across, undecided: Undecided, decided: Collection[str], file: Path) -> Iterator[str]:
    """What several accounts have in common."""
    for what, names in (("users", found.users), ("roles", found.roles)):
        if names:
            yield f"{what} of the same name in several accounts: {len(names)}"
            yield from _shown(f"{name}: {_listed(accounts)}" for name, accounts in names.items())
    if found.doors:
        yield f"roles that let other accounts in: {len(found.doors)}"
        yield from _shown(f"{door.account} {door.role}: {_listed(door.lets_in)}" for door in found.doors)
    if found.clusters:
        yield f"groups with the same policies in several accounts: {len(found.clusters)}; answers for all: {file}"
        for cluster in found.clusters[: SHOWN * 4]:
            yield from _cluster_lines(cluster, undecided, decided)
        yield from _rest(len(found.clusters) - SHOWN * 4)


def across_document(found: Across, undecided: Undecided, decided: Collection[str]) -> dict[str, Any]:
    """The same for scripts."""
    rows = [
        {
            **structs.asdict(cluster),
            "accounts": cluster.accounts,
            "undecided": {name: open_ for name in cluster.groups if (open_ := _open(cluster, name, undecided))},
            "answered": sorted(set(cluster.groups) & set(decided)),
        }
        for cluster in found.clusters
    ]
    return {"users": found.users, "roles": found.roles, "doors": found.doors, "clusters": rows}


def _cluster_lines(cluster: Cluster, undecided: Undecided, decided: Collection[str]) -> Iterator[str]:
    yield f"  {', '.join(cluster.policies) or 'no policies'}"
    for name, accounts in cluster.groups.items():
        yield f"    {name}: {_listed(accounts)}{' (answered for all)' if name in decided else ''}"
        if open_ := _open(cluster, name, undecided):
            yield f"      no rule places it in: {_listed(open_)}"
        if elsewhere := cluster.differs.get(name):
            yield f"      other policies under that name: {_listed(elsewhere)}; an answer for all is for these too"


def _open(cluster: Cluster, name: str, undecided: Undecided) -> list[str]:
    return sorted(set(cluster.groups[name]) & set(undecided.get(name, ())))


def _listed(accounts: Collection[str]) -> str:
    more = len(accounts) - SHOWN
    return f"{', '.join(list(accounts)[:SHOWN])}{f' and {more} more' if more > 0 else ''}"


def _shown(lines: Iterable[str]) -> Iterator[str]:
    rows = list(lines)
    yield from (f"  {row}" for row in rows[: SHOWN * 2])
    yield from _rest(len(rows) - SHOWN * 2)


def _rest(more: int) -> Iterator[str]:
    if more > 0:
        yield f"  and {more} more (--json lists them)"
