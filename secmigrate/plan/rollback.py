"""The way back: what was done, or may have been done, is undone from the last step to the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct, structs

from secmigrate import iam
from secmigrate.access import Watch
from secmigrate.dangers import GROUPS_PER_USER, Danger, incomplete, some
from secmigrate.iam import Document, Policy, Principal, Role, Snapshot
from secmigrate.operations import (
    AddUserToGroup,
    AnyOperation,
    CreateRole,
    CreateStack,
    DeleteInlinePolicy,
    DeletePolicyVersion,
    DeleteRole,
    DeleteStack,
    Operation,
    PutInlinePolicy,
    QuarantineRole,
    ReleaseRole,
    RemoveUserFromGroup,
    RenameGroup,
    UpdateTrustPolicy,
)
from secmigrate.operations.policies import CreatePolicyVersion
from secmigrate.plan.fold import Kept, Plan, possible, sealed
from secmigrate.plan.losing import before_it, losing
from secmigrate.plan.naming import nobody
from secmigrate.plan.needed import with_needed
from secmigrate.plan.remade import Gone, made_since
from secmigrate.plan.retrusting import trust_again
from secmigrate.plan.standing import added_outside, shared, trusting

Op = TypeVar("Op", bound=Operation)


class Tried(Struct, frozen=True):
    """An operation from a journal: it took effect, or is `doubtful`, so that nobody knows."""

    operation: AnyOperation
    doubtful: bool = False


def rollback(
    live: Snapshot,
    tried: Sequence[Tried],
    *,
    wanted: Callable[[Operation], bool] = lambda operation: True,
    watch: Watch | None = None,
    stack: DeleteStack | None = None,
    start: Snapshot | None = None,
) -> Plan:
    """The plan `rollback` for the account as it is now.

    `tried` are the operations of all journals, oldest first, of which those that are `wanted` are undone, with the
    policies and roles that these need; trust policies that hold the old id of a role which is made anew are put again.
    What is undone already is left out; what somebody else changed in between, or made anew under an old name, is kept
    as it is and named (`cannot-undo`). Who cannot be put back into an old group leaves none of the groups that took its
    place, and neither does who would lose by it what she could do at the `start` (the inventory) and can do now. A
    `stack` of the provisioner's, once nobody is in its groups any more, goes last. A `watch` that knows `live`, `start`
    and `documents(tried)` tells whose access dips, and who loses.
    """
    effects, staying, losers = took_effect(live, tried), frozenset[str](), frozenset[str]()
    operations, kept, told, now = _steps_back(live, effects, wanted, staying)
    if start and watch:
        start = before_it(start, net(effects))
        while not (losers := losing(start, live, now, watch)) <= staying:
            staying |= losers
            operations, kept, told, now = _steps_back(live, effects, wanted, staying)
    again, lost = trust_again(now, operations)
    operations += again
    kept += lost
    if stack and (gone := stack.as_in(now)).things:
        if why := _why_it_stays(gone, now):
            kept.append(Kept("stack", stack.stack, why))
        else:
            operations.append(gone)
            told += _told_of(stack, gone, now)
    dangers = (
        *incomplete(live),
        *some("cannot-undo", sorted({f"{one.kind} {one.name}" for one in kept})),
        *some("stranded-user", sorted(losers), "nothing"),
        *told,
    )
    # All of it had room before; what AWS's quotas are for this account nobody knows here.
    return sealed("rollback", live, operations, dangers, kept, keeps_quotas=False, watch=watch, may_dip=True)


def _steps_back(
    live: Snapshot, effects: list[AnyOperation], wanted: Callable[[Operation], bool], staying: frozenset[str]
) -> tuple[list[AnyOperation], list[Kept], list[Danger], Snapshot]:
    """What undoes the effects, what stays, what is to be known of stacks that go, and the account behind it. From users
    who are `staying` nothing is taken.
    """
    operations: list[AnyOperation] = []
    kept: list[Kept] = []
    told: list[Danger] = []
    without = {*staying}  # users who do not get back all that they had
    held = {
        ("user", name) for name in staying
    }  # these, and the groups that they stay in: what was given there stays as well
    now = live
    theirs = made_since(live, net(effects, apart=True))
    for operation in reversed(net(with_needed(live, effects, wanted), apart=True)):
        if isinstance(operation, UpdateTrustPolicy):
            continue  # trust that was put again had named somebody who is gone: there is no way back to that
        undo = _as_in(operation.undo(), now)
        if undo.subject in theirs and isinstance(operation, Gone):
            kept.append(Kept(*undo.subject, "somebody has made another one of that name since"))
            continue
        if undo.is_done(now):
            continue
        about = theirs & (undo.changes | undo.relies_on)
        after = None if about else _after(undo, now)
        if isinstance(undo, RemoveUserFromGroup) and undo.user in without:
            kept.append(Kept("user", undo.user, f"stays in {undo.group}, for want of an old group"))
            held.add(("group", undo.group))
        elif undo.destructive and undo.subject in held:
            kept.append(Kept(*undo.subject, f"stays as it is, for want of an old group: {undo.call().as_shell()}"))
        elif after is None:
            why = "is not undone, for another one is there" if about else _why_not(undo, now)
            kept.append(Kept(*undo.subject, f"{why}: {undo.call().as_shell()}"))
            if isinstance(undo, AddUserToGroup):
                without.add(undo.user)
                held.add(("user", undo.user))
        else:
            if isinstance(operation, CreateStack) and isinstance(undo, DeleteStack):
                told += _told_of(operation, undo, now)
            operations.append(undo)  # type: ignore[arg-type]  # the inverse of an operation is one of the union
            now = after
    return operations, kept, told, now


def _told_of(planned: CreateStack | DeleteStack, gone: DeleteStack, now: Snapshot) -> tuple[Danger, ...]:
    """What keeps a stack that goes from deleting, and what outside of it loses something for good."""
    part = gone.part(now)
    return (
        *some("added-outside", added_outside(now, (*planned.groups, *planned.roles))),
        *some("named-elsewhere", trusting(now, part), "nothing"),
        *some("shared-policy", shared(now, part), "nothing"),
    )


def _why_it_stays(stack: DeleteStack, now: Snapshot) -> str:
    """Why the stack cannot be deleted yet; empty if it can."""
    inside = [f"{len(now.members[one.name])} in {one.name}" for one in stack.groups if now.members[one.name]]
    if inside:
        return f"stays, for people are in its groups: {', '.join(inside)}"
    if not possible(stack, now):
        return "stays, for a role of it is in an instance profile"
    part = stack.part(now)
    leaning = [*trusting(now, part), *shared(now, part)]
    return f"stays, for something outside of it would lose it: {', '.join(leaning)}" if leaning else ""


def _why_not(undo: Operation, now: Snapshot) -> str:
    """Why it cannot be done."""
    if isinstance(undo, CreateRole) and (gone := nobody(undo.role.trust, now)):
        return f"trusts {gone[0]}, who is gone, so that IAM would not take it anew"
    return "cannot be undone any more"


def came_before(tried: Iterable[Tried], groups: Iterable[str]) -> bool:
    """Whether nobody was in these groups at first: the first that happened to them is that somebody joined."""
    names = set(groups)
    for one in tried:
        if isinstance(one.operation, AddUserToGroup | RemoveUserFromGroup) and one.operation.group in names:
            return isinstance(one.operation, AddUserToGroup)
    return False


def is_membership(operation: Operation) -> bool:
    """Whether it is about who is in which group."""
    return isinstance(operation, AddUserToGroup | RemoveUserFromGroup)


def documents(tried: Iterable[Tried]) -> Iterator[Document]:
    """The policy documents that the operations, or undoing them, bring into the account."""
    for one in tried:
        for value in structs.astuple(one.operation):
            for held in value if isinstance(value, tuple) else ():
                yield from _held(held)
            if isinstance(value, Document):
                yield value
            elif isinstance(value, Policy):
                yield value.document


def _held(thing: object) -> Iterator[Document]:
    """What is in a thing of a stack."""
    if isinstance(thing, Principal):
        yield from thing.inline.values()
    if isinstance(thing, Role):
        yield thing.trust
    if isinstance(thing, Policy):
        yield thing.document


def took_effect(live: Snapshot, tried: Sequence[Tried]) -> list[AnyOperation]:
    """The operations that took effect. A doubtful one is told by the next try of it, which was planned because its
    effect was not there, or of its inverse, which was planned because it was; if there is none, by the account.
    """
    done: list[AnyOperation] = []
    was_there: dict[bytes, bool] = {}  # by effect, at the next moment of which it is known
    for one in reversed(tried):
        effect = _key(one.operation)
        if not one.doubtful or was_there.get(effect, one.operation.is_done(live)):
            done.append(one.operation)
        was_there[effect], was_there[_key(one.operation.undo())] = False, True
    return done[::-1]


def is_done(plan: Plan, live: Snapshot) -> bool:
    """Whether the account shows all that the plan leads to. A stack that it makes and deletes again is gone in the end,
    although both together are nothing.
    """
    stacks = {one.subject: one for one in plan.operations if isinstance(one, CreateStack | DeleteStack)}
    return all(operation.is_done(live) for operation in (*lasting(plan.operations), *stacks.values()))


def lasting(made: Iterable[Op]) -> list[Op]:
    """The operations whose effects are to be seen in the end: `net`, without what was done to a group before it was
    given another name.
    """
    found: list[Op] = []
    renamed: set[tuple[str, str]] = set()
    for operation in reversed(net(made)):
        if renamed.isdisjoint(operation.changes | operation.relies_on):
            found.append(operation)
        if isinstance(operation, RenameGroup):
            renamed.add(("group", operation.group))
    return found[::-1]


def net(done: Iterable[Op], *, apart: bool = False) -> list[Op]:
    """The operations without those that a later one took back: an earlier rollback cancels what it undid.

    With `apart`, not across a stack that went or came: who left a group of the old stack and joined that of the new one
    did both, although the groups have one name.
    """
    left: dict[int, Op] = {}
    by_effect: dict[bytes, list[int]] = {}
    stacks: list[int] = []
    for number, operation in enumerate(done):
        is_stack = isinstance(operation, CreateStack | DeleteStack)
        inverse = by_effect.get(_key(operation.undo()))
        if inverse and (not apart or is_stack or not stacks or inverse[-1] > stacks[-1]):
            gone = inverse.pop()
            del left[gone]
            if is_stack:
                stacks.remove(gone)
        else:
            left[number] = operation
            by_effect.setdefault(_key(operation), []).append(number)
            if is_stack:
                stacks.append(number)
    return list(left.values())


def cannot_come_back(plan: Plan) -> list[str]:
    """What a rollback makes anew without what IAM cannot give back, a line each."""
    lines = []
    for operation in plan.operations:
        thing = getattr(operation, "role", None)
        if isinstance(thing, Role) and operation.phase == "grant":
            lines.append(
                f"role {thing.name}: a new unique id, which buckets, keys and other accounts that named it do not know"
            )
    return lines


def _key(operation: Operation) -> bytes:
    """What it does, without numbers and ids: IAM gives others each time. A quarantine is the policy that it puts."""
    if isinstance(operation, QuarantineRole | ReleaseRole):
        kind = PutInlinePolicy if isinstance(operation, QuarantineRole) else DeleteInlinePolicy
        operation = kind(
            principal=operation.principal,
            name=operation.name,
            policy=operation.policy,
            document=operation.document,
        )
    if isinstance(operation, CreatePolicyVersion | DeletePolicyVersion):
        operation = structs.replace(operation, version="")
    if isinstance(operation, CreateRole | DeleteRole):
        operation = structs.replace(operation, id="")
    if isinstance(operation, CreateStack | DeleteStack):
        operation = structs.replace(operation, groups=(), roles=(), policies=())
    return msgspec.json.encode(operation, enc_hook=iam.to_jsonable, order="sorted")


def _after(operation: Operation, live: Snapshot) -> Snapshot | None:
    after = possible(operation, live)
    if after and isinstance(operation, AddUserToGroup) and len(after.users[operation.user].groups) > GROUPS_PER_USER:
        return None
    if isinstance(operation, CreateRole) and nobody(operation.role.trust, live):
        return None
    return after


def _as_in(operation: Operation, live: Snapshot) -> Operation:
    """What was made anew has other numbers and ids than what it was made for: the live ones count."""
    if isinstance(operation, DeleteStack):
        return operation.as_in(live)
    if not isinstance(operation, DeletePolicyVersion) or operation.arn not in live.policies:
        return operation
    for old in live.policies[operation.arn].older:
        if old.document == operation.document and old.seen.id:
            return structs.replace(operation, version=old.seen.id)
    return operation
