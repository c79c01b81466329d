"""What is wrong with a config that its JSON Schema cannot see: references, tier limits, quotas, names.

Quotas: iam-rules, "Quotas". Tier limits: sec-provisioner 3.1 and 3.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from secmigrate.errors import BadInput
from secmigrate.iam import Policy, Snapshot
from secmigrate.sec.config import SECTIONS, AssumableRole, CrossAccountRole, Levels, SecConfig, Section, Tier
from secmigrate.sec.config import known_levels as known
from secmigrate.sec.finding import ConfigPath, Finding, created
from secmigrate.sec.in_the_way import in_the_way
from secmigrate.sec.planned import Rendered, by_name

MOST_MANAGED = 10  # managed policies per group or role
INLINE_SIZE = {"group": 5_120, "role": 10_240}  # characters, the sum of all inline policies
NAME_LENGTH = {"group": 128, "role": 64}
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]+")
_ACCOUNT = re.compile(r"[0-9]{12}")


def findings(
    config: SecConfig,
    tiers: Mapping[str, Tier],
    levels: Levels,
    aws_managed: Mapping[str, Policy] | None = None,
    existing: Snapshot | None = None,
    patterns: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """Everything that is wrong or doubtful, sorted by path.

    Without `aws_managed` the names of managed policies are not looked up; without `existing` nothing is said about the
    account as it is today. `patterns` are names that a person counts as the project's.
    """
    found = [
        *_client(config, existing),
        *_tier(config, tiers),
        *_entries(config, levels, aws_managed, patterns),
        *_empty(config),
        *_references(config),
        *_names(config),
        *(in_the_way(config, existing) if existing else ()),
    ]
    return tuple(sorted(found))


def _client(config: SecConfig, existing: Snapshot | None) -> Iterator[Finding]:
    account, region = config.client.account_id, config.environment.region
    if not _ACCOUNT.fullmatch(account):
        yield Finding(
            path=("client", "account_id"),
            message=f"{account!r} is not an account id",
            hint='12 digits in quotes, such as "123456789012"',
        )
    elif existing and existing.account != account:
        yield Finding(
            path=("client", "account_id"),
            message=f"the config is for account {account}, the inventory is of {existing.account}",
            hint="correct the config, or take the inventory of the right account",
        )
    if not _REGION.fullmatch(region):
        yield Finding(
            path=("environment", "region"), message=f"{region!r} is not a region", hint="such as eu-central-1"
        )
    elif existing and existing.partition != config.partition:
        yield Finding(
            path=("environment", "region"),
            message=f"{region} is in the partition {config.partition}, the inventory is of {existing.partition}",
            hint="name a region of the account's own partition",
        )


def _tier(config: SecConfig, tiers: Mapping[str, Tier]) -> Iterator[Finding]:
    tier = tiers.get(config.tier.name)
    if tier is None:
        yield Finding(
            path=("tier", "name"), message=f"there is no tier {config.tier.name!r}", hint=f"one of {', '.join(tiers)}"
        )
        return
    if config.tier.version != tier.version:
        yield Finding(
            path=("tier", "version"),
            message=f"the version of {tier.name} is {tier.version}, not {config.tier.version}",
            hint=f"write {tier.version}, or change tier.name",
        )
    known_groups = {group for one in tiers.values() for group in one.groups}
    for key in config.security.iam_groups:
        if key in tier.groups:
            continue
        holders = [one.name for one in tiers.values() if key in one.groups]
        yield Finding(
            path=("security", "iam_groups", key),
            message=f"{tier.version} has no group {key}" if holders else f"{key} is not one of SEC's groups",
            hint=f"choose the tier {holders[0]}" if holders else "whether SEC takes groups of one's own is unknown (U)",
            severity="error" if key in known_groups else "warning",
        )
    for section in SECTIONS:
        yield from _count(config, section, tier, tiers)


def _count(config: SecConfig, section: Section, tier: Tier, tiers: Mapping[str, Tier]) -> Iterator[Finding]:
    """Too many entries: certain trouble only for cross-account roles, which a higher tier is bought for."""
    count, limit = len(config.security.section(section)), tier.counts.of(section)
    if count <= limit:
        return
    holder = next((one.name for one in tiers.values() if one.counts.of(section) >= count), "")
    yield Finding(
        path=("security", section),
        message=f"{count} entries, and {tier.version} ships {limit}",
        hint=f"the tier {holder} has room" if holder else "no tier ships that many; whether SEC takes more is unknown",
        severity="error" if holder and section == "cross_account_roles" else "warning",
    )


def _entries(
    config: SecConfig, levels: Levels, aws_managed: Mapping[str, Policy] | None, patterns: Sequence[str]
) -> Iterator[Finding]:
    names = by_name(aws_managed) if aws_managed is not None else None
    rendered = Rendered(config, levels, patterns)
    for section in SECTIONS:
        for key, entry in config.security.section(section).items():
            path = ("security", section, key)
            yield from _policies(path, entry.managed_policies, names)
            assignments = dict(entry.policy_assignments)
            if isinstance(entry, AssumableRole) and entry.mirrors_group in config.security.iam_groups:
                assignments.update(config.security.iam_groups[entry.mirrors_group].policy_assignments)
            yield from _assignments(path, assignments, levels, rendered)


def _policies(path: ConfigPath, wanted: tuple[str, ...], names: Mapping[str, Policy] | None) -> Iterator[Finding]:
    if len(wanted) > MOST_MANAGED:
        yield Finding(
            path=(*path, "managed_policies"),
            message=f"{len(wanted)} managed policies, and IAM takes {MOST_MANAGED}",
            hint="drop some, or give the access by policy_assignments",
        )
    for name in sorted({name for name in wanted if wanted.count(name) > 1}):
        yield Finding(path=(*path, "managed_policies"), message=f"{name} stands twice", hint="keep one of them")
    for at, name in enumerate(wanted if names is not None else ()):
        if names is not None and name not in names:
            yield Finding(
                path=(*path, "managed_policies", str(at)),
                message=f"AWS has no managed policy {name!r}",
                hint=_meant(name, names),
            )


def _meant(name: str, names: Mapping[str, Policy]) -> str:
    bare = name.rpartition("/")[2]
    if name.startswith("arn:"):
        return f"write the bare name: {bare}" if bare in names else "SEC takes names of AWS managed policies only"
    near = get_close_matches(bare, names, 1, 0.8)
    return (
        f"did you mean {near[0]}?"
        if near
        else "SEC takes names of AWS managed policies only, none of the account's own"
    )


def _assignments(
    path: ConfigPath, assignments: Mapping[str, str], levels: Levels, rendered: Rendered
) -> Iterator[Finding]:
    sound = {}
    for service, level in assignments.items():
        if service in levels and level in levels[service].levels:
            sound[service] = level
            continue
        what = f"{service} has no {level}" if service in levels else f"there is no service {service}"
        yield Finding(path=(*path, "policy_assignments", service), message=what, hint=known(service, levels))
    kind = "group" if path[1] == "iam_groups" else "role"
    size = sum(document.size for document in rendered.inline(sound).values())
    if size > INLINE_SIZE[kind]:
        yield Finding(
            path=(*path, "policy_assignments"),
            message=f"its inline policies come to {size:,} characters, and IAM takes {INLINE_SIZE[kind]:,}",
            hint="choose lower levels or fewer services",
        )


def _empty(config: SecConfig) -> Iterator[Finding]:
    """Entries that give nothing, and a mirror that asks for what SEC leaves out."""
    for section in SECTIONS:
        for key, entry in config.security.section(section).items():
            mirrors = entry.mirrors_group if isinstance(entry, AssumableRole) else ""
            path = ("security", section, key)
            if not entry.managed_policies and not entry.policy_assignments and not mirrors:
                yield Finding(
                    path=path,
                    message="it gives nothing: neither managed_policies nor policy_assignments",
                    hint="give it something, or take it out",
                    severity="warning",
                )
            if mirrors and entry.policy_assignments:
                yield Finding(
                    path=(*path, "policy_assignments"),
                    message=f"a role that mirrors {mirrors} has that group's levels, and none of its own",
                    hint="take them out, or mirrors_group",
                    severity="warning",
                )


def _references(config: SecConfig) -> Iterator[Finding]:
    groups = config.security.iam_groups
    for key, role in config.security.assumable_roles.items():
        if role.mirrors_group and role.mirrors_group not in groups:
            yield Finding(
                path=("security", "assumable_roles", key, "mirrors_group"),
                message=f"{role.mirrors_group} is not in iam_groups",
                hint=f"one of {', '.join(sorted(groups))}" if groups else "define the group first",
            )
    for key, other in config.security.cross_account_roles.items():
        path = ("security", "cross_account_roles", key)
        yield from _cross_account(path, other, config.client.account_id)


def _cross_account(path: ConfigPath, role: CrossAccountRole, own: str) -> Iterator[Finding]:
    if not _ACCOUNT.fullmatch(role.trusted_account_id):
        yield Finding(
            path=(*path, "trusted_account_id"),
            message=f"{role.trusted_account_id!r} is not an account id",
            hint='12 digits in quotes, such as "123456789012"',
        )
    elif role.trusted_account_id == own:
        yield Finding(
            path=(*path, "trusted_account_id"),
            message="that is the account itself",
            hint="a role for people of this account belongs to assumable_roles",
        )
    if role.external_id and role.external_id in (role.trusted_account_id, own):
        yield Finding(
            path=(*path, "external_id"),
            message="the external id is an account id, which anybody can guess",
            hint="agree on one that nobody else knows, such as a random word",
            severity="warning",
        )
    if not role.external_id:
        yield Finding(
            path=(*path, "external_id"),
            message="there is no external id, and SEC's cross-account roles are checked by one",
            hint="agree on one with the other account",
            severity="warning",
        )


def _names(config: SecConfig) -> Iterator[Finding]:
    first: dict[tuple[str, str], ConfigPath] = {}
    for path, kind, name in created(config):
        if len(name) > NAME_LENGTH[kind]:
            yield Finding(
                path=path,
                message=f"the {kind} name {name} has {len(name)} characters, and IAM takes {NAME_LENGTH[kind]}",
                hint="shorten the key or company_prefix",
            )
        other = first.setdefault((kind, name.casefold()), path)
        if other != path:
            yield Finding(
                path=path,
                message=f"the {kind} name {name} is taken by {'.'.join(other[1:])}",
                hint="rename one of the keys: IAM names are unique, whatever their section and case",
            )


def require(found: tuple[Finding, ...]) -> None:
    """Raises BadInput that lists the errors among the findings, if there are any."""
    errors = [one for one in found if one.severity == "error"]
    if errors:
        lines = "\n".join(f"  {'.'.join(one.path)}: {one.message} ({one.hint})" for one in errors)
        raise BadInput(
            f"the config has {len(errors)} errors\n{lines}", hint="correct them and run `secmigrate validate`"
        )
