"""The IAM resources of stacks as a snapshot.

Only permissions are taken from them; a password that a template holds (`LoginProfile`) is never read. Source: AWS,
CloudFormation, *AWS Identity and Access Management resource type reference*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from secmigrate import iam
from secmigrate.errors import BadInput
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
from secmigrate.sources.cloudformation.invented import is_invented, is_open, named, opened
from secmigrate.sources.cloudformation.resolving import Deployed, TooMuch
from secmigrate.sources.merging import NO_SUCH_KIND, outside

PREFIX = "AWS::IAM::"
SECRET = frozenset({"LoginProfile"})  # properties that are not read
# They say nothing of who may do what; some of them are secrets.
ASIDE = frozenset(
    f"{PREFIX}{name}" for name in "AccessKey OIDCProvider SAMLProvider ServerCertificate VirtualMFADevice".split()
)
# They make things whose templates stand elsewhere.
_MAKES_MORE = frozenset({"AWS::CloudFormation::StackSet", "AWS::ServiceCatalog::CloudFormationProvisionedProduct"})
_INCLUDE = "Fn::Transform"  # beside properties: what a macro adds to them
_KINDS: Mapping[str, PrincipalKind] = {"Users": "user", "Groups": "group", "Roles": "role"}
_SHOWN = 5  # of what is not known of one resource
_HINT = "see AWS, CloudFormation, the reference of this resource type"


class Item(NamedTuple):
    """An IAM resource of a stack, its properties resolved."""

    stack: Deployed
    logical_id: str
    type: str
    properties: Mapping[str, Any]

    @property
    def what(self) -> str:
        """How it is named to people, and in `owners`."""
        return f"stack {self.stack.name} {self.logical_id}"

    @property
    def name(self) -> str:
        """Its name, for people too; a managed policy's ARN."""
        return named(self.stack.physical(self.logical_id) or "")

    @property
    def path(self) -> str:
        """Its IAM path."""
        path = text_of(self.properties.get("Path"))
        return path if path is not None and not is_open(path) else "/"

    def rows(self, key: str) -> list[Any]:
        """A property that is a list; a function that gives one is its only row. Raises ValueError."""
        found = self.properties.get(key)
        if found is None or isinstance(found, list):
            return found or []
        if is_function(found):
            return [found]
        raise ValueError(f"{key} is not a list")

    def text(self, key: str) -> str:
        """A property that is text; empty if there is none, a function as its JSON."""
        return self.said(self.properties.get(key, ""))

    def said(self, value: Any) -> str:
        """A value as text, whatever it is."""
        text = text_of(opened(value, self.stack.template.name))
        return msgspec.json.encode(value, order="sorted").decode() if text is None else text

    def document(self, value: Any) -> Document:
        """A policy document. What is not known in it is a function; access calls that unsure."""
        if isinstance(value, str) and not is_open(value):
            return Document.parse(value)
        return Document(opened(value, self.stack.template.name))


def items(stacks: Iterable[Deployed]) -> Iterator[Item]:
    """All IAM resources that the stacks make, and those of which nobody knows. Raises BadInput with file and line."""
    for stack in stacks:
        for logical_id, row in stack.resources.items():
            type_ = row.get("Type")
            if isinstance(type_, str) and type_.startswith(PREFIX):
                with_place = _Placed(stack, logical_id)
                with with_place:
                    if stack.is_there(logical_id) is not False:
                        yield Item(stack, logical_id, type_, _properties(stack, logical_id))


def _properties(stack: Deployed, logical_id: str) -> Mapping[str, Any]:
    given = stack.resources[logical_id].get("Properties") or {}
    if not isinstance(given, dict):
        raise ValueError("its Properties are no mapping")
    found = stack.value({key: value for key, value in given.items() if key not in SECRET | {_INCLUDE}})
    if not isinstance(found, dict) or is_function(found):
        raise ValueError("its Properties are no mapping")
    return {key: value for key, value in found.items() if value is not None}


