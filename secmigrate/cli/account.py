"""What several commands do with the account: connect, look, and carry out a plan."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple, cast

import msgspec
import typer
from msgspec import structs

from secmigrate import documents, mapping, sec
from secmigrate.access import Watch
from secmigrate.apply import AT_ONCE, Hands, check, confirm, execute, remaining
from secmigrate.aws import Aws
from secmigrate.cli.out import Out, finish
from secmigrate.dangers import wrong_account
from secmigrate.errors import BadInput, Refused
from secmigrate.iam import Document, Snapshot
from secmigrate.journal import Writer
from secmigrate.operations import PHASES, Phase
from secmigrate.plan import Plan
from secmigrate.plan.file import to_file
from secmigrate.plan.fold import with_dangers
from secmigrate.plan.permissions import caller_dangers, policy_of
from secmigrate.reports.shell import as_script
from secmigrate.reports.text import plan_lines
from secmigrate.sec import SecConfig
from secmigrate.sources.live import read_live
from secmigrate.workspace import Fit, Workspace


def look(aws: Aws, out: Out, account: str = "") -> Snapshot:
    """The account as it is now. Raises Refused (`wrong-account`) if it is not the one that this workspace is about."""
    with out.progress("reading the account") as progress:
        live = read_live(aws, documents.aws_managed(), progress)
    same(account or live.account, live.account)
    return live


def with_owners(space: Workspace, live: Snapshot) -> Snapshot:
    """The account with what the workspace's inventory tells of who manages it."""
    return structs.replace(live, owners=inventory(space).owners) if space.inventory.exists() else live


def same(wanted: str, found: str) -> None:
    """Raises Refused (`wrong-account`) if the credentials are of another account."""
    for danger in wrong_account(wanted, found):
        raise Refused(f"{danger.code}: {danger.message}", hint=danger.hint)


def now() -> str:
    """The time as ISO 8601, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def propose(plan: Plan, live: Snapshot, aws: Aws, workspace: Workspace, out: Out) -> None:
    """Shows and saves a plan for the account as it is now, with the policy that it needs. Exit 0: nothing to do;
    3: changes are pending; 4: refused as dangerous.
    """
    if plan.operations:
        dangers = caller_dangers(plan, live, aws.identity()[1], documents.aws_actions())
        plan = with_dangers(plan, dangers) if dangers else plan
    paths = workspace.save_plan(plan, as_script(plan), policy_of(plan, live))
    out.lines(plan_lines(plan))
    out.say("", *(f"wrote {path}" for path in paths))
    if plan.operations and not plan.blocking:
        out.say(f"nothing was changed; to apply it: secmigrate {plan.name} -w {workspace.folder} --execute")
    out.document("plan", to_file(plan))
    if plan.blocking:
        finish(4)
    finish(3 if plan.operations else 0)


def carry_out(
    name: str,
    aws: Aws,
    workspace: Workspace,
    out: Out,
    *,
    confirmed: str | None,
    stop_before: str | None,
    at_once: int,
) -> None:
    """Applies the plan that was saved under this name. Raises Refused, Interrupted, BadInput."""
    halt = phase(stop_before)
    with workspace.locked():
        plan = workspace.plan(name)
        live = look(aws, out, plan.account)
        if plan.operations and all(operation.is_done(live) for operation in plan.operations):
            out.say(f"plan {name}: done already, nothing to do")
            out.document("run", {"name": name, "result": "done", "operations": 0, "journal": None})
            finish(0)
        check(plan, live, confirmed or _typed(plan))
        at = now()
        path = workspace.journal_path(name, at)
        journal = Writer(path, now)
        try:
            journal.plan(plan, aws.identity()[1])
            run(plan, aws, journal, out, stop_before=halt, at_once=at_once)
        finally:
            journal.close()


def run(
    plan: Plan,
    aws: Aws,
    journal: Writer,
    out: Out,
    *,
    done: Sequence[int] = (),
    stop_before: Phase | None = None,
    at_once: int = AT_ONCE,
) -> None:
    """Makes the calls that are left of a plan, and says how it ended."""
    left = len(plan.operations) - len(done)
    with stoppable() as halted, out.progress(f"{plan.name}: {left} calls", total=len(plan.operations)) as progress:
        hands = Hands(aws.send, lambda: read_live(aws, documents.aws_managed()), time.sleep, halted)
        result = execute(
            plan,
            hands,
            journal,
            done=done,
            stop_before=stop_before,
            at_once=at_once,
            progress=lambda n, operation: progress(operation.call().method, n),
        )
    out.say(f"{plan.name}: {result}; journal {journal.path}")
    out.document("run", {"name": plan.name, "result": result, "operations": left, "journal": str(journal.path)})
    if result == "stopped":
        out.say("to go on: secmigrate resume")
        finish(3)


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Makes Ctrl-C and SIGTERM a wish that the function tells of. A second one ends the program at once: what is under
    way is in doubt then, and looked up when somebody resumes.
    """
    wished = threading.Event()

    def stop(number: int, _frame: object) -> None:
        if wished.is_set():
            os.write(2, b"\nstopped at once; `secmigrate resume` looks up what was under way\n")
            os._exit(128 + number)
        wished.set()
        os.write(2, b"\nfinishing the calls under way; once more stops at once\n")

    # Only the main thread may handle signals; elsewhere nobody presses Ctrl-C.
    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM) if main}
    try:
        yield wished.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def inventory(space: Workspace) -> Snapshot:
    """The workspace's inventory. Raises BadInput."""
    if not space.inventory.exists():
        raise BadInput("there is no inventory yet", where=str(space.inventory), hint="run `secmigrate inventory` first")
    return documents.read_snapshot(space.inventory)


