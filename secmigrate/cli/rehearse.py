"""The command that tries it all on a twin: rehearse."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from secmigrate.cli import options
from secmigrate.cli.app import app
from secmigrate.cli.out import Out, finish
from secmigrate.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from secmigrate.access import Watch
    from secmigrate.iam import Snapshot
    from secmigrate.mapping import Retiered
    from secmigrate.plan import Plan
    from secmigrate.plan.fold import PlanName
    from secmigrate.rehearsal import Leg, Pace
    from secmigrate.sec import SecConfig
    from secmigrate.twin import Twin
    from secmigrate.workspace import Workspace

UNUSED_DAYS = 90  # as `decommission` has it


@app.command(epilog="Example: secmigrate rehearse; secmigrate rehearse --to medium --to enterprise --to startup")
def rehearse(
    workspace: options.Workspace = options.FOLDER,
    json: options.Json = False,
    to: Annotated[
        list[str] | None, typer.Option("--to", metavar="TIER", help="Then to this tier; several in a row.")
    ] = None,
    no_bridge: Annotated[bool, typer.Option("--no-bridge", help="Tier changes without a bridge.")] = False,
    stack_seconds: Annotated[
        float, typer.Option(min=0, help="How long a run of the provisioner takes; nobody outside the vendor knows.")
    ] = 180.0,
) -> None:
    """The whole migration, or tier changes, on a twin of the inventory: who is without access, for how long."""
    from secmigrate import documents
    from secmigrate.cli import account
    from secmigrate.cli.demo import nobodys_credentials
    from secmigrate.rehearsal import Pace
    from secmigrate.reports.rehearsal import rehearsal_document
    from secmigrate.twin import Twin

    out, space = Out(json), account.open_workspace(workspace)
    start, pace = account.inventory(space), Pace(stack=stack_seconds)
    for tier in to or ():
        if tier not in (known := account.catalogue(space).tiers):
            raise BadInput(f"there is no tier {tier!r}", where="--to", hint=f"one of {', '.join(known)}")
    out.say(f"a twin of account {start.account}, as the inventory has it; nothing of yours is touched")
    with (
        _ended_in_order(),
        Twin(start, aws_managed=documents.aws_managed()) as twin,
        nobodys_credentials(twin),
        tempfile.TemporaryDirectory() as folder,
    ):
        stage = _Stage(space, twin, out, Path(folder), pace)
        stage.play(to or [], bridge=not no_bridge)
    legs = stage.legs
    out.document("rehearsal", rehearsal_document(legs, stage.findings))
    if stage.blocked:
        finish(4)
    if stage.findings or not all(leg.as_planned for leg in legs):
        finish(1)
    finish(3 if any(leg.lacking for leg in legs) else 0)


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Makes SIGTERM and the closing of the terminal end the run as an error does: what lies in `/tmp` goes first."""

    def end(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    main = threading.current_thread() is threading.main_thread()  # only it may handle signals
    heeded = [one for one in (signal.SIGTERM, signal.SIGHUP) if main and signal.getsignal(one) == signal.SIG_DFL]
    for number in heeded:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_DFL)


