"""The commands that read and show: inventory, twin, status."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish

if TYPE_CHECKING:
    from secmigrate.iam import Gap, Snapshot
    from secmigrate.sources.merging import Merged
    from secmigrate.workspace import Workspace

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--from",
        metavar="WHERE",
        help="`live` (the default), a snapshot, authorization details, a Terraform state, a template, a cdk.out "
        "folder; several are merged.",
    ),
]


@app.command(
    epilog="Example: secmigrate inventory --profile prod; "
    "secmigrate inventory --organization --role SecurityAudit -w accounts"
)
def inventory(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    where: Where = None,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
    accounts: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Many accounts: an id a line, a name behind it if you like.")
    ] = None,
    organization: Annotated[
        bool, typer.Option("--organization", help="Many accounts: those of the organization that are active.")
    ] = False,
    role: Annotated[str | None, typer.Option(metavar="NAME", help="The role to assume in each of many.")] = None,
    external_id: Annotated[
        str | None, typer.Option("--external-id", metavar="ID", help="What the role's trust policy asks for.")
    ] = None,
    at_once: Annotated[
        int, typer.Option("--at-once", min=1, max=16, help="At most so many accounts at the same time.")
    ] = 4,
) -> None:
    """Read IAM into a snapshot, and who is in which group (guide, steps 1 and 4).

    Of many accounts each gets a workspace of its own in the folder of -w.
    """
    from secmigrate.aws import Aws
    from secmigrate.cli import account, many
    from secmigrate.sources.merging import merged
    from secmigrate.sources.saved import read_all
    from secmigrate.sources.uniting import LIVE, Source

    asked = many.Asked(accounts, organization, role, external_id)
    if asked.many(where):
        many.read_new(asked, Aws(profile, region, endpoint), workspace, Out(json), at_once)
    many.check_single(workspace)
    out, space, places = Out(json), account.open_workspace(workspace), where or ["live"]
    if "live" in places:
        aws = Aws(profile, region, endpoint)
        live = [Source(LIVE, account.look(aws, out))]
        at, unseen = account.deployed(aws, live[0].snapshot)
    else:
        live, unseen = [], []
        at = account.last_place(space, region)
    saved = read_all([Path(place) for place in places if place != "live"], at)
    found = merged([*live, *saved.sources])
    with space.locked():
        account.keep(space, found.snapshot)
        if saved.telling:
            space.remember(saved.telling)
    _tell_inventory(found, unseen, space, out, several=len(places) > 1)
    finish(1 if found.snapshot.incomplete and live else 0)


def _tell_inventory(found: Merged, unseen: list[Gap], space: Workspace, out: Out, *, several: bool) -> None:
    """What was read, from one source or several; `unseen` are stacks that may not be looked at."""
    from secmigrate.cli import account
    from secmigrate.sources.merging import unowned

    snapshot, counts, nobodys = found.snapshot, account.counts(found.snapshot), unowned(found.snapshot)
    out.say(f"account {snapshot.account}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    out.say(*(f"  not read: {gap.what}: {gap.why}" for gap in (*snapshot.incomplete, *unseen)))
    out.say(*(f"wrote {path}" for path in (space.inventory, space.members_json, space.members_text)))
    if several:
        out.say(*(f"  drift: {line}" for line in found.drift))
        out.say(*(f"  may be managed as well: {gap.what}: {gap.why}" for gap in found.unsure))
        out.say(f"{len(snapshot.owners)} things have an owner; owned by nobody: {len(nobodys)}")
        out.say(
            *([f"{', '.join(nobodys[:5])}{' and more (--json lists them)' * (len(nobodys) > 5)}"] if nobodys else [])
        )
    gaps = [f"{gap.what}: {gap.why}" for gap in snapshot.incomplete]
    unsure = [f"{gap.what}: {gap.why}" for gap in found.unsure]
    more = {"owners": snapshot.owners, "unowned": nobodys, "drift": found.drift, "unsure": unsure}
    out.document("inventory", {"account": snapshot.account, "counts": counts, "incomplete": gaps, **more})
    if snapshot.incomplete:
        out.say("the inventory is incomplete: no plan will be made from it")


@app.command(epilog="Example: secmigrate usage --profile prod")
def usage(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    profile: options.Profile = None,
    region: options.Region = None,
    endpoint: options.Endpoint = None,
) -> None:
    """Read from AWS who used what in the last year, for `map --fit used`."""
    import time

    from secmigrate import documents
    from secmigrate.aws import Aws
    from secmigrate.cli import account
    from secmigrate.sources.usage import read_usage

    out, space, aws = Out(json), account.open_workspace(workspace), Aws(profile, region, endpoint)
    with space.locked():
        snapshot = account.inventory(space)
        account.same(snapshot.account, aws.identity()[0])
        arns = account.asked_about(account.decided_last(space), snapshot)
        with out.progress("waiting for reports on last use", total=len(arns)) as progress:
            found = read_usage(aws, snapshot.account, account.now(), arns, time.sleep, progress)
        documents.write_json(space.usage, found)
    out.say(f"account {found.account}: last use of {len(found.services)} groups, roles and users, since {found.since}")
    out.say(*(f"  no report: {arn}: {why}" for arn, why in found.unknown.items()))
    out.say(f"wrote {space.usage}", "next: secmigrate map --fit used")
    counts = {"reports": len(found.services), "since": found.since, "unknown": found.unknown}
    out.document("usage-reports", {"account": found.account, **counts})
    finish(1 if found.unknown else 0)


@app.command(epilog="Example: secmigrate twin --from migration/inventory.json --port 5001")
def twin(
    workspace: options.Workspace = options.FOLDER,
    where: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A snapshot; by default the workspace's inventory.")
    ] = None,
    port: Annotated[int, typer.Option(help="0 takes any that is free.", min=0, max=65535)] = 0,
    faults: Annotated[Path | None, typer.Option(metavar="FILE", help="How it should misbehave (JSON).")] = None,
    used: Annotated[
        Path | None, typer.Option("--usage", metavar="FILE", help="What its reports on last use tell (usage.json).")
    ] = None,
    save: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to leave its snapshot at the end.")] = None,
    stack: Annotated[
        bool, typer.Option("--stack", help="What the workspace's config makes is there already, as its stack.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="As if it were read now: the last use of roles moves along, up to now.")
    ] = False,
) -> None:
    """Serve a strict twin of an account to any AWS client on 127.0.0.1, until SIGTERM or Ctrl-C."""
    from secmigrate import documents
    from secmigrate.cli import account
    from secmigrate.iam import Usage
    from secmigrate.sources.saved import read_saved
    from secmigrate.twin import Faults, Twin, used_lately

    space = account.open_workspace(workspace)
    snapshot = read_saved(where or space.inventory)
    if fresh:
        snapshot = used_lately(snapshot, datetime.now(UTC))
    held = _held(space, snapshot) if stack else None
    misbehaviour = documents.read_json(faults, Faults, hint="see docs/twin.md for its form") if faults else None
    told = documents.read_json(used, Usage, hint="see schemas/usage.schema.json for its form") if used else None
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Twin(snapshot, aws_managed=documents.aws_managed(), faults=misbehaviour, port=port, usage=told) as served:
        if held:
            served.holds_stack(*held)
        typer.echo(served.url)
        stop.wait()
        if save:
            documents.write_snapshot(save, served.snapshot())


def _held(space: Workspace, snapshot: Snapshot) -> tuple[str, Snapshot]:
    """The stack of the workspace's config, and what it holds. Raises BadInput if the snapshot lacks some of it."""
    from secmigrate.cli import account
    from secmigrate.errors import BadInput

    part = account.planned(space)
    absent = sorted({*part.groups} - {*snapshot.groups} | {*part.roles} - {*snapshot.roles})
    if absent:
        told = f"not in the account: {', '.join(absent[:5])}{' and more' if len(absent) > 5 else ''}"
        raise BadInput(told, where="--stack", hint="leave it out, or read an inventory once it is deployed")
    return account.config(space)[0].stack, part


@app.command(epilog="Example: secmigrate status")
def status(workspace: options.Workspace = options.FOLDER, json: options.Json = False) -> None:
    """Where this migration stands, and what comes next."""
    from secmigrate.cli import account, many, overview
    from secmigrate.progress import steps
    from secmigrate.reports.text import step_lines

    out = Out(json)
    if many.are_here(workspace):
        overview.status(workspace, out)
        return
    found = steps(account.open_workspace(workspace))
    out.lines(step_lines(found))
    out.document("status", {"steps": found})
