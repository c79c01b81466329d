"""A small migration in one plan, with everything that can be done to an account, and what it takes to carry it out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from secmigrate.apply import Hands, execute, remaining
from secmigrate.aws import Aws
from secmigrate.iam import Group, InstanceProfile, Seen, Snapshot, Version
from secmigrate.journal import End, Journal, Writer, read_journal
from secmigrate.operations import Phase
from secmigrate.plan import Plan, creation, rollback
from secmigrate.plan.fold import sealed
from secmigrate.sources.live import read_live
from secmigrate.twin import Fault, Faults, Twin
from tests.plan.cases import (
    LAST_YEAR,
    after,
    arn,
    decommission,
    group,
    groups,
    policy,
    readd,
    role,
    roles,
    snapshot,
    user,
)
from tests.small import allow

BEFORE = snapshot(
    user("ana", "devs"),
    user("bo", "devs"),
    user("cy"),
    group("devs", allow("s3:*"), attached=(arn("p"),)),
    role("old", inline={"x": allow("logs:*")}, description="nobody knows"),
    policy("p", "sqs:*", older=(Version(document=allow("sns:*"), seen=Seen(id="v2")),)),
    InstanceProfile(name="box", roles=("old",)),
)
WANTED = (
    BEFORE.put(Group(name="new", inline={"n": allow("s3:*")}))
    .put(role("fresh", inline={"x": allow("logs:*")}))
    .put(policy("q", "ec2:*", older=(Version(document=allow("ec2:Run*"), seen=Seen(id="v1")),)))
)
MOVES = [*groups(devs="new"), *roles(old="fresh")]


def whole_plan(before: Snapshot = BEFORE) -> Plan:
    """New things, people into them, old things away: 21 calls."""
    made = creation(before, WANTED).operations
    now = after(before, made)
    moved = readd(now, MOVES, {}, []).operations
    gone = decommission(after(now, moved), MOVES, LAST_YEAR).operations
    return sealed("decommission", before, [*made, *moved, *gone])


PLAN = whole_plan()
END = after(BEFORE, PLAN.operations)


def now() -> str:
    return "2026-01-02T03:04:05Z"


class Stage:
    """A twin and a journal."""

    def __init__(self, twin: Twin, path: Path) -> None:
        self.twin, self.path, self.aws = twin, path, Aws(endpoint=twin.url)

    def look(self) -> Snapshot:
        return read_live(self.aws, {})

    def hands(self) -> Hands:
        return Hands(send=self.aws.send, look=self.look, pause=time.sleep)

    def start(
        self,
        plan: Plan = PLAN,
        *,
        stop_before: Phase | None = None,
        hands: Hands | None = None,
        at_once: int = 1,
    ) -> End:
        """Carries out a plan from its beginning; one call after the other, so that a test knows which comes when."""
        with writing(self.path) as journal:
            journal.plan(plan)
            return execute(plan, hands or self.hands(), journal, stop_before=stop_before, at_once=at_once)

    def resume(self) -> End:
        """Carries on what the journal says."""
        stopped = self.journal
        with writing(self.path) as journal:
            done = remaining(stopped, self.look(), journal)
            return execute(stopped.plan, self.hands(), journal, done=done, at_once=1)

    def roll_back(self) -> Plan:
        """Undoes what the journal says, in a second journal; gives the plan."""
        plan = rollback(self.look(), self.journal.tried)
        with writing(self.path.with_name("back.jsonl")) as journal:
            journal.plan(plan)
            execute(plan, self.hands(), journal)
        return plan

    @property
    def journal(self) -> Journal:
        return read_journal(self.path)

    @property
    def writes(self) -> list[str]:
        """The calls that came and change something."""
        return [call for call in self.twin.calls if not call.startswith(("Get", "List"))]


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    journal = Writer(path, now)
    try:
        yield journal
    finally:
        journal.close()


@contextmanager
def staged(path: Path, *faults: Fault, lag_seconds: float = 0.0, before: Snapshot = BEFORE) -> Iterator[Stage]:
    """A stage on a twin that misbehaves."""
    made = Faults(faults=faults, lag_seconds=lag_seconds)
    with Twin(before, faults=made) as twin:
        yield Stage(twin, path)


Staged = Callable[..., Iterator[Stage]]
