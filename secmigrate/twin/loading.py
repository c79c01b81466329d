"""Snapshot to account and back, straight into moto's objects: five thousand users in a second, and no refusals.

`dump(load(snapshot))` equals the snapshot. Two things may differ: what nobody can give back (`Seen`), which the dump
fills in, and AWS managed policies, which it holds exactly where something uses them.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.iam.models import PolicyVersion
from msgspec import structs

from secmigrate import iam
from secmigrate.errors import BadInput
from secmigrate.iam import Document, Seen, Snapshot
from secmigrate.twin import entities, quotas
from secmigrate.twin.account import HOME_REGIONS, Account, unique_id


def used_lately(snapshot: Snapshot, now: datetime) -> Snapshot:
    """The account as if it were read now: the last use of its roles moves along, the newest to that moment.

    An inventory grows old: in one of last year no role is in use any more. Raises BadInput for what is no date.
    """
    used = {name: at for name, role in snapshot.roles.items() if (at := _moment(role.seen.last_used))}
    if not used:
        return snapshot
    later = now.astimezone(UTC).replace(tzinfo=None, microsecond=0) - max(used.values())
    return structs.replace(
        snapshot,
        roles={
            name: structs.replace(role, seen=structs.replace(role.seen, last_used=_written(used[name] + later)))
            if name in used
            else role
            for name, role in snapshot.roles.items()
        },
    )


def load(snapshot: Snapshot, aws_managed: Mapping[str, iam.Policy]) -> Account:
    """The account that a snapshot describes.

    `aws_managed` are AWS's own policies by ARN; where the snapshot carries one itself, the snapshot's wins. Raises
    BadInput for a partition that moto does not know and for a reference to something that is not there.
    """
    if snapshot.partition not in HOME_REGIONS:
        raise BadInput(f"no twin of the partition {snapshot.partition!r}", hint=f"one of {', '.join(HOME_REGIONS)}")
    account = Account(snapshot.account, snapshot.partition)
    for policy in {**aws_managed, **snapshot.policies}.values():
        account.managed_policies[policy.arn] = _policy(account, policy)
    for group in snapshot.groups.values():
        _group(account, group)
    for user in snapshot.users.values():
        _user(account, user)
    roles = {role.name: _role(account, role) for role in snapshot.roles.values()}
    for profile in snapshot.instance_profiles.values():
        _profile(account, profile, roles)
    account.limits = quotas.limits(account)
    account.incomplete = snapshot.incomplete
    return account


def dump(account: Account) -> Snapshot:
    """The account as a snapshot, with ids, dates and version numbers."""
    memberships = account.memberships()
    in_use = {*account.attachments(), *account.boundaries()}
    return Snapshot(
        account=account.account_id,
        partition=account.partition,
        users={
            user.name: iam.User(
                **_principal(user),
                groups=tuple(group.name for group in memberships[user.name]),
                boundary=user.permissions_boundary_arn or "",
                tags=dict(user.labels),
            )
            for user in account.each_user()
        },
        groups={group.name: iam.Group(**_principal(group)) for group in account.each_group()},
        roles={role.name: _dumped_role(role) for role in account.each_role()},
        policies={
            policy.arn: _dumped_policy(policy)
            for policy in account.each_policy()
            if isinstance(policy, entities.Policy) or policy.arn in in_use
        },
        instance_profiles={
            profile.name: iam.InstanceProfile(
                name=profile.name,
                path=profile.path,
                roles=tuple(role.name for role in profile.roles),
                tags=dict(profile.labels),
                seen=_seen(profile),
            )
            for profile in account.each_profile()
        },
        incomplete=account.incomplete,
    )


# Loading -----------------------------------------------------------------------------------------------------------


def _born(account: Account, thing: Any, seen: Seen, prefix: str) -> None:
    """Gives a thing its id and its birthday: the snapshot's, or new ones."""
    thing.id = seen.id or account.new_id(prefix)
    thing.create_date = _moment(seen.created) or account.now()


def _fill(account: Account, thing: entities.Principal, value: iam.Principal) -> None:
    thing.policies = {name: document.text for name, document in value.inline.items()}
    for arn in value.attached:
        thing.managed_policies[arn] = account.managed_policies[_known(account.managed_policies, arn, value)]


def _known(there: Container[str], key: str, of: iam.Entity) -> str:
    """`key`, if it is there."""
    if key not in there:
        raise BadInput(
            f"{of.room}: {of.key} refers to {key}, which the snapshot does not hold",
            hint="a twin needs a complete snapshot, and AWS's policies beside it",
        )
    return key


def _user(account: Account, value: iam.User) -> None:
    user = entities.User(account.account_id, account.region_name, value.name, value.path)
    _born(account, user, value.seen, "AIDA")
    _fill(account, user, value)
    user.labels = dict(value.tags)
    user.permissions_boundary_arn = _known(account.managed_policies, value.boundary, value) if value.boundary else None
    account.users[value.name] = user
    for name in value.groups:
        account.groups[_known(account.groups, name, value)].users.append(user)


