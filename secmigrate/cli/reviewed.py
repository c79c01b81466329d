"""Whether the plan that was reviewed is the one that is meant, and one that would still be made."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Container

import msgspec

from secmigrate.errors import BadInput, Refused
from secmigrate.iam import Snapshot
from secmigrate.mapping.answers import GroupAnswer
from secmigrate.operations import DeleteGroup, DeleteRole, QuarantineRole, RenameGroup
from secmigrate.plan import Plan, refusal
from secmigrate.plan.asked import Asked, different
from secmigrate.plan.quarantine import as_named_now
from secmigrate.workspace import Workspace

Again = Callable[[Snapshot, Asked], Plan]  # the plan, made anew for the account as it is now, as it was asked for

_ENDING = (DeleteGroup, DeleteRole, QuarantineRole, RenameGroup)


def given(**options: object) -> Asked | None:
    """The options that a person typed; None if she typed none of them."""
    typed = {name: value for name, value in options.items() if value is not None and value is not False and value != ()}
    return msgspec.convert(typed, Asked) if typed else None


def check_meant(plan: Plan, saved: Asked | None, given: Asked | None, workspace: Workspace) -> None:
    """Raises BadInput if the options that stand beside `--execute` are not those that the saved plan was made with;
    without any (None) the saved one is meant.
    """
    if given is None or given == saved:
        return
    made, there = command(plan), workspace.plan_path(plan.name)
    told = f"`{_typed(made, saved)}` made it" if saved else "it does not say with which options it was made"
    hint = f"`{_typed(made, given)}` makes the one that you mean: look at it first; or leave the options out"
    raise BadInput(f"another plan is saved: {told}", where=str(there), hint=hint)


def check_made_the_same(plan: Plan, now: Plan, workspace: Workspace) -> None:
    """Raises Refused unless the plan is what was made anew for the same account: by today's mapping, decisions,
    journals and day.
    """
    if error := refusal(now):
        raise error
    found = list(different(plan, now))
    if found:
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        raise Refused(
            f"stale-plan: made now, it would be another: {'; '.join(found[:5])}{more}",
            where=str(workspace.plan_path(plan.name)),
            hint="the mapping, decisions.yaml, the journals or the day are others by now: make the plan again and "
            "review it",
        )


def check_still_leaving(plan: Plan, done: Container[int], live: Snapshot, workspace: Workspace) -> None:
    """Raises Refused if the rest of a decommission would take away what the mapping or decisions.yaml leave by now.
    `done` are the numbers of the operations that are done.
    """
    if plan.name != "decommission" or not workspace.mapping.exists():
        return
    left = [operation for n, operation in enumerate(plan.operations, 1) if n not in done]
    answers = workspace.answers()
    moves = (move for move in workspace.outcome().moves if not _is_left(answers.answer(move.kind, move.old)))
    moving = {(move.kind, move.old) for move in as_named_now(moves, live)}
    if staying := sorted({operation.subject for operation in left if isinstance(operation, _ENDING)} - moving):
        raise Refused(
            "stale-plan: decisions.yaml or the scope of `map` leave these by now, and they would be taken away: "
            + ", ".join(map(" ".join, staying)),
            hint="`secmigrate map`, then `secmigrate decommission` plans it without them; `secmigrate rollback` leads "
            "back",
        )


def command(plan: Plan) -> str:
    """The command that makes such plans."""
    return plan.name.replace("-", " ")


def _is_left(answer: GroupAnswer | None) -> bool:
    return answer is not None and bool(answer.leave)


def _typed(command: str, asked: Asked) -> str:
    return f"secmigrate {shlex.join((*command.split(), *asked.words))}"