def journaled(space: Workspace) -> str:
    """The account that was changed from this workspace; empty if nothing was."""
    return next((journal.plan.account for journal in space.journals()), "")


def config(space: Workspace) -> tuple[SecConfig, documents.Lines]:
    """The workspace's SEC config, with what a person edited in it."""
    return documents.read_config(space.config())


def catalogue(space: Workspace) -> mapping.Catalogue:
    """All rules, levels and tiers, with what `calibrate` learned of the levels."""
    return mapping.with_learned(documents.catalogue(), space.learned())


def planned(space: Workspace) -> Snapshot:
    """What the SEC config, as it stands now, will create."""
    patterns = documents.read_decisions(space.decisions).patterns
    return sec.planned(config(space)[0], catalogue(space).levels, documents.aws_managed(), patterns)


def watch(space: Workspace, *snapshots: Snapshot, met: Iterable[Document] = ()) -> Watch:
    """What compares these moments of the account, with the losses that decisions.yaml accepts; `met` are documents
    that come into it between them.
    """
    accepted = documents.read_decisions(space.decisions).accept
    return Watch(documents.aws_actions(), snapshots, accepted, met)


class Before(NamedTuple):
    """What an earlier `map` left: the config as it is now, perhaps edited, and as `map` itself had it."""

    config: SecConfig
    text: str
    written: str  # empty: it was mapped by a version that did not keep it

    @property
    def edited(self) -> bool:
        """Whether a person changed it."""
        return bool(self.written) and self.text != self.written


def config_before(space: Workspace) -> Before | None:
    """The config of an earlier `map`, if there is one. Raises BadInput if it cannot be read."""
    if not space.mapping.exists():
        return None
    outcome = space.outcome()
    path = space.configs / outcome.config
    if not path.exists():
        return None
    config = documents.read_config(path)[0]
    return Before(config, documents.read_bytes(path).decode(), outcome.written)


def with_edits(before: Before | None, config: SecConfig) -> tuple[SecConfig, list[sec.Kept]]:
    """The new config with what a person changed in the one before; and what of that is not as `map` has it."""
    if before is None or not before.edited:
        return config, []
    base, theirs, ours = (
        msgspec.to_builtins(one) for one in (documents.config_of(before.written), before.config, config)
    )
    merged, kept = sec.merge(base, theirs, ours)
    return msgspec.convert(merged, SecConfig), kept


