"""The state of a twin: moto's IAM backend, made an account of its own, with moto's wrong turns put right."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from moto.core.utils import utcnow
from moto.iam.models import IAMBackend

from secmigrate.iam import Document, Gap
from secmigrate.twin import entities
from secmigrate.twin.entities import Group, InstanceProfile, ManagedPolicy, Principal, Role, User
from secmigrate.twin.refusal import Refusal, missing

# moto derives the partition from a region; IAM itself is global within a partition.
HOME_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def unique_id(prefix: str, *seed: object) -> str:
    """An id of 21 characters as IAM gives: the prefix says of what (AWS, *IAM identifiers*), the rest looks random."""
    digest = hashlib.sha256("/".join(map(str, seed)).encode()).digest()
    return prefix + base64.b32encode(digest).decode()[: 21 - len(prefix)]


class Account(IAMBackend):
    """One account's IAM. Lookups match names exactly; that names are unique ignoring case is for the refusals to see.

    Every method raises moto's `IAMException` where IAM would answer with an error.
    """

    def __init__(self, number: str, partition: str) -> None:
        super().__init__(region_name=HOME_REGIONS[partition], account_id=number)
        self._made = 0
        self.limits: dict[str, int] = {}  # the quotas in force, by the names in `quotas`
        self.incomplete: tuple[Gap, ...] = ()  # what the snapshot did not know, and so the twin does not either

    def _init_aws_policies(self) -> list[ManagedPolicy]:  # type: ignore[override]
        return []  # ours come from the twin's constructor, never from moto's environment variable

    def new_id(self, prefix: str) -> str:
        """The next unique id: the same in every run, another at every recreation of a thing."""
        self._made += 1
        return unique_id(prefix, self.account_id, prefix, self._made)

    @staticmethod
    def now() -> datetime:
        """The time, by the second and without a zone, as moto keeps it."""
        return utcnow().replace(microsecond=0)

    # What there is -------------------------------------------------------------------------------------------------

    def user(self, name: str) -> User:
        found = self.users.get(name)
        if found is None:
            raise missing("user", name)
        assert isinstance(found, User)
        return found

    def group(self, name: str) -> Group:
        found = self.groups.get(name)
        if found is None:
            raise missing("group", name)
        assert isinstance(found, Group)
        return found

    def role(self, name: str) -> Role:
        for found in self.each_role():
            if found.name == name:
                return found
        raise missing("role", name)

    def policy(self, arn: str) -> ManagedPolicy:
        found = self.managed_policies.get(arn)
        if found is None:
            raise missing("policy", arn)
        assert isinstance(found, ManagedPolicy)
        return found

    def profile(self, name: str) -> InstanceProfile:
        found = self.instance_profiles.get(name)
        if found is None:
            raise missing("instance profile", name)
        assert isinstance(found, InstanceProfile)
        return found

    def each_user(self) -> Iterator[User]:
        return (user for user in self.users.values() if isinstance(user, User))

    def each_group(self) -> Iterator[Group]:
        return (group for group in self.groups.values() if isinstance(group, Group))

    def each_role(self) -> Iterator[Role]:
        return (role for role in self.roles.values() if isinstance(role, Role))

    def each_policy(self) -> Iterator[ManagedPolicy]:
        return (policy for policy in self.managed_policies.values() if isinstance(policy, ManagedPolicy))

    def each_profile(self) -> Iterator[InstanceProfile]:
        return (profile for profile in self.instance_profiles.values() if isinstance(profile, InstanceProfile))

    def principals(self) -> Iterator[Principal]:
        yield from self.each_user()
        yield from self.each_group()
        yield from self.each_role()

    def own_policies(self) -> Iterator[entities.Policy]:
        """The customer managed policies."""
        return (policy for policy in self.managed_policies.values() if isinstance(policy, entities.Policy))

    def groups_of(self, user: User) -> list[Group]:
        return [group for group in self.each_group() if user in group.users]

    def memberships(self) -> dict[str, list[Group]]:
        """Every user's groups, in one pass."""
        rows: dict[str, list[Group]] = {name: [] for name in self.users}
        for group in sorted(self.each_group(), key=lambda one: one.name):
            for user in group.users:
                rows[user.name].append(group)
        return rows

    def profiles_of(self, role: Role) -> list[InstanceProfile]:
        return [profile for profile in self.each_profile() if role in profile.roles]

    def attachments(self) -> Counter[str]:
        """How often each managed policy is attached. Counted afresh: moto's own counter drifts."""
        return Counter(arn for principal in self.principals() for arn in principal.managed_policies)

    def boundaries(self) -> Counter[str]:
        """How often each managed policy is used as a permissions boundary."""
        bounded: Iterable[User | Role] = (*self.each_user(), *self.each_role())
        return Counter(one.permissions_boundary_arn for one in bounded if one.permissions_boundary_arn)

    # What moto does wrongly ----------------------------------------------------------------------------------------

    def attach(self, principal: Principal, arn: str) -> None:
        """Attaches a managed policy; a second time changes nothing."""
        principal.managed_policies.setdefault(arn, self.policy(arn))

    def detach(self, principal: Principal, arn: str) -> None:
        """Detaches a managed policy. Raises NoSuchEntity if it is not attached."""
        if principal.managed_policies.pop(arn, None) is None:
            raise missing("policy", arn)

    def create_role(
        self,
        role_name: str,
        assume_role_policy_document: str,
        path: str,
        permissions_boundary: str | None,
        description: str,
        tags: list[dict[str, str]],
        max_session_duration: str | None,
        linked_service: str | None = None,
    ) -> Role:
        """Creates a role. moto's own call for service-linked roles comes by here too, with no check before it."""
        if any(role.name.lower() == role_name.lower() for role in self.each_role()):
            message = f"Service role name {role_name} has been taken in this account, please try a different suffix."
            raise Refusal("InvalidInput", message)
        role = Role(
            account_id=self.account_id,
            partition=self.partition,
            role_id=self.new_id("AROA"),
            name=role_name,
            assume_role_policy_document=assume_role_policy_document,
            path=path,
            permissions_boundary=permissions_boundary,
            description=description,
            tags=[],
            max_session_duration=max_session_duration,
            linked_service=linked_service,
        )
        role.create_date = self.now()
        role.labels = {tag["Key"]: tag["Value"] for tag in tags}
        self.roles[role.id] = role
        return role

    def add_role_to_instance_profile(self, profile_name: str, role_name: str) -> None:
        self.profile(profile_name).roles.append(self.role(role_name))

    def remove_role_from_instance_profile(self, profile_name: str, role_name: str) -> None:
        profile, role = self.profile(profile_name), self.role(role_name)
        if role not in profile.roles:
            raise missing("role", role_name)
        profile.roles.remove(role)

    def update_assume_role_policy(self, role_name: str, policy_document: str) -> None:
        self.role(role_name).assume_role_policy_document = policy_document

    def delete_role(self, role_name: str) -> None:
        """Deletes a role; where other roles trusted it by its ARN, its unique id is left, as in AWS."""
        role = self.role(role_name)
        super().delete_role(role_name)
        self.rename_principal(role.arn, role.id)

    def delete_user(self, user_name: str) -> None:
        user = self.user(user_name)
        super().delete_user(user_name)
        self.rename_principal(user.arn, user.id)

    def update_user(self, user_name: str, new_path: str | None = None, new_user_name: str | None = None) -> None:
        """Renames or moves a user; trust policies keep pointing at it, for they hold its id and show its ARN."""
        user = self.user(user_name)
        before = user.arn
        super().update_user(user_name, new_path, new_user_name)
        self.rename_principal(before, user.arn)

    def update_group(self, group_name: str, new_group_name: str | None, new_path: str | None) -> None:
        """Renames or moves a group, which keeps its members, its policies and its id."""
        group = self.group(group_name)
        group.path = new_path or group.path
        if new_group_name and new_group_name != group_name:
            self.groups[new_group_name] = self.groups.pop(group_name)
            group.name = new_group_name

    def delete_service_linked_role(self, role_name: str) -> str:
        """Deletes a service-linked role together with what its service attached to it."""
        role = self.role(role_name)
        if not role.path.startswith("/aws-service-role/"):
            raise Refusal("InvalidInput", f"Role {role_name} is not a service linked role.")
        role.managed_policies.clear()
        role.policies.clear()
        self.delete_role(role_name)
        return f"task/aws-service-role/{role_name}/{role.id}"

    def rename_principal(self, before: str, after: str) -> None:
        """Rewrites a principal in every trust policy that names it exactly."""
        for role in self.each_role():
            if f'"{before}"' in role.assume_role_policy_document:
                document = Document.parse(role.assume_role_policy_document).value
                role.assume_role_policy_document = Document(_with_principal(document, before, after)).text


def _with_principal(value: object, before: str, after: str, *, inside: bool = False) -> object:
    """A document whose `Principal` and `NotPrincipal` say `after` where they said `before`."""
    if isinstance(value, dict):
        return {
            key: _with_principal(part, before, after, inside=inside or key in ("Principal", "NotPrincipal"))
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [_with_principal(part, before, after, inside=inside) for part in value]
    return after if inside and value == before else value
