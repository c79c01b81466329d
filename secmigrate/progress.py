"""Which steps of a migration are done, and which comes next, by the files of its workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from secmigrate.journal import Journal
from secmigrate.operations import Operation
from secmigrate.plan import net
from secmigrate.plan.quarantine import resting
from secmigrate.workspace import Workspace

State = Literal["done", "next", "blocked", "waiting"]

_RESUME = "stopped half way: `secmigrate resume` ({})"


class Step(Struct, frozen=True):
    """Where the migration stands at one of its steps."""

    step: str
    state: State
    why: str


def steps(space: Workspace) -> list[Step]:
    """Where this migration stands, from its files alone."""
    ended: dict[str, Journal] = {journal.plan.name: journal for journal in space.journals()}
    effects = net(tried.operation for tried in space.done())
    stopped = space.unfinished()
    half_way = Step(stopped.plan.name, "blocked", _RESUME.format(stopped.path.name)) if stopped else None
    facts = (
        ("inventory", space.inventory.exists(), "reads the account"),
        ("map", space.planned.exists(), "decides what becomes what"),
        (
            "deploy",
            _deployed(space.journals()),
            "the provisioner makes the new groups and roles (guide, steps 7 and 8)",
        ),
        ("readd", _stands(ended, "readd", effects), "users into their new groups"),
        ("decommission", _stands(ended, "decommission", effects), "old groups, roles and policies go"),
    )
    found: list[Step] = []
    for step, done, why in facts:
        if half_way and half_way.step == step:
            found.append(half_way)
        elif done and step == "decommission" and (asleep := resting(effects)):
            told = f"in quarantine: {', '.join(asleep[:3])}{' and more' if len(asleep) > 3 else ''}"
            found.append(Step(step, "waiting", f"{told}; `secmigrate decommission` again when their days are over"))
        elif done:
            found.append(Step(step, "done", why))
        else:
            found.append(Step(step, "waiting" if found and found[-1].state != "done" else "next", why))
    if stopped and stopped.waits_for:
        found.append(Step(stopped.plan.name, "waiting", f"for the provisioner: secmigrate {stopped.waits_for.asked}"))
    elif half_way and half_way.step.startswith("tier-"):
        found.append(half_way)
    else:
        found += [Step(name, "done", "the config in force says so") for name in ended if _done_tier(ended, name)]
    if _done(ended, "rollback"):
        found.append(Step("rollback", "done", "what had been done was undone"))
    return found


def _deployed(journals: Iterable[Journal]) -> bool:
    """Whether people were moved into the new groups, and no way back has ended since with the deletion of the stack."""
    found = False
    for journal in journals:
        found = journal.plan.name == "readd" or (found and not journal.ended_the_stack)
    return found


def _stands(ended: Mapping[str, Journal], name: str, effects: Sequence[Operation]) -> bool:
    """Whether the newest plan of that name was carried out, and not all undone since."""
    if not _done(ended, name):
        return False
    operations = ended[name].plan.operations
    return not operations or any(operation in effects for operation in operations)


def _done_tier(ended: Mapping[str, Journal], name: str) -> bool:
    return name.startswith("tier-") and _done(ended, name)


def _done(ended: Mapping[str, Journal], name: str) -> bool:
    return name in ended and ended[name].ended == "done"
