"""The only module that changes anything: carries out a plan, each call journaled before and after.

Calls go in the plan's order, a few at once where none needs another: the same phase, other things. IAM takes about five
calls at a time (iam-rules, "Writing").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from msgspec import Struct

from secmigrate.dangers import incomplete, some, stale, wrong_account
from secmigrate.errors import AwsRefused, AwsSilent, BadInput, Failed, Interrupted, Refused
from secmigrate.iam import Snapshot
from secmigrate.journal import End, Journal, Writer
from secmigrate.operations import (
    PHASES,
    AnyOperation,
    Call,
    CreateStack,
    DeleteStack,
    Impossible,
    Operation,
    Phase,
)
from secmigrate.plan import Plan, base_of, lasting, refusal
from secmigrate.plan.fold import is_intact, used_since

# IAM is eventually consistent: usually 2 s, up to a minute (iam-rules, "Writing").
PATIENCE = 60.0
PAUSE = 2.0
AT_ONCE = 4
TRIES = 3  # of a call that gets no answer
UNSURE = ("InternalError", "InternalFailure", "ServiceFailure", "ServiceUnavailable")  # may have taken effect
BUSY = ("ConcurrentModification", "EntityTemporarilyUnmodifiable")  # somebody else is at it: ask again
NOT_YET = ("NoSuchEntity", "MalformedPolicyDocument")  # what IAM may say of something that was made a moment ago


class Hands(Struct, frozen=True):
    """What touches the world: the account's calls, a look at the account, waiting (seconds), and whether a person
    wants it to stop.
    """

    send: Callable[[Call], str]
    look: Callable[[], Snapshot]
    pause: Callable[[float], None]
    halted: Callable[[], bool] = lambda: False


Since = Callable[[Snapshot], Iterable[str]]  # what became of the account between planning and this, if that is known
Progress = Callable[[int, Operation], None]  # operation number, from 1, about to be made
Numbered = tuple[int, AnyOperation]


def confirm(plan: Plan, live: Snapshot, confirmed: str) -> None:
    """Raises Refused unless plan, account and the id that a person typed are of one account."""
    for danger in wrong_account(plan.account, live.account):
        raise Refused(f"{danger.code}: {danger.message}", hint=danger.hint)
    if confirmed != plan.account:
        told = f"wrong-account: {confirmed} was typed, and the plan is for {plan.account}"
        raise Refused(told, hint="look whether this is the plan that you mean, then type its account id")


def check(plan: Plan, live: Snapshot, confirmed: str, since: Since = lambda now: ()) -> None:
    """Raises Refused unless the plan may be applied to the account as it is now. `since` tells what has changed."""
    confirm(plan, live, confirmed)
    if not is_intact(plan):
        raise Refused("the plan was changed after it was made", hint="make the plan again and review it")
    for danger in (*incomplete(live), *stale(plan.based_on, live, since), *some("stale-plan", used_since(plan, live))):
        raise Refused(f"{danger.code}: {danger.message}", hint=danger.hint)
    if error := refusal(plan):
        raise error


def execute(
    plan: Plan,
    hands: Hands,
    journal: Writer,
    *,
    done: Sequence[int] = (),
    stop_before: Phase | None = None,
    at_once: int = AT_ONCE,
    progress: Progress = lambda n, operation: None,
) -> End:
    """Makes the plan's calls, at most so many at once, except those of the operations `done` (numbers from 1).

    Before the first operation that takes something away, and at the end, everything granted so far is seen in the
    account. A call that is somebody else's, and not made yet, ends it (`waiting`). Raises Interrupted when a call fails
    for good or a person halts it; calls under way are finished, and the journal says where it is. `stop_before` halts
    before the first operation of that phase or of a later one.
    """
    left = [(n, operation) for n, operation in enumerate(plan.operations, 1) if n not in frozenset(done)]
    granted: list[AnyOperation] = []  # and not seen in the account yet
    made: list[AnyOperation] = []
    try:
        for wave in _waves(left, at_once):
            first = wave[0][1]
            if stop_before and PHASES.index(first.phase) >= PHASES.index(stop_before):
                _settle(lasting(made), hands)
                journal.end("stopped")
                return "stopped"
            if first.destructive and granted:
                _settle(granted, hands)
                granted = []
            if hands.halted():
                raise _halted()
            if not first.ours and not _found(wave[0], hands, journal):
                _settle(lasting(made), hands)
                journal.end("waiting")
                return "waiting"
            _make_all(wave, hands, journal, fresh=bool(granted), progress=progress)
            made += [operation for _, operation in wave]
            granted += [operation for _, operation in wave if not operation.destructive]
        _settle(lasting(made), hands)
    except (Failed, BadInput) as error:
        journal.end("failed")
        raise Interrupted(
            error.message, where=error.where, hint=f"{error.hint or 'see the journal'}; then `secmigrate resume`"
        ) from error
    journal.end("done")
    return "done"


def _waves(left: Sequence[Numbered], at_once: int) -> Iterator[list[Numbered]]:
    """The operations in order, those together that may be made at the same time."""
    wave: list[Numbered] = []
    for n, operation in left:
        together = len(wave) < at_once and all(
            operation.phase == other.phase and operation.ours and other.ours and operation.is_apart_from(other)
            for _, other in wave
        )
        if wave and not together:
            yield wave
            wave = []
        wave.append((n, operation))
    if wave:
        yield wave


def _make_all(wave: Sequence[Numbered], hands: Hands, journal: Writer, *, fresh: bool, progress: Progress) -> None:
    """Makes these calls at the same time, and waits for all of them. Raises what the first of them failed with.

    What is not ours to make has been found done by now.
    """
    wave = [one for one in wave if one[1].ours]
    for n, operation in wave:
        progress(n, operation)
    if len(wave) == 1:
        _make(*wave[0], hands, journal, fresh=fresh)
        return
    if not wave:
        return
    with ThreadPoolExecutor(len(wave)) as pool:
        running: list[Future[None]] = [
            pool.submit(_make, n, operation, hands, journal, fresh=fresh) for n, operation in wave
        ]
        wait(running)
    for one in running:
        one.result()


def _found(one: Numbered, hands: Hands, journal: Writer) -> bool:
    """Whether somebody else has made this call; then the journal says so."""
    n, operation = one
    done = operation.is_done(hands.look())
    if done:
        journal.answer(n, "found")
    return done


def _halted() -> Failed:
    return Failed("stopped, as you wished; what was under way is done", hint="nothing is in doubt")


def remaining(journal: Journal, live: Snapshot, writer: Writer, since: Since = lambda now: ()) -> list[int]:
    """The numbers of the operations that are done, doubtful ones looked up in the account and answered in the journal.
    `since` tells what has changed.

    Raises Refused (`stale-plan`) if anything but the plan itself has changed the account since.
    """
    plan = journal.plan
    for danger in incomplete(live):
        raise Refused(f"{danger.code}: {danger.message}", hint=danger.hint)
    found = {n for n in journal.doubtful if plan.operations[n - 1].is_done(live)}
    answered = found | {n for n, result in journal.results.items() if result != "failed"}
    elsewhere = _made_elsewhere(plan, answered, live)
    done = sorted(answered | set(elsewhere))
    made = [plan.operations[n - 1] for n in done]
    if unseen := _unseen(lasting(made), live):
        raise Refused(
            f"stale-plan: was made, and is not to be seen: {unseen[0].call().as_shell()}",
            hint="IAM may lag behind: wait a minute and resume again; else plan anew, `rollback` or this",
        )
    try:
        base = base_of(live, made)
    except Impossible as error:
        raise Refused(
            f"stale-plan: {error.message}", where=error.where, hint="plan again: `rollback` or anew"
        ) from None
    for danger in (*stale(plan.based_on, base, since), *some("stale-plan", used_since(plan, live, done))):
        raise Refused(f"{danger.code}: {danger.message}", hint="make the rest of the plan anew and review it")
    for n in journal.doubtful:
        writer.answer(n, "found" if n in found else "failed", error="" if n in found else "looked up: not applied")
    for n in elsewhere:
        writer.answer(n, "found")
    return done


def _made_elsewhere(plan: Plan, done: set[int], live: Snapshot) -> list[int]:
    """The calls of somebody else that come next and have been made. Raises Refused while one is half done."""
    made: list[int] = []
    for n, operation in enumerate(plan.operations, 1):
        if n in done:
            continue
        if not isinstance(operation, CreateStack | DeleteStack):
            break
        if not operation.is_done(live):
            if operation.has_begun(live):
                raise Refused(
                    f"half done: {operation.asked}",
                    where=operation.stack,
                    hint=f"see `secmigrate stack --tier {operation.tier}` for what became of it, and resume then",
                )
            break
        made.append(n)
    return made


def _make(n: int, operation: Operation, hands: Hands, journal: Writer, *, fresh: bool) -> None:
    """One call, from intent to answer. `fresh`: something was made a moment ago that IAM may not show everywhere."""
    waited, tries = 0.0, 0
    while True:
        journal.intent(n)
        try:
            journal.answer(n, "changed", request=hands.send(operation.call()))
            return
        except AwsSilent:
            tries += 1
            if _shows(operation, hands, PAUSE):
                journal.answer(n, "found")
                return
            if tries >= TRIES:
                raise  # the intent stays without an answer: in doubt
        except AwsRefused as error:
            if error.code in (*operation.already, *UNSURE):
                # An earlier try may have done it, one that botocore made by itself too. If not, it stays in doubt.
                if not _shows(operation, hands, PAUSE if error.code in UNSURE else PATIENCE):
                    raise
                journal.answer(n, "found")
                return
            journal.answer(n, "failed", error=f"{error.code}: {error.message}")
            again = error.code in BUSY or (fresh and error.code in NOT_YET)
            if not again or waited >= PATIENCE:
                raise
            hands.pause(PAUSE)
            waited += PAUSE


def _shows(operation: Operation, hands: Hands, patience: float) -> bool:
    """Whether the account shows the operation's effect; reads may lag behind, so later looks decide."""
    waited = 0.0
    while not operation.is_done(hands.look()):
        if waited >= patience:
            return False
        hands.pause(PAUSE)
        waited += PAUSE
    return True


def _settle(operations: Sequence[Operation], hands: Hands) -> None:
    """Waits until the account shows all of the operations. Raises Failed after a minute."""
    if not operations:
        return
    waited = 0.0
    while unseen := _unseen(operations, hands.look()):
        if hands.halted():
            raise _halted()
        if waited >= PATIENCE:
            raise Failed(
                f"made, but not to be seen after {PATIENCE:.0f} s: {unseen[0].call().as_shell()}",
                hint="look at the account; nothing was taken away on the strength of it",
            )
        hands.pause(PAUSE)
        waited += PAUSE


def _unseen(operations: Sequence[Operation], live: Snapshot) -> list[Operation]:
    return [operation for operation in operations if not operation.is_done(live)]
