"""The report over many accounts as one HTML file: plain tables, which a script only lets one search.

However many accounts and names there are, the page stays of a size to look at: of long lists the widest come first, and
what is left out is counted. The JSON form has all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from secmigrate.reports.escaping import markup
from secmigrate.reports.html import Page, Section, code, codes, number, table, td, th, whole
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

ROWS = 2_000  # of a list
FIRST = 5  # accounts of a line; more are there to open
NAMED = 20_000  # accounts that are named in one list, at most: of each row, if there are many, fewer
SEARCHED = 8  # rows of a list that needs no search

_MADE_FROM = (
    "Made from what lies in the folders of these accounts; AWS was not asked. The same files give the same report."
)
_NOT_READY = (
    "What was not read is not in the lists below, and no plan is made from it. <code>secmigrate resume</code> reads "
    "only what is missing."
)
_USERS = (
    "The same name need not be the same person: IAM does not say who somebody is. Who comes by single sign-on or by a "
    "role is no user, and is not here."
)
_ROLES = "Roles of AWS’s own services, which have the same names everywhere, are not here."
_DOORS = (
    "Those of one name that let in the same stand together. What trust policies allow; whoever is let in needs a "
    "permission of her own account as well. Conditions are named where every way in asks them; what is denied is not "
    "taken off. Identity providers and AWS’s services are not here."
)
_GROUPS = (
    "The same policies, whatever the groups are called: statement ids, order and the account’s own id make no "
    "difference. An answer in the <code>decisions.yaml</code> of this folder is for every account that gives none of "
    "its own, and goes by the group’s name alone."
)


def accounts_page(told: Overview) -> Iterator[bytes]:
    """The whole file, piece by piece. The same files of the accounts give the same bytes."""
    return whole(
        Page(
            title=f"Migration of {many(len(told.accounts), 'account')} to SEC",
            verdict=markup(judged(told)),
            sections=(
                Section("summary", "Where they stand", "".join(_summary(told))),
                Section("accounts", "Accounts", _accounts(told)),
                Section("same-users", "Users in several accounts", "".join(_names(told, "users", _USERS))),
                Section("doors", "Who lets whom in", "".join(_doors(told))),
                Section("same-groups", "Groups with the same policies", "".join(_groups(told))),
                Section("same-roles", "Roles in several accounts", "".join(_names(told, "roles", _ROLES))),
            ),
            made_from=_MADE_FROM,
            scripts=("accounts.js", "frame.js"),
        )
    )


def _summary(told: Overview) -> Iterator[str]:
    missing = [f"{_who(told, row.account)}: {markup(row.why)}" for row in told.accounts if not row.ready]
    if missing:
        yield f'<div class="warn"><h3>Not ready: {many(len(missing), "account")}</h3>{_long(missing)}'
        yield f"<p>{_NOT_READY}</p></div>"
    if told.left_out:
        lines = [f"{code(account)} {markup(why)}" for account, why in told.left_out.items()]
        yield f'<div class="warn"><h3>Left out: {many(len(lines), "account")}</h3>{_long(lines)}</div>'
    rows = [(number(accounts), th(markup(at))) for at, accounts in stages(told)]
    yield table("Accounts, by the step that comes next", ("=Accounts", "where"), rows, "figures")
    found = {what: sum(row.counts.get(what, 0) for row in told.accounts) for what in ("users", "groups", "roles")}
    counted = ", ".join(many(each, what[:-1]) for what, each in found.items())
    yield f"<p>{counted} in the {many(len(told.read), 'account')} that were read, wholly or in part.</p>"


def _accounts(told: Overview) -> str:
    head = ("Account", "Where", "=Users", "=Groups", "=Roles", "Report")
    return _list_of("Accounts", head, map(_account, told.accounts), len(told.accounts), "an id, a name or a step")


def _account(row: Standing) -> Sequence[str]:
    name = f"<br>{markup(row.name)}" if row.name else ""
    step = row.step
    why = step.why if row.ready and step and step.state != "next" and "secmigrate" in step.why else ""
    at = markup(row.at) if row.ready else f'<strong class="open">{markup(row.at)}</strong>'
    counts = (number(row.counts[what]) if row.counts else td("") for what in ("users", "groups", "roles"))
    file = next((one for one in row.reports if one.endswith(".html")), "")
    words = f'aria-label="Report of {markup(row.account)}"'
    link = f'<a href="../{markup(file)}" {words}>report</a>' if file else ""
    told = f'<td class="find">{at}{f"<br><small>{markup(why)}</small>" if why else ""}</td>'
    return th(code(row.account) + name, "find"), told, *counts, td(link)


def _names(told: Overview, what: str, note: str) -> Iterator[str]:
    names = told.users if what == "users" else told.roles
    if not names:
        yield f"<p>No name of a {what[:-1]} stands in several of the accounts that were read.</p>"
        return
    rows = widest(names)
    plural = "" if len(rows) == 1 else "s"
    yield f"<p>{len(rows):,} name{plural} of {what} in several accounts. {note}</p>"
    where = _Where(told, len(rows))
    shown = ((th(code(name), "find"), number(len(ids)), td(where(ids))) for name, ids in rows[:ROWS])
    head = (what[:-1].capitalize(), "=Accounts", "Where")
    yield _list_of(what.capitalize(), head, shown, min(len(rows), ROWS), "a name")
    yield _rest(len(rows) - ROWS)


def _doors(told: Overview) -> Iterator[str]:
    if not told.doors:
        yield "<p>No role of the accounts that were read lets another account in, by its trust policy.</p>"
        return
    rows = ways_in(told)
    where = _Where(told, len(rows))
    strange = sum(bool(door.everybody or door.strangers) for door in told.doors)
    yield f"<p>{many(len(told.doors), 'role')}, {strange:,} of them for accounts that are none of these. {_DOORS}</p>"
    shown = (
        (th(code(door.role), "find"), _let_in(told, door), number(len(ids)), td(where(ids)))
        for door, ids in rows[:ROWS]
    )
    head = ("Role", "Lets in", "=Accounts", "Which")
    yield _list_of("Roles that let other accounts in", head, shown, min(len(rows), ROWS), "a role, or who is let in")
    yield _rest(len(rows) - ROWS)


def _let_in(told: Overview, door: DoorRow) -> str:
    lines = ['<strong class="open">everybody</strong>'] * door.everybody
    lines += [f'{code(one)} <strong class="open">none of these</strong>' for one in door.strangers]
    lines += [_who(told, one) for one in door.lets_in if one not in door.strangers]
    asked = f"<small>only with {codes(door.conditions)}</small>" if door.conditions else ""
    return f'<td class="plain find">{_long(lines)}{asked}</td>'


def _groups(told: Overview) -> Iterator[str]:
    if not told.clusters:
        yield "<p>No group of the accounts that were read has the policies of a group of another account.</p>"
        return
    where = _Where(told, len(told.clusters))
    yield f"<p>{many(len(told.clusters), 'decision')} to make once for several accounts; {settled(told)}. {_GROUPS}</p>"
    shown = (_cluster(where, one) for one in told.clusters[:ROWS])
    head = ("Groups, and where", "Policies", "Decision")
    hint = "a group or a policy"
    yield _list_of("Groups with the same policies", head, shown, min(len(told.clusters), ROWS), hint)
    yield _rest(len(told.clusters) - ROWS)


def _cluster(where: _Where, one: ClusterRow) -> Sequence[str]:
    names = [f'<span class="find">{code(name)}</span><br>{where(ids)}' for name, ids in one.groups.items()]
    decided = [line for name in one.groups for line in _decided(where, one, name)]
    if one.not_mapped:
        decided.append(f"not mapped yet: {where(one.not_mapped)}")
    lines = _list(decided) if decided else "placed by the rules"
    policies = _list(map(code, one.policies)) if one.policies else "none"
    return (
        th(_list(names), "plain"),
        f'<td class="plain find">{policies}</td>',
        f'<td class="plain">{lines}</td>',
    )


def _decided(where: _Where, one: ClusterRow, name: str) -> Iterator[str]:
    """What is said of one group; by its name, if there are more."""
    whose = f"{code(name)} " if len(one.groups) > 1 else ""
    if answer := one.answers.get(name):
        yield f"{whose}<strong>answered for all</strong>: {markup(answered(answer))}"
    for said in sayings(one, name):
        words = f'<strong class="open">{markup(said.words)}</strong>' if said.open else markup(said.words)
        yield f"{whose}{words}: {where(tuple(said.accounts))}{f'; {markup(said.after)}' if said.after else ''}"


class _Where:
    """Accounts in short, in a list of so many rows: all, all but a few, or the first, with others to be opened."""

    def __init__(self, told: Overview, rows: int) -> None:
        self.told = told
        self.most = max(FIRST, NAMED // max(1, min(rows, ROWS)))

    def __call__(self, ids: Ids) -> str:
        if len(ids) <= FIRST:
            return self._named(ids)
        others = self.told.beside(ids)
        if not others:
            return f"all {many(len(ids), 'account')} that were read"
        if len(others) <= FIRST:
            return f"all that were read but {self._named(others)}"
        more = self._named(ids[FIRST : self.most])
        left = len(ids) - self.most
        rest = f"and {left:,} more, in the JSON form" if left > 0 else ""
        if not more:
            return f"{self._named(ids[:FIRST])} {rest}"
        opened = f"<summary>and {len(ids) - FIRST:,} more</summary>{more} {rest}"
        return f'{self._named(ids[:FIRST])}<details class="rest">{opened}</details>'

    def _named(self, ids: Ids) -> str:
        return ", ".join(_who(self.told, one) for one in ids)


def _who(told: Overview, account: str) -> str:
    name = told.names.get(account, "") or ("left out" if account in told.left_out else "")
    return f"{code(account)} {markup(name)}" if name else code(account)


def _long(lines: Sequence[str]) -> str:
    """A list of which, if it is long, the rest is to be opened."""
    if len(lines) <= FIRST * 2 + 1:
        return _list(lines)
    shown, rest = _list(lines[: FIRST * 2]), _list(lines[FIRST * 2 :])
    more = f"<summary>and {len(lines) - FIRST * 2:,} more</summary>"
    return f'{shown}<details class="rest">{more}{rest}</details>'


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"


def _list_of(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], how_many: int, hint: str) -> str:
    """A table above which the script puts a search, if it is long."""
    searched = f' data-hint="{hint}"' if how_many > SEARCHED else ""
    return f'<div class="list"{searched}>{table(caption, head, rows)}</div>'


def _rest(more: int) -> str:
    lists = "<code>secmigrate report --format json</code> lists them all"
    return (
        f'<p class="note">{more:,} more are not shown here; those in most accounts come first. {lists}.</p>'
        if more > 0
        else ""
    )
