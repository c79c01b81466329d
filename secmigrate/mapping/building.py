"""The SEC config that decisions come to, and what its comments say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from msgspec import structs

from secmigrate.errors import BadInput
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.outcomes import Decision, Mapped, mapped
from secmigrate.mapping.rules import Catalogue
from secmigrate.sec import (
    SECTIONS,
    AssumableRole,
    Client,
    ConfigPath,
    CrossAccountRole,
    Entry,
    Environment,
    GroupEntry,
    Level,
    SecConfig,
    Security,
    ServiceRole,
    Tier,
    TierName,
    placeholders,
)

# What is known of the keys themselves (sec-provisioner 2.1, 2.4, 13).
_MARKS: Mapping[ConfigPath, str] = {
    ("client",): "C: the section; I: its keys, as in the vendor's other products",
    ("environment",): "C: the section; I: its keys",
    ("tier",): "C: NAMING_CONVENTIONS",
    ("deployment",): "C: the section; U: its content, carried over untouched",
    ("tags",): "C: the section; I: its keys",
    ("security", "iam_groups"): "C: MIGRATION_GUIDE",
    ("security", "service_roles"): "C: the section; U: the fields of its entries",
    ("security", "assumable_roles"): "C: the section and mirrors_group; U: the fields of elevation roles",
    ("security", "cross_account_roles"): "C: the section; U: the fields of its entries",
}


def sec_config(
    decided: Iterable[Decision],
    catalogue: Catalogue,
    *,
    client: Client,
    environment: Environment,
    tier: Tier,
    deployment: Mapping[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    ladders: Ladders | None = None,
) -> SecConfig:
    """The config of everything that is mapped, keys in the tiers' order and then by name.

    Where several things become one, its levels and policies are those that hold what each of them had. `ladders` are
    what `ladders_of` gives for the same names, for those who have them. Raises BadInput where things cannot be one, as
    two accounts in one cross-account role.
    """
    ladders = ladders or Ladders(catalogue.levels, catalogue.actions, placeholders(client, environment))
    order = {key: place for place, key in enumerate(catalogue.group_keys)}
    sections: dict[str, dict[str, Entry]] = {section: {} for section in SECTIONS}
    targets = mapped(decided)
    for section, key in sorted(targets, key=lambda at: (order.get(at[1], len(order)), at[1])):
        sections[section][key] = _joined(key, targets[section, key], ladders)
    return SecConfig(
        client=client,
        environment=environment,
        tier=TierName(name=tier.name, version=tier.version),
        deployment=deployment or {},
        tags=tags or {},
        security=Security(
            iam_groups=_only(GroupEntry, sections["iam_groups"]),
            service_roles=_only(ServiceRole, sections["service_roles"]),
            assumable_roles=_only(AssumableRole, sections["assumable_roles"]),
            cross_account_roles=_only(CrossAccountRole, sections["cross_account_roles"]),
        ),
    )


def sec_yaml_comments(
    config: SecConfig, decided: Iterable[Decision], catalogue: Catalogue
) -> Mapping[ConfigPath, tuple[str, ...]]:
    """The comment lines of each place in the config's YAML: its mark, and for an entry where it comes from and why."""
    comments: dict[ConfigPath, tuple[str, ...]] = {path: (mark,) for path, mark in _MARKS.items()}
    for (section, key), sources in mapped(decided).items():
        entry = config.security.section(section).get(key)
        if entry is None:
            continue
        path = ("security", section, key)
        lines = [f"{_mark(sources)}: from {', '.join(one.name for one in sources)}"]
        if len(sources) > 1:
            lines.append("joined: for each service the lowest level that holds those of all")
        lines += [_of(one, line, sources) for one in sources for line in (*one.reasons, *one.not_expressible)]
        comments[path] = tuple(dict.fromkeys(lines))
        for service, level in entry.policy_assignments.items():
            if service not in catalogue.levels or level not in catalogue.levels[service].levels:
                continue
            comments[*path, "policy_assignments", service] = (_told(catalogue.levels[service].levels[level]),)
    return comments


def level_comments(catalogue: Catalogue) -> tuple[str, ...]:
    """All that the comment of a level may say."""
    return tuple(sorted({_told(one) for service in catalogue.levels.values() for one in service.levels.values()}))


def _told(level: Level) -> str:
    return f"{level.mark}: {level.name}"


def _mark(sources: tuple[Mapped, ...]) -> str:
    """The least certain mark; the letters happen to be in that order."""
    return max(one.mark for one in sources)


def _of(one: Mapped, line: str, sources: tuple[Mapped, ...]) -> str:
    return f"{one.name}: {line}" if len(sources) > 1 else line


def _joined(key: str, sources: tuple[Mapped, ...], ladders: Ladders) -> Entry:
    """One entry for all; what is neither a level nor a policy must be the same in all of them."""
    first = sources[0].entry
    for other in sources[1:]:
        plain = structs.replace(
            other.entry,
            description=first.description,
            managed_policies=first.managed_policies,
            policy_assignments=first.policy_assignments,
        )
        if plain != first:
            raise BadInput(
                f"{sources[0].name} and {other.name} cannot both become {key}: they differ in whom they trust",
                where="decisions.yaml",
                hint=f"give {other.name} a key of its own",
            )
    wanted: dict[str, list[str]] = {}
    for one in sources:
        for service, level in one.levels.items():
            wanted.setdefault(service, []).append(level)
    return structs.replace(
        first,
        managed_policies=tuple(sorted({name for one in sources for name in one.managed_policies})),
        policy_assignments={service: ladders.join(service, levels) for service, levels in sorted(wanted.items())},
    )


E = TypeVar("E", GroupEntry, ServiceRole, AssumableRole, CrossAccountRole)


def _only(kind: type[E], entries: Mapping[str, Entry]) -> dict[str, E]:
    return {key: entry for key, entry in entries.items() if isinstance(entry, kind)}
