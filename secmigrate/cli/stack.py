"""The command that tells what became of the provisioner's stacks: stack."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from secmigrate.aws import Aws
    from secmigrate.deployment import Standing
    from secmigrate.sec import SecConfig
    from secmigrate.workspace import Workspace


@app.command(epilog="Example: secmigrate stack; secmigrate stack --test")
def stack(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="By default that of the config in force.")] = None,
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    tier: Annotated[str | None, typer.Option(metavar="TIER", help="During a tier change: whose stack.")] = None,
    test: Annotated[
        bool, typer.Option("--test", help="What `provisioner test-deploy` made, against the plan (guide, step 7).")
    ] = False,
) -> None:
    """What became of a stack: why it failed, the cause first, and what to do about it."""
    from secmigrate import documents
    from secmigrate.aws import Aws
    from secmigrate.cli import account

    out, space = Out(json), account.open_workspace(workspace)
    config = documents.read_config(space.config_of(tier) if tier else space.config())[0]
    aws = Aws(profile, region or config.environment.region, endpoint)
    account.same(config.client.account_id, aws.identity()[0])
    if test:
        _test(aws, config, space, out)
    _told(aws, name or config.stack, config, out)


def _told(aws: Aws, name: str, config: SecConfig, out: Out) -> None:
    from secmigrate.deployment import beside, failures
    from secmigrate.reports.stacks import failure_lines

    stacks = aws.stacks()
    found = next((one for one in stacks if one.name == name), None)
    others = tuple(one for one in beside(stacks, config.stem, config.stack) if one.name != name)
    failed = failures(aws.stack_events(name)) if found and found.failed else ()
    out.say(f"stack {name}: {found.status if found else 'there is none'}")
    if found:
        out.lines(failure_lines(found, failed, config.tier.name))
    out.say(*(f"there is also stack {one.name}: {one.status} (`secmigrate stack --test`)" for one in others))
    document = {"name": name, "status": found.status if found else None, "failures": failed, "others": others}
    out.document("stack", document)
    finish(3 if found and found.failed else 0)


def _test(aws: Aws, config: SecConfig, space: Workspace, out: Out) -> None:
    """The stacks of test deployments: compared with the plan, and what deletes them, and nothing else."""
    from secmigrate import documents, sec
    from secmigrate.cli import account
    from secmigrate.deployment import beside, compared, failures
    from secmigrate.reports.stacks import failure_lines
    from secmigrate.reports.text import diff_lines

    catalogue, patterns = account.catalogue(space), space.answers().patterns
    planned = sec.planned(config, catalogue.levels, documents.aws_managed(), patterns)
    rows = []
    live = account.look(aws, out, config.client.account_id)
    for one in beside(aws.stacks(), config.stem, config.stack):
        held = aws.stack_resources(one.name) or {}
        found, delete = compared(held.values(), live, planned), _delete(one, config)
        out.say(f"stack {one.name}: {one.status}, {len(held)} resources")
        out.lines(failure_lines(one, failures(aws.stack_events(one.name)) if one.failed else (), config.tier.name))
        out.lines(diff_lines(found))
        out.say(f"to delete this stack and nothing else: {delete}")
        differences = {"missing": found.missing, "extra": found.extra, "different": found.different}
        rows.append({"name": one.name, "status": one.status, **differences, "delete": delete})
    if not rows:
        out.say("there is no stack of a test deployment; make one: secmigrate provisioner test-deploy --run")
    out.document("stack", {"tests": rows})
    finish(3 if any(row["missing"] or row["extra"] or row["different"] for row in rows) else 0)


def _delete(one: Standing, config: SecConfig) -> str:
    words = ("--stack-name", one.name, "--region", config.environment.region)
    return shlex.join(("aws", "cloudformation", "delete-stack", *words))
