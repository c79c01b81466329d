"""What people read in a terminal: plain lines, the same with and without colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from secmigrate.dangers import Danger
from secmigrate.diff import Diff
from secmigrate.operations import PHASES, Operation
from secmigrate.plan import Kept, Plan
from secmigrate.plan.rollback import cannot_come_back
from secmigrate.progress import Step

SHOWN = 12  # commands of a phase that are shown; the script has them all

_PHASE_SAYS = {
    "grant": "gives",
    "verify": "checks",
    "revoke": "takes people out of groups, and what is quarantined out of use",
    "strip": "takes policies away",
    "delete": "deletes",
}


# What a person must know of a kind of plan before saying yes.
_PLAN_SAYS = {
    "decommission": "what decisions.yaml accepts as lost, is lost; `secmigrate access` says who loses what",
    "rollback": "new groups and roles go only if secmigrate made them; those of a stack go by its delete-stack",
}
_PLAN_SAYS |= dict.fromkeys(
    ("tier-upgrade", "tier-downgrade"),
    "it ends twice and waits for the provisioner, for days if need be; `secmigrate resume` looks and goes on",
)
_SWAPS = "users near IAM's 10 groups leave an old group first, one whose access they keep by their other groups"


def plan_lines(plan: Plan) -> Iterator[str]:
    """The plan: how much, each phase with its first commands, dangers, what stays, what cannot be undone."""
    yield f"Plan {plan.name} for account {plan.account}: {_commands(plan)}"
    if all(operation.ours for operation in plan.operations):
        yield from _phases(plan.operations)
    else:
        yield from _legs(plan.operations)
    yield from kept_lines(plan.kept)
    if plan.operations and plan.name in _PLAN_SAYS:
        yield f"  note: {_PLAN_SAYS[plan.name]}"
    if plan.name == "readd" and plan.destructive:
        yield f"  note: {_SWAPS}"
    if plan.name == "rollback":
        yield from (f"  will not come back: {line}" for line in cannot_come_back(plan))
    yield from caveat_lines(plan)
    yield from danger_lines(plan.dangers)


def _phases(operations: Iterable[Operation]) -> Iterator[str]:
    """Each phase with its first commands."""
    there = list(operations)
    for phase in PHASES:
        commands = [operation.call().as_shell() for operation in there if operation.phase == phase]
        if not commands:
            continue
        yield f"  {phase}: {len(commands)} ({_PHASE_SAYS[phase]})"
        yield from (f"    {_short(command)}" for command in commands[:SHOWN])
        if len(commands) > SHOWN:
            yield f"    … and {len(commands) - SHOWN} more"


def _legs(operations: Iterable[Operation]) -> Iterator[str]:
    """What comes before, between and after the provisioner's part."""
    for ours, leg in groupby(operations, key=lambda operation: operation.ours):
        if ours:
            yield from _phases(leg)
        else:
            for operation in leg:
                yield f"  the provisioner: {operation.call().as_shell()}"
                yield f"    by: secmigrate {getattr(operation, 'asked', '')}; then secmigrate resume"


def kept_lines(kept: Iterable[Kept]) -> Iterator[str]:
    """What stays as it is, and why."""
    for one in kept:
        yield f"  stays: {one.kind} {one.name}: {one.why}"


def caveat_lines(plan: Plan) -> Iterator[str]:
    """What undoing the plan would not bring back, each once."""
    counted = Counter(operation.caveat for operation in plan.operations if operation.caveat)
    for caveat, n in sorted(counted.items()):
        yield f"  note ({n}): {caveat}"


def danger_lines(dangers: Iterable[Danger]) -> Iterator[str]:
    """Dangers with their hints."""
    weight = {"plan": "blocks the plan", "subjects": "left out", "nothing": "to know"}
    for danger in dangers:
        yield f"  {danger.code} ({weight[danger.blocks]}): {danger.message}"
        yield f"    hint: {danger.hint}"


def diff_lines(found: Diff) -> Iterator[str]:
    """Planned against existing."""
    yield f"missing {len(found.missing)}, extra {len(found.extra)}, different {len(found.different)}"
    yield from (f"  missing    {item.kind} {item.name}" for item in found.missing)
    yield from (f"  extra      {item.kind} {item.name}" for item in found.extra)
    for item in found.different:
        yield f"  different  {item.kind} {item.name}"
        yield from (f"    {change}" for change in item.changes)


def step_lines(steps: Iterable[Step]) -> Iterator[str]:
    """Where the migration stands."""
    for step in steps:
        yield f"  {step.state:8} {step.step:14} {step.why}"


def _commands(plan: Plan) -> str:
    if not plan.operations:
        return "nothing to do"
    return f"{len(plan.operations)} commands, {plan.destructive} of which take something away"


def _short(command: str, width: int = 110) -> str:
    return command if len(command) <= width else f"{command[: width - 1]}…"