class _Placed:
    """Gives an error the place of the resource that it is about."""

    def __init__(self, stack: Deployed, logical_id: str) -> None:
        self._stack, self._logical_id = stack, logical_id

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or (isinstance(error, BadInput) and error.where):
            return
        where = self._stack.template.parsed.where(("Resources", self._logical_id))
        if isinstance(error, BadInput | TooMuch):
            told = error.message if isinstance(error, BadInput) else str(error)
            raise BadInput(f"{self._logical_id}: {told}", where=where, hint=_HINT) from None
        if isinstance(error, KeyError | TypeError | AttributeError | ValueError | msgspec.MsgspecError):
            what = f"there is no {error}" if isinstance(error, KeyError) else str(error)[:200]
            raise BadInput(f"{self._logical_id}: {what}", where=where, hint=_HINT) from None
        if isinstance(error, RecursionError):
            raise BadInput(f"{self._logical_id}: leads too far", where=where, hint=_HINT) from None


def snapshot_of(stacks: Iterable[Deployed], account: str, partition: str) -> Snapshot:
    """What the stacks manage, each thing with its owner. They never know the rest of the account, so it is
    `incomplete`. Raises BadInput with file and line.
    """
    read = _Read(account, partition)
    for stack in stacks:
        read.gaps |= set(_gaps(stack))
        for item in items([stack]):
            with _Placed(stack, item.logical_id):
                read.take(item)
    return read.snapshot()


def makes_more(stack: Deployed) -> Iterator[Gap]:
    """What a template makes that does not stand in it as a resource."""
    what = f"stack {stack.name}"
    transforms = stack.template.parsed.value.get("Transform") or []
    for one in transforms if isinstance(transforms, list) else [transforms]:
        if one != "AWS::LanguageExtensions":
            yield Gap(what, f"the transform {one if isinstance(one, str) else 'in it'} may make more than stands there")
    for logical_id, row in stack.template.section("Resources").items():
        type_ = str(row.get("Type")) if isinstance(row, dict) else ""
        if logical_id.startswith("Fn::") or type_.endswith("::MODULE") or type_ in _MAKES_MORE or not type_:
            yield Gap(f"{what} {logical_id}", NO_SUCH_KIND)
        elif type_ == "AWS::CloudFormation::Stack" and logical_id not in stack.nested:
            yield Gap(f"{what} {logical_id}", "the template of this nested stack was not given")
        elif _INCLUDE in (row.get("Properties") or ()):
            yield Gap(f"{what} {logical_id}", "the transform in it may say more than stands there")


def _gaps(stack: Deployed) -> Iterator[Gap]:
    """What a template does not say by itself."""
    yield from makes_more(stack)
    for logical_id, row in stack.resources.items():
        if str(row.get("Type")).startswith(PREFIX) and _is_there(stack, logical_id) is None:
            what = f"stack {stack.name} {logical_id}"
            yield Gap(what, f"its condition {row.get('Condition')} is not known; it may not be there")


def _is_there(stack: Deployed, logical_id: str) -> bool | None:
    """Whether it is made, as far as known. Raises BadInput with file and line for a condition that is none."""
    with _Placed(stack, logical_id):
        return stack.is_there(logical_id)


def _is_sure(item: Item) -> bool:
    """Whether it is known to be made."""
    return item.stack.is_there(item.logical_id) is True


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
            if _is_sure(other) and _is_sure(item):
                raise ValueError(f"{thing.key} is there already, by {other.what}")
            self.gaps.add(Gap(item.what, f"there in place of {other.what}, or not at all: its condition is not known"))
        if is_invented(item.stack.physical(item.logical_id) or ""):
            arn = self._bare.arn(thing)
            self.gaps.add(Gap(arn, f"CloudFormation gives it a name; called so here after {item.what}"))

    def _say_open(self, item: Item) -> None:
        values = {key: _unlinked(key, one) for key, one in item.properties.items() if key not in _OWN_NAMES}
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
        """Users and groups on whom something hangs, and who are managed elsewhere."""
        groups = {("group", name) for names in self._groups.values() for name in names}
        for kind, name in sorted({*self._inline, *self._attached, *(("user", name) for name in self._groups), *groups}):
            if (f"{kind}s", name) not in there:
                self.gaps.add(Gap(f"{kind} {name}", "named in a template, but not managed by it"))
                if kind != "role":
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
    return [one for one in (value if isinstance(value, list) else [value]) if is_function(one)]


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
    return Role(
        **fields, trust=trust, description=description, max_session=3600 if is_function(session) else int(session)
    )


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
