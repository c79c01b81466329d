"""The commands that plan a change and, when told, make it: readd, verify, decommission, rollback, resume."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.completing import undone
from secmigrate.cli.out import Out, finish
from secmigrate.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from secmigrate.aws import Aws
    from secmigrate.iam import Snapshot
    from secmigrate.mapping import Scope
    from secmigrate.operations import DeleteStack, Operation
    from secmigrate.plan import Plan, Tried
    from secmigrate.plan.asked import Asked
    from secmigrate.sec import SecConfig
    from secmigrate.workspace import Workspace

_MOST_DAYS = 36_500  # a hundred years, as `plan.asked` has it, which is not imported before a command runs
_KINDS = {"roles": frozenset({"role"}), "all": frozenset({"role", "group"}), "none": frozenset[str]()}


@app.command(epilog="Example: secmigrate readd; secmigrate readd --execute")
def readd(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    execute: options.Execute = False,
    confirm: options.Confirm = None,
    stop_before: options.StopBefore = None,
    at_once: options.AtOnce = 4,
) -> None:
    """Plan: users into their new groups (guide, step 9)."""
    from secmigrate.aws import Aws
    from secmigrate.cli import account, running
    from secmigrate.plan.asked import Asked

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    running.phase(stop_before)
    again = partial(_readd, space, out)
    if execute:
        running.carry_out(
            "readd", aws, space, out, None, again, confirmed=confirm, stop_before=stop_before, at_once=at_once
        )
        return
    live = account.look(aws, out, space.outcome().account)
    running.propose(again(live, Asked()), live, aws, space, out, Asked())


def _readd(space: Workspace, out: Out, live: Snapshot, asked: Asked) -> Plan:
    from secmigrate import plan
    from secmigrate.cli import account
    from secmigrate.handover import takes_away

    outcome = space.outcome()
    watch = account.watch(space, live, out=out)
    undone = takes_away(account.managed(space).resources, account.planned(space))
    with out.working("planning, and comparing everybody's access at each step"):
        return plan.readd(live, outcome.moves, space.members().groups, outcome.unmapped, watch, undone)


@app.command(epilog="Example: secmigrate verify")
def verify(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
) -> None:
    """Everyone is where they should be and can do what they could, and the new groups and roles are as planned."""
    from secmigrate import plan
    from secmigrate.aws import Aws
    from secmigrate.cli import account

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    outcome, planned, start = space.outcome(), account.planned(space), account.inventory(space)
    live = account.look(aws, out, outcome.account)
    members, watch = space.members().groups, account.watch(space, live, start, out=out)
    with out.working("comparing everybody's access"):
        done = plan.net(one.operation for one in space.done())
        findings = plan.verify(live, planned, outcome.moves, members, start, watch, done)
    out.lines(f"  {finding}" for finding in findings)
    out.say(f"{len(findings)} findings" if findings else "verified: everyone is in place, and all is as planned")
    out.document("verify", {"findings": findings})
    finish(3 if findings else 0)


@app.command(epilog="Example: secmigrate decommission; secmigrate decommission --execute")
def decommission(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    execute: options.Execute = False,
    confirm: options.Confirm = None,
    stop_before: options.StopBefore = None,
    at_once: options.AtOnce = 4,
    unused_days: Annotated[
        int | None,
        typer.Option(min=0, max=_MOST_DAYS, help="A role that was used within so many days stays.  [default: 90]"),
    ] = None,
    quarantine: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Out of use before they are deleted: roles, all (groups too) or none.  [default: roles]",
        ),
    ] = None,
    quarantine_days: Annotated[
        int | None, typer.Option(min=0, max=_MOST_DAYS, help="For how many days.  [default: 7]")
    ] = None,
) -> None:
    """Plan: old groups, roles and policies go, in the right order (guide, step 10)."""
    from secmigrate.aws import Aws
    from secmigrate.cli import account, running
    from secmigrate.cli.reviewed import given
    from secmigrate.plan.asked import Asked

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    running.phase(stop_before)
    if quarantine not in (None, *_KINDS):
        raise BadInput(f"{quarantine!r} is no quarantine", where="--quarantine", hint=f"one of {', '.join(_KINDS)}")
    asked = given(unused_days=unused_days, quarantine=quarantine, quarantine_days=quarantine_days)
    again = partial(_decommission, space, aws, out)
    if execute:
        running.carry_out(
            "decommission", aws, space, out, asked, again, confirmed=confirm, stop_before=stop_before, at_once=at_once
        )
        return
    live = account.look(aws, out, space.outcome().account)
    asked = asked or Asked()
    running.propose(again(live, asked), live, aws, space, out, asked)


def _decommission(space: Workspace, aws: Aws, out: Out, live: Snapshot, asked: Asked) -> Plan:
    from secmigrate import plan
    from secmigrate.cli import account

    outcome, now = space.outcome(), datetime.now(UTC)
    unused_since, due = (_day(now - timedelta(days=days)) for days in (asked.unused_days, asked.quarantine_days))
    apart = plan.Quarantine(_KINDS[asked.quarantine], _day(now), due)
    live = account.with_owners(space, live, outcome.moves, aws, out)
    watch = account.watch(space, live, out=out)
    with out.working("planning, and comparing everybody's access"):
        return plan.decommission(live, outcome.moves, unused_since, watch, apart, account.withdrawn(live))


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d")


@app.command(epilog="Example: secmigrate rollback; secmigrate rollback --execute")
def rollback(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    execute: options.Execute = False,
    confirm: options.Confirm = None,
    stop_before: options.StopBefore = None,
    at_once: options.AtOnce = 4,
    users_only: Annotated[bool, typer.Option("--users-only", help="Only memberships.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="KIND:GLOB", autocompletion=undone, help="Only what was done to these."),
    ] = None,
) -> None:
    """Plan: back to the start, from the journals of what was done."""
    from secmigrate.aws import Aws
    from secmigrate.cli import account, running
    from secmigrate.cli.reviewed import given
    from secmigrate.plan.asked import Asked

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    running.phase(stop_before)
    asked = given(users_only=users_only, only=_scope(only or ()).only)
    again = partial(_rollback, space, out)
    if execute:
        running.carry_out(
            "rollback", aws, space, out, asked, again, confirmed=confirm, stop_before=stop_before, at_once=at_once
        )
        return
    live = account.look(aws, out, account.journaled(space))
    running.tell_affected(space, out)
    asked = asked or Asked()
    running.propose(again(live, asked), live, aws, space, out, asked)


def _rollback(space: Workspace, out: Out, live: Snapshot, asked: Asked) -> Plan:
    from secmigrate import plan
    from secmigrate.access import Watch
    from secmigrate.cli import account
    from secmigrate.documents import aws_actions
    from secmigrate.plan.needed import left_groups
    from secmigrate.plan.rollback import documents, is_membership

    scope, done = _scope(asked.only), space.done(elsewhere=True)

    def named(operation: Operation) -> bool:
        return any(not scope.excludes(*one) for one in operation.changes | operation.relies_on)

    homes = left_groups(live, (one.operation for one in done), named)

    def wanted(operation: Operation) -> bool:
        if asked.users_only:
            return is_membership(operation) and named(operation)
        return named(operation) or operation.subject in homes

    # Nothing that a person wrote stands between her and the way back, so decisions.yaml is not read.
    start = account.start(space, live, out)
    watch = Watch(aws_actions(), (live, *([start] if start else [])), (), documents(done))
    stack = None if asked.users_only or asked.only else _stack(space, live, done)
    with out.working("planning the way back"):
        return plan.rollback(live, done, wanted=wanted, watch=watch, stack=stack, start=start)


def _scope(only: Iterable[str]) -> Scope:
    """What `--only` names. Raises BadInput."""
    from secmigrate.mapping import SCOPES, Scope

    return Scope(tuple(sorted(set(only))), kinds=(*SCOPES, "user"))


@app.command(epilog="Example: secmigrate resume --confirm-account 111122223333")
def resume(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    confirm: options.Confirm = None,
    at_once: options.AtOnce = 4,
) -> None:
    """Carry an interrupted plan on; what is in doubt is looked up in the account first. Of many accounts, read those
    that are missing.
    """
    from secmigrate.aws import Aws
    from secmigrate.cli import account, many, running

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    if many.are_here(workspace):
        many.go_on(aws, workspace, out, at_once)
    running.go_on(aws, space, out, confirmed=confirm, at_once=at_once)


def _stack(space: Workspace, live: Snapshot, done: Sequence[Tried]) -> DeleteStack | None:
    """The stack that goes once everybody is back: that with which this migration began, by the journals, else by the
    tags of its roles, else by the config in force; if its groups were empty then: what was there before is not taken.
    """
    from secmigrate.documents import catalogue, read_config, read_snapshot
    from secmigrate.operations import CreateStack, DeleteStack
    from secmigrate.plan.rollback import came_before
    from secmigrate.sec import deployed

    if not space.mapping.exists():
        return None
    first = next((one.operation for one in done if isinstance(one.operation, DeleteStack)), None)
    if first is None:
        try:
            config, part = read_config(space.config())[0], read_snapshot(space.planned)
        except BadInput:
            return None  # what a person wrote does not stand in the way: the stack is hers to delete then
        keepers = [live.roles[name].keeper for name in part.roles if name in live.roles]
        config = deployed(config, catalogue().tiers, keepers) if any(keepers) else _all_there(space, config, live)
        made = CreateStack(
            stack=config.stack,
            tier=config.tier.name,
            region=config.environment.region,
            groups=tuple(part.groups.values()),
            roles=tuple(part.roles.values()),
        )
        first = made.undo()
    return first if came_before(done, (group.name for group in first.groups)) else None


def _all_there(space: Workspace, config: SecConfig, live: Snapshot) -> SecConfig:
    """The config in force if all of its groups are there, else that of an earlier tier of which it is so, if any is.
    Raises BadInput if one cannot be read.
    """
    from secmigrate.documents import read_config

    kept = (read_config(path)[0] for path in sorted(space.tiers.glob(f"*/{config.file_name}")))
    for one in (config, *kept):
        names = {one.group_name(key) for key in one.security.iam_groups}
        if names and names <= live.groups.keys():
            return one
    return config
