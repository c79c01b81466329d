"""A comparison in a form that can be told: who says so, what raises privilege, and how much by service and level."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec import Struct

from secmigrate.access.actions import AccessLevel, Action
from secmigrate.access.comparing import Row
from secmigrate.access.effective import Side
from secmigrate.access.people import Change, Comparison
from secmigrate.iam import Snapshot

POWER: tuple[AccessLevel, ...] = ("List", "Read", "Tagging", "Write", "Permissions")


class Told(Struct, frozen=True, order=True):
    """One action that is lost or gained, or may be."""

    action: str
    resource: str  # the pattern of the statement that allows it
    example: str  # a concrete ARN that shows it; empty if none could be worked out
    why: str
    condition: str = ""  # under which the statement allows it
    context: dict[str, str | None] = {}  # condition keys with which the example shows it
    raises: bool = False  # a gain that raises privilege


def raises_privilege(action: Action) -> bool:
    """Whether who may do this can give herself or others more: writes to IAM, passing and assuming roles, and every
    edit of permissions, such as a bucket policy's.
    """
    service, _, verb = action.name.casefold().partition(":")
    if service == "iam":
        return action.level in ("Write", "Tagging", "Permissions")
    return action.level == "Permissions" or (service == "sts" and verb.startswith("assume"))


def told(comparison: Comparison, change: Change, rows: Sequence[Row], *, gained: bool) -> list[Told]:
    """The rows of a change, an entry for each action and statement; what raises privilege first, then by name.

    `gained` says which side allows what the rows say: the one before, or the one afterwards.
    """
    snapshots = (comparison.before, change.name), (comparison.after, change.becomes)
    old, new = (_side(comparison, snapshot, change, name) for snapshot, name in snapshots)
    here, there = (new, old) if gained else (old, new)
    found = []
    for row in rows:
        why = _why(comparison, row, here, there, gained=gained)
        found += [
            Told(
                action=action.name,
                resource=str(row.extent.region),
                example=row.example,
                why=why,
                condition=row.extent.tests,
                context=dict(row.context),
                raises=gained and raises_privilege(action),
            )
            for action in comparison.catalogue.named(row.actions)
        ]
    return sorted(found, key=lambda one: (not one.raises, one.action, one.resource, one.condition))


def unreadable(change: Change) -> list[Told]:
    """What cannot be read, in the form of something that may be lost or gained."""
    return [Told("*", "*", "", f"cannot be read: {one}") for one in change.unread]


def counted(comparison: Comparison, rows: Iterable[Row]) -> dict[str, dict[AccessLevel, int]]:
    """How many actions by service and access level, services by name, levels from the most powerful down."""
    bits = 0
    for row in rows:
        bits |= row.actions
    counts = Counter(
        (action.name.partition(":")[0].casefold(), action.level) for action in comparison.catalogue.named(bits)
    )
    services = sorted({service for service, _ in counts})
    return {
        service: {level: counts[service, level] for level in reversed(POWER) if counts[service, level]}
        for service in services
    }


def raising(comparison: Comparison, rows: Iterable[Row]) -> list[str]:
    """The names of the gained actions that raise privilege."""
    bits = 0
    for row in rows:
        bits |= row.actions
    return [action.name for action in comparison.catalogue.named(bits) if raises_privilege(action)]


def alike(changes: Iterable[Change]) -> list[tuple[Change, tuple[str, ...]]]:
    """Each different change once, with the names of all to whom it happens; the most people first."""
    found: dict[tuple[object, ...], list[Change]] = {}
    for change in changes:
        found.setdefault(change.told, []).append(change)
    same = [(ones[0], tuple(one.name for one in ones)) for ones in found.values()]
    return sorted(same, key=lambda one: (-len(one[1]), one[1]))


def _side(comparison: Comparison, snapshot: Snapshot, change: Change, name: str) -> Side:
    one = snapshot.principal(change.kind, name) if name else None
    return comparison.nothing if one is None else comparison.sides.of(snapshot, one)


def _why(comparison: Comparison, row: Row, here: Side, there: Side, *, gained: bool) -> str:
    """Who allows it on the side that does, and what the other side has to say."""
    places = comparison.sides.places(here, row.extent, row.actions, "Allow")
    now, before = ("now", "before") if gained else ("before", "now")
    lines = [f"allowed {now} by {_few(places)}" + (f" if {row.extent.tests}" if row.extent.condition else "")]
    for extent in row.because:
        if found := comparison.sides.places(there, extent, row.actions, "Deny"):
            lines.append(f"{before} denied on {extent} by {_few(found)}")
        elif found := comparison.sides.places(there, extent, row.actions, "Allow"):
            lines.append(f"{before} allowed on {extent} by {_few(found)}")
    return "; ".join(lines)


def _few(places: Sequence[str], most: int = 3) -> str:
    shown = " and ".join(places[:most])
    return f"{shown} and {len(places) - most} more" if len(places) > most else shown
