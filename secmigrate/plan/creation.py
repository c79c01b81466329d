"""What it takes to make an account hold all that a snapshot wants, users excepted: those must be there."""

from __future__ import annotations

from collections.abc import Iterator

from secmigrate.dangers import some
from secmigrate.diff import describe
from secmigrate.iam import Policy, Principal, Role, Snapshot, User
from secmigrate.operations import (
    AddRoleToInstanceProfile,
    AddUserToGroup,
    AnyOperation,
    AttachPolicy,
    CreateGroup,
    CreateInstanceProfile,
    CreatePolicy,
    CreatePolicyVersion,
    CreateRole,
    Impossible,
    PutInlinePolicy,
)
from secmigrate.plan.fold import Plan, sealed
from secmigrate.plan.naming import referring_last


def creation(existing: Snapshot, wanted: Snapshot) -> Plan:
    """The plan `deploy`: everything of `wanted` that is missing in `existing`, each thing after what it refers to.

    Raises Impossible where a thing exists but differs: to overwrite it would be a change that nobody was shown.
    """
    _check(existing, wanted)
    operations = [
        *_policies(existing, wanted),
        *(
            CreateGroup(group=group.bare())
            for name, group in sorted(wanted.groups.items())
            if name not in existing.groups
        ),
        *(CreateRole(role=role.bare()) for role in referring_last(wanted, _new_roles(existing, wanted))),
        *_profiles(existing, wanted),
    ]
    for one in wanted.principals():
        operations += _hung_on(existing, one)
    lost_users = sorted(name for name in wanted.users if name not in existing.users)
    return sealed("deploy", existing, operations, some("target-missing", lost_users))


def _check(existing: Snapshot, wanted: Snapshot) -> None:
    for thing in wanted.entities():
        there = getattr(existing, thing.room).get(thing.key)
        if isinstance(thing, User) or there is None or (isinstance(thing, Policy) and thing.is_aws):
            continue
        if there.bare() != thing.bare():
            how = "; ".join(describe(there.bare(), thing.bare()))
            raise Impossible(f"{thing.key} exists already and differs: {how}", where=wanted.arn(thing))


def _new_roles(existing: Snapshot, wanted: Snapshot) -> list[Role]:
    return [role for name, role in sorted(wanted.roles.items()) if name not in existing.roles]


def _policies(existing: Snapshot, wanted: Snapshot) -> Iterator[AnyOperation]:
    for arn, policy in sorted(wanted.own_policies.items()):
        if arn in existing.policies:
            continue
        yield CreatePolicy(policy=policy.bare())
        yield from _versions(policy)


def _versions(policy: Policy) -> Iterator[AnyOperation]:
    for at, old in enumerate(policy.older):
        nth = policy.older[: at + 1].count(old)
        yield CreatePolicyVersion(arn=policy.arn, document=old.document, version=old.seen.id, nth=nth)


def _profiles(existing: Snapshot, wanted: Snapshot) -> Iterator[AnyOperation]:
    for name, profile in sorted(wanted.instance_profiles.items()):
        there = existing.instance_profiles.get(name)
        if there is None:
            yield CreateInstanceProfile(profile=profile.bare())
        for role in profile.roles:
            if there is None or role not in there.roles:
                yield AddRoleToInstanceProfile(profile=name, role=role)


def _hung_on(existing: Snapshot, wanted: Principal) -> Iterator[AnyOperation]:
    there = existing.principal(wanted.kind, wanted.name)
    inline, attached = (there.inline, there.attached) if there else ({}, ())
    for policy, document in sorted(wanted.inline.items()):
        if inline.get(policy) != document:
            yield PutInlinePolicy(principal=wanted.kind, name=wanted.name, policy=policy, document=document)
    for arn in wanted.attached:
        if arn not in attached:
            yield AttachPolicy(principal=wanted.kind, name=wanted.name, arn=arn)
    if isinstance(wanted, User):
        groups = there.groups if isinstance(there, User) else ()
        for group in wanted.groups:
            if group not in groups:
                yield AddUserToGroup(user=wanted.name, group=group)
