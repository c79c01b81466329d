"""Users, groups, roles, policies and instance profiles, each with everything that recreating it needs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, ClassVar, Literal, Self, TypeVar, cast

from msgspec import Meta, Struct, structs

from secmigrate.iam.document import Document

PrincipalKind = Literal["user", "group", "role"]

# `(?!\n)`: a plain `$` would let a trailing newline pass.
Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_+=,.@-]+$(?!\n)", max_length=128)]
IamPath = Annotated[str, Meta(pattern=r"^(/|/[!-~]+/)$(?!\n)", max_length=512)]
Arn = Annotated[str, Meta(min_length=20, max_length=2048)]
AccountId = Annotated[str, Meta(pattern=r"^[0-9]{12}$(?!\n)")]


class Seen(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, eq=False):
    """What IAM assigned or observed and nobody can give back. Never part of what makes two things equal."""

    id: str = ""  # AIDA…, AGPA…, AROA…, ANPA…, AIPA…; a policy version's v1, v2, …
    created: str = ""  # ISO 8601, UTC
    last_used: str = ""  # ISO 8601, UTC; a role's RoleLastUsed, 400 days back; empty is no proof of disuse

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Seen)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return 0


UNSEEN = Seen()


class Entity(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """Anything the snapshot keeps under a key."""

    room: ClassVar[str]  # the Snapshot field that holds it

    seen: Seen = UNSEEN

    def __post_init__(self) -> None:
        """Makes equal things equal to the byte: msgspec leaves a field out of JSON if it *is* its default, not if it
        only equals it.
        """
        for field, default in _scalar_defaults(type(self)):
            if getattr(self, field) == default:
                structs.force_setattr(self, field, default)
        _blank(self, "seen")

    @property
    def key(self) -> str:
        """Under what the snapshot keeps it: its name, a policy's ARN."""
        return cast(str, getattr(self, "name"))  # noqa: B009 - every entity has a name, a field or a property

    @property
    def keeper(self) -> str:
        """Who manages this thing by what IAM itself shows; empty if nobody does.

        Source: the tags that CloudFormation leaves on what it makes, where IAM knows tags.
        """
        stack = getattr(self, "tags", {}).get("aws:cloudformation:stack-name", "")
        return f"stack {stack}" if stack else ""

    def settable(self) -> Self:
        """The same thing without the tags that AWS alone sets, such as a stack's. Source: AWS, *Tags for IAM*."""
        tags: Mapping[str, str] = getattr(self, "tags", {})
        mine = {key: value for key, value in tags.items() if not is_aws_tag(key)}
        return structs.replace(self, tags=mine) if len(mine) < len(tags) else self

    def restorable(self) -> Self:
        """The same thing without what IAM cannot give back."""
        return structs.replace(self, seen=UNSEEN)

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

        Source: iam-rules, "Never touched": the two reserved paths; and the tag that CloudFormation leaves.
        """
        if self.path.startswith("/aws-service-role/"):
            return "service-linked"
        return "identity-center" if self.path.startswith("/aws-reserved/") else super().keeper


class Version(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A version of a managed policy that is kept beside the default one."""

    document: Document
    seen: Seen = UNSEEN

    def __post_init__(self) -> None:
        _blank(self, "seen")


class Policy(Entity, frozen=True, kw_only=True):
    """A managed policy; of AWS's own only the default version matters and is kept."""

    room = "policies"

    arn: Arn
    document: Document  # the default version
    older: tuple[Version, ...] = ()  # the other versions, sorted by document: IAM cannot give back their numbers
    description: str = ""
    tags: Mapping[str, str] = {}
    version: Seen = UNSEEN  # the default version's own number

    def __post_init__(self) -> None:
        super().__post_init__()
        _blank(self, "version")
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
        return structs.replace(self, seen=UNSEEN, version=UNSEEN, older=plain)

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


@cache
def _scalar_defaults(kind: type[Struct]) -> tuple[tuple[str, str | int], ...]:
    """The fields of a type that are text or a number by default."""
    return tuple((field.name, field.default) for field in structs.fields(kind) if isinstance(field.default, str | int))


def _blank(thing: Struct, field: str) -> None:
    """Makes one that saw nothing the one that saw nothing, for the same reason."""
    if not any(structs.astuple(getattr(thing, field))):
        structs.force_setattr(thing, field, UNSEEN)


def _sort(thing: Struct, field: str) -> None:
    """Makes a tuple of names canonical: sorted, without doubles. Only for a thing that is just being made."""
    names = getattr(thing, field)
    if len(names) > 1 and (canonical := tuple(sorted(set(names)))) != names:
        structs.force_setattr(thing, field, canonical)


def is_aws_policy(arn: str) -> bool:
    """Whether the ARN is of a policy that AWS manages."""
    return arn.split(":", 5)[4:5] == ["aws"]


def is_aws_tag(key: str) -> bool:
    """Whether only AWS sets a tag with that key."""
    return key.casefold().startswith("aws:")
