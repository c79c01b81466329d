"""Out of use before it is deleted: a role that may do nothing, a group under another name. Back by one call.

The day lies in the account itself, in the name of the policy's statement or of the group, so it is known wherever the
next plan is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from secmigrate.dangers import INLINE_SIZE
from secmigrate.iam import Document, Group, Role, Snapshot
from secmigrate.operations import DeleteGroup, DeleteRole, Operation, QuarantineRole, RenameGroup
from secmigrate.plan.fold import Kept
from secmigrate.plan.moves import Move

POLICY = "secmigrate-quarantine"
_SID = re.compile(r"SecmigrateQuarantine(\d{4})(\d\d)(\d\d)")
_NAME = re.compile(r"secmigrate-quarantine-(\d{4})(\d\d)(\d\d)-(.+)")
_LONGEST_NAME = 128  # of a group (iam-rules, "Quotas")

Thing = Group | Role


class Quarantine(Struct, frozen=True):
    """Which kinds of things are put in quarantine, what day it is, and the day on which those that may go by now must
    have entered at the latest (ISO dates).
    """

    kinds: frozenset[str]
    today: str
    due: str


class Parted(Struct, frozen=True):
    """What may go now, what enters quarantine, and what stays, with the reason."""

    due: tuple[Thing, ...]
    entering: tuple[Thing, ...]
    kept: tuple[Kept, ...]


def entered(thing: Thing) -> str:
    """The day on which it was put in quarantine, as an ISO date; empty if it is not in quarantine."""
    if isinstance(thing, Group):
        return _day(thing.name)
    policy = thing.inline.get(POLICY)
    return _day_in(policy) if policy else ""


def begins(operation: Operation) -> str:
    """The day on which rest in quarantine begins by it, as an ISO date; empty if none does."""
    match operation:
        case QuarantineRole(document=document):
            return _day_in(document)
        case RenameGroup(to=name):
            return _day(name)
    return ""


def _day(name: str) -> str:
    found = _NAME.fullmatch(name)
    return "-".join(found.groups()[:3]) if found else ""


def _day_in(document: Document) -> str:
    sids = (str(statement.get("Sid", "")) for statement in document.statements)
    found = next((match for sid in sids if (match := _SID.fullmatch(sid))), None)
    return "-".join(found.groups()) if found else ""


def parted(things: Sequence[Thing], quarantine: Quarantine | None) -> Parted:
    """Things that may go, by whether they have been in quarantine long enough; without one all go at once."""
    due: list[Thing] = []
    entering: list[Thing] = []
    kept: list[Kept] = []
    for one in things:
        since = entered(one)
        if quarantine is None or one.kind not in quarantine.kinds:
            due.append(one)
        elif not since:
            why = _no_room(one, quarantine)
            if why:
                kept.append(Kept(one.kind, one.name, why))
            else:
                entering.append(one)
        elif since > quarantine.due:
            kept.append(Kept(one.kind, one.name, f"in quarantine since {since}"))
        else:
            due.append(one)
    return Parted(tuple(due), tuple(entering), tuple(kept))


def entry(thing: Thing, today: str) -> QuarantineRole | RenameGroup:
    """The operation that puts it in quarantine."""
    day = today.replace("-", "")
    if isinstance(thing, Group):
        return RenameGroup(group=thing.name, to=f"{POLICY}-{day}-{thing.name}")
    statement = {"Sid": f"SecmigrateQuarantine{day}", "Effect": "Deny", "Action": "*", "Resource": "*"}
    document = Document({"Version": "2012-10-17", "Statement": [statement]})
    return QuarantineRole(principal="role", name=thing.name, policy=POLICY, document=document)


def as_named_now(moves: Iterable[Move], live: Snapshot) -> tuple[Move, ...]:
    """The moves of groups that are in quarantine under the name that they have there."""
    names = {found[4]: name for name in sorted(live.groups) if (found := _NAME.fullmatch(name))}
    return tuple(
        structs.replace(move, old=names[move.old])
        if move.kind == "group" and move.old not in live.groups and move.old in names
        else move
        for move in moves
    )


def resting(effects: Iterable[Operation]) -> list[str]:
    """What these operations put in quarantine and did not delete since, sorted."""
    found: set[str] = set()
    for operation in effects:
        match operation:
            case QuarantineRole(name=name):
                found.add(f"role {name}")
            case DeleteRole(role=role):
                found.discard(f"role {role.name}")
            case RenameGroup(group=old, to=new):
                found.discard(f"group {old}")
                if _NAME.fullmatch(new):
                    found.add(f"group {new}")
            case DeleteGroup(group=group):
                found.discard(f"group {group.name}")
    return sorted(found)


def _no_room(thing: Thing, quarantine: Quarantine) -> str:
    operation = entry(thing, quarantine.today)
    if isinstance(operation, RenameGroup):
        return "its name has no room for that of the quarantine" if len(operation.to) > _LONGEST_NAME else ""
    size = operation.document.size + sum(document.size for document in thing.inline.values())
    return "its inline policies leave no room for that of the quarantine" if size > INLINE_SIZE["role"] else ""
