"""What exists in an account's IAM, as frozen and canonical values: `==` is the diff.

A `Snapshot` holds everything that an exact recreation needs. What IAM assigns or observes by itself and never
gives back (unique ids, dates, version numbers, last use) lies in `Seen`, which is equal to every other `Seen`: two
things that differ only in it are the same thing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, cast

import msgspec
from msgspec import Meta, Struct, structs

from secmigrate.errors import BadInput

PrincipalKind = Literal["user", "group", "role"]

# `(?!\n)`: a plain `$` would let a trailing newline pass.
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+=,.@-]+$(?!\n)", max_length=128)]
IamPath = Annotated[str, Meta(pattern=r"^(/|/[!-~]+/)$(?!\n)", max_length=512)]
Arn = Annotated[str, Meta(min_length=20, max_length=2048)]
AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}$")]


class Document:
    """A policy document as canonical JSON text: sorted keys, no white space, lists and values as they were written.

    Hashable and cheap to compare, which a nested dict is not. In our files it appears as a JSON object.
    """

    __slots__ = ("text",)
    text: str

    def __init__(self, value: object) -> None:
        """`value` is the parsed document. Raises BadInput if it is not a JSON object."""
        if not isinstance(value, dict):
            raise BadInput("a policy document must be a JSON object", hint=f"this one is a {type(value).__name__}")
        self.text = msgspec.json.encode(value, order="sorted").decode()

    @classmethod
    def parse(cls, text: str | bytes) -> Document:
        """Reads a document from the JSON text that IAM stores. Raises BadInput on anything else."""
        try:
            return cls(msgspec.json.decode(text))
        except msgspec.DecodeError as error:
            raise BadInput(f"not a policy document: {error}", hint="IAM documents are JSON objects") from None

    @property
    def value(self) -> dict[str, Any]:
        """The parsed document, a fresh one at each call."""
        return cast(dict[str, Any], msgspec.json.decode(self.text))

    @property
    def statements(self) -> list[dict[str, Any]]:
        """The statements; IAM lets a single one stand without its list."""
        found = self.value.get("Statement", [])
        return found if isinstance(found, list) else [found]

    @property
    def size(self) -> int:
        """Characters as IAM's quotas count them, white space outside of strings left out."""
        return len(self.text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __lt__(self, other: Document) -> bool:
        return self.text < other.text

    def __repr__(self) -> str:
        return f"Document({self.text})"


class Seen(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, eq=False):
    """What IAM assigned or observed and nobody can give back. Never part of what makes two things equal."""

    id: str = ""  # AIDA…, AGPA…, AROA…, ANPA…, AIPA…; a policy version's v1, v2, …
    created: str = ""  # ISO 8601, UTC
    last_used: str = ""  # ISO 8601, UTC; a role's RoleLastUsed, 400 days back; empty is no proof of disuse

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Seen)

    def __hash__(self) -> int:
        return 0


