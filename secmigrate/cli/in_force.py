"""Which config is in force once a plan has made or removed stacks, and what later steps go by with it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from secmigrate import documents
from secmigrate.cli import account
from secmigrate.errors import BadInput, Failed
from secmigrate.iam import Snapshot
from secmigrate.mapping import Decisions
from secmigrate.operations import CreateStack
from secmigrate.plan import Plan
from secmigrate.plan.standing import brought
from secmigrate.workspace import Workspace


def check_adoptable(plan: Plan, workspace: Workspace) -> None:
    """Raises BadInput if the config that comes into force at the end is not there: the old one would stay in force for
    good. On the way back nothing that a person may have removed stands in between.
    """
    made = [operation for operation in plan.operations if isinstance(operation, CreateStack)]
    if made and plan.name != "rollback":
        workspace.config_of(made[-1].tier)


def adopt(plan: Plan, workspace: Workspace, look: Callable[[], Snapshot]) -> str:
    """The config of the stack that stands now comes into force, and what the later steps go by with it; tells so."""
    made = _made(plan, workspace, look)
    if made is None:
        return ""
    try:
        path = workspace.adopt(made.tier)
    except BadInput as error:
        raise Failed(
            f"the account is done with, but no config came into force: {error.message}",
            where=error.where,
            hint=f"put the config of {made.tier} into {workspace.configs} yourself",
        ) from None
    found = answers(plan, workspace)
    documents.write_snapshot(workspace.planned, account.planned(workspace, found))
    workspace.follow(account.config(workspace)[0], found.downgrade)
    return f"in force from now on: {path}, the config of {made.tier}"


def _made(plan: Plan, workspace: Workspace, look: Callable[[], Snapshot]) -> CreateStack | None:
    """The stack that the plan made; or that another one brought which this one took over, and whose config is not in
    force yet.
    """
    if made := [operation for operation in plan.operations if isinstance(operation, CreateStack)]:
        return made[-1]
    plans = [journal.plan for journal in workspace.journals()]
    tiers = {one.tier for before in plans for one in before.operations if isinstance(one, CreateStack)}
    with suppress(BadInput):  # a config that cannot be read stands in nobody's way back
        tiers.discard(account.config(workspace)[0].tier.name)
        found = brought(plans, look()) if tiers and plan.name.startswith(("rollback", "tier-")) else None
        return found if found and found.tier in tiers else None
    return None


def answers(plan: Plan, workspace: Workspace) -> Decisions:
    """A person's answers. On the way back those that cannot be read do not stand in between. Raises BadInput."""
    try:
        return workspace.answers()
    except BadInput:
        if plan.name != "rollback":
            raise
        return Decisions()
