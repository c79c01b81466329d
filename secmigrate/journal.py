"""What was tried and what came of it: a line before each call and a line after it, each on the disk before going on.

    {"event": "plan", "at": …, "by": …, "plan": {…}}     the plan, whole: the journal stands on its own; by whom
    {"event": "intent", "at": …, "n": 1}                 about to make call 1
    {"event": "answer", "at": …, "n": 1, "result": …}    it is done (changed), was done already (found), or failed
    {"event": "end", "at": …, "result": …}               done, stopped (before a phase), failed, or waiting for somebody
                                                         else's call; once that is seen, it has an answer (found)

An intent without an answer is in doubt: nobody knows whether the call took effect. It is looked up, never guessed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Literal, cast

import msgspec
from msgspec import Struct

from secmigrate import iam
from secmigrate.documents import private_folder, read_bytes
from secmigrate.errors import BadInput, Failed
from secmigrate.operations import CreateStack, DeleteStack
from secmigrate.plan import Plan, Tried

Result = Literal["changed", "found", "failed"]
End = Literal["done", "stopped", "failed", "waiting"]

HINT = "restore the journal from a backup; it is the record of what was done to the account"


class _Event(Struct, frozen=True, tag_field="event", tag=str.lower):
    at: str


class Planned(_Event, frozen=True, tag="plan", omit_defaults=True):
    """The first line of a run that begins; `by` is the caller's ARN."""

    plan: Plan
    by: str = ""


class Resumed(_Event, frozen=True):
    """Somebody carries it on."""

    by: str


class Intent(_Event, frozen=True):
    """About to make the call of operation `n`, from 1."""

    n: int


class Answer(_Event, frozen=True, kw_only=True, omit_defaults=True):
    """What came of operation `n`."""

    n: int
    result: Result
    request: str = ""  # AWS's request id
    error: str = ""


class Ended(_Event, frozen=True, tag="end"):
    """The last line of a run; a resumed run writes on after it."""

    result: End


Event = Planned | Resumed | Intent | Answer | Ended
_decoder = msgspec.json.Decoder(Event, dec_hook=iam.from_jsonable)


class Writer:
    """Appends to a journal; a line is on the disk when its method returns. Raises Failed if it cannot be."""

    def __init__(self, path: Path, now: Callable[[], str]) -> None:
        """`now` gives the time as ISO 8601."""
        self.path, self._now, self._lock = path, now, Lock()
        try:
            private_folder(path.parent)
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._mend()
            _sync(path.parent)
        except OSError as error:
            raise Failed(f"cannot be written: {error.strerror}", where=str(path), hint="check the disk") from None

    def plan(self, plan: Plan, by: str = "") -> None:
        self._append(Planned(self._now(), plan, by))

    def resumed(self, by: str) -> None:
        self._append(Resumed(self._now(), by))

    def intent(self, n: int) -> None:
        self._append(Intent(self._now(), n))

    def answer(self, n: int, result: Result, *, request: str = "", error: str = "") -> None:
        self._append(Answer(self._now(), n=n, result=result, request=request, error=error))

    def end(self, result: End) -> None:
        self._append(Ended(self._now(), result))

    def close(self) -> None:
        os.close(self._handle)

    def _append(self, event: Event) -> None:
        line = msgspec.json.encode(event, enc_hook=iam.to_jsonable, order="sorted") + b"\n"
        with self._lock:  # calls are made from several threads
            size = os.fstat(self._handle).st_size
            try:
                while line:
                    line = line[os.write(self._handle, line) :]
                os.fsync(self._handle)
            except OSError as error:
                os.ftruncate(self._handle, size)  # half a line would be damage once another stands behind it
                hint = "make room on the disk, then resume"
                raise Failed(f"cannot be written: {error.strerror}", where=str(self.path), hint=hint) from None

    def _mend(self) -> None:
        """Cuts off a line that a crash left half written: its call was never made."""
        data = self.path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            os.truncate(self.path, whole)


