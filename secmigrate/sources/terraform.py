"""What Terraform manages, as a snapshot.

Only permissions are taken from it. Secrets that a state holds in plain text (access keys, passwords) are never read.
Source: the AWS provider's documentation of `aws_iam_*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import structs

from secmigrate.handover import ATTACHED, EXCLUSIVE, INLINE, MADE_BY_AWSCC, Resource
from secmigrate.iam import (
    Document,
    Gap,
    Group,
    InstanceProfile,
    Policy,
    PrincipalKind,
    Role,
    Seen,
    Snapshot,
    User,
    is_aws_policy,
    keyed,
)
from secmigrate.sources.belonging import of_account
from secmigrate.sources.hiding import hidden
from secmigrate.sources.merging import NO_SUCH_KIND, outside
from secmigrate.sources.states import Json, of_iam
from secmigrate.sources.uniting import unknown_trust

ROOMS: Mapping[str, str] = {
    "aws_iam_user": "users",
    "aws_iam_group": "groups",
    "aws_iam_role": "roles",
    "aws_iam_policy": "policies",
    "aws_iam_instance_profile": "instance_profiles",
}
MEMBERS = frozenset({"aws_iam_group_membership", "aws_iam_user_group_membership", "aws_iam_policy_attachment"})
_READ = ROOMS.keys() | MEMBERS | INLINE.keys() | ATTACHED.keys() | EXCLUSIVE.keys()
# They say nothing of who may do what; some of them are secrets.
ASIDE = frozenset(
    f"aws_iam_{name}"
    for name in (
        "access_key account_alias account_password_policy openid_connect_provider organizations_features saml_provider "
        "security_token_service_preferences server_certificate service_specific_credential signing_certificate "
        "user_login_profile user_ssh_key virtual_mfa_device"
    ).split()
)


def from_terraform(head: Json, account: str = "", partition: str = "") -> Snapshot:
    """What Terraform manages of the account, or of the only one that it names, as a snapshot with its addresses as
    owners. It never knows the rest of the account, so it is `incomplete`.

    Raises BadInput if nothing in it is of the account or nobody can tell what is, and KeyError, TypeError or
    AttributeError for what Terraform would not have written.
    """
    every = of_iam(head)
    told, account, found = of_account(every.resources, account)
    partition = told or partition or "aws"
    hung = _Hung(found)
    by_type: dict[str, list[Resource]] = {}
    for one in found:
        by_type.setdefault(one.type, []).append(one)
    users = keyed(_user(one, hung) for one in by_type.get("aws_iam_user", ()))
    groups = keyed(_group(one, hung) for one in by_type.get("aws_iam_group", ()))
    roles = keyed(_role(one, hung) for one in by_type.get("aws_iam_role", ()))
    policies = keyed(
        _policy(one, f"arn:{partition}:iam::{account}:policy") for one in by_type.get("aws_iam_policy", ())
    )
    gaps = [
        outside("Terraform"),
        *every.gaps,
        *hung.gaps(every.later),
        *hidden(every.hiding, account, {one.provider for one in every.resources} - {one.provider for one in found}),
        *(Gap(one.address, NO_SUCH_KIND) for one in found if one.type not in _READ | ASIDE),
    ]
    there = {"user": users.keys(), "group": groups.keys(), "role": roles.keys()}
    for kind, name in sorted(hung.named()):
        if name not in there[kind]:
            gaps.append(Gap(f"{kind} {name}", "named in the state, but not managed by it"))
            if kind == "user":
                users[name] = User(name=name, **hung.of("user", name), groups=hung.groups(name))
            elif kind == "group":
                groups[name] = Group(name=name, **hung.of("group", name))
            else:
                roles[name] = Role(name=name, trust=unknown_trust(name), **hung.of("role", name))
    attached = {arn for one in (*users.values(), *groups.values(), *roles.values()) for arn in one.attached}
    missing = sorted(arn for arn in attached - policies.keys() if not is_aws_policy(arn))
    gaps += [Gap(f"policy {arn}", "attached in the state, but not managed by it") for arn in missing]
    profiles = keyed(_profile(one) for one in by_type.get("aws_iam_instance_profile", ()))
    snapshot = Snapshot(
        account=account,
        partition=partition,
        users=users,
        groups=groups,
        roles=roles,
        policies=policies,
        instance_profiles=profiles,
        incomplete=tuple(sorted(gaps)),
    )
    return structs.replace(snapshot, owners=dict(_owners(snapshot, found)))


def _owners(snapshot: Snapshot, found: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    for one in found:
        arn = one.values.get("policy_arn") or one.values.get("arn")
        if one.type in MADE_BY_AWSCC and arn:
            yield arn, f"terraform {one.address}"
        elif room := ROOMS.get(one.type):
            path, name = one.values.get("path") or "/", one.values["name"]
            key = one.values.get("arn") or snapshot.policy_arn(name, path) if room == "policies" else name
            yield snapshot.arn(getattr(snapshot, room)[key]), f"terraform {one.address}"


class _Hung:
    """What separate resources hang on users, groups and roles."""

    def __init__(self, found: Iterable[Resource]) -> None:
        self._inline: dict[tuple[str, str], dict[str, Document]] = {}
        self._attached: dict[tuple[str, str], set[str]] = {}
        self._groups: dict[str, set[str]] = {}
        self._listed: dict[str, tuple[PrincipalKind, str, list[str]]] = {}
        for one in found:
            self._add(one.type, one.values)
            if (exclusive := EXCLUSIVE.get(one.type)) is not None:
                self._add_all(one, *exclusive)

    def _add(self, type_: str, values: Json) -> None:
        if kind := INLINE.get(type_):
            self._inline.setdefault((kind, values[kind]), {})[values["name"]] = Document.parse(values["policy"])
        elif kind := ATTACHED.get(type_):
            self._attached.setdefault((kind, values[kind]), set()).add(values["policy_arn"])
        elif type_ == "aws_iam_policy_attachment":
            for holder in ("user", "group", "role"):
                for name in values.get(f"{holder}s") or ():
                    self._attached.setdefault((holder, name), set()).add(values["policy_arn"])
        elif type_ == "aws_iam_group_membership":
            for user in values["users"] or ():
                self._groups.setdefault(user, set()).add(values["group"])
        elif type_ == "aws_iam_user_group_membership":
            self._groups.setdefault(values["user"], set()).update(values["groups"] or ())
        elif type_ == "aws_iam_role":
            key = ("role", values["name"])
            inline = {row["name"]: row["policy"] for row in values.get("inline_policy") or () if row.get("name")}
            self._inline.setdefault(key, {}).update({name: Document.parse(text) for name, text in inline.items()})
            self._attached.setdefault(key, set()).update(values.get("managed_policy_arns") or ())

    def _add_all(self, one: Resource, kind: PrincipalKind, listing: str) -> None:
        """What a resource lists that takes over all of a kind; it may stand beside others that hang the same."""
        name, listed = one.values[f"{kind}_name"], one.values.get(listing) or []
        if listing == "policy_names":
            self._listed[one.address] = (kind, name, listed)
        elif listed:
            self._attached.setdefault((kind, name), set()).update(listed)

    def gaps(self, later: Iterable[Resource]) -> Iterator[Gap]:
        """Inline policies that are named, and whose documents stand nowhere: those of `later` are told already."""
        told = {(kind, one.values.get(kind), one.values.get("name")) for one in later if (kind := INLINE.get(one.type))}
        for address, (kind, holder, names) in self._listed.items():
            there = self._inline.get((kind, holder), {})
            if missing := [name for name in names if name not in there and (kind, holder, name) not in told]:
                named = f"names inline policies of {kind} {holder} whose documents are not in it"
                yield Gap(address, f"{named}: {', '.join(missing)}")

    def of(self, kind: PrincipalKind, name: str) -> dict[str, Any]:
        """The fields `inline` and `attached` of a principal."""
        return {
            "inline": self._inline.get((kind, name), {}),
            "attached": tuple(sorted(self._attached.get((kind, name), ()))),
        }

    def groups(self, user: str) -> tuple[str, ...]:
        """The memberships of a user."""
        return tuple(sorted(self._groups.get(user, ())))

    def named(self) -> set[tuple[str, str]]:
        """Everybody whom something hangs on, as (kind, name)."""
        groups = {("group", name) for names in self._groups.values() for name in names}
        users = {("user", name) for name in self._groups}
        return {*self._inline, *self._attached} | groups | users


def _user(one: Resource, hung: _Hung) -> User:
    values, name = one.values, one.values["name"]
    return User(
        name=name,
        path=values.get("path") or "/",
        **hung.of("user", name),
        groups=hung.groups(name),
        boundary=values.get("permissions_boundary") or "",
        tags=_tags(values),
        seen=Seen(id=values.get("unique_id") or ""),
    )


def _group(one: Resource, hung: _Hung) -> Group:
    values, name = one.values, one.values["name"]
    seen = Seen(id=values.get("unique_id") or "")
    return Group(name=name, path=values.get("path") or "/", **hung.of("group", name), seen=seen)


def _role(one: Resource, hung: _Hung) -> Role:
    values, name = one.values, one.values["name"]
    return Role(
        name=name,
        path=values.get("path") or "/",
        trust=Document.parse(values["assume_role_policy"]),
        description=values.get("description") or "",
        max_session=int(values.get("max_session_duration") or 3600),
        **hung.of("role", name),
        boundary=values.get("permissions_boundary") or "",
        tags=_tags(values),
        seen=Seen(id=values.get("unique_id") or "", created=values.get("create_date") or ""),
    )


def _policy(one: Resource, prefix: str) -> Policy:
    values = one.values
    return Policy(
        arn=values.get("arn") or f"{prefix}{values.get('path') or '/'}{values['name']}",
        document=Document.parse(values["policy"]),
        description=values.get("description") or "",
        tags=_tags(values),
        seen=Seen(id=values.get("policy_id") or ""),
    )


def _profile(one: Resource) -> InstanceProfile:
    values = one.values
    roles = [values["role"]] if values.get("role") else list(values.get("roles") or ())
    path = values.get("path") or "/"
    seen = Seen(id=values.get("unique_id") or "", created=values.get("create_date") or "")
    return InstanceProfile(name=values["name"], path=path, roles=tuple(roles), tags=_tags(values), seen=seen)


def _tags(values: Json) -> dict[str, str]:
    """With those that the provider gives to everything (`default_tags`), where the state tells them."""
    return dict(values.get("tags_all") or values.get("tags") or {})
