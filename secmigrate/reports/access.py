"""Who loses and who gains what, for people: the summary first, then the details, then the roles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from secmigrate.access import Change, Comparison, Row
from secmigrate.access.telling import Teller, alike, trustees
from secmigrate.reports.statements import Above, blocks
from secmigrate.reports.wrapping import GLUE, INDENT, labelled, listed, wrapped

SHOWN = 40  # different changes in the summary, and of roles; the JSON has them all
TOGETHER = 500  # roles that are compared before what was worked out on the way is forgotten
DETAILED = 20  # different changes with their statements

OUTSIDE = (
    "Outside of this comparison, for no inventory has them: resource policies (of buckets, keys, queues, …), which may "
    "allow or deny more; service control policies of the organization; and session policies. Which resources an action "
    "takes is what AWS's documentation said on the catalogue's date."
)
FIGURES = "Figures are actions by access level; one counts also if only some of its resources are concerned."


class Access(Struct, frozen=True):
    """What a comparison found, ready to be told."""

    teller: Teller
    compared: int  # users
    users: tuple[Change, ...]  # those who change, by name; a user who was asked for stands here in any case
    roles: tuple[Change, ...]  # those that change; for one user, those she may assume before or afterwards
    user: str = ""  # who was asked for; empty: everybody

    @property
    def changed(self) -> tuple[Change, ...]:
        """The users whose access changes, or may."""
        return tuple(one for one in self.users if one)

    @property
    def identical(self) -> int:
        """How many users keep exactly what they have."""
        return self.compared - len(self.changed)

    @property
    def pending(self) -> bool:
        """Whether anybody's access changes, or may."""
        return bool(self.changed or self.roles)


def compared(comparison: Comparison, user: str = "") -> Access:
    """Everybody's access before and after, or one user's with the roles she may assume. Raises KeyError if she is not
    there before and after.
    """
    teller = Teller(comparison)
    if user:
        one, roles = comparison.user(user), tuple(comparison.roles(comparison.assumable(user)))
        return Access(teller, 1, (one,), roles, user)
    total, changed = 0, []
    for change in comparison.users():
        total += 1
        if change:
            changed.append(change)
    comparison.forget()
    return Access(teller, total, tuple(changed), tuple(_changed_roles(comparison)))


def _changed_roles(comparison: Comparison) -> Iterator[Change]:
    """By name. Two roles have hardly a policy in common: of those before nothing needs to be known any more."""
    names = sorted(comparison.before.roles)
    for start in range(0, len(names), TOGETHER):
        yield from comparison.roles(names[start : start + TOGETHER])
        comparison.forget()


def access_lines(found: Access, *, details: bool = True) -> Iterator[str]:
    """All of it, wrapped to 80 columns. Without `details` the summary alone."""
    yield from _totals(found)
    same = alike(found.changed)
    for number, (change, ones) in enumerate(same[:SHOWN], 1):
        yield ""
        yield from wrapped(f"{number:2}. {_whom(ones)}", rest="    ")
        yield from _in_short(found, change)
    yield from _rest(len(same) - SHOWN, "different changes", "with --json all")
    if details:
        yield from _details(found, same)
        yield from _roles(found)
    yield ""
    yield from wrapped(OUTSIDE)


def _totals(found: Access) -> Iterator[str]:
    catalogue, changed = found.teller.comparison.catalogue, found.changed
    if found.user:
        before, after = (
            moment.users[found.user].groups
            for moment in (found.teller.comparison.before, found.teller.comparison.after)
        )
        yield f"{f'The access of {found.user} changes' if changed else f'{found.user} keeps exactly what she has'}."
        if before != after:
            yield from labelled("from", ", ".join(before) or "no group")
            yield from labelled("to", ", ".join(after) or "no group")
    else:
        ways, keep = len(alike(changed)), "keeps" if found.identical == 1 else "keep"
        how = f", {len(changed)} change{'s' * (len(changed) == 1)} in {_many(ways, 'different way')}" if changed else ""
        yield f"{_many(found.compared, 'user')}: {found.identical} {keep} exactly what they have{how}."
        for word, those in _kinds(found):
            if number := sum(map(bool, those)):
                yield f"  {number:5}  {word}"
        if found.roles:
            all_roles = len(found.teller.comparison.before.roles)
            yield f"{len(found.roles)} of {_many(all_roles, 'role')} change{'s' * (len(found.roles) == 1)}."
    yield from wrapped(f"Actions: AWS's on {catalogue.date} ({catalogue.source}). {FIGURES}")


def _kinds(found: Access) -> Iterator[tuple[str, Iterable[object]]]:
    changed = found.changed
    yield "lose actions", (one.lost for one in changed)
    yield "gain actions that raise privilege", (found.teller.raising(one.gained) for one in changed)
    yield "gain actions", (one.gained for one in changed)
    yield "may lose or gain actions, of which nobody can be sure", (one.may_lose or one.may_gain for one in changed)
    yield "may not assume a role any more", (one.roles.lost for one in changed)
    yield "may assume a role that they could not", (one.roles.gained for one in changed)
    yield "may assume a role under other conditions", (one.roles.unsure for one in changed)
    yield "may assume a role in more cases, or perhaps a new one", (one.roles.wider for one in changed)
    yield "have a policy that cannot be read", (one.unread for one in changed)


