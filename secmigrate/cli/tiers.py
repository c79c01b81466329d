"""The commands that change the tier: tier upgrade, tier downgrade."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out
from secmigrate.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secmigrate.access import Watch
    from secmigrate.aws import Aws
    from secmigrate.iam import Snapshot
    from secmigrate.mapping import Catalogue, Lacking, Retiered
    from secmigrate.plan import Plan
    from secmigrate.plan.asked import Asked
    from secmigrate.plan.fold import PlanName
    from secmigrate.sec import SecConfig
    from secmigrate.workspace import Workspace

tier = typer.Typer(help="From one tier of SEC to another.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(tier, name="tier")

To = Annotated[str | None, typer.Option("--to", metavar="TIER", help="startup, medium or enterprise.")]
NoBridge = Annotated[
    bool, typer.Option("--no-bridge", help="Without a bridge: people lack access until the new stack stands.")
]
Master = Annotated[
    Path | None, typer.Option(metavar="FILE", help="The vendor's master config of the new tier: what it has besides.")
]


@tier.command(epilog="Example: secmigrate tier upgrade --to medium; secmigrate tier upgrade --execute")
def upgrade(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    to: To = None,
    no_bridge: NoBridge = False,
    master: Master = None,
    execute: options.Execute = False,
    confirm: options.Confirm = None,
    stop_before: options.StopBefore = None,
    at_once: options.AtOnce = 4,
) -> None:
    """Plan: to a higher tier, with nobody lacking access on the way (guide, "Upgrading Tiers")."""
    from secmigrate.aws import Aws
    from secmigrate.cli import account, running
    from secmigrate.cli.reviewed import given

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    running.phase(stop_before)
    asked = given(to=to, no_bridge=no_bridge, master=master and str(master))
    if execute:
        again = partial(planned_anew, "tier-upgrade", space)
        running.carry_out(
            "tier-upgrade", aws, space, out, asked, again, confirmed=confirm, stop_before=stop_before, at_once=at_once
        )
        return
    change("tier-upgrade", asked, aws, space, out)


@tier.command(epilog="Example: secmigrate tier downgrade --to startup; secmigrate tier downgrade --execute")
def downgrade(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    to: To = None,
    no_bridge: NoBridge = False,
    execute: options.Execute = False,
    confirm: options.Confirm = None,
    stop_before: options.StopBefore = None,
    at_once: options.AtOnce = 4,
) -> None:
    """Plan: to a lower tier, once it is said what becomes of those who depend on what it lacks."""
    from secmigrate.aws import Aws
    from secmigrate.cli import account, running
    from secmigrate.cli.reviewed import given

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    running.phase(stop_before)
    asked = given(to=to, no_bridge=no_bridge)
    if execute:
        again = partial(planned_anew, "tier-downgrade", space)
        running.carry_out(
            "tier-downgrade", aws, space, out, asked, again, confirmed=confirm, stop_before=stop_before, at_once=at_once
        )
        return
    change("tier-downgrade", asked, aws, space, out)


def change(name: PlanName, asked: Asked | None, aws: Aws, space: Workspace, out: Out) -> None:
    """Writes the new tier's config and plans the way there."""
    from secmigrate.cli import account, running
    from secmigrate.plan.asked import Asked

    asked = asked or Asked()
    with space.locked():
        found = _config(name, space, asked)
    old, new = account.config(space)[0], found.config
    out.say(f"wrote {space.next / new.file_name}: in force as soon as its stack stands")
    out.lines(f"  {line}" for line in found.changes)
    live = account.look(aws, out, old.client.account_id)
    running.propose(_planned(name, space, found, live, asked), live, aws, space, out, asked, found.changes)


def planned_anew(name: PlanName, space: Workspace, live: Snapshot, asked: Asked) -> Plan:
    """The same once more, by the config as it lies there now and what was decided since."""
    return _planned(name, space, _config(name, space, asked), live, asked)


def _planned(name: PlanName, space: Workspace, found: Retiered, live: Snapshot, asked: Asked) -> Plan:
    from secmigrate.cli import account

    earlier = [journal.plan for journal in space.journals()]
    return planned(name, live, account.config(space)[0], found, space, earlier, bridge=not asked.no_bridge)[0]


