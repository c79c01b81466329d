"""The open questions of part 2: what the rules cannot decide, one by one, answered into decisions.yaml."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import structs

from secmigrate import documents
from secmigrate.cli import account
from secmigrate.errors import BadInput
from secmigrate.iam import Snapshot
from secmigrate.mapping import Ambiguous, Decision, Decisions, GroupAnswer, Reading, RoleAnswer, Unmapped
from secmigrate.wizard.desk import Desk, many, some

Answer = GroupAnswer | RoleAnswer

_KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def open_questions(desk: Desk) -> bool:
    """Asks about each group and role that has no place yet; gives whether one was answered."""
    snapshot = account.inventory(desk.space)  # read once: somebody may read the account anew meanwhile
    undecided = [one for one in account.decided_last(desk.space, snapshot) if isinstance(one, Ambiguous | Unmapped)]
    if not undecided:
        return False
    desk.say(
        "",
        f"{many(len(undecided), 'thing')} the rules could not place: {some([one.name for one in undecided])}. "
        "What has no place stays as it is, with its members, and is never taken away.",
        f"Your answers go into {desk.space.decisions}, which you may also write by hand.",
    )
    if not desk.ask.choose("Decide about them now?", [(True, "Now, one by one"), (False, "Later: they stay")]):
        return False
    answered = False
    for number, one in enumerate(undecided, 1):
        desk.say("", f"{number} of {len(undecided)}: {one.kind} {one.name}")
        answered = _ask(desk, one, snapshot) or answered
    return answered


def _ask(desk: Desk, one: Ambiguous | Unmapped, snapshot: Snapshot) -> bool:
    """One thing, with what is known of it; again if the answer cannot be carried out."""
    _evidence(desk, one, snapshot)
    readings = {
        (reading.target, reading.section): reading
        for reading in (*(one.readings if isinstance(one, Ambiguous) else ()), *one.nearly)
        if reading.target
    }
    while True:
        become = [(reading, f"It becomes {reading.target}") for reading in readings.values()]
        other = "It becomes another of SEC's groups" if one.kind == "group" else "It becomes a role of another key"
        choices: list[tuple[Reading | str, str]] = [
            ("later", "Decide later"),
            *become,
            ("other", other),
            ("leave", "Leave it as it is, for good"),
        ]
        chosen = desk.ask.choose(f"What becomes of {one.name}?", choices)
        if chosen == "later":
            return False
        if _answered(desk, one, _answer(desk, one, chosen)):
            return True


def _evidence(desk: Desk, one: Ambiguous | Unmapped, snapshot: Snapshot) -> None:
    """Why the rules could not tell, who is concerned, and what nearly matched."""
    desk.say(*(f"  {reason}" for reason in one.reasons))
    if one.kind == "group":
        members = snapshot.members[one.name]
        desk.say(f"  members: {some(members) or 'none'}")
    else:
        seen = snapshot.roles[one.name].seen
        desk.say(f"  last used: {seen.last_used[:10] or 'not in the last 400 days, as far as AWS tells'}")
    desk.say(*(f"  nearly {reading.told()}" for reading in one.nearly[:3]))


def _answer(desk: Desk, one: Decision, chosen: Reading | str) -> Answer:
    kind = GroupAnswer if one.kind == "group" else RoleAnswer
    if isinstance(chosen, Reading):
        if one.kind == "group":
            return GroupAnswer(become=chosen.target)
        return RoleAnswer(become=chosen.target, section="" if chosen.section == "iam_groups" else chosen.section)
    if chosen == "leave":
        return kind(leave=desk.ask.text("Why does it stay?", check=_said))
    if one.kind == "group":
        keys = account.catalogue(desk.space).group_keys
        return GroupAnswer(become=desk.ask.choose("Which one?", [(key, key) for key in keys]))
    return RoleAnswer(become=desk.ask.text("Its key:", check=_key))


def _answered(desk: Desk, one: Decision, answer: Answer) -> bool:
    """Writes the answer down; whether it can be carried out."""
    before = documents.read_decisions(desk.space.decisions)
    part = "groups" if one.kind == "group" else "roles"
    _write(desk, structs.replace(before, **{part: {**getattr(before, part), one.name: answer}}))
    try:
        account.decided_last(desk.space)
    except BadInput as error:
        _write(desk, before)
        desk.say("That cannot be:", *str(error).split("\n"))
        return False
    said = f"becomes {answer.become}" if answer.become else f"stays: {answer.leave}"
    desk.say(f"Written down: {one.kind} {one.name} {said}")
    return True


def project_names(desk: Desk, unreached: Sequence[dict[str, Any]]) -> bool:
    """Asks which of the names that the levels do not reach are the project's; gives whether some are."""
    if not unreached:
        return False
    names = sorted({f"{one['service']} {one['name']}" for one in unreached})
    desk.say(
        "",
        "SEC's levels reach what is named for the project. Today's policies name these otherwise, so that who needs "
        "them would lose them:",
        *(f"  {name}" for name in names[:20]),
        *([f"  and {len(names) - 20} more"] if len(names) > 20 else []),
        "If you know that the deployed policies will reach them too, say how they begin. SEC has no known place to "
        "say so (our mark: U, unknown), so when in doubt say nothing.",
    )
    said = desk.ask.text("Beginnings of names, such as acme-* (Enter: none):", check=_patterns)
    if not said:
        return False
    before = documents.read_decisions(desk.space.decisions)
    patterns = tuple(dict.fromkeys((*before.patterns, *said.split())))
    _write(desk, structs.replace(before, patterns=patterns))
    return patterns != before.patterns


def _write(desk: Desk, wanted: Decisions) -> None:
    with desk.space.locked():
        documents.write_decisions(desk.space.decisions, wanted)


def _patterns(text: str) -> str:
    try:
        Decisions(patterns=tuple(text.split())).check(documents.catalogue())
    except BadInput as error:
        return f"{error.message}: it has to be {error.hint}"
    return ""


def _said(text: str) -> str:
    return "" if text else "Say it in a few words: it is kept with the answer."


def _key(text: str) -> str:
    return "" if _KEY.fullmatch(text) else "A key has small letters and digits, with _ between words."