def _in_short(found: Access, change: Change) -> Iterator[str]:
    """A change by service and access level."""
    teller = found.teller
    most = 0 if found.user else 1
    yield from labelled("lose", _counts(teller, change.lost, most * 6))
    raising = teller.raising(change.gained)
    yield from labelled("gain", f"RAISES PRIVILEGE: {listed(raising, most * 8)}" if raising else "")
    yield from labelled("" if raising else "gain", "in all " * bool(raising) + _counts(teller, change.gained, most * 4))
    yield from labelled("unsure", f"may lose {_counts(teller, change.may_lose, most * 8)}" if change.may_lose else "")
    label = "" if change.may_lose else "unsure"
    yield from labelled(label, f"may gain {_counts(teller, change.may_gain, most * 8)}" if change.may_gain else "")
    label = "roles"
    for word, names in (
        ("may not assume any more", change.roles.lost),
        ("may assume now", change.roles.gained),
        ("unsure, the conditions differ", change.roles.unsure),
        ("in more cases, or perhaps now", change.roles.wider),
    ):
        if names:
            yield from labelled(label, f"{word}: {listed(names, most * 8)}")
            label = ""
    for one in change.unread[: most * 3 or None]:
        yield from labelled("unsure", f"cannot be read: {one}")
    yield from _rest(len(change.unread) - 3 if most else 0, "that cannot be read", "", INDENT)


def _details(found: Access, same: Sequence[tuple[Change, tuple[Change, ...]]]) -> Iterator[str]:
    shown = [(n, ones) for n, (change, ones) in enumerate(same, 1) if any(_parts(found, change))]
    if not shown:
        return
    yield ""
    yield "DETAILS"
    numbers: dict[tuple[object, ...], int] = {}
    for number, ones in shown[:DETAILED]:
        above = Above(numbers, number, whole=bool(found.user))
        yield ""
        yield from wrapped(f"{number:2}. {_whom(ones)}", rest="    ")
        for heading, rows, gained in _parts(found, ones[0]):
            left = yield from blocks(found.teller, heading, (ones, rows), above, gained=gained)
            yield from _rest(left, "statements", f"secmigrate access --user {ones[0].name} shows all", "    ")
    yield from _rest(len(shown) - DETAILED, "different changes", "secmigrate access --user NAME shows one")


def _parts(found: Access, change: Change) -> Iterator[tuple[str, tuple[Row, ...], bool]]:
    """What is told statement by statement: of everybody's gains only what raises privilege."""
    yield from (one for one in (("lost", change.lost, False), ("may be lost", change.may_lose, False)) if one[1])
    for word, rows in (("gained", change.gained), ("may be gained", change.may_gain)):
        if found.user and rows:
            yield word, rows, True
        elif found.teller.raising(rows):
            yield f"{word}, RAISES PRIVILEGE", rows, True


def _roles(found: Access) -> Iterator[str]:
    if not found.roles:
        return
    yield ""
    yield f"ROLES THAT {found.user} MAY ASSUME" if found.user else "ROLES"
    same = alike(found.roles)
    for change, ones in same[:SHOWN]:
        yield ""
        names = [f"{one.name} -> {one.becomes or 'nothing'}" if one.becomes != one.name else one.name for one in ones]
        yield from wrapped(f"  {listed(names, 4)}", rest="    ")
        yield from _in_short(found, change)
        before, after = found.teller.comparison.before, found.teller.comparison.after
        gone = trustees(change.trust_lost, before, gained=False)
        come = trustees(change.trust_gained, after, gained=True)
        yield from labelled("trust", f"may not assume it any more: {listed(gone, 6, '; ')}" if gone else "")
        yield from labelled("" if gone else "trust", f"may assume it now: {listed(come, 6, '; ')}" if come else "")
    yield from _rest(len(same) - SHOWN, "different changes of roles", "with --json all")


def _counts(teller: Teller, rows: Iterable[Row], most: int) -> str:
    counted = teller.counted(rows)
    parts = [
        f"{service}{GLUE}{', '.join(f'{n}{GLUE}{level.casefold()}' for level, n in levels.items())}"
        for service, levels in counted.items()
    ]
    if not most or len(parts) <= most + 1:
        return "; ".join(parts)
    left = sum(sum(levels.values()) for levels in list(counted.values())[most:])
    return f"{'; '.join(parts[:most])}; and {left}{GLUE}actions of {len(parts) - most} more services"


def _whom(ones: Sequence[Change]) -> str:
    names = [one.name for one in ones]
    return listed(names, 3) + (f" ({len(names)}{GLUE}users)" if len(names) > 1 else "")


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _rest(number: int, what: str, where: str, indent: str = "") -> Iterator[str]:
    if number > 0:
        yield from wrapped(f"{indent}and {number} more {what}{f'; {where}' if where else ''}", rest=indent)
