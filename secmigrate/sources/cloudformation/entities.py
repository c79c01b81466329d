"""The IAM resources of stacks as a snapshot.

Only permissions are taken from them; a password that a template holds (`LoginProfile`) is never read. Source: AWS,
CloudFormation, *AWS Identity and Access Management resource type reference*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import structs

from secmigrate import iam
from secmigrate.iam import (
    Document,
    Entity,
    Gap,
    Group,
    InstanceProfile,
    Policy,
    PrincipalKind,
    Role,
    Snapshot,
    User,
    has_functions,
    is_aws_policy,
    is_function,
)
from secmigrate.sources.cloudformation.functions import text_of
from secmigrate.sources.cloudformation.invented import is_dynamic, is_invented, is_open, named, opened
from secmigrate.sources.cloudformation.items import ASIDE, Item, Placed, gaps, is_sure, items
from secmigrate.sources.cloudformation.resolving import Deployed
from secmigrate.sources.merging import NO_SUCH_KIND, outside
from secmigrate.sources.uniting import unknown_trust

_KINDS: Mapping[str, PrincipalKind] = {"Users": "user", "Groups": "group", "Roles": "role"}
_SHOWN = 5  # of what is not known of one resource


def snapshot_of(stacks: Iterable[Deployed], account: str, partition: str) -> Snapshot:
    """What the stacks manage, each thing with its owner. They never know the rest of the account, so it is
    `incomplete`. Raises BadInput with file and line.
    """
    read = _Read(account, partition)
    for stack in stacks:
        read.gaps |= set(gaps(stack))
        for item in items([stack]):
            with Placed(stack, item.logical_id):
                read.take(item)
    return read.snapshot()


class _Read:
    """What was read so far."""

    def __init__(self, account: str, partition: str) -> None:
        self._bare = Snapshot(account=account, partition=partition)
        self.gaps: set[Gap] = {outside("CloudFormation")}
        self._things: dict[tuple[str, str], tuple[Item, Entity]] = {}
        self._inline: dict[tuple[str, str], dict[str, Document]] = {}
        self._attached: dict[tuple[str, str], set[str]] = {}
        self._groups: dict[str, set[str]] = {}

    def take(self, item: Item) -> None:
        """Reads one resource. Raises ValueError, KeyError, … for what CloudFormation would not take."""
        if (make := _MAKE.get(item.type)) is not None:
            self._keep(item, make(self, item))
        elif (hang := _HANG.get(item.type)) is not None:
            hang(self, item)
        elif item.type not in ASIDE:
            self.gaps.add(Gap(item.what, NO_SUCH_KIND))
        self._say_open(item)

    def _keep(self, item: Item, thing: Entity) -> None:
        # By way of our own form: what IAM would never have named so must not get into an inventory.
        encoded = msgspec.json.encode(thing, enc_hook=iam.to_jsonable)
        thing = msgspec.json.decode(encoded, type=type(thing), dec_hook=iam.from_jsonable)
        other = self._things.setdefault((thing.room, thing.key.casefold()), (item, thing))[0]
        if other is not item:
            if is_sure(other) and is_sure(item):
                raise ValueError(f"{thing.key} is there already, by {other.what}")
            self.gaps.add(Gap(item.what, f"there in place of {other.what}, or not at all: its condition is not known"))
        if is_invented(item.stack.physical(item.logical_id) or ""):
            arn = self._bare.arn(thing)
            self.gaps.add(Gap(arn, f"CloudFormation gives it a name; called so here after {item.what}"))

    def _say_open(self, item: Item) -> None:
        values = {key: _unlinked(key, one) for key, one in item.properties.items() if key not in _OWN_NAMES}
        if is_invented(item.stack.physical(item.logical_id) or ""):
            values |= {key: one for key, one in item.properties.items() if key in _OWN_NAMES and _is_dynamic(one)}
        found = sorted(set(_functions(opened(values, item.stack.template.name))))
        if found:
            more = ", …" if len(found) > _SHOWN else ""
            self.gaps.add(Gap(item.what, f"not known before it is deployed: {', '.join(found[:_SHOWN])}{more}"))

    def link(self, item: Item, value: Any) -> str | None:
        """The name of a user, group or role that a property gives; None if it is not known."""
        text = text_of(value)
        if text is None or (is_open(text) and not is_invented(text)):
            self.gaps.add(Gap(item.what, f"whom it is about is not known: {item.said(value)}"))
            return None
        return msgspec.convert(named(text), iam.Name)

    def arn(self, item: Item, value: Any) -> str:
        """The ARN of a managed policy. One that is not known is a text that no policy could be called."""
        if isinstance(value, str) and (is_invented(value) or not is_open(value)):
            return msgspec.convert(named(value), iam.Arn)
        told = msgspec.json.encode(opened(value, item.stack.template.name), order="sorted").decode()
        return self._bare.policy_arn(f"{item.stack.name}/{told}")[:2048]

    def inline(self, kind: PrincipalKind, name: str, policy: str, document: Document) -> None:
        """Hangs an inline policy on somebody."""
        self._inline.setdefault((kind, name), {})[policy] = document

    def attach(self, kind: PrincipalKind, name: str, arn: str) -> None:
        """Hangs a managed policy on somebody."""
        self._attached.setdefault((kind, name), set()).add(arn)

    def join(self, user: str, group: str) -> None:
        """Puts a user into a group."""
        self._groups.setdefault(user, set()).add(group)

    def principal(self, item: Item, kind: PrincipalKind) -> dict[str, Any]:
        """The fields that users, groups and roles have in common; hangs on them what stands in them."""
        for row in item.rows("Policies"):
            document = item.document(row if is_function(row) else row["PolicyDocument"])
            name = item.said(row) if is_function(row) else item.said(row["PolicyName"])
            self.inline(kind, item.name, name, document)
        for value in item.rows("ManagedPolicyArns"):
            self.attach(kind, item.name, self.arn(item, value))
        found: dict[str, Any] = {"name": item.name, "path": item.path}
        if kind != "group":
            boundary = item.properties.get("PermissionsBoundary")
            found["boundary"] = "" if boundary is None else self.arn(item, boundary)
            found["tags"] = {**item.stack.template.tags, **dict(_tags(item))}
        return found

    def snapshot(self) -> Snapshot:
        """All of it."""
        things = [thing for _, thing in self._things.values()]
        found = self._bare
        rooms: dict[str, dict[str, Entity]] = {}
        for thing in (*things, *self._strangers({(one.room, one.key) for one in things})):
            rooms.setdefault(thing.room, {})[thing.key] = self._hung(thing)
        found = structs.replace(found, **rooms)
        missing = {
            arn for one in found.principals() for arn in one.attached if arn not in found.policies
        }  # fmt: skip
        self.gaps |= {
            Gap(f"policy {arn}", "attached in a template, but not managed by it")
            for arn in missing
            if not is_aws_policy(arn) and "{" not in arn
        }
        owners = {found.arn(thing): item.what for item, thing in self._things.values()}
        return structs.replace(found, incomplete=tuple(sorted(self.gaps)), owners=owners)

    def _strangers(self, there: set[tuple[str, str]]) -> Iterator[Entity]:
        """Users, groups and roles on whom something hangs, and who are managed elsewhere."""
        groups = {("group", name) for names in self._groups.values() for name in names}
        for kind, name in sorted({*self._inline, *self._attached, *(("user", name) for name in self._groups), *groups}):
            if (f"{kind}s", name) not in there:
                self.gaps.add(Gap(f"{kind} {name}", "named in a template, but not managed by it"))
                if kind == "role":
                    yield Role(name=name, trust=unknown_trust(name))
                else:
                    yield User(name=name) if kind == "user" else Group(name=name)

    def _hung(self, thing: Entity) -> Entity:
        if not isinstance(thing, User | Group | Role):
            return thing
        key = (thing.kind, thing.name)
        inline, attached = self._inline.get(key, {}), tuple(sorted(self._attached.get(key, ())))
        if isinstance(thing, User):
            groups = tuple(self._groups.get(thing.name, ()))
            return structs.replace(thing, inline=inline, attached=attached, groups=groups)
        return structs.replace(thing, inline=inline, attached=attached)


# What names the thing itself, or leads to another one: told where it matters.
_OWN_NAMES = frozenset("GroupName InstanceProfileName ManagedPolicyName RoleName UserName".split())

_LINKS = frozenset("Groups ManagedPolicyArns PermissionsBoundary Roles Users".split())


def _unlinked(key: str, value: Any) -> Any:
    """A property without the names in it that lead to things which are in the snapshot under the same name."""
    if key not in _LINKS:
        return value
    return [one for one in (value if isinstance(value, list) else [value]) if is_function(one) or _is_dynamic(one)]


def _is_dynamic(value: Any) -> bool:
    return isinstance(value, str) and is_dynamic(value)


def _functions(value: Any) -> Iterator[str]:
    """Short words for what is not known in a value."""
    if value == {"Ref": "AWS::NoValue"}:
        return
    if is_function(value):
        (name, argument), *_ = value.items()
        told = ".".join(map(str, argument)) if name == "Fn::GetAtt" and isinstance(argument, list) else argument
        yield f"{name} {told}" if isinstance(told, str) else name
        if not isinstance(told, str):
            yield from _functions(argument)
    elif isinstance(value, dict | list) and has_functions(value):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _functions(inner)


def _tags(item: Item) -> Iterator[tuple[str, str]]:
    for row in item.rows("Tags"):
        if not is_function(row):
            yield item.said(row["Key"]), item.said(row["Value"])


def _user(read: _Read, item: Item) -> Entity:
    for value in item.rows("Groups"):
        if group := read.link(item, value):
            read.join(item.name, group)
        else:  # what it may do there is not known: unsure, and never nothing
            read.attach("user", item.name, read.arn(item, value))
    return User(**read.principal(item, "user"))


def _group(read: _Read, item: Item) -> Entity:
    return Group(**read.principal(item, "group"))


def _role(read: _Read, item: Item) -> Entity:
    session = item.properties.get("MaxSessionDuration", 3600)
    trust = item.document(item.properties["AssumeRolePolicyDocument"])
    fields = read.principal(item, "role")
    description = item.text("Description")
    return Role(**fields, trust=trust, description=description, max_session=3600 if is_open(session) else int(session))


def _policy(read: _Read, item: Item) -> Entity:
    for who, kind in _KINDS.items():
        for value in item.rows(who):
            if name := read.link(item, value):
                read.attach(kind, name, item.name)
    document = item.document(item.properties["PolicyDocument"])
    return Policy(arn=item.name, document=document, description=item.text("Description"), tags=dict(_tags(item)))


def _profile(read: _Read, item: Item) -> Entity:
    roles = [name for value in item.rows("Roles") if (name := read.link(item, value))]
    return InstanceProfile(name=item.name, path=item.path, roles=tuple(roles))


def _inline_policy(read: _Read, item: Item) -> None:
    document = item.document(item.properties["PolicyDocument"])
    for who, kind in _KINDS.items():
        for value in item.rows(who):
            if name := read.link(item, value):
                read.inline(kind, name, item.text("PolicyName"), document)


def _own_inline(kind: PrincipalKind, key: str) -> Callable[[_Read, Item], None]:
    def hang(read: _Read, item: Item) -> None:
        name = read.link(item, item.properties[key])
        found = item.properties.get("PolicyDocument")
        if name and found is not None:
            read.inline(kind, name, item.text("PolicyName"), item.document(found))

    return hang


def _addition(read: _Read, item: Item) -> None:
    group = read.link(item, item.properties["GroupName"])
    for value in item.rows("Users"):
        if (user := read.link(item, value)) is None:
            continue
        if group:
            read.join(user, group)
        else:
            read.attach("user", user, read.arn(item, item.properties["GroupName"]))


_MAKE: Mapping[str, Callable[[_Read, Item], Entity]] = {
    "AWS::IAM::Group": _group,
    "AWS::IAM::InstanceProfile": _profile,
    "AWS::IAM::ManagedPolicy": _policy,
    "AWS::IAM::Role": _role,
    "AWS::IAM::User": _user,
}
_HANG: Mapping[str, Callable[[_Read, Item], None]] = {
    "AWS::IAM::GroupPolicy": _own_inline("group", "GroupName"),
    "AWS::IAM::Policy": _inline_policy,
    "AWS::IAM::RolePolicy": _own_inline("role", "RoleName"),
    "AWS::IAM::UserPolicy": _own_inline("user", "UserName"),
    "AWS::IAM::UserToGroupAddition": _addition,
}
