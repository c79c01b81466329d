"""How a plan is shown, confirmed by a person, carried out and carried on."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import cast

import typer

from secmigrate import documents
from secmigrate.apply import AT_ONCE, Hands, check, confirm, execute, remaining
from secmigrate.aws import Aws
from secmigrate.cli import account
from secmigrate.cli.out import Out, finish
from secmigrate.errors import BadInput, Refused
from secmigrate.iam import Snapshot
from secmigrate.journal import Writer
from secmigrate.operations import PHASES, Phase
from secmigrate.plan import Plan
from secmigrate.plan.file import to_file
from secmigrate.plan.fold import with_dangers
from secmigrate.plan.permissions import caller_dangers, policy_of
from secmigrate.reports.shell import as_script
from secmigrate.reports.text import plan_lines
from secmigrate.sources.live import read_live
from secmigrate.workspace import Workspace


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
        live = account.look(aws, out, plan.account)
        if plan.operations and all(operation.is_done(live) for operation in plan.operations):
            out.say(f"plan {name}: done already, nothing to do")
            out.document("run", {"name": name, "result": "done", "operations": 0, "journal": None})
            finish(0)
        check(plan, live, confirmed or _typed(plan))
        at = account.now()
        path = workspace.journal_path(name, at)
        journal = Writer(path, account.now)
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


def go_on(aws: Aws, workspace: Workspace, out: Out, *, confirmed: str | None, at_once: int) -> None:
    """Carries the newest plan on that did not come to its end. Raises Refused if the account has changed otherwise."""
    with workspace.locked():
        stopped = workspace.unfinished()
        if stopped is None:
            out.say("nothing was interrupted")
            out.document("run", {"name": None, "result": "done", "operations": 0, "journal": None})
            return
        live = account.look(aws, out)
        confirm(stopped.plan, live, confirmed or _typed(stopped.plan))
        journal = Writer(stopped.path, account.now)
        try:
            done = remaining(stopped, live, journal)
            journal.resumed(aws.identity()[1])
            run(stopped.plan, aws, journal, out, done=done, at_once=at_once)
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
    typer.echo(said)
    return cast(str, typer.prompt("Type the account id to go on"))
