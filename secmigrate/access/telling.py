"""A comparison in a form that can be told: who says so, what raises privilege, and how much by service and level."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, structs

from secmigrate.access.actions import AccessLevel, Action
from secmigrate.access.assuming import Trusted
from secmigrate.access.comparing import Row
from secmigrate.access.people import Change, Comparison
from secmigrate.access.voices import Voice, Voices, few
from secmigrate.iam import Snapshot

POWER: tuple[AccessLevel, ...] = ("Permissions", "Write", "Tagging", "Read", "List")
May = Literal["lose", "gain"]
Parts = tuple[tuple[Row, str], ...]
Levels = dict[AccessLevel, int]


class Told(Struct, frozen=True):
    """One action that is lost or gained, or may be."""

    action: str
    level: AccessLevel
    resource: str  # the pattern of the statement that allows it
    example: str  # a concrete ARN that shows it; empty if none could be worked out
    why: str
    condition: str = ""  # under which the statement allows it
    context: dict[str, str | None] = {}  # condition keys with which the example shows it; None: a key that is absent
    raises: bool | UnsetType = UNSET  # of a gain: whether it raises privilege
    may: May | UnsetType = UNSET  # of what is unsure: whether it may be lost or gained

    @property
    def order(self) -> tuple[object, ...]:
        """What raises privilege comes first, then it goes by name."""
        rest = (self.resource, self.condition, self.example, self.why)
        return (self.raises is not True, self.action.casefold(), self.may or "", *rest)


class Teller:
    """Tells the rows of changes; what many people share is worked out once."""

    def __init__(self, comparison: Comparison) -> None:
        self.comparison = comparison
        self._voices = tuple(Voices(one, comparison.sides) for one in (comparison.before, comparison.after))
        self._parts: dict[tuple[object, ...], Parts] = {}
        self._whys: dict[str, str] = {}  # one object for equal ones, which are long
        catalogue = comparison.catalogue
        self._raising = catalogue.bits_where(raises_privilege)
        self._levels = {level: catalogue.of_level(level) for level in POWER}
        self._counts: dict[tuple[tuple[AccessLevel, int], ...], Levels] = {}  # one object for equal ones

    def forget(self) -> None:
        """Lets go of the parts that were worked out; what is asked again is worked out again."""
        self._parts.clear()

    def parts(self, change: Change, row: Row, *, gained: bool) -> Parts:
        """The row in parts, each with its reason: who allows it on the side that does, and what the other side has to
        say. `gained`: the side that does is the one afterwards.
        """
        old, new = self._voices[0].of(change.kind, change.name), self._voices[1].of(change.kind, change.becomes)
        key = (row, gained, old.key, new.key)
        found = self._parts.get(key)
        if found is None:
            here, there = (new, old) if gained else (old, new)
            cells = there.cells(row.because, here.cells((row.extent,), (row.actions,)))
            ones = (structs.replace(row, actions=cell) for cell in cells)
            told = ((one, _why(here, there, one, gained=gained)) for one in ones)
            found = self._parts[key] = tuple((one, self._whys.setdefault(why, why)) for one, why in told)
        return found

    def told(self, row: Row, why: str, *, gained: bool) -> list[Told]:
        """A part of a row with its reason, an entry for each of its actions."""
        may: May | UnsetType = UNSET if row.certain else "gain" if gained else "lose"
        condition, context = row.extent.tests, dict(row.context)
        return [
            Told(
                action=action.name,
                level=action.level,
                resource=str(row.extent.region),
                example=row.example,
                why=why,
                condition=condition,
                context=context,
                raises=raises_privilege(action) if gained else UNSET,
                may=may,
            )
            for action in self.comparison.catalogue.named(row.actions)
        ]

    def counted(self, rows: Iterable[Row]) -> dict[str, Levels]:
        """How many actions by service and access level: the most powerful levels first, and what has most of them."""
        catalogue, actions = self.comparison.catalogue, _all(rows)
        counts: dict[str, Levels] = {}
        for level in POWER:
            for service, bits in catalogue.by_service(actions & self._levels[level]):
                counts.setdefault(catalogue.prefix(service), {})[level] = bits.bit_count()

        def weight(service: str) -> tuple[object, ...]:
            return (*(-counts[service].get(level, 0) for level in POWER), service)

        return {service: self._counted(counts[service]) for service in sorted(counts, key=weight)}

    def _counted(self, levels: Levels) -> Levels:
        return self._counts.setdefault(tuple(levels.items()), levels)

    def raising(self, rows: Iterable[Row]) -> list[str]:
        """The names of the gained actions that raise privilege."""
        return [one.name for one in self.comparison.catalogue.named(self.raised(_all(rows)))]

    def raised(self, actions: int) -> int:
        """Those of the actions that raise the privilege of who gains them."""
        return actions & self._raising


def raises_privilege(action: Action) -> bool:
    """Whether who may do this can give herself or others more: writes to IAM, passing and assuming roles, and every
    edit of permissions, such as a bucket policy's.
    """
    service, _, verb = action.name.casefold().partition(":")
    if service == "iam":
        return action.level in ("Write", "Tagging", "Permissions")
    return action.level == "Permissions" or (service == "sts" and verb.startswith("assume"))


def unreadable(change: Change) -> list[Told]:
    """What cannot be read, in the form of something that may be lost: nobody can tell that it is not."""
    return [Told("*", "Permissions", "*", "", f"cannot be read: {one}", may="lose") for one in change.unread]


def alike(changes: Iterable[Change]) -> list[tuple[Change, tuple[Change, ...]]]:
    """Each different change once, with those of all to whom it happens: what takes something first, then what happens
    to the most, then by name.
    """
    found: dict[int, list[list[Change]]] = {}  # by the hash of what is told, which is too large to keep for all
    for change in changes:
        told = change.told
        near = found.setdefault(hash(told), [])
        ones = next((ones for ones in near if ones[0].told == told), None)
        if ones is None:
            near.append([change])
        else:
            ones.append(change)
    same = [tuple(sorted(ones, key=lambda one: one.name)) for near in found.values() for ones in near]
    same.sort(key=lambda ones: (not (ones[0].takes or ones[0].unread), -len(ones), ones[0].name))
    return [(ones[0], ones) for ones in same]


def trustees(ones: Iterable[Trusted], snapshot: Snapshot, *, gained: bool) -> list[str]:
    """Who may not assume a role any more, or may now, in words; sorted."""
    return sorted({_trustee(one, snapshot, gained=gained) for one in ones})


def _trustee(one: Trusted, snapshot: Snapshot, *, gained: bool) -> str:
    kind, name = one.principal
    here = f"arn:{snapshot.partition}:iam::{snapshot.account}:"
    match kind, name:
        case "AWS", "*":
            who = "everybody, in any account"
        case "AWS", _ if name in (snapshot.account, f"{here}root"):
            who = "this account (whoever's own policies allow it)"
        case "AWS", _ if name.startswith((f"{here}user/", f"{here}role/")):
            # An assumed role's session, or somebody of another account, has no shorter name than the ARN.
            what, _, path = name.removeprefix(here).partition("/")
            who = f"{what} {path.rpartition('/')[2]}"
        case "AWS", _ if name.endswith(":root"):
            who = f"account {name.split(':')[4]}"
        case "AWS", _:
            who = name
        case "Service", _:
            who = f"service {name}"
        case _:
            who = f"{kind} {name}"
    tests = " and ".join(str(test) for test in sorted(one.condition))
    said = f"{'everybody but ' if one.all_but else ''}{who}{f' if {tests}' if tests else ''}"
    said += "" if one.assumes else f", with {one.calls[0]}"
    return said if one.allows else f"{said} ({'no longer denied' if gained else 'denied now'})"


def _why(here: Voice, there: Voice, row: Row, *, gained: bool) -> str:
    now, then = ("now", "before") if gained else ("before", "now")
    by = here.places(row.extent, row.actions, "Allow")
    return "; ".join([f"allowed {now} by {few(by)}", *sorted(f"{then} {line}" for line in there.about(row))])


def _all(rows: Iterable[Row]) -> int:
    bits = 0
    for row in rows:
        bits |= row.actions
    return bits
