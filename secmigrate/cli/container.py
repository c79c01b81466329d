"""The command that prints or runs the vendor's container: provisioner."""

from __future__ import annotations

import os
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from secmigrate.aws import Aws
    from secmigrate.iam import Snapshot
    from secmigrate.provisioner import Ended, Run
    from secmigrate.sec import SecConfig
    from secmigrate.workspace import Workspace


@app.command(epilog="Example: secmigrate provisioner deploy; secmigrate provisioner deploy --run")
def provisioner(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="validate-config, export-groups, …, deploy.")],
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    run: Annotated[bool, typer.Option("--run", help="Run it here, instead of printing the command.")] = False,
    confirm: options.Confirm = None,
    image: Annotated[str | None, typer.Option(metavar="NAME", help="The image, as your registry calls it.")] = None,
    tier: Annotated[
        str | None, typer.Option(metavar="TIER", help="During a tier change: whose config, the old or the new one's.")
    ] = None,
) -> None:
    """Print, or run, the vendor's container with the guide's mounts (guide, steps 5 to 8, tiers, rollback)."""
    from secmigrate import documents, sec
    from secmigrate import provisioner as container
    from secmigrate.aws import Aws
    from secmigrate.cli import account

    out, space = Out(json), account.open_workspace(workspace)
    path = space.config_of(tier) if tier else space.config()
    config, catalogue = documents.read_config(path)[0], account.catalogue(space)
    asked = container.command(
        action,
        path,
        space.sec,
        container.image_of(config, catalogue.tiers, image or ""),
        home=Path.home(),
        environment=os.environ,
        profile=profile or "",
        endpoint=endpoint or "",
    )
    told = {"action": action, "command": asked.command, "shell": asked.shell, "image": asked.image}
    if not run:
        out.command(asked.shell)
        out.document("provisioner", told)
        return
    container.check_config(sec.findings(config, catalogue.tiers, catalogue.levels, documents.aws_managed()))
    container.check_docker(asked)
    _may(asked, config, Aws(profile, region, endpoint), space, out, confirm)
    log, ended = _run(asked, config, space, out)
    out.say(*(f"wrote {one}" for one in (*ended.written, log)))
    container.check_result(asked, ended, config.stem, log)
    out.document("provisioner", {**told, "log": str(log), "written": [str(one) for one in ended.written]})
    finish(0)


def _may(asked: Run, config: SecConfig, aws: Aws, space: Workspace, out: Out, confirmed: str | None) -> None:
    """Raises Refused unless the credentials are of the config's account, nobody is in a group that is about to be
    deleted, and a person who has seen what goes said yes to the change.
    """
    from secmigrate.cli import account, running
    from secmigrate.errors import Refused
    from secmigrate.provisioner import ACTIONS
    from secmigrate.reports.stacks import going_lines

    account.same(config.client.account_id, aws.identity()[0])
    if not ACTIONS[asked.action].changes:
        return
    owner = config.client.account_id
    if asked.action == "delete-stack":
        live = account.look(aws, out, owner)
        going = _going(config, live, space)
        full = [f"{len(live.members[name])} in {name}" for name in going.groups if live.members[name]]
        if full:
            raise Refused(
                f"not-a-member-yet: groups of the stack have members, so it would not delete: {', '.join(full)}",
                hint="take them out first, by a plan that keeps their access: `rollback`, or `tier`",
            )
        out.lines(going_lines(config.stack, going))
    said = f"{asked.action} changes account {owner}: {asked.shell}"
    account.same(owner, confirmed or running.typed(said, owner, "look at the command (without --run)"))


def _going(config: SecConfig, live: Snapshot, space: Workspace) -> Snapshot:
    """What the config's stack holds in the account. Names alone count, so no answers of a person are read: this may be
    a step of the way back.
    """
    from secmigrate import documents, plan, sec
    from secmigrate.cli import account
    from secmigrate.plan.standing import standing

    part = sec.planned(config, account.catalogue(space).levels, documents.aws_managed())
    return standing(live, plan.Stack(config.stack, config.tier.name, config.environment.region, part), "").part


def _run(asked: Run, config: SecConfig, space: Workspace, out: Out) -> tuple[Path, Ended]:
    """Runs it; gives its log, and how it ended."""
    from secmigrate import provisioner as container
    from secmigrate.cli import account

    stamp = account.now().replace("-", "").replace(":", "")
    out.say(f"$ {asked.shell}")
    with space.locked():
        log = _free(space.sec / "reports" / f"{config.stem}-{asked.action}-{stamp}.log")
        return log, container.execute(asked, log, out.say)


def _free(path: Path) -> Path:
    """The path, or one beside it, if an earlier run of the same second has it."""
    others = (path.with_name(f"{path.stem}.{n}{path.suffix}") for n in count(2))
    return next(one for one in chain([path], others) if not one.exists())
