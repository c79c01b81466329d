"""A plan and its fold: each operation, applied in memory, gives the next snapshot, and every one of them is checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec import Struct, structs

from secmigrate import iam
from secmigrate.access import Passage, Watch
from secmigrate.dangers import Danger, over_quota, some
from secmigrate.errors import Refused
from secmigrate.iam import Principal, Snapshot
from secmigrate.operations import AnyOperation, DeleteRole, Impossible, Operation, QuarantineRole

PlanName = Literal["deploy", "readd", "decommission", "rollback", "tier-upgrade", "tier-downgrade"]


class Kept(Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """Something that a plan leaves as it is, and why. Nothing vanishes from a plan in silence."""

    kind: str
    name: str
    why: str


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done to an account, in order. `sealed` makes one."""

    name: PlanName
    account: str
    based_on: str  # fingerprint of the snapshot that it was made from
    operations: tuple[AnyOperation, ...]
    dangers: tuple[Danger, ...] = ()
    kept: tuple[Kept, ...] = ()
    used: Mapping[str, str] = {}  # when the roles that it puts out of use or deletes were last used, by then
    fingerprint: str = ""  # over all of the above: what was reviewed is what is applied

    @property
    def destructive(self) -> int:
        """How many operations take something away."""
        return sum(operation.destructive for operation in self.operations)

    @property
    def blocking(self) -> tuple[Danger, ...]:
        """The dangers because of which the plan must not be applied at all."""
        return tuple(danger for danger in self.dangers if danger.blocks == "plan")


def sealed(
    name: PlanName,
    snapshot: Snapshot,
    operations: Sequence[AnyOperation],
    dangers: Iterable[Danger] = (),
    kept: Iterable[Kept] = (),
    *,
    watch: Watch | None = None,
    keeps_quotas: bool = True,
    may_dip: bool = False,
) -> Plan:
    """The finished plan for an account that is as in `snapshot`, folded and checked at every step.

    With a `watch`, whoever lacks something in between that she has both at the start and at the end becomes the danger
    `access-dips`, which blocks the plan unless it `may_dip`. A fold that fails is a bug of the planner, so it raises
    (ValueError) instead of becoming a danger; quotas become the danger `quota-exceeded`, unless what the plan makes
    had room before (not `keeps_quotas`).
    """
    passed: set[str] = set()
    after = snapshot
    for operation, before, after in fold(snapshot, operations):
        if after is before:
            raise ValueError(f"a plan holds no no-ops: {operation.call().as_shell()}")
        if keeps_quotas and not operation.destructive:
            # What was over IAM's default before has been granted more by AWS, and the operation does not add to it.
            passed |= _over_quota(operation, after) - _over_quota(operation, before)
    dipping = () if watch is None else sorted(set(dips(watch.passage(snapshot, after), snapshot, operations)))
    plan = Plan(
        name=name,
        account=snapshot.account,
        based_on=snapshot.fingerprint,
        operations=tuple(operations),
        dangers=(
            *sorted(dangers),
            *some("access-dips", dipping, "nothing" if may_dip else "plan"),
            *some("quota-exceeded", sorted(passed)),
        ),
        kept=tuple(sorted(kept)),
        used=_last_used(snapshot, operations),
    )
    return structs.replace(plan, fingerprint=_fingerprint(plan))


def with_dangers(plan: Plan, dangers: Iterable[Danger]) -> Plan:
    """The plan, sealed anew with dangers that lie in who carries it out."""
    more = structs.replace(plan, dangers=(*plan.dangers, *dangers))
    return structs.replace(more, fingerprint=_fingerprint(more))


def fold(snapshot: Snapshot, operations: Iterable[Operation]) -> Iterator[tuple[Operation, Snapshot, Snapshot]]:
    """Each operation with the snapshots before and after it. Raises Impossible where one does not apply."""
    for operation in operations:
        after = operation.applied(snapshot)
        yield operation, snapshot, after
        snapshot = after


