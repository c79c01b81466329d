"""The SEC config and its names; the shapes of tiers and levels, whose content is data in `mappings/`."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any, Literal, TypeAlias

from msgspec import Struct, structs

from secmigrate.iam import Document

Mark = Literal["C", "I", "U"]  # certain, inferred, unknown
Section = Literal["iam_groups", "service_roles", "assumable_roles", "cross_account_roles"]
Assignments: TypeAlias = Mapping[str, str]  # level by service: {"s3": "level2"}

SECTIONS: tuple[Section, ...] = ("iam_groups", "service_roles", "assumable_roles", "cross_account_roles")

# Longest first, because `us-isob-` also starts with `us-iso`.
_PARTITIONS = (
    ("us-isob-", "aws-iso-b"),
    ("us-isof-", "aws-iso-f"),
    ("eu-isoe-", "aws-iso-e"),
    ("us-gov-", "aws-us-gov"),
    ("us-iso-", "aws-iso"),
    ("eusc-", "aws-eusc"),
    ("cn-", "aws-cn"),
)


class Client(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose account it is. Section C, nesting I (sec-provisioner 2.1)."""

    company_prefix: str
    tenant_id: str
    account_id: str
    company_name: str = ""


class Environment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which environment, and the region that the stack lies in."""

    env: str
    region: str


class TierName(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The config's `tier` block: `medium` and `medium-10`."""

    name: str
    version: str


class GroupEntry(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of `security.iam_groups` (C, sec-provisioner 2.2)."""

    description: str = ""
    managed_policies: tuple[str, ...] = ()  # bare names of AWS managed policies
    policy_assignments: Assignments = {}


class ServiceRole(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of `security.service_roles`. Its fields are U (sec-provisioner 13)."""

    description: str = ""
    service_principal: str
    managed_policies: tuple[str, ...] = ()
    policy_assignments: Assignments = {}


class AssumableRole(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of `security.assumable_roles`: it mirrors a group (C), or has permissions of its own (fields U)."""

    description: str = ""
    mirrors_group: str = ""
    managed_policies: tuple[str, ...] = ()
    policy_assignments: Assignments = {}


class CrossAccountRole(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One of `security.cross_account_roles`. Its fields are U (sec-provisioner 13)."""

    description: str = ""
    trusted_account_id: str
    external_id: str = ""
    managed_policies: tuple[str, ...] = ()
    policy_assignments: Assignments = {}


Entry: TypeAlias = GroupEntry | ServiceRole | AssumableRole | CrossAccountRole


class Security(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the stack will hold, by key."""

    iam_groups: Mapping[str, GroupEntry] = {}
    service_roles: Mapping[str, ServiceRole] = {}
    assumable_roles: Mapping[str, AssumableRole] = {}
    cross_account_roles: Mapping[str, CrossAccountRole] = {}

    def section(self, name: Section) -> Mapping[str, Entry]:
        """The entries of one section by key."""
        found: Mapping[str, Entry] = getattr(self, name)
        return found


class SecConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The SEC provisioner's input file, and the names that follow from it (sec-provisioner 5)."""

    client: Client
    environment: Environment
    tier: TierName
    deployment: Mapping[str, Any] = {}  # content U: carried over untouched
    tags: Mapping[str, str] = {}
    security: Security = Security()

    @property
    def owner(self) -> str:
        """What all names start with: `edge-prod-b001`."""
        return owner(self.client, self.environment)

    @property
    def stem(self) -> str:
        """What the stack, its template and its reports are named by."""
        return f"{self.owner}-{self.environment.region}-{self.tier.name}-sec"

    @property
    def stack(self) -> str:
        """The CloudFormation stack's name."""
        return f"{self.stem}-stack"

    @property
    def file_name(self) -> str:
        """The config file's name. It holds no tier, although the stem does."""
        return file_name(self.client, self.environment)

    @property
    def partition(self) -> str:
        """The AWS partition that the region belongs to."""
        return partition(self.environment.region)

    def group_name(self, key: str) -> str:
        """The IAM name of a group key; neither region nor tier is in it."""
        return f"{self.owner}-group-{_kebab(key)}"

    def role_name(self, key: str) -> str:
        """The IAM name of a role key; the part behind `-role-` is I."""
        return f"{self.owner}-role-{_kebab(key)}"


class Counts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many of each section a tier ships (C, TIER_COMPARISON)."""

    groups: int
    service_roles: int
    assumable_roles: int
    cross_account_roles: int

    def of(self, section: Section) -> int:
        """The count of one section."""
        return self.groups if section == "iam_groups" else int(getattr(self, section))


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the product's three editions."""

    name: str
    version: str
    why: str
    groups: tuple[str, ...]
    counts: Counts
    image: str


class Level(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one level of a service allows, as a document with placeholders such as `${project}`."""

    name: str  # "read-only"
    mark: Mark
    why: str
    document: Document


class Service(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key of `policy_assignments` with its levels."""

    id: str
    why: str
    mark: Mark
    prefixes: tuple[str, ...]  # of the IAM actions that its levels answer for: ("s3",)
    replaces: tuple[str, ...] = ()  # AWS managed policies (globs) that its levels stand in for
    levels: Mapping[str, Level]  # from narrow to wide where they can be compared


Levels: TypeAlias = Mapping[str, Service]


def partition(region: str) -> str:
    """The AWS partition of a region: `aws`, `aws-us-gov`, `aws-cn`, …"""
    return next((name for start, name in _PARTITIONS if region.startswith(start)), "aws")


def owner(client: Client, environment: Environment) -> str:
    """`{company_prefix}-{env}-{tenant_id}`, with which all names start."""
    return f"{client.company_prefix}-{environment.env}-{client.tenant_id}"


def file_name(client: Client, environment: Environment) -> str:
    """The name of a config file with these names."""
    return f"{owner(client, environment)}-{environment.region}-sec.yaml"


def known_levels(service: str, levels: Levels) -> str:
    """What could have been meant, for a hint."""
    if service in levels:
        return f"{service} has {', '.join(levels[service].levels)}"
    return f"services are {', '.join(sorted(levels))}"


def _kebab(key: str) -> str:
    return key.replace("_", "-")


def deployed(config: SecConfig, tiers: Iterable[str], keepers: Container[str]) -> SecConfig:
    """The config with the one of the tiers whose stack keeps something (`stack NAME`); as it is, if none does, or its
    own.
    """
    others = (structs.replace(config, tier=structs.replace(config.tier, name=name)) for name in tiers)
    return next((one for one in (config, *others) if f"stack {one.stack}" in keepers), config)
