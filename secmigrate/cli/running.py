"""How a plan is shown, confirmed by a person, carried out and carried on."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from itertools import groupby
from typing import TYPE_CHECKING, cast

import typer
from msgspec import structs

from secmigrate import documents
from secmigrate.access import Watch
from secmigrate.apply import AT_ONCE, Hands, check, confirm, execute, remaining
from secmigrate.cli import account
from secmigrate.cli.in_force import adopt, answers, check_adoptable
from secmigrate.cli.out import Out, finish
from secmigrate.cli.reviewed import Again, check_made_the_same, check_meant, check_still_leaving, command
from secmigrate.cli.stopping import stoppable
from secmigrate.dangers import some, stale
from secmigrate.diff import since
from secmigrate.errors import BadInput, Refused
from secmigrate.iam import Snapshot
from secmigrate.journal import Writer, read_journal
from secmigrate.operations import PHASES, CreateStack, Phase
from secmigrate.plan import Plan, Tried, base_of, is_done
from secmigrate.plan.asked import Asked
from secmigrate.plan.file import to_file
from secmigrate.plan.fold import with_dangers
from secmigrate.plan.permissions import caller_dangers, policy_of
from secmigrate.plan.rollback import documents as documents_of
from secmigrate.plan.tier import rest
from secmigrate.reports.shell import as_script
from secmigrate.reports.text import plan_lines
from secmigrate.sources.live import read_live
from secmigrate.workspace import Workspace

if TYPE_CHECKING:
    from secmigrate.aws import Aws


def propose(
    plan: Plan,
    live: Snapshot,
    aws: Aws,
    workspace: Workspace,
    out: Out,
    asked: Asked,
    changes: Sequence[str] = (),
) -> None:
    """Shows and saves a plan for the account as it is now, with what it was asked for and the policy that it needs.
    `changes` are of the config, told before. Exit 0: nothing to do; 3: changes are pending; 4: refused as dangerous.
    """
    if plan.operations:
        dangers = caller_dangers(plan, live, aws.identity()[1], documents.aws_actions())
        plan = with_dangers(plan, dangers) if dangers else plan
    paths = workspace.save_plan(plan, as_script(plan), policy_of(plan, live), live, asked)
    out.lines(plan_lines(plan))
    out.say("", *(f"wrote {path}" for path in paths))
    if plan.operations and not plan.blocking:
        out.say(f"nothing was changed; to apply it: secmigrate {command(plan)} {workspace.option} --execute")
    told = structs.replace(to_file(plan, asked), config_changes=tuple(changes))
    out.document("plan", told)
    if plan.blocking:
        finish(4)
    finish(3 if plan.operations else 0)


def carry_out(
    name: str,
    aws: Aws,
    workspace: Workspace,
    out: Out,
    asked: Asked | None,
    again: Again,
    *,
    confirmed: str | None,
    stop_before: str | None,
    at_once: int,
) -> None:
    """Applies the plan that was saved under this name, if it is the one that is `asked` for, with the options that
    stand there or none, and what `again` makes is the same. Raises Refused, Interrupted, BadInput.
    """
    halt = phase(stop_before)
    with workspace.locked():
        plan, saved = workspace.plan_as_asked(name)
        check_meant(plan, saved, asked, workspace)
        check_adoptable(plan, workspace)
        live = account.look(aws, out, plan.account)
        if plan.operations and is_done(plan, live):
            out.say(f"plan {name}: done already, nothing to do")
            out.document("run", {"name": name, "result": "done", "operations": 0, "journal": None})
            finish(0)
        _check_begun(plan, live, workspace)
        check(plan, live, confirmed or _typed(plan), _since(plan, workspace))
        _not_taken_over(plan, (), live, workspace)
        check_still_leaving(plan, (), live, workspace)
        # The way back, and a config from a master, hang on files that may be gone by now; the account is as it was.
        if saved and plan.name != "rollback" and not saved.master:
            check_made_the_same(plan, again(live, saved), workspace)
        at = account.now()
        path = workspace.journal_path(name, at)
        journal = Writer(path, account.now)
        try:
            journal.plan(plan, aws.identity()[1])
            run(plan, aws, journal, workspace, out, stop_before=halt, at_once=at_once)
        finally:
            journal.close()


def run(
    plan: Plan,
    aws: Aws,
    journal: Writer,
    workspace: Workspace,
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
    # Before anybody is told: where nobody listens any more, as on a full disk, it must not be left out.
    in_force = adopt(plan, workspace, hands.look) if result == "done" else ""
    out.say(f"{plan.name}: {result}; journal {journal.path}", *([in_force] if in_force else []))
    told: dict[str, object] = {"name": plan.name, "result": result, "operations": left, "journal": str(journal.path)}
    pending = read_journal(journal.path).waits_for
    if pending:
        asked = f"secmigrate {pending.asked} {workspace.option} --run"
        out.say("", f"now it is the provisioner's turn (stack {pending.stack}):", f"  {asked}")
        out.say("  without --run it prints the docker command, to run it elsewhere")
        out.say(f"then: secmigrate resume {workspace.option}")
        told |= {"waits_for": {"stack": pending.stack, "command": asked}}
    out.document("run", told)
    if pending:
        finish(3)
    if result == "stopped":
        out.say(f"to go on: secmigrate resume {workspace.option}")
        finish(3)


def tell_affected(workspace: Workspace, out: Out) -> None:
    """Since when each person has been affected by what was done here."""
    since: dict[str, tuple[str, str]] = {}
    for journal in workspace.journals():
        for one in journal.tried:
            kind, name = one.operation.subject
            if kind == "user":
                since.setdefault(name, (journal.started, journal.plan.name))
    for (at, name), users in groupby(sorted(since, key=lambda user: (since[user], user)), key=lambda user: since[user]):
        there = list(users)
        more = f" and {len(there) - 5} more" if len(there) > 5 else ""
        out.say(f"affected since {at} ({name}): {len(there)} users: {', '.join(there[:5])}{more}")


def _check_begun(plan: Plan, live: Snapshot, workspace: Workspace) -> None:
    """Raises Refused if this very plan is half way, and so the account is not what it was made from any more."""
    begun = workspace.unfinished()
    if begun and begun.plan == plan and stale(plan.based_on, live):
        made = sum(result != "failed" for result in begun.results.values())
        told = f"stale-plan: it is half way: {made} of its {len(plan.operations)} calls are made"
        hint = "`secmigrate resume` goes on with it, `secmigrate rollback` leads back"
        raise Refused(told, where=str(begun.path), hint=hint)


def _look_again(plan: Plan, done: Sequence[int], live: Snapshot, workspace: Workspace) -> None:
    """Raises Refused if the rest of the plan would take something from somebody: the stack that the provisioner made
    may give less than was planned.
    """
    stacks = {n for n, operation in enumerate(plan.operations, 1) if isinstance(operation, CreateStack)}
    if not stacks or not stacks <= set(done) or len(done) == len(plan.operations):
        return
    held = {arn for step in plan.operations for one in getattr(step, "groups", ()) for arn in one.attached}
    known = {arn: policy for arn, policy in documents.aws_managed().items() if arn in held}
    live = structs.replace(live, policies={**known, **live.policies})
    start = base_of(live, [plan.operations[n - 1] for n in sorted(done)])
    met = documents_of(Tried(operation) for operation in plan.operations)
    watch = Watch(documents.aws_actions(), (start, live), answers(plan, workspace).accept, met)
    found = rest(plan, done, start, live, watch)
    for danger in found:
        hint = "what it lacks is still on the bridge: raise the levels and deploy again, or accept it in decisions.yaml"
        raise Refused(f"{danger.code}: {danger.message}", hint=f"{hint}; then `secmigrate resume`")


def _not_taken_over(plan: Plan, done: Sequence[int], live: Snapshot, workspace: Workspace) -> None:
    """Raises Refused if Terraform manages by now what the rest of the plan takes away for good. No other plan is asked:
    nothing stands between a person and her way back, least of all a state that cannot be read.
    """
    if plan.name == "decommission":
        left = [operation for n, operation in enumerate(plan.operations, 1) if n not in done]
        for danger in some("owned-elsewhere", account.taken_over(workspace, live, left)):
            raise Refused(f"{danger.code}: {danger.message}", hint=danger.hint)


def _since(plan: Plan, workspace: Workspace) -> Callable[[Snapshot], list[str]]:
    """Tells what became of the account since the plan was made, as far as that is known: no reason to stop is lost if
    what was kept then cannot be read.
    """

    def told(now: Snapshot) -> list[str]:
        with suppress(BadInput):
            before = workspace.planned_for(plan)
            return since(before, now) if before else []
        return []

    return told


def go_on(aws: Aws, workspace: Workspace, out: Out, *, confirmed: str | None, at_once: int) -> None:
    """Carries the newest plan on that did not come to its end. Raises Refused if the account has changed otherwise."""
    with workspace.locked():
        stopped = workspace.unfinished()
        if stopped is None:
            out.say("nothing was interrupted")
            out.document("run", {"name": None, "result": "done", "operations": 0, "journal": None})
            return
        check_adoptable(stopped.plan, workspace)
        live = account.look(aws, out)
        confirm(stopped.plan, live, confirmed or _typed(stopped.plan))
        journal = Writer(stopped.path, account.now)
        try:
            done = remaining(stopped, live, journal, _since(stopped.plan, workspace))
            journal.resumed(aws.identity()[1])
            _look_again(stopped.plan, done, live, workspace)
            _not_taken_over(stopped.plan, done, live, workspace)
            check_still_leaving(stopped.plan, done, live, workspace)
            run(stopped.plan, aws, journal, workspace, out, done=done, at_once=at_once)
        finally:
            journal.close()


def phase(name: str | None) -> Phase | None:
    """What `--stop-before` names. Raises BadInput if there is no such phase."""
    if name is not None and name not in PHASES:
        raise BadInput(f"there is no phase {name!r}", where="--stop-before", hint=f"one of {', '.join(PHASES)}")
    return name


def _typed(plan: Plan) -> str:
    said = f"{len(plan.operations)} calls change account {plan.account}, {plan.destructive} take something away."
    return typed(said, plan.account, "review the plan")


def typed(said: str, account_id: str, first: str) -> str:
    """The account id as a person types it, who was told what is about to happen. Raises Refused if nobody is there."""
    if not sys.stdin.isatty():
        raise Refused("nobody is here to confirm it", hint=f"{first}, then give --confirm-account {account_id}")
    with redirect_stdout(sys.stderr):  # stdout may go to a file, where nobody would see it, and holds JSON alone
        typer.echo(said)
        return cast(str, typer.prompt("Type the account id to go on"))
