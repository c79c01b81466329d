"""Groups and roles as such, without what hangs on them."""

from __future__ import annotations

from typing import Any

from secmigrate.iam import Document, Group, Role, Snapshot
from secmigrate.operations.base import (
    LOSES_IDENTITY,
    Impossible,
    Operation,
    changed,
    created,
    dropped,
    not_given_back,
    role_of,
    tag_list,
)
from secmigrate.operations.call import Call


class _OfGroup(Operation, frozen=True, kw_only=True):
    group: Group  # bare: without policies

    @property
    def subject(self) -> tuple[str, str]:
        return ("group", self.group.name)


class CreateGroup(_OfGroup, frozen=True, kw_only=True):
    """An empty group."""

    phase = "grant"
    already = ("EntityAlreadyExists",)

    def call(self) -> Call:
        return Call("CreateGroup", {"Path": self.group.path, "GroupName": self.group.name})

    def undo(self) -> DeleteGroup:
        return DeleteGroup(group=self.group)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        return created(snapshot, self.group)


class DeleteGroup(_OfGroup, frozen=True, kw_only=True):
    """A group that holds nothing and nobody any more."""

    phase = "delete"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return Call("DeleteGroup", {"GroupName": self.group.name})

    def undo(self) -> CreateGroup:
        return CreateGroup(group=self.group)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        if members := snapshot.memberships.get(self.group.name):
            raise Impossible(f"group {self.group.name} still has {len(members)} members", where=self.group.name)
        return dropped(snapshot, self.group)

    @property
    def caveat(self) -> str:
        return "a group made anew has another id; nothing in IAM refers to a group by it"


class RenameGroup(Operation, frozen=True, kw_only=True):
    """A group under another name: members, policies and unique id stay. Source: AWS API reference, *UpdateGroup*."""

    phase = "revoke"
    already = ("NoSuchEntity",)
    group: str
    to: str

    def call(self) -> Call:
        return Call("UpdateGroup", {"GroupName": self.group, "NewGroupName": self.to})

    def undo(self) -> RenameGroup:
        return RenameGroup(group=self.to, to=self.group)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        group = snapshot.groups.get(self.group)
        if group is None and self.to in snapshot.groups:
            return snapshot
        if group is None:
            # Not Missing: what is gone has not been renamed.
            raise Impossible(f"there is no group {self.group}", where=self.group)
        if any(name.casefold() == self.to.casefold() for name in snapshot.groups if name != self.group):
            raise Impossible(f"{self.to} exists already", where=self.to)
        return snapshot.renamed(group, self.to)

    @property
    def subject(self) -> tuple[str, str]:
        return ("group", self.group)

    @property
    def changes(self) -> frozenset[tuple[str, str]]:
        return frozenset({("group", self.group), ("group", self.to)})


class _OfRole(Operation, frozen=True, kw_only=True):
    role: Role  # bare: without policies
    id: str = ""  # the unique id that it had when this was planned: trust policies elsewhere may hold it

    @property
    def subject(self) -> tuple[str, str]:
        return ("role", self.role.name)

    @property
    def changes(self) -> frozenset[tuple[str, str]]:
        # A trust policy may name any other role, which must be there.
        return frozenset({self.subject, ("trust policies", "")})

    @property
    def relies_on(self) -> frozenset[tuple[str, str]]:
        return frozenset({("policy", self.role.boundary)} if self.role.boundary else ())


class CreateRole(_OfRole, frozen=True, kw_only=True):
    """A role with its trust policy, boundary and tags, without permissions."""

    phase = "grant"
    already = ("EntityAlreadyExists",)

    def call(self) -> Call:
        role = self.role
        params: dict[str, Any] = {
            "Path": role.path,
            "RoleName": role.name,
            "AssumeRolePolicyDocument": role.trust.text,
            "MaxSessionDuration": role.max_session,
        }
        if role.description:
            params["Description"] = role.description
        if role.boundary:
            params["PermissionsBoundary"] = role.boundary
        return Call("CreateRole", params | tag_list(role.tags))

    def undo(self) -> DeleteRole:
        return DeleteRole(role=self.role, id=self.id)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        return created(snapshot, self.role)


class DeleteRole(_OfRole, frozen=True, kw_only=True):
    """A role without policies and outside of every instance profile."""

    phase = "delete"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return Call("DeleteRole", {"RoleName": self.role.name})

    def undo(self) -> CreateRole:
        return CreateRole(role=self.role, id=self.id)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        if profiles := snapshot.profiles.get(self.role.name):
            raise Impossible(f"role {self.role.name} is in instance profile {profiles[0]}", where=self.role.name)
        return dropped(snapshot, self.role)

    @property
    def caveat(self) -> str:
        told = f"{LOSES_IDENTITY}: policies elsewhere that name this role must be put again after an undo"
        return told + not_given_back(self.role)


class UpdateTrustPolicy(Operation, frozen=True, kw_only=True):
    """Another trust policy for a role that is there."""

    phase = "grant"
    role: str
    before: Document
    after: Document

    def call(self) -> Call:
        return Call("UpdateAssumeRolePolicy", {"RoleName": self.role, "PolicyDocument": self.after.text})

    def undo(self) -> UpdateTrustPolicy:
        return UpdateTrustPolicy(role=self.role, before=self.after, after=self.before)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        role = role_of(snapshot, self.role)
        if role.trust == self.after:
            return snapshot
        if role.trust != self.before:
            raise Impossible("its trust policy is not as planned", where=snapshot.arn(role))
        return changed(snapshot, role, trust=self.after)

    @property
    def subject(self) -> tuple[str, str]:
        return ("role", self.role)

    @property
    def changes(self) -> frozenset[tuple[str, str]]:
        return frozenset({self.subject, ("trust policies", "")})

    @property
    def caveat(self) -> str:
        return "IAM does not take the text before it again, where that names a role which is gone"