def _sync(folder: Path) -> None:
    """Makes the file's name survive a power cut, as fsync makes its lines."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Journal(Struct, frozen=True):
    """A journal, read."""

    path: Path
    plan: Plan
    results: Mapping[int, Result]  # by operation number, from 1: the last answer
    doubtful: tuple[int, ...]  # intents without an answer
    ended: End | None
    started: str
    by: str = ""  # the caller's ARN
    last: str = ""  # the time of its last line
    resumed: tuple[Resumed, ...] = ()  # by whom it was carried on

    @property
    def tried(self) -> tuple[Tried, ...]:
        """The operations that took effect or may have, in order; those that another rollback could have to undo."""
        numbers = {*self.doubtful, *(n for n, result in self.results.items() if result != "failed")} - self._farewell
        return tuple(Tried(self.plan.operations[n - 1], n in self.doubtful) for n in sorted(numbers))

    @property
    def elsewhere(self) -> tuple[Tried, ...]:
        """What comes next of the provisioner's part, if anything does: it may have been done, and nobody looked."""
        left = [n for n in self._left if n not in self._farewell]
        return tuple(Tried(self.plan.operations[n - 1], doubtful=True) for n in left[:1])

    @property
    def waits_for(self) -> CreateStack | DeleteStack | None:
        """What the run waits for somebody else to do; None if it does not."""
        if self.ended != "waiting" or not self._left:
            return None
        return cast(CreateStack | DeleteStack, self.plan.operations[self._left[0] - 1])

    @property
    def ended_the_stack(self) -> bool:
        """Whether it is a way back that ended with the deletion of the stack."""
        return any(self.results.get(n, "failed") != "failed" for n in self._farewell)

    @property
    def _farewell(self) -> set[int]:
        """A rollback's last, if it ends a stack whose deployment no journal knows of: with that, all is as it began."""
        ends = self.plan.name == "rollback" and any(isinstance(one, DeleteStack) for one in self.plan.operations[-1:])
        return {len(self.plan.operations)} if ends else set()

    @property
    def _left(self) -> list[int]:
        """The numbers of what is the provisioner's and has no answer."""
        stacks = {n for n, one in enumerate(self.plan.operations, 1) if isinstance(one, CreateStack | DeleteStack)}
        return sorted(stacks - self.results.keys())

    @property
    def unfinished(self) -> bool:
        """Whether something of the plan is still to be done, or nobody knows."""
        return self.ended != "done"


def has_begun(path: Path) -> bool:
    """Whether the journal's plan is in it, whole. One that a crash cut short before that records nothing. Raises
    BadInput if nobody can tell.
    """
    try:
        with path.open("rb") as file:
            return file.readline().endswith(b"\n")
    except OSError as error:
        raise BadInput(f"cannot be read: {error.strerror}", where=str(path), hint=HINT) from None


def read_journal(path: Path) -> Journal:
    """Reads a journal. A last line that a crash cut short is left out; other damage raises BadInput with its line."""
    lines = read_bytes(path).split(b"\n")
    events: list[Event] = []
    for number, line in enumerate(lines[:-1], 1):
        try:
            events.append(_decoder.decode(line))
        except (msgspec.DecodeError, BadInput) as error:
            raise BadInput(f"damaged: {error}", where=f"{path}:{number}", hint=HINT) from None
    if not events or not isinstance(events[0], Planned):
        raise BadInput("the journal does not start with its plan", where=f"{path}:1", hint=HINT)
    return _told(path, events[0], events[1:])


def _told(path: Path, head: Planned, events: list[Event]) -> Journal:
    results: dict[int, Result] = {}
    doubtful: set[int] = set()
    ended: End | None = None
    for event in events:
        match event:
            case Intent(n=n):
                doubtful.add(n)
                ended = None
            case Answer(n=n, result=result):
                results[n] = result
                doubtful.discard(n)
            case Ended(result=result):
                ended = result
    if not doubtful | results.keys() <= set(range(1, len(head.plan.operations) + 1)):
        raise BadInput("names an operation that its plan does not have", where=str(path), hint=HINT)
    resumed = tuple(event for event in events if isinstance(event, Resumed))
    last = events[-1].at if events else head.at
    return Journal(path, head.plan, results, tuple(sorted(doubtful)), ended, head.at, head.by, last, resumed)
