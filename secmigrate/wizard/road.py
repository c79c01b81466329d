"""The parts of the road, in order, and how one comes back to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from secmigrate import documents
from secmigrate.errors import SecmigrateError
from secmigrate.progress import steps
from secmigrate.wizard import changing, deciding, losing, reading
from secmigrate.wizard.desk import Desk, Leave


class Part(NamedTuple):
    """A stretch of the road: in a person's words, and the guide's steps that it stands for."""

    what: str
    guide: str
    go: Callable[[Desk], None]


PARTS = (
    Part("read the account", "steps 1 and 4", reading.read),
    Part("decide what becomes what", "steps 2 and 3", deciding.decide),
    Part("check the config", "step 5", losing.check),
    Part("see who loses and who gains", "step 6", losing.compare),
    Part("deploy", "steps 7 and 8", changing.deploy),
    Part("move people into their new groups", "step 9", changing.move),
    Part("take the old ones away", "step 10", changing.retire),
)
READ, DECIDE, CHECK, RETIRE = 0, 1, 2, 6
END = len(PARTS)


def walk(desk: Desk) -> int:
    """Goes the road until it ends or the person leaves; gives the exit code: 0 at the end, 3 before."""
    desk.say("secmigrate wizard", "")
    desk.say(
        "One question after the other, along the guide's ten steps. Nothing in AWS is changed before you have seen "
        "every change and typed the account's id.",
        f"You can leave at any question (Ctrl-C) and come back: what you answered lies in {desk.space.folder}.",
    )
    try:
        part = _begin(desk)
        while part < END:
            part = _go(desk, part)
    except (Leave, KeyboardInterrupt, EOFError):
        desk.say("", "You left; all that you answered is kept. To go on:", f"  {desk.again}")
        return 3
    _farewell(desk)
    return 0


def _go(desk: Desk, number: int) -> int:
    """Goes one part; gives the next. What a command refused, the person may try again, once it is mended."""
    part = PARTS[number]
    desk.title(number + 1, END, part.what, part.guide)
    while True:
        try:
            part.go(desk)
            return number + 1
        except SecmigrateError as error:
            desk.say("", "This could not be done:", *f"{error}".split("\n"))
            if desk.ask.choose("What now?", [(True, "Try again, once that is mended"), (False, "Leave")]) is False:
                raise Leave from None


def _begin(desk: Desk) -> int:
    """Where to go on."""
    space = desk.space
    if stopped := space.unfinished():
        desk.say("", f"A run stopped half way: {stopped.plan.name}, journal {stopped.path}.")
        changing.after_a_stop(desk)
    if not space.inventory.exists():
        return READ
    desk.say("", "Where this migration stands:")
    desk.show(desk.run("status").lines)
    proposed = _proposed(desk)
    on = [(proposed, f"Go on with part {proposed + 1}: {PARTS[proposed].what}")] if proposed < END else []
    others = [n for n in _reachable(desk) if n != proposed]
    back = [(n, f"Go to part {n + 1}: {PARTS[n].what}") for n in others]
    undo = [(-1, "Take back what was done (rollback)")] if space.done() else []
    end = [(END, "End here")] if proposed == END else []
    chosen = desk.ask.choose("Where do you want to go on?", [*end, *on, *back, *undo, (-2, "Leave")])
    if chosen == -2:
        raise Leave
    if chosen == -1:
        changing.take_back(desk)
        return _begin(desk)
    return chosen


def _proposed(desk: Desk) -> int:
    space = desk.space
    # Whoever accepted a loss, or was told what is to be deployed, is done with deciding.
    beyond = documents.read_decisions(space.decisions).accept or space.plan_path("readd").exists()
    if not space.mapping.exists() or not beyond:
        return DECIDE
    states = {step.step: step.state for step in steps(space)}
    if states["decommission"] == "done":
        return END
    return RETIRE if states["readd"] == "done" else CHECK


def _reachable(desk: Desk) -> range:
    """The parts that can be gone to from the workspace's files."""
    return range(END) if desk.space.mapping.exists() else range(DECIDE + 1)


def _farewell(desk: Desk) -> None:
    desk.say("", "Where this migration stands now:")
    desk.show(desk.run("status").lines)
    desk.say(
        "Everything that was done is written down in the journals, and `secmigrate rollback` takes it back.",
        "To come back:",
        f"  {desk.again}",
    )