def _group(account: Account, value: iam.Group) -> None:
    group = entities.Group(account.account_id, account.region_name, value.name, value.path)
    _born(account, group, value.seen, "AGPA")
    _fill(account, group, value)
    account.groups[value.name] = group


def _role(account: Account, value: iam.Role) -> entities.Role:
    role = entities.Role(
        account_id=account.account_id,
        partition=account.partition,
        role_id="",
        name=value.name,
        assume_role_policy_document=value.trust.text,
        path=value.path,
        permissions_boundary=_known(account.managed_policies, value.boundary, value) if value.boundary else None,
        description=value.description,
        tags=[],
        max_session_duration=value.max_session,
    )
    _born(account, role, value.seen, "AROA")
    _fill(account, role, value)
    role.labels = dict(value.tags)
    role.last_used = _moment(value.seen.last_used)
    account.roles[role.id] = role
    return role


def _profile(account: Account, value: iam.InstanceProfile, roles: Mapping[str, entities.Role]) -> None:
    carried: list[Any] = [roles[_known(roles, name, value)] for name in value.roles]
    profile = entities.InstanceProfile(account.account_id, account.region_name, "", value.name, value.path, carried)
    _born(account, profile, value.seen, "AIPA")
    profile.labels = dict(value.tags)
    account.instance_profiles[value.name] = profile


def _policy(account: Account, value: iam.Policy) -> entities.ManagedPolicy:
    kind = entities.AWSPolicy if value.is_aws else entities.Policy
    policy = kind(
        value.name,
        account_id=account.account_id,
        region=account.region_name,
        document=value.document.text,
        description=value.description,
        path=value.path,
    )
    if value.is_aws:
        # The same everywhere, so its id must not depend on what was made before it.
        policy.id = value.seen.id or unique_id("ANPA", value.arn)
        policy.create_date = _moment(value.seen.created) or account.now()
    else:
        _born(account, policy, value.seen, "ANPA")
    policy.labels = dict(value.tags)
    policy.versions = [
        PolicyVersion(value.arn, document.text, False, number, _moment(seen.created) or policy.create_date)
        for document, seen, number in _numbered(value)
    ]
    policy.versions[-1].is_default = True
    policy.default_version_id = policy.versions[-1].version_id
    policy.next_version_num = 1 + max(_number(version.version_id) for version in policy.versions)
    policy.update_date = max(version.create_date for version in policy.versions)
    return policy


def _numbered(value: iam.Policy) -> Iterator[tuple[Document, Seen, str]]:
    """A policy's versions, the default one last, each with its number or with a free one."""
    versions = [*((old.document, old.seen) for old in value.older), (value.document, value.version)]
    taken = {seen.id for _, seen in versions}
    free = (f"v{number}" for number in range(1, 2 * len(versions) + 1) if f"v{number}" not in taken)
    for document, seen in versions:
        yield document, seen, seen.id or next(free)


def _number(version_id: str) -> int:
    return int(version_id.removeprefix("v"))


def _moment(text: str) -> datetime | None:
    """A date as moto keeps it: UTC, without a zone. Raises BadInput for what is no date."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None) if text else None
    except ValueError:
        raise BadInput(f"{text!r} is not an ISO 8601 date", hint="like 2026-11-23T20:30:00Z") from None


# Dumping -----------------------------------------------------------------------------------------------------------


def _written(moment: datetime | None) -> str:
    return f"{moment.isoformat()}Z" if moment else ""


def _seen(thing: Any) -> Seen:
    return Seen(id=thing.id, created=_written(thing.create_date), last_used=_written(getattr(thing, "last_used", None)))


def _principal(thing: entities.Principal) -> dict[str, Any]:
    return {
        "name": thing.name,
        "path": thing.path,
        "inline": _documents(thing.policies.items()),
        "attached": tuple(thing.managed_policies),
        "seen": _seen(thing),
    }


def _documents(rows: Iterable[tuple[str, str]]) -> dict[str, Document]:
    return {name: Document.parse(text) for name, text in rows}


def _dumped_role(role: entities.Role) -> iam.Role:
    return iam.Role(
        **_principal(role),
        trust=Document.parse(role.assume_role_policy_document),
        description=role.description or "",
        max_session=int(role.max_session_duration or 3600),
        boundary=role.permissions_boundary_arn or "",
        tags=dict(role.labels),
    )


def _dumped_policy(policy: entities.ManagedPolicy) -> iam.Policy:
    versions = [
        (version.is_default, Document.parse(version.document), Seen(version.version_id, _written(version.create_date)))
        for version in policy.versions
    ]
    [(document, seen)] = [(document, seen) for default, document, seen in versions if default]
    return iam.Policy(
        arn=policy.arn,
        document=document,
        older=tuple(iam.Version(document, seen) for default, document, seen in versions if not default),
        description=policy.description,
        tags=dict(policy.labels),
        version=seen,
        seen=_seen(policy),
    )
