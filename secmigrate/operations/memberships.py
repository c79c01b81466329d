"""Who is in which group."""

from __future__ import annotations

from secmigrate.iam import Snapshot
from secmigrate.operations.base import Operation, changed, group_of, user_of
from secmigrate.operations.call import Call


class _Membership(Operation, frozen=True, kw_only=True):
    user: str
    group: str

    def _call(self, method: str) -> Call:
        return Call(method, {"UserName": self.user, "GroupName": self.group})

    @property
    def subject(self) -> tuple[str, str]:
        return ("user", self.user)

    @property
    def relies_on(self) -> frozenset[tuple[str, str]]:
        return frozenset({("group", self.group)})


class AddUserToGroup(_Membership, frozen=True, kw_only=True):
    """A person gets what the group may do."""

    phase = "grant"

    def call(self) -> Call:
        return self._call("AddUserToGroup")

    def undo(self) -> RemoveUserFromGroup:
        return RemoveUserFromGroup(user=self.user, group=self.group)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        user, group = user_of(snapshot, self.user), group_of(snapshot, self.group)
        if group.name in user.groups:
            return snapshot
        return changed(snapshot, user, groups=(*user.groups, group.name))


class RemoveUserFromGroup(_Membership, frozen=True, kw_only=True):
    """A person leaves a group, and what it denied her."""

    phase = "revoke"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return self._call("RemoveUserFromGroup")

    def undo(self) -> AddUserToGroup:
        return AddUserToGroup(user=self.user, group=self.group)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        user = user_of(snapshot, self.user)
        if self.group not in user.groups:
            return snapshot
        return changed(snapshot, user, groups=tuple(name for name in user.groups if name != self.group))