class Entity(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Anything the snapshot keeps under a key."""

    room: ClassVar[str]  # the Snapshot field that holds it

    seen: Seen = Seen()

    def __post_init__(self) -> None:
        """Makes equal things equal to the byte: msgspec leaves a field out of JSON if it *is* its default, not if it
        only equals it.
        """
        for field, default in _scalar_defaults(type(self)):
            if getattr(self, field) == default:
                structs.force_setattr(self, field, default)

    @property
    def key(self) -> str:
        """Under what the snapshot keeps it: its name, a policy's ARN."""
        return cast(str, getattr(self, "name"))  # noqa: B009 - every entity has a name, a field or a property

    def restorable(self) -> Self:
        """The same thing without what IAM cannot give back."""
        return structs.replace(self, seen=Seen())

    def bare(self) -> Self:
        """The same thing as IAM creates and deletes it: restorable, and without what is hung on it afterwards."""
        return self.restorable()


E = TypeVar("E", bound=Entity)


class Principal(Entity, frozen=True, kw_only=True):
    """What users, groups and roles have in common: the policies that say what somebody can do."""

    kind: ClassVar[PrincipalKind]

    name: Name
    path: IamPath = "/"
    inline: Mapping[str, Document] = {}  # inline policies by name
    attached: tuple[Arn, ...] = ()  # ARNs of attached managed policies, sorted

    def __post_init__(self) -> None:
        super().__post_init__()
        _sort(self, "attached")

    def bare(self) -> Self:
        return structs.replace(self.restorable(), inline={}, attached=())


class User(Principal, frozen=True, kw_only=True):
    """A person or a machine with credentials of its own. Never created and never deleted by secmigrate."""

    kind = "user"
    room = "users"

    groups: tuple[Name, ...] = ()  # memberships, sorted
    boundary: str = ""  # permissions boundary, an ARN
    tags: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        super().__post_init__()
        _sort(self, "groups")


class Group(Principal, frozen=True, kw_only=True):
    """A group. Its members are in `User.groups`; IAM gives groups neither tags nor descriptions."""

    kind = "group"
    room = "groups"


class Role(Principal, frozen=True, kw_only=True):
    """A role with its trust policy."""

    kind = "role"
    room = "roles"

    trust: Document
    description: str = ""
    max_session: int = 3600  # seconds
    boundary: str = ""  # permissions boundary, an ARN
    tags: Mapping[str, str] = {}

    @property
    def keeper(self) -> str:
        """Who manages this role and must not be bypassed; empty if nobody does.

        Source: iam-rules, "Never touched": the two reserved paths and the tag that CloudFormation leaves.
        """
        if self.path.startswith("/aws-service-role/"):
            return "service-linked"
        if self.path.startswith("/aws-reserved/"):
            return "identity-center"
        stack = self.tags.get("aws:cloudformation:stack-name", "")
        return f"stack {stack}" if stack else ""


class Version(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A version of a managed policy that is kept beside the default one."""

    document: Document
    seen: Seen = Seen()


class Policy(Entity, frozen=True, kw_only=True):
    """A managed policy; of AWS's own only the default version matters and is kept."""

    room = "policies"

    arn: Arn
    document: Document  # the default version
    older: tuple[Version, ...] = ()  # the other versions, sorted by document: IAM cannot give back their numbers
    description: str = ""
    tags: Mapping[str, str] = {}
    version: Seen = Seen()  # the default version's own number

    def __post_init__(self) -> None:
        super().__post_init__()
        older = tuple(sorted(self.older, key=lambda old: old.document.text))
        if older != self.older:
            structs.force_setattr(self, "older", older)

    @property
    def key(self) -> str:
        return self.arn

    @property
    def name(self) -> str:
        return self.arn.rsplit("/", 1)[1]

    @property
    def path(self) -> str:
        return self.arn.split(":policy", 1)[1].rsplit("/", 1)[0] + "/"

    @property
    def is_aws(self) -> bool:
        """AWS's own: the same in every account, never created or deleted."""
        return is_aws_policy(self.arn)

    def restorable(self) -> Policy:
        plain = tuple(Version(document=old.document) for old in self.older)
        return structs.replace(self, seen=Seen(), version=Seen(), older=plain)

    def bare(self) -> Policy:
        return structs.replace(self.restorable(), older=())


class InstanceProfile(Entity, frozen=True, kw_only=True):
    """What an EC2 instance carries to be given a role."""

    room = "instance_profiles"

    name: Name
    path: IamPath = "/"
    roles: tuple[Name, ...] = ()  # at most one
    tags: Mapping[str, str] = {}

    def bare(self) -> InstanceProfile:
        return structs.replace(self.restorable(), roles=())


class Gap(Struct, frozen=True, order=True, forbid_unknown_fields=True):
    """Something a source could not read. No plan is made from a snapshot that has one."""

    what: str  # a call, a page, an ARN
    why: str


class Snapshot(Struct, frozen=True, kw_only=True, dict=True, eq=False):
    """All of an account's IAM at one moment, or as it is planned to be. Maps are never changed in place.

    The documents of AWS's own policies are reference material, AWS's to change: they are kept where something uses
    them, and are not part of what makes two snapshots equal. That they are attached, is.
    """

    account: AccountId
    partition: str = "aws"
    users: Mapping[str, User] = {}
    groups: Mapping[str, Group] = {}
    roles: Mapping[str, Role] = {}
    policies: Mapping[str, Policy] = {}  # by ARN: the account's own, and AWS's where something uses them
    instance_profiles: Mapping[str, InstanceProfile] = {}
    incomplete: tuple[Gap, ...] = ()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return self is other or all(mine == others for mine, others in zip(self._state(), other._state(), strict=True))

    __hash__ = None  # type: ignore[assignment]

    def _state(self) -> Iterator[object]:
        yield (self.account, self.partition, self.incomplete)
        yield from (self.users, self.groups, self.roles, self.instance_profiles, self.own_policies)

    @cached_property
    def own_policies(self) -> Mapping[str, Policy]:
        """The customer-managed policies, by ARN."""
        return {arn: policy for arn, policy in self.policies.items() if not policy.is_aws}

    def put(self, thing: Entity) -> Snapshot:
        """The snapshot with `thing` in it, in place of what had its key; all else is shared."""
        return structs.replace(self, **{thing.room: {**getattr(self, thing.room), thing.key: thing}})

    def drop(self, thing: Entity) -> Snapshot:
        """The snapshot without `thing`."""
        rest = {key: kept for key, kept in getattr(self, thing.room).items() if key != thing.key}
        return structs.replace(self, **{thing.room: rest})

    def principal(self, kind: PrincipalKind, name: str) -> Principal | None:
        """The user, group or role of that exact name."""
        return cast(Principal | None, getattr(self, kind + "s").get(name))

    def principals(self) -> Iterator[Principal]:
        """All users, groups and roles."""
        yield from self.users.values()
        yield from self.groups.values()
        yield from self.roles.values()

    def entities(self) -> Iterator[Entity]:
        """Everything that has a key."""
        yield from self.principals()
        yield from self.policies.values()
        yield from self.instance_profiles.values()

    def arn(self, thing: Entity) -> str:
        """The ARN under which `thing` is known in this account."""
        if isinstance(thing, Policy):
            return thing.arn
        kind = thing.kind if isinstance(thing, Principal) else "instance-profile"
        path, name = cast(str, getattr(thing, "path")), thing.key  # noqa: B009 - all but policies have a path field
        return f"arn:{self.partition}:iam::{self.account}:{kind}{path}{name}"

    def policy_arn(self, name: str, path: str = "/") -> str:
        """The ARN of a customer-managed policy of this account."""
        return f"arn:{self.partition}:iam::{self.account}:policy{path}{name}"

    @cached_property
    def members(self) -> Mapping[str, tuple[str, ...]]:
        """User names by group, sorted; every group has a row."""
        rows: dict[str, list[str]] = {name: [] for name in self.groups}
        for user in self.users.values():
            for group in user.groups:
                rows.setdefault(group, []).append(user.name)
        return {group: tuple(sorted(names)) for group, names in rows.items()}

    def uses(self, arn: str) -> list[Principal]:
        """Who has that managed policy attached or as permissions boundary."""
        return [one for one in self.principals() if arn in one.attached or getattr(one, "boundary", "") == arn]

    def restorable(self) -> Snapshot:
        """The snapshot without what IAM cannot give back (ids, dates, version numbers, last use) or does not own."""
        return structs.replace(
            self,
            users=_restorable(self.users),
            groups=_restorable(self.groups),
            roles=_restorable(self.roles),
            policies=_restorable(self.own_policies),
            instance_profiles=_restorable(self.instance_profiles),
        )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the restorable snapshot's JSON: equal snapshots, equal fingerprints."""
        return hashlib.sha256(encode(self.restorable())).hexdigest()


def _restorable(things: Mapping[str, E]) -> dict[str, E]:
    return {key: thing.restorable() for key, thing in things.items()}


@cache
def _scalar_defaults(kind: type[Struct]) -> tuple[tuple[str, str | int], ...]:
    """The fields of a type that are text or a number by default."""
    return tuple((field.name, field.default) for field in structs.fields(kind) if isinstance(field.default, str | int))


def _sort(thing: Struct, field: str) -> None:
    """Makes a tuple of names canonical: sorted, without doubles. Only for a thing that is just being made."""
    names = getattr(thing, field)
    if len(names) > 1 and (canonical := tuple(sorted(set(names)))) != names:
        structs.force_setattr(thing, field, canonical)


class SnapshotFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a snapshot lies in a file: lists, sorted by key."""

    account: AccountId
    kind: Literal["snapshot"] = "snapshot"
    version: Literal[1] = 1
    partition: str = "aws"
    users: tuple[User, ...] = ()
    groups: tuple[Group, ...] = ()
    roles: tuple[Role, ...] = ()
    policies: tuple[Policy, ...] = ()
    instance_profiles: tuple[InstanceProfile, ...] = ()
    incomplete: tuple[Gap, ...] = ()


def to_jsonable(value: object) -> object:
    """msgspec's encoding hook: a document is written as the JSON it is."""
    if isinstance(value, Document):
        return msgspec.Raw(value.text.encode())
    raise NotImplementedError(type(value))


def from_jsonable(kind: type, value: object) -> object:
    """msgspec's decoding hook, the other way."""
    if kind is Document:
        return Document(value)
    raise NotImplementedError(kind)


_encoder = msgspec.json.Encoder(enc_hook=to_jsonable, order="sorted")
_decoder = msgspec.json.Decoder(SnapshotFile, dec_hook=from_jsonable)


def encode(snapshot: Snapshot) -> bytes:
    """The snapshot as one line of JSON; equal snapshots that saw the same give equal bytes."""

    def row(things: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(things[key] for key in sorted(things))

    return _encoder.encode(
        SnapshotFile(
            account=snapshot.account,
            partition=snapshot.partition,
            users=row(snapshot.users),
            groups=row(snapshot.groups),
            roles=row(snapshot.roles),
            policies=row(snapshot.policies),
            instance_profiles=row(snapshot.instance_profiles),
            incomplete=tuple(sorted(snapshot.incomplete)),
        )
    )


def decode(data: bytes) -> Snapshot:
    """Reads what `encode` wrote. Raises msgspec.DecodeError or ValidationError, and BadInput for doubled keys."""
    file = _decoder.decode(data)
    return Snapshot(
        account=file.account,
        partition=file.partition,
        users=keyed(file.users),
        groups=keyed(file.groups),
        roles=keyed(file.roles),
        policies=keyed(file.policies),
        instance_profiles=keyed(file.instance_profiles),
        incomplete=file.incomplete,
    )


def keyed(things: Iterable[E]) -> dict[str, E]:
    """Entities by key. Raises BadInput if two share one: names are unique ignoring case within an account."""
    found: dict[str, E] = {}
    folded: dict[str, str] = {}
    for thing in things:
        other = folded.setdefault(thing.key.casefold(), thing.key)
        if thing.key in found or other != thing.key:
            raise BadInput(f"{thing.room}: {thing.key!r} and {other!r} are one name to IAM", hint="keep one of them")
        found[thing.key] = thing
    return found


def is_aws_policy(arn: str) -> bool:
    """Whether the ARN is of a policy that AWS manages."""
    return arn.split(":", 5)[4:5] == ["aws"]