class _Stage:
    """The twin, and the config whose stack stands on it."""

    def __init__(self, space: Workspace, twin: Twin, out: Out, folder: Path, pace: Pace) -> None:
        from secmigrate.cli import account

        self.space, self.twin, self.out, self.folder, self.pace = space, twin, out, folder, pace
        self.legs: list[Leg] = []
        self.findings: list[str] = []
        self.blocked = False
        self.owners = account.inventory(space).owners  # which no IAM knows

    def play(self, to: Sequence[str], *, bridge: bool) -> None:
        """One plan after the other; a blocked one ends it."""
        from secmigrate.cli import account

        config = account.config(self.space)[0]
        wanted = account.planned(self.space)
        live = self.twin.snapshot()
        stands = wanted.groups.keys() <= live.groups.keys() and wanted.roles.keys() <= live.roles.keys()
        if stands and (wanted.groups or wanted.roles):
            self.twin.holds_stack(config.stack, wanted)
        if not to or (self.space.mapping.exists() and not stands):
            self._migration(config, wanted, deployed=stands)
        for tier in to:
            if self.blocked:
                return
            config = self._tier(config, tier, bridge)

    def _migration(self, config: SecConfig, wanted: Snapshot, *, deployed: bool) -> None:
        from msgspec import structs

        from secmigrate import plan
        from secmigrate.cli import account
        from secmigrate.handover import Thing, takes_away
        from secmigrate.sources.owning import hung_by_terraform

        outcome, members = self.space.outcome(), self.space.members().groups
        resources = account.managed(self.space).resources
        undone = takes_away(resources, wanted)
        start = self.twin.snapshot()
        if not wanted.groups and not wanted.roles:
            told = "nothing to deploy, for nothing is mapped"
        else:
            told = "there already" if deployed else self.twin.create_stack(config.stack, wanted)
        self.out.say(f"deploy: stack {config.stack}: {told}")
        self.out.lines(self._why(config) if told.startswith("ROLLBACK") else ())
        live = self.twin.snapshot()
        watch = account.watch(self.space, live, start)
        self._run(plan.readd(live, outcome.moves, members, outcome.unmapped, watch, undone), live, watch)
        if self.blocked:
            return
        moving: set[Thing] = {(move.kind, move.old) for move in outcome.moves}
        found = dict(hung_by_terraform(resources, moving))
        things = (*live.groups.values(), *live.roles.values())
        hung = {live.arn(one): owner for one in things if (owner := found.get((one.kind, one.name)))}
        live = structs.replace(self.twin.snapshot(), owners={**hung, **self.owners})
        self._verify(plan.verify(live, wanted, outcome.moves, members, start, watch))
        unused_since = (datetime.now(UTC) - timedelta(days=UNUSED_DAYS)).strftime("%Y-%m-%d")
        gone = plan.decommission(live, outcome.moves, unused_since, watch, withdrawn=account.withdrawn(live))
        self._run(gone, live, watch)
        if not self.blocked:
            self._verify(plan.verify(self.twin.snapshot(), wanted, outcome.moves, members, start, watch))

    def _why(self, config: SecConfig) -> Iterator[str]:
        """Why the config's stack failed, as the twin's events tell it."""
        from secmigrate.aws import Aws
        from secmigrate.deployment import failures
        from secmigrate.reports.stacks import cause_lines

        aws = Aws(None, config.environment.region, self.twin.url)
        return cause_lines(failures(aws.stack_events(config.stack)))

    def _tier(self, old: SecConfig, to: str, bridge: bool) -> SecConfig:
        from secmigrate.cli import account, tiers
        from secmigrate.errors import BadInput

        catalogue = account.catalogue(self.space)
        order = list(catalogue.tiers)
        if to not in order or to == old.tier.name:
            hint = f"one of {', '.join(one for one in order if one != old.tier.name)}"
            raise BadInput(f"there is no way from {old.tier.name} to {to!r}", where="--to", hint=hint)
        name: PlanName = "tier-upgrade" if order.index(to) > order.index(old.tier.name) else "tier-downgrade"
        found = self._config(old, to)
        live = self.twin.snapshot()
        made, watch = tiers.planned(name, live, old, found, self.space, (), bridge=bridge)
        self.out.say("", f"from {old.tier.name} to {to}", *(f"  {line}" for line in found.changes))
        self._run(made, live, watch)
        return found.config

    def _config(self, old: SecConfig, to: str) -> Retiered:
        from secmigrate import mapping
        from secmigrate.cli import account, tiers

        catalogue = account.catalogue(self.space)
        found = mapping.retiered(old, catalogue.tiers[to], catalogue)
        edited = tiers.edited_config(self.space, old, to)
        return tiers.as_edited(found, old, edited) if edited else found

    def _run(self, made: Plan, live: Snapshot, watch: Watch) -> None:
        from msgspec import structs

        from secmigrate import documents
        from secmigrate.cli import account
        from secmigrate.rehearsal import rehearse as carry_out
        from secmigrate.reports.rehearsal import leg_lines
        from secmigrate.reports.text import danger_lines

        self.out.lines(danger_lines(made.dangers))
        if made.blocking:
            self.out.say(f"{made.name} is blocked: the rehearsal ends here")
            self.blocked = True
            return
        known = {**documents.aws_managed(), **live.policies}
        held = {arn for one in made.operations for group in getattr(one, "groups", ()) for arn in group.attached}
        start = structs.replace(live, policies={**live.policies, **{arn: known[arn] for arn in held if arn in known}})
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        leg = carry_out(made, self.twin, start, watch, folder, self.pace, account.now)
        self.legs.append(leg)
        self.out.lines(leg_lines(leg, self.pace))

    def _verify(self, findings: list[str]) -> None:
        self.findings += findings
        self.out.say(f"verify: {len(findings)} findings" if findings else "verify: everyone is in place")
        self.out.lines(f"  {one}" for one in findings)
