"""A plan carried out on a twin, the provisioner's part included: whether it ends where it should, and who is without
access on the way, for how long.

The clock is not this machine's: a twin takes no time. A call takes what IAM takes, a run of the provisioner what is
assumed of it, so that two rehearsals say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from secmigrate.access import Watch
from secmigrate.apply import Hands, execute, remaining
from secmigrate.aws import Aws
from secmigrate.errors import Failed
from secmigrate.iam import Snapshot
from secmigrate.journal import Writer, read_journal
from secmigrate.operations import CreateStack, DeleteStack, Operation
from secmigrate.plan import Plan, fold
from secmigrate.plan.fold import touched_users
from secmigrate.twin import Twin


class Pace(Struct, frozen=True):
    """How long things take, in seconds: a call (iam-rules: about five a second), a run of the provisioner (U)."""

    call: float = 0.2
    stack: float = 180.0

    def of(self, operation: Operation) -> float:
        """How long this one takes."""
        return self.call if operation.ours else self.stack


class Leg(Struct, frozen=True):
    """How the rehearsal of one plan ended."""

    name: str
    calls: int
    runs: int  # of the provisioner
    seconds: float
    without: Mapping[str, float]  # seconds without something that she has before and after, by user, for all users
    roles: Mapping[str, float]  # seconds for which nobody can assume them, by role
    as_planned: bool  # the twin ended in the snapshot that the fold ends in

    @property
    def lacking(self) -> Mapping[str, float]:
        """Those who are without something at all."""
        return {user: seconds for user, seconds in self.without.items() if seconds}


def rehearse(
    plan: Plan, twin: Twin, start: Snapshot, watch: Watch, folder: Path, pace: Pace, now: Callable[[], str]
) -> Leg:
    """Carries the plan out on the twin, which is as in `start` (with the documents of AWS's policies that the plan
    brings in). The journal lies in `folder`. Raises Failed where the twin refuses what the plan does.
    """
    path = folder / f"{plan.name}.jsonl"
    aws = Aws(endpoint=twin.url)
    hands = Hands(aws.send, twin.snapshot, lambda seconds: None)
    writer = Writer(path, now)
    try:
        writer.plan(plan)
        result = execute(plan, hands, writer)
        while result == "waiting":
            pending = read_journal(path).waits_for
            assert pending
            _provision(pending, twin)
            done = remaining(read_journal(path), twin.snapshot(), writer)
            result = execute(plan, hands, writer, done=done)
    finally:
        writer.close()
    without, end = _without(plan.operations, start, watch, pace)
    return Leg(
        name=plan.name,
        calls=sum(operation.ours for operation in plan.operations),
        runs=sum(not operation.ours for operation in plan.operations),
        seconds=sum(pace.of(operation) for operation in plan.operations),
        without=without,
        roles=_gaps(plan.operations, start, end, pace),
        as_planned=_unsigned(twin.snapshot()).fingerprint == _unsigned(end).fingerprint,
    )


def _provision(operation: CreateStack | DeleteStack, twin: Twin) -> None:
    """What the provisioner would do."""
    if isinstance(operation, DeleteStack):
        status = twin.delete_stack(operation.stack)
    else:
        held = Snapshot(account=twin.snapshot().account)
        for one in operation.things:
            held = held.put(one)
        status = twin.create_stack(operation.stack, held)
    if status not in ("CREATE_COMPLETE", "DELETE_COMPLETE"):
        raise Failed(f"ended as {status}: {operation.asked}", where=operation.stack, hint="see `secmigrate stack`")


def _without(
    operations: Sequence[Operation], start: Snapshot, watch: Watch, pace: Pace
) -> tuple[Mapping[str, float], Snapshot]:
    """For how long each user lacks something that she has at the start and at the end; and the end."""
    end = start
    for _, _, end in fold(start, operations):  # noqa: B007 - the last one counts
        pass
    passage, seconds = watch.passage(start, end), dict.fromkeys(sorted(start.users), 0.0)
    lacking: set[str] = set()
    for operation, before, after in fold(start, operations):
        for user in lacking:
            seconds[user] += pace.of(operation)
        for user in touched_users(operation, before):
            lacking.discard(user)
            if passage.dips(after, user):
                lacking.add(user)
    return {user: round(spent, 1) for user, spent in seconds.items()}, end


def _gaps(operations: Sequence[Operation], start: Snapshot, end: Snapshot, pace: Pace) -> Mapping[str, float]:
    seconds = dict.fromkeys(sorted(start.roles.keys() & end.roles.keys()), 0.0)
    for operation, before, _ in fold(start, operations):
        for role in seconds.keys() - before.roles.keys():
            seconds[role] += pace.of(operation)
    return {role: round(spent, 1) for role, spent in seconds.items() if spent}


def _unsigned(snapshot: Snapshot) -> Snapshot:
    """Without what CloudFormation writes on roles and policies, of which no plan knows."""
    for thing in (*snapshot.roles.values(), *snapshot.own_policies.values()):
        if (own := thing.settable()) is not thing:
            snapshot = snapshot.put(own)
    return snapshot