def _config(name: str, space: Workspace, asked: Asked) -> Retiered:
    """The config of the new tier, written; one that a person has changed since it was written is taken as it is."""
    from secmigrate import documents, mapping, sec
    from secmigrate.cli import account, edits
    from secmigrate.provisioner import check_config

    to, catalogue, path = asked.to, account.catalogue(space), space.config()
    old = documents.read_config(path)[0]
    tiers = list(catalogue.tiers)
    up = name == "tier-upgrade"
    fitting = [one for one in tiers if (tiers.index(one) > tiers.index(old.tier.name)) == up and one != old.tier.name]
    if to not in fitting:
        other = "downgrade" if up else "upgrade"
        told = f"to {to!r}" if to else "without --to"
        last = f"there is none beyond {old.tier.name}, which is in force; `secmigrate tier {other}` goes the other way"
        hint = f"one of {', '.join(fitting)}" if fitting else last
        raise BadInput(f"there is no {name.replace('-', ' ')} from {old.tier.name} {told}", where="--to", hint=hint)
    given = documents.read_config(Path(asked.master))[0] if asked.master else None
    found = mapping.retiered(old, catalogue.tiers[to], catalogue, given)
    if edited := edited_config(space, old, to):
        return as_edited(found, old, edited)
    target = space.next / old.file_name
    _check_nobodys(target, old, catalogue)
    patterns = space.answers().patterns
    check_config(sec.findings(found.config, catalogue.tiers, catalogue.levels, documents.aws_managed(), None, patterns))
    before, decided = edits.config_before(space), account.decided_last(space)
    comments = mapping.sec_yaml_comments(found.config, decided, catalogue)
    if before and before.written:
        text = edits.rewritten(before, found.config, comments, "", catalogue)
    else:
        text = documents.config_text(found.config, comments)
    documents.write_whole(target, text.encode())
    return found


def _check_nobodys(path: Path, old: SecConfig, catalogue: Catalogue) -> None:
    """Raises BadInput if a config for another tier lies there in which a person changed something."""
    from secmigrate import documents, mapping

    there = documents.read_config(path)[0] if path.exists() else None
    tier = catalogue.tiers.get(there.tier.name) if there else None
    if there and (tier is None or there != mapping.retiered(old, tier, catalogue).config):
        hint = "move it away to keep it, or remove it"
        told = f"a config for {there.tier.name} lies here, with changes of yours or of a master"
        raise BadInput(told, where=str(path), hint=hint)


def edited_config(space: Workspace, old: SecConfig, to: str) -> SecConfig | None:
    """The config of that tier that was written earlier, as a person left it. Raises BadInput if it has errors, since
    the old stack would be gone when the provisioner finds them.
    """
    from secmigrate import documents, sec
    from secmigrate.cli import account
    from secmigrate.provisioner import check_config

    path = space.next / old.file_name
    found = documents.read_config(path)[0] if path.exists() else None
    if found is None or found.tier.name != to:
        return None
    if found.client.account_id != old.client.account_id:
        told = f"is {found.client.account_id}, and the stack in force is in {old.client.account_id}"
        raise BadInput(told, where=f"{path}: client.account_id", hint="a tier change stays in its account")
    catalogue = account.catalogue(space)
    patterns = space.answers().patterns
    check_config(sec.findings(found, catalogue.tiers, catalogue.levels, documents.aws_managed(), None, patterns))
    return found


def as_edited(found: Retiered, old: SecConfig, edited: SecConfig) -> Retiered:
    """The same with that config."""
    from msgspec import structs

    from secmigrate import mapping

    if edited == found.config:
        return found
    made = mapping.edited(found, old, edited)
    hint = "as you have changed it since; remove the file to start from the config in force"
    return structs.replace(made, changes=(*made.changes, hint))


def planned(
    name: PlanName,
    live: Snapshot,
    old: SecConfig,
    found: Retiered,
    space: Workspace,
    earlier: Sequence[Plan],
    *,
    bridge: bool,
) -> tuple[Plan, Watch]:
    """The plan for the account as it is now, and what compares its moments; `earlier` are the plans of all journals."""
    from msgspec import structs

    from secmigrate import documents, mapping, plan, sec
    from secmigrate.cli import account
    from secmigrate.dangers import some
    from secmigrate.iam import Snapshot
    from secmigrate.plan import standing as stacks
    from secmigrate.plan.tier import documents as bridge_documents

    answers, new = space.answers(), found.config
    parting = mapping.parting(old, new, found.lacking, answers.downgrade)
    catalogue = account.catalogue(space)

    def stack(config: SecConfig) -> plan.Stack:
        part = sec.planned(config, catalogue.levels, documents.aws_managed(), answers.patterns)
        return plan.Stack(config.stack, config.tier.name, config.environment.region, part)

    newer, there = stack(new), stacks.standing(live, stack(old), new.stack)
    saved: stacks.Members = {}
    if begun := stacks.earlier(new.stack, earlier):
        saved = stacks.members(begun)
        if stacks.took_over(new.stack, earlier, live):
            there = structs.replace(there, part=Snapshot(account=live.account, partition=live.partition))
    way = plan.Way(homes=parting.homes, successors=parting.successors, bridge=bridge, saved=saved)
    dependents = [told for one in parting.undecided if (told := _depend(one, live))]
    watch = account.watch(space, live, newer.part, met=bridge_documents(live, there, way))
    return plan.tier_change(name, live, there, newer, way, watch, some("undecided", dependents)), watch


def _depend(one: Lacking, live: Snapshot) -> str:
    """Who depends on what goes; nothing if nobody can. That a role was never seen in use is no proof."""
    if one.kind == "group":
        members = live.members.get(one.name, ())
        return f"group {one.key} ({len(members)} members; {one.why})" if members else ""
    role = live.roles.get(one.name)
    if role is None:
        return ""
    used = role.seen.last_used[:10]
    return f"role {one.key} ({f'used on {used}' if used else 'no record of its use'}; {one.why})"