def base_of(snapshot: Snapshot, done: Sequence[Operation]) -> Snapshot:
    """What the account was before the operations were done, if nothing else has changed since. Raises Impossible."""
    for operation in reversed(done):
        snapshot = operation.undo().applied(snapshot)
    return snapshot


def dips(passage: Passage, now: Snapshot, operations: Sequence[Operation]) -> Iterator[str]:
    """Who lacks something, that she has at both ends of the passage, while the operations are made from now on, and
    before which call: asked at every step, for the users whom the operation touches.
    """
    for operation in operations:
        # Asked before the operation is made, so that the next snapshots know what this one found out for it.
        touched = sorted(touched_users(operation, now))
        now = operation.applied(now)
        for user in touched:
            if passage.dips(now, user):
                yield f"{user} (at: {operation.call().as_shell()})"


def refusal(plan: Plan) -> Refused | None:
    """Why the plan must not be applied, or None."""
    if not plan.blocking:
        return None
    first, *rest = plan.blocking
    more = "".join(f"\n  {danger.code}: {danger.message}" for danger in rest)
    return Refused(f"{first.code}: {first.message}{more}", hint=first.hint)


def used_since(plan: Plan, live: Snapshot, done: Iterable[int] = ()) -> Iterator[str]:
    """Which roles that the plan still has to put out of use or to delete somebody has used since it was made, a line
    each; `done` are the numbers of the operations that are done. Use is no part of what makes two snapshots equal.
    """
    done = frozenset(done)
    left = [operation for n, operation in enumerate(plan.operations, 1) if n not in done]
    for name in sorted(_last_used(live, left).keys() & plan.used.keys()):
        if (used := live.roles[name].seen.last_used) > plan.used[name]:
            yield f"role {name} was used on {used[:10]}"


def is_intact(plan: Plan) -> bool:
    """Whether the plan is as it was sealed."""
    return plan.fingerprint == _fingerprint(plan)


def possible(operation: Operation, snapshot: Snapshot) -> Snapshot | None:
    """The snapshot after the operation, or None if it does not apply."""
    try:
        return operation.applied(snapshot)
    except Impossible:
        return None


def _fingerprint(plan: Plan) -> str:
    unsealed = structs.replace(plan, fingerprint="")
    return hashlib.sha256(msgspec.json.encode(unsealed, enc_hook=iam.to_jsonable, order="sorted")).hexdigest()


def _last_used(snapshot: Snapshot, operations: Iterable[Operation]) -> dict[str, str]:
    ending = {one.subject[1] for one in operations if isinstance(one, QuarantineRole | DeleteRole)}
    return {name: snapshot.roles[name].seen.last_used for name in sorted(ending & snapshot.roles.keys())}


def _over_quota(operation: Operation, snapshot: Snapshot) -> set[str]:
    one = _touched(operation, snapshot)
    return set() if one is None else set(over_quota(snapshot, one))


def _touched(operation: Operation, snapshot: Snapshot) -> Principal | None:
    kind, name = operation.subject
    rooms = {"user": snapshot.users, "group": snapshot.groups, "role": snapshot.roles}
    room: Mapping[str, Principal] = rooms.get(kind, {})
    return room.get(name)


def touched_users(operation: Operation, snapshot: Snapshot) -> set[str]:
    """The users whose own access the operation can change."""
    kind, name = operation.subject
    if kind == "user":
        return {name} & snapshot.users.keys()
    groups = {name} if kind == "group" else set()
    if kind == "stack":
        groups = {group for what, group in operation.changes if what == "group"}
    found: set[str] = set()
    if kind == "policy":
        using = snapshot.uses(name)
        groups = {one.name for one in using if one.kind == "group"}
        found = {one.name for one in using if one.kind == "user"}
    return found.union(*(snapshot.memberships.get(group, ()) for group in groups))
