"""The report over many accounts for a pull request: short, in tables; the HTML shows more, the JSON has all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from secmigrate.reports.accounts import SHOWN
from secmigrate.reports.escaping import code, prose
from secmigrate.reports.markdown import MOST, heading, section, table
from secmigrate.reports.overview import (
    ClusterRow,
    DoorRow,
    Ids,
    Overview,
    Standing,
    answered,
    judged,
    sayings,
    settled,
    stages,
    ways_in,
    widest,
)
from secmigrate.reports.words import many

ACCOUNTS = 200  # rows of the table of accounts

T = TypeVar("T")


def accounts_markdown(told: Overview) -> Iterator[bytes]:
    """All lines, as GitHub and others show them."""
    yield ("\n".join(_lines(told)).rstrip() + "\n").encode()


def _lines(told: Overview) -> Iterator[str]:
    yield f"# Migration of {many(len(told.accounts), 'account')} to SEC"
    yield from ("", f"**{prose(judged(told))}**")
    missing = [f"- {_who(told, row.account)}: {prose(row.why)}" for row in told.accounts if not row.ready]
    yield from section(f"Not ready: {many(len(missing), 'account')}", missing)
    left_out = [f"- {code(account)} {prose(why)}" for account, why in told.left_out.items()]
    yield from section(f"Left out: {many(len(left_out), 'account')}", left_out)
    yield from heading("Where they stand")
    yield from table(("accounts", "where"), ((f"{number:,}", prose(at)) for at, number in stages(told)))
    yield ""
    head = ("account", "name", "where", "users", "groups", "roles", "report")
    yield from _first(head, told.accounts, _account, ACCOUNTS)
    yield from _names(told, "users", "The same name need not be the same person.")
    yield from _doors(told)
    yield from _groups(told)
    yield from _names(told, "roles", "")


def _account(row: Standing) -> Sequence[str]:
    counts = (str(row.counts.get(what, "")) for what in ("users", "groups", "roles"))
    links = (f"[{file.rpartition('.')[2]}](../{file})" for file in row.reports if not file.endswith(".json"))
    return code(row.account), prose(row.name), prose(row.at), *counts, " ".join(links)


def _names(told: Overview, what: str, note: str) -> Iterator[str]:
    names = told.users if what == "users" else told.roles
    yield from heading(f"{what.capitalize()} of the same name in several accounts: {len(names):,}")
    if names:
        yield from (note, "") if note else ()
        head = (what[:-1], "accounts", "where")
        yield from _first(head, widest(names), lambda row: (code(row[0]), f"{len(row[1]):,}", _where(told, row[1])))


def _doors(told: Overview) -> Iterator[str]:
    yield from heading(f"Roles that let other accounts in: {len(told.doors):,}")
    if told.doors:
        head = ("role", "lets in", "in which accounts")
        yield from _first(
            head, ways_in(told), lambda row: (code(row[0].role), _let_in(told, row[0]), _where(told, row[1]))
        )


def _let_in(told: Overview, door: DoorRow) -> str:
    found = ["**everybody**"] * door.everybody
    found += [f"{code(one)} **none of these**" for one in door.strangers]
    found += [_who(told, one) for one in door.lets_in if one not in door.strangers]
    return _some(found) + (f" (only with {', '.join(map(code, door.conditions))})" if door.conditions else "")


def _groups(told: Overview) -> Iterator[str]:
    yield from heading(f"Groups with the same policies in several accounts: {len(told.clusters):,}")
    if told.clusters:
        yield from (f"One decision serves all; {settled(told)}.", "")
        head = ("groups, and where", "policies", "decision")
        yield from _first(head, told.clusters, lambda one: _cluster(told, one))


def _cluster(told: Overview, one: ClusterRow) -> Sequence[str]:
    where = (f"{code(name)} {_where(told, ids)}" for name, ids in one.groups.items())
    decided = [line for name in one.groups for line in _decided(told, one, name)]
    decided += [f"not mapped yet: {_where(told, one.not_mapped)}"] * bool(one.not_mapped)
    policies = _some(list(map(code, one.policies))) or "none"
    return "; ".join(where), policies, "; ".join(decided) or "placed by the rules"


def _decided(told: Overview, one: ClusterRow, name: str) -> Iterator[str]:
    whose = f"{code(name)} " if len(one.groups) > 1 else ""
    if answer := one.answers.get(name):
        yield f"{whose}answered for all: {prose(answered(answer))}"
    for said in sayings(one, name):
        words = f"**{prose(said.words)}**" if said.open else prose(said.words)
        yield f"{whose}{words}: {_where(told, tuple(said.accounts))}{f'; {prose(said.after)}' if said.after else ''}"


def _first(
    head: Sequence[str], things: Sequence[T], row: Callable[[T], Sequence[str]], most: int = MOST
) -> Iterator[str]:
    """A table of the first of them; there may be thousands."""
    yield from table(head, map(row, things[:most]))
    if len(things) > most:
        yield from ("", f"and {len(things) - most:,} more, in accounts.json")


def _where(told: Overview, ids: Ids) -> str:
    if len(ids) > SHOWN and not told.beside(ids):
        return f"all {many(len(ids), 'account')} that were read"
    return _some([_who(told, one) for one in ids])


def _some(found: Sequence[str]) -> str:
    more = len(found) - SHOWN
    return f"{', '.join(found[:SHOWN])}{f' and {more:,} more' if more > 0 else ''}"


def _who(told: Overview, account: str) -> str:
    name = told.names.get(account, "") or ("left out" if account in told.left_out else "")
    return f"{code(account)} {prose(name)}" if name else code(account)
