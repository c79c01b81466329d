"""The config, rendered: the snapshot that it will create."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
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
    names, part, rendered = by_name(aws_managed), config.partition, Rendered(config, levels, patterns)
    attached = {
        (section, key): managed(entry, names, part, f"security.{section}.{key}")
        for section in SECTIONS
        for key, entry in config.security.section(section).items()
    }
    groups = [_group(config, key, rendered, attached["iam_groups", key]) for key in config.security.iam_groups]
    roles = [
        _role(config, section, key, rendered, attached[section, key])
        for section in SECTIONS[1:]
        for key in config.security.section(section)
    ]
    used = {policy.arn: policy for policies in attached.values() for policy in policies}
    return Snapshot(
        account=config.client.account_id,
        partition=part,
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


class Rendered:
    """The levels of one config as inline policies. Each is filled once, whoever has it."""

    def __init__(self, config: SecConfig, levels: Levels, patterns: Sequence[str] = ()) -> None:
        """`patterns` are names that count as the project's, besides those that start with it."""
        self._levels = levels
        self._values = placeholders(config.client, config.environment, patterns)
        self._filled: dict[tuple[str, str], Document] = {}

    def inline(self, assignments: Assignments) -> dict[str, Document]:
        """The inline policies of an entry. Raises BadInput for a service or a level that does not exist."""
        return {f"{one[0]}-{one[1]}": self._filled.get(one) or self._fill(*one) for one in sorted(assignments.items())}

    def _fill(self, service: str, level: str) -> Document:
        if service not in self._levels or level not in self._levels[service].levels:
            raise BadInput(f"there is no level {service}: {level}", hint=known_levels(service, self._levels))
        found = self._filled[service, level] = fill(self._levels[service].levels[level].document, self._values)
        return found


def managed(entry: Entry, names: Mapping[str, Policy], part: str, where: str) -> list[Policy]:
    """The AWS managed policies of an entry, from `by_name`. Raises BadInput, with `where` the entry stands, for a name
    that AWS does not have.
    """
    found = []
    for name in entry.managed_policies:
        policy = names.get(name)
        if policy is None:
            raise BadInput(
                f"AWS has no managed policy {name!r}",
                where=f"{where}.managed_policies",
                hint="managed_policies takes names of AWS managed policies, such as CloudWatchLogsReadOnlyAccess",
            )
        found.append(policy if part == "aws" else structs.replace(policy, arn=_in_partition(policy.arn, part)))
    return found


def trust(config: SecConfig, entry: ServiceRole | AssumableRole | CrossAccountRole) -> Document:
    """The trust policy of a role (sec-provisioner 9: AD-3, and the external id of cross-account roles)."""
    match entry:
        case ServiceRole():
            return _trusting("Service", entry.service_principal)
        case AssumableRole():
            return _trusting("AWS", _root(config.partition, config.client.account_id))
        case CrossAccountRole():
            return _trusting("AWS", _root(config.partition, entry.trusted_account_id), entry.external_id)


@lru_cache(maxsize=1024)
def _trusting(kind: str, who: str, external_id: str = "") -> Document:
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {kind: who}}
    if external_id:
        statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
    return Document({"Version": "2012-10-17", "Statement": [statement]})


def _group(config: SecConfig, key: str, rendered: Rendered, attached: Iterable[Policy]) -> Group:
    return Group(
        name=config.group_name(key),
        inline=rendered.inline(config.security.iam_groups[key].policy_assignments),
        attached=_arns(attached),
    )


def _role(config: SecConfig, section: Section, key: str, rendered: Rendered, attached: Iterable[Policy]) -> Role:
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
        inline=rendered.inline(assignments),
        attached=_arns(attached),
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
