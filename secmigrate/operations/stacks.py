"""The provisioner's stack, made and deleted. The call is the provisioner's: a run ends until the account shows it."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from secmigrate.iam import Entity, Group, Policy, Role, Snapshot
from secmigrate.operations.base import Impossible, Operation
from secmigrate.operations.call import Call

TAG = "aws:cloudformation:stack-name"


class _OfStack(Operation, frozen=True, kw_only=True):
    ours = False
    stack: str
    tier: str  # whose config the provisioner is given
    region: str = ""
    groups: tuple[Group, ...] = ()  # whole, with their unique ids where they are there already
    roles: tuple[Role, ...] = ()
    policies: tuple[Policy, ...] = ()

    @property
    def subject(self) -> tuple[str, str]:
        return ("stack", self.stack)

    @property
    def things(self) -> tuple[Entity, ...]:
        """All that it holds."""
        return (*self.policies, *self.groups, *self.roles)

    @property
    def changes(self) -> frozenset[tuple[str, str]]:
        named = {("group", one.name) for one in self.groups} | {("role", one.name) for one in self.roles}
        return frozenset({self.subject, *named, *(("policy", one.arn) for one in self.policies)})

    def has_begun(self, snapshot: Snapshot) -> bool:
        """Whether the snapshot shows it half done."""
        raise NotImplementedError


class CreateStack(_OfStack, frozen=True, kw_only=True):
    """The provisioner's `deploy`. It is done when all is there that the stack should hold, whatever it looks like: what
    the groups really allow is compared when the plan goes on.
    """

    phase = "grant"

    @property
    def asked(self) -> str:
        """What is asked of the provisioner."""
        return f"provisioner deploy --tier {self.tier}"

    def call(self) -> Call:
        return Call("CreateStack", {"StackName": self.stack}, "cloudformation")

    def undo(self) -> DeleteStack:
        # What it makes has unique ids of its own, whatever those of its things were.
        rooms = {
            room: tuple(one.restorable() for one in getattr(self, room)) for room in ("groups", "roles", "policies")
        }
        return DeleteStack(**structs.asdict(self) | rooms)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        for one in _missing(self, snapshot):
            snapshot = snapshot.put(one.restorable())  # IAM gives it ids of its own
        return snapshot

    def is_done(self, snapshot: Snapshot) -> bool:
        return not any(_missing(self, snapshot))

    def has_begun(self, snapshot: Snapshot) -> bool:
        return 0 < sum(1 for _ in _missing(self, snapshot)) < len(self.things)

    @property
    def caveat(self) -> str:
        return "the provisioner does it; what it makes has other unique ids than what was there before"


class DeleteStack(_OfStack, frozen=True, kw_only=True):
    """The provisioner's `delete-stack`. It is done when none of these things is there; others of the same names, with
    other unique ids, have been made since.
    """

    phase = "delete"

    @property
    def asked(self) -> str:
        """What is asked of the provisioner."""
        return f"provisioner delete-stack --tier {self.tier}"

    def call(self) -> Call:
        return Call("DeleteStack", {"StackName": self.stack}, "cloudformation")

    def undo(self) -> CreateStack:
        return CreateStack(**structs.asdict(self))

    def part(self, snapshot: Snapshot) -> Snapshot:
        """What goes with it, as it is there."""
        found = Snapshot(account=snapshot.account, partition=snapshot.partition)
        for one in (*_standing(self, snapshot), *_tagged(self, snapshot)):
            found = found.put(one)
        return found

    def applied(self, snapshot: Snapshot) -> Snapshot:
        going = tuple(self.part(snapshot).entities())
        for one in going:
            if isinstance(one, Group) and snapshot.members.get(one.name):
                count = len(snapshot.members[one.name])
                raise Impossible(f"group {one.name} still has {count} members", where=self.stack)
            for profile in snapshot.instance_profiles.values():
                if isinstance(one, Role) and one.name in profile.roles:
                    raise Impossible(f"role {one.name} is in instance profile {profile.name}", where=self.stack)
        for one in going:
            snapshot = snapshot.drop(one)
        return snapshot

    def is_done(self, snapshot: Snapshot) -> bool:
        return not snapshot.incomplete and not any(_standing(self, snapshot))

    def has_begun(self, snapshot: Snapshot) -> bool:
        return 0 < sum(1 for _ in _standing(self, snapshot)) < len(self.things)

    @property
    def caveat(self) -> str:
        return "the provisioner does it; nobody can assume the stack's roles until they are deployed again"

    def as_in(self, snapshot: Snapshot) -> DeleteStack:
        """The same of what is really there under these names."""

        def found(things: tuple[Entity, ...]) -> tuple[Entity, ...]:
            return tuple(there for one in things if (there := getattr(snapshot, one.room).get(one.key)))

        rooms = {"groups": found(self.groups), "roles": found(self.roles), "policies": found(self.policies)}
        return structs.replace(self, **rooms)


def _missing(operation: _OfStack, snapshot: Snapshot) -> Iterator[Entity]:
    return (one for one in operation.things if one.key not in getattr(snapshot, one.room))


def _standing(operation: _OfStack, snapshot: Snapshot) -> Iterator[Entity]:
    """What is there of it, and not known to be another of the same name."""
    for one in operation.things:
        there: Entity | None = getattr(snapshot, one.room).get(one.key)
        if there and (not there.seen.id or not one.seen.id or there.seen.id == one.seen.id):
            yield there


def _tagged(operation: _OfStack, snapshot: Snapshot) -> Iterator[Entity]:
    """Roles and policies that CloudFormation says are the stack's, which nobody knew of."""
    known = {one.key for one in operation.things}
    tagged: tuple[Role | Policy, ...] = (*snapshot.roles.values(), *snapshot.own_policies.values())
    for one in tagged:
        if one.tags.get(TAG) == operation.stack and one.key not in known:
            yield one
