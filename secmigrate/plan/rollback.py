"""The way back: what was done, or may have been done, is undone from the last step to the first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from secmigrate import iam
from secmigrate.dangers import incomplete, some
from secmigrate.iam import Role, Snapshot
from secmigrate.operations import AddUserToGroup, AnyOperation, Operation, RemoveUserFromGroup
from secmigrate.operations.policies import DeletePolicyVersion
from secmigrate.plan.fold import Kept, Plan, possible, sealed


O = TypeVar("O", bound=Operation)


def rollback(live: Snapshot, done: Sequence[Operation], *, users_only: bool = False) -> Plan:
    """The plan `rollback` for the account as it is now.

    `done` are the operations of all journals, oldest first, that took effect. What is undone already is left out; what
    somebody else changed in between is kept as it is and named (`cannot-undo`).
    """
    operations: list[AnyOperation] = []
    kept: list[Kept] = []
    now = live
    for operation in reversed(net(done)):
        if users_only and not isinstance(operation, AddUserToGroup | RemoveUserFromGroup):
            continue
        undo = _with_live_version(operation.undo(), now)
        after = possible(undo, now)
        if after is None:
            kept.append(Kept(*undo.subject, f"cannot be undone any more: {undo.call().as_shell()}"))
        elif after is not now:
            operations.append(undo)  # type: ignore[arg-type]  # the inverse of an operation is one of the union
            now = after
    dangers = (*incomplete(live), *some("cannot-undo", (f"{one.kind} {one.name}" for one in kept)))
    return sealed("rollback", live, operations, dangers, kept)


def net(done: Iterable[O]) -> list[O]:
    """The operations without those that a later one took back: an earlier rollback cancels what it undid."""
    left: dict[int, O] = {}
    by_effect: dict[bytes, list[int]] = {}
    for number, operation in enumerate(done):
        inverse = by_effect.get(_key(operation.undo()))
        if inverse:
            del left[inverse.pop()]
        else:
            left[number] = operation
            by_effect.setdefault(_key(operation), []).append(number)
    return list(left.values())


def cannot_come_back(plan: Plan) -> list[str]:
    """What a rollback makes anew without what IAM cannot give back, a line each."""
    lines = []
    for operation in plan.operations:
        thing = getattr(operation, "role", None)
        if isinstance(thing, Role) and operation.phase == "grant":
            lines.append(f"role {thing.name}: a new unique id, and no record of its last use")
    return lines


def _key(operation: Operation) -> bytes:
    return msgspec.json.encode(operation, enc_hook=iam.to_jsonable, order="sorted")


def _with_live_version(operation: Operation, live: Snapshot) -> Operation:
    """A version that was made anew has another number than the one it was made for: the live one counts."""
    if not isinstance(operation, DeletePolicyVersion) or operation.arn not in live.policies:
        return operation
    for old in live.policies[operation.arn].older:
        if old.document == operation.document and old.seen.id:
            return DeletePolicyVersion(arn=operation.arn, document=operation.document, version=old.seen.id)
    return operation