def check_targets(decisions: Iterable[mapping.Decision], config: SecConfig, where: Path) -> None:
    """Raises BadInput if a person took something out of the config that others become."""
    for (section, key), sources in mapping.mapped(decisions).items():
        if key not in config.security.section(section):
            kind = "groups" if section == "iam_groups" else "roles"
            raise BadInput(
                f"{section}.{key} was taken out, and {', '.join(one.name for one in sources)} becomes it",
                where=str(where),
                hint=f"say what happens instead in decisions.yaml, under {kind}: become: KEY, or leave: WHY",
            )


def decided(
    space: Workspace, scope: mapping.Scope, names: mapping.Names | None, fit: Fit = "cover"
) -> tuple[mapping.Decision, ...]:
    """What becomes of everything in the inventory, by the rules and a person's answers; with the fit `used`, by what
    was used. Raises BadInput.
    """
    answers = documents.read_decisions(space.decisions)
    usage = space.last_use() if fit == "used" else None
    return mapping.decide(inventory(space), catalogue(space), answers, scope, names, usage)


def decided_last(space: Workspace) -> tuple[mapping.Decision, ...]:
    """The same as the last `map` was asked for it; without one, for everything."""
    if not space.mapping.exists():
        return decided(space, mapping.Scope(), None)
    outcome = space.outcome()
    last = config(space)[0]
    return decided(space, mapping.Scope(outcome.only, outcome.skip), (last.client, last.environment), outcome.fit)


def asked_about(decisions: Iterable[mapping.Decision], snapshot: Snapshot) -> list[str]:
    """ARNs of those whose use matters: groups and roles that are mapped or could be, and the members of groups that
    several rules claim, since such a group may be split.
    """
    decisions = [one for one in decisions if not isinstance(one, mapping.LeftOut)]
    claimed = [one.name for one in decisions if one.kind == "group" and isinstance(one, mapping.Ambiguous)]
    members = sorted({name for group in claimed for name in snapshot.members[group]})
    things = dict.fromkeys((one.kind, one.name) for one in decisions)
    return [
        *(snapshot.arn(found) for kind, name in things if (found := snapshot.principal(kind, name))),
        *(snapshot.arn(snapshot.users[name]) for name in members),
    ]


def go_on(aws: Aws, workspace: Workspace, out: Out, *, confirmed: str | None, at_once: int) -> None:
    """Carries the newest plan on that did not come to its end. Raises Refused if the account has changed otherwise."""
    with workspace.locked():
        stopped = workspace.unfinished()
        if stopped is None:
            out.say("nothing was interrupted")
            out.document("run", {"name": None, "result": "done", "operations": 0, "journal": None})
            return
        live = look(aws, out)
        confirm(stopped.plan, live, confirmed or _typed(stopped.plan))
        journal = Writer(stopped.path, now)
        try:
            done = remaining(stopped, live, journal)
            journal.resumed(aws.identity()[1])
            run(stopped.plan, aws, journal, out, done=done, at_once=at_once)
        finally:
            journal.close()


def fitting(fit: str) -> Fit:
    """What `--fit` says. Raises BadInput."""
    if fit not in ("cover", "used"):
        raise BadInput(f"{fit!r} is no way to choose levels", where="--fit", hint="cover, or used")
    return cast(Fit, fit)


def open_workspace(folder: Path) -> Workspace:
    """The workspace of a command."""
    return Workspace(folder)


def phase(name: str | None) -> Phase | None:
    """What `--stop-before` names. Raises BadInput if there is no such phase."""
    if name is not None and name not in PHASES:
        raise BadInput(f"there is no phase {name!r}", where="--stop-before", hint=f"one of {', '.join(PHASES)}")
    return name


def _typed(plan: Plan) -> str:
    if not sys.stdin.isatty():
        raise Refused(
            "nobody is here to confirm it", hint=f"review the plan, then give --confirm-account {plan.account}"
        )
    typer.echo(f"{len(plan.operations)} calls change account {plan.account}, {plan.destructive} take something away.")
    return cast(str, typer.prompt("Type the account id to go on"))
