"""Instance profiles and the one role that each may hold."""

from __future__ import annotations

from typing import Any

from secmigrate.iam import InstanceProfile, Snapshot
from secmigrate.operations.base import (
    LOSES_IDENTITY,
    Impossible,
    Operation,
    changed,
    created,
    dropped,
    not_given_back,
    profile_of,
    role_of,
    tag_list,
)
from secmigrate.operations.call import Call


class _OfProfile(Operation, frozen=True, kw_only=True):
    profile: InstanceProfile  # bare: without its role

    @property
    def subject(self) -> tuple[str, str]:
        return ("instance-profile", self.profile.name)


class CreateInstanceProfile(_OfProfile, frozen=True, kw_only=True):
    """An empty instance profile."""

    phase = "grant"
    already = ("EntityAlreadyExists",)

    def call(self) -> Call:
        params: dict[str, Any] = {"InstanceProfileName": self.profile.name, "Path": self.profile.path}
        return Call("CreateInstanceProfile", params | tag_list(self.profile.tags))

    def undo(self) -> DeleteInstanceProfile:
        return DeleteInstanceProfile(profile=self.profile)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        return created(snapshot, self.profile)


class DeleteInstanceProfile(_OfProfile, frozen=True, kw_only=True):
    """An instance profile that holds no role."""

    phase = "delete"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return Call("DeleteInstanceProfile", {"InstanceProfileName": self.profile.name})

    def undo(self) -> CreateInstanceProfile:
        return CreateInstanceProfile(profile=self.profile)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        return dropped(snapshot, self.profile)

    @property
    def caveat(self) -> str:
        told = f"{LOSES_IDENTITY}: EC2 instances that carry it lose their role until it is associated again"
        return told + not_given_back(self.profile)


class _RoleInProfile(Operation, frozen=True, kw_only=True):
    profile: str
    role: str

    def _call(self, method: str) -> Call:
        return Call(method, {"InstanceProfileName": self.profile, "RoleName": self.role})

    @property
    def subject(self) -> tuple[str, str]:
        return ("instance-profile", self.profile)

    @property
    def relies_on(self) -> frozenset[tuple[str, str]]:
        return frozenset({("role", self.role)})


class AddRoleToInstanceProfile(_RoleInProfile, frozen=True, kw_only=True):
    """The role that instances with this profile are given."""

    phase = "grant"
    already = ("LimitExceeded",)  # a profile holds one role, also if it is this one

    def call(self) -> Call:
        return self._call("AddRoleToInstanceProfile")

    def undo(self) -> RemoveRoleFromInstanceProfile:
        return RemoveRoleFromInstanceProfile(profile=self.profile, role=self.role)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        profile, role = profile_of(snapshot, self.profile), role_of(snapshot, self.role)
        if role.name in profile.roles:
            return snapshot
        if profile.roles:
            raise Impossible(f"instance profile {profile.name} holds {profile.roles[0]}", where=profile.name)
        return changed(snapshot, profile, roles=(role.name,))


class RemoveRoleFromInstanceProfile(_RoleInProfile, frozen=True, kw_only=True):
    """An instance profile without its role."""

    phase = "strip"
    already = ("NoSuchEntity",)

    def call(self) -> Call:
        return self._call("RemoveRoleFromInstanceProfile")

    def undo(self) -> AddRoleToInstanceProfile:
        return AddRoleToInstanceProfile(profile=self.profile, role=self.role)

    def applied(self, snapshot: Snapshot) -> Snapshot:
        profile = profile_of(snapshot, self.profile)
        if self.role not in profile.roles:
            return snapshot
        return changed(snapshot, profile, roles=())

    @property
    def caveat(self) -> str:
        return "EC2 instances that carry this profile have no role from now on"
