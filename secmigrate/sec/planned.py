"""The config, rendered: the snapshot that it will create."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from msgspec import structs

from secmigrate.errors import BadInput
from secmigrate.iam import Document, Group, Policy, Role, Snapshot
from secmigrate.sec.config import (
    SECTIONS,
    Assignments,
    AssumableRole,
    Client,
    CrossAccountRole,
    Entry,
    Environment,
    GroupEntry,
    Levels,
    SecConfig,
    Section,
    ServiceRole,
    known_levels,
    owner,
    partition,
)

PLACEHOLDERS = ("project", "dev_project", "account", "partition", "region")
_PLACEHOLDER = re.compile(r"\$\{(" + "|".join(PLACEHOLDERS) + r")\}")


def planned(
    config: SecConfig, levels: Levels, aws_managed: Mapping[str, Policy], patterns: Sequence[str] = ()
) -> Snapshot:
    """What the config will create, and the AWS managed policies that it uses.

    Groups and roles get one inline policy for each service, named `{service}-{level}` (groups: C by
    APPLICATION_ARCHITECTURE, although ROLES_ARCHITECTURE speaks of managed policies; roles: I).
    `aws_managed` is by ARN of the partition `aws`; `patterns` are names that a person counts as the project's, besides
    those that start with it. Raises BadInput for a level or a policy that does not exist, and
    for a group to mirror that is not there.
    """
    names = by_name(aws_managed)
    groups = [_group(config, key, levels, names, patterns) for key in config.security.iam_groups]
    roles = [
        _role(config, section, key, levels, names, patterns)
        for section in SECTIONS[1:]
        for key in config.security.section(section)
    ]
    used = {
        policy.arn: policy
        for section in SECTIONS
        for entry in config.security.section(section).values()
        for policy in managed(entry, names, config.partition)
    }
    return Snapshot(
        account=config.client.account_id,
        partition=config.partition,
        groups={group.name: group for group in sorted(groups, key=lambda one: one.name)},
        roles={role.name: role for role in sorted(roles, key=lambda one: one.name)},
        policies={arn: used[arn] for arn in sorted(used)},
    )


Values = Mapping[str, tuple[str, ...]]  # by placeholder; several values make several resources


def placeholders(client: Client, environment: Environment, patterns: Sequence[str] = ()) -> Values:
    """What the placeholders of level documents stand for (sec-provisioner 13, "project", "dev"). `patterns` are names
    that count as the project's, besides those that start with it.
    """
    development = structs.replace(environment, env="dev")
    return {
        "project": (f"{owner(client, environment)}-*", *patterns),
        "dev_project": (f"{owner(client, development)}-*",),
        "account": (client.account_id,),
        "partition": (partition(environment.region),),
        "region": (environment.region,),
    }


def fill(document: Document, values: Values) -> Document:
    """The document with its placeholders replaced; IAM's own variables (`${aws:username}`) stay."""

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        if isinstance(value, list):
            return [text for one in value for text in (_texts(one, values) if isinstance(one, str) else [filled(one)])]
        if isinstance(value, str):
            found = _texts(value, values)
            return found[0] if len(found) == 1 else found
        return value

    return Document(filled(document.value))


def _texts(text: str, values: Values) -> list[str]:
    """The text with each combination of values."""
    used = sorted(set(_PLACEHOLDER.findall(text)))
    return [
        _PLACEHOLDER.sub(lambda found, chosen=chosen: chosen[found[1]], text)  # type: ignore[misc]
        for chosen in (dict(zip(used, one, strict=True)) for one in product(*(values[name] for name in used)))
    ]


def inline(
    config: SecConfig, assignments: Assignments, levels: Levels, patterns: Sequence[str] = ()
) -> dict[str, Document]:
    """The inline policies of an entry. Raises BadInput for a service or a level that does not exist."""
    values = placeholders(config.client, config.environment, patterns)
    found = {}
    for service, level in sorted(assignments.items()):
        if service not in levels or level not in levels[service].levels:
            raise BadInput(f"there is no level {service}: {level}", hint=known_levels(service, levels))
        found[f"{service}-{level}"] = fill(levels[service].levels[level].document, values)
    return found


def managed(entry: Entry, names: Mapping[str, Policy], part: str) -> list[Policy]:
    """The AWS managed policies of an entry, from `by_name`. Raises BadInput for a name that AWS does not have."""
    found = []
    for name in entry.managed_policies:
        policy = names.get(name)
        if policy is None:
            raise BadInput(
                f"AWS has no managed policy {name!r}",
                hint="managed_policies takes names of AWS managed policies, such as CloudWatchLogsReadOnlyAccess",
            )
        found.append(policy if part == "aws" else structs.replace(policy, arn=_in_partition(policy.arn, part)))
    return found


def trust(config: SecConfig, entry: ServiceRole | AssumableRole | CrossAccountRole) -> Document:
    """The trust policy of a role (sec-provisioner 9: AD-3, and the external id of cross-account roles)."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    match entry:
        case ServiceRole():
            statement["Principal"] = {"Service": entry.service_principal}
        case AssumableRole():
            statement["Principal"] = {"AWS": _root(config.partition, config.client.account_id)}
        case CrossAccountRole():
            statement["Principal"] = {"AWS": _root(config.partition, entry.trusted_account_id)}
            if entry.external_id:
                statement["Condition"] = {"StringEquals": {"sts:ExternalId": entry.external_id}}
    return Document({"Version": "2012-10-17", "Statement": [statement]})


def _group(config: SecConfig, key: str, levels: Levels, names: Mapping[str, Policy], patterns: Sequence[str]) -> Group:
    entry = config.security.iam_groups[key]
    return Group(
        name=config.group_name(key),
        inline=inline(config, entry.policy_assignments, levels, patterns),
        attached=_arns(managed(entry, names, config.partition)),
    )


def _role(
    config: SecConfig,
    section: Section,
    key: str,
    levels: Levels,
    names: Mapping[str, Policy],
    patterns: Sequence[str],
) -> Role:
    entry = config.security.section(section)[key]
    assert not isinstance(entry, GroupEntry)
    assignments = entry.policy_assignments
    if isinstance(entry, AssumableRole) and entry.mirrors_group:
        mirrored = config.security.iam_groups.get(entry.mirrors_group)
        if mirrored is None:
            raise BadInput(
                f"assumable role {key!r} mirrors {entry.mirrors_group!r}, which is not in iam_groups",
                hint="name a key of security.iam_groups, or give the role policy_assignments of its own",
            )
        # Only the assignments: whether managed policies are mirrored too is U.
        assignments = {**assignments, **mirrored.policy_assignments}
    return Role(
        name=config.role_name(key),
        description=entry.description,
        trust=trust(config, entry),
        inline=inline(config, assignments, levels, patterns),
        attached=_arns(managed(entry, names, config.partition)),
    )


def by_name(aws_managed: Mapping[str, Policy]) -> dict[str, Policy]:
    """AWS managed policies by bare name and by name with path: which of `job-function/Billing` and `Billing` SEC takes
    is U.
    """
    found = {}
    for policy in aws_managed.values():
        found[policy.name] = policy
        found[policy.path.lstrip("/") + policy.name] = policy
    return found


def _arns(policies: Iterable[Policy]) -> tuple[str, ...]:
    return tuple(policy.arn for policy in policies)


def _in_partition(arn: str, part: str) -> str:
    return f"arn:{part}:" + arn.split(":", 2)[2]


def _root(part: str, account: str) -> str:
    return f"arn:{part}:iam::{account}:root"
