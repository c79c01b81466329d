"""The config for another tier: what a person made of the old one is carried over, what the lower tier lacks is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, structs

from secmigrate.mapping.answers import Ending, Endings
from secmigrate.mapping.rules import Catalogue
from secmigrate.sec import SECTIONS, AssumableRole, SecConfig, Section, Tier, TierName


class Lacking(Struct, frozen=True, kw_only=True):
    """An entry that the tier does not have, and why."""

    section: Section
    key: str
    why: str
    name: str  # in IAM

    @property
    def kind(self) -> str:
        return "group" if self.section == "iam_groups" else "role"


class Retiered(Struct, frozen=True, kw_only=True):
    """The config, what of the old one is not in it, and what changed, a line each."""

    config: SecConfig
    lacking: tuple[Lacking, ...]
    changes: tuple[str, ...]


class Parting(Struct, frozen=True, kw_only=True):
    """What becomes of the groups and roles of the old config, by their names in IAM."""

    homes: Mapping[str, tuple[str, ...]]  # the new groups of each old one; none where it ends
    successors: Mapping[str, str]
    undecided: tuple[Lacking, ...]


def retiered(config: SecConfig, to: Tier, catalogue: Catalogue, master: SecConfig | None = None) -> Retiered:
    """The config for the tier `to`: client, environment, deployment, tags and every entry that it has are carried over;
    what a `master` has beside them comes along.
    """
    lacking = tuple(_lacking(config, to, catalogue))
    gone = {(one.section, one.key) for one in lacking}
    sections: dict[str, dict[str, Any]] = {}
    changes = [f"tier: {config.tier.version} becomes {to.version}"]
    for section in SECTIONS:
        mine = config.security.section(section)
        theirs = master.security.section(section) if master else {}
        kept = {key: entry for key, entry in mine.items() if (section, key) not in gone}
        more = {key: entry for key, entry in theirs.items() if key not in mine}
        sections[section] = {**kept, **more}
        changes += [f"{section}.{key}: taken from the master" for key in more]
        changes += [
            f"{section}.{key}: yours, where the master has another"
            for key, entry in kept.items()
            if key in theirs and theirs[key] != entry
        ]
    changes += [f"{one.section}.{one.key}: left out, {one.why}" for one in lacking]
    offered = [key for key in to.groups if key not in sections["iam_groups"]]
    if offered:
        changes.append(f"{to.version} has room for these groups too: {', '.join(offered)}")
    security = msgspec.convert(msgspec.to_builtins(sections), type(config.security))
    made = structs.replace(config, tier=TierName(name=to.name, version=to.version), security=security)
    return Retiered(config=made, lacking=lacking, changes=tuple(changes))


def edited(found: Retiered, old: SecConfig, config: SecConfig) -> Retiered:
    """The same with a config that a person made of it: what she changed is told, and what she took out is lacking."""
    keys = {(section, key) for section in SECTIONS for key in config.security.section(section)}
    names = {config.role_name(key) for section, key in keys if section != "iam_groups"}
    known = {(one.section, one.key): one for one in found.lacking}
    lacking = [
        known.get((section, key)) or _one(old, section, key, "you took it out")
        for section in SECTIONS
        for key in old.security.section(section)
        if (section, key) not in keys and (section == "iam_groups" or old.role_name(key) not in names)
    ]
    changes = (*found.changes, *_edits(found.config, config))
    return Retiered(config=config, lacking=tuple(lacking), changes=changes)


def _edits(before: SecConfig, after: SecConfig) -> Iterator[str]:
    """What a person changed, a line each."""
    for part in ("client", "environment", "deployment", "tags"):
        one, other = (msgspec.to_builtins(getattr(config, part)) for config in (before, after))
        for key in sorted(one.keys() | other.keys()):
            if one.get(key) != other.get(key):
                yield f"{part}.{key}: {one.get(key, 'nothing')} becomes {other.get(key, 'nothing')}"
    for section in SECTIONS:
        mine, theirs = after.security.section(section), before.security.section(section)
        for key in sorted({*mine, *theirs}):
            if key not in theirs:
                yield f"{section}.{key}: added by you"
            elif key not in mine:
                yield f"{section}.{key}: taken out by you"
            elif mine[key] != theirs[key]:
                yield f"{section}.{key}: changed by you"


def parting(old: SecConfig, new: SecConfig, lacking: tuple[Lacking, ...], answers: Endings) -> Parting:
    """Where people go: into the group of the same key, or where decisions.yaml says."""
    said: Mapping[str, Mapping[str, Ending]] = {"group": answers.groups, "role": answers.roles}
    gone = {(one.section, one.key): said[one.kind].get(one.key) for one in lacking}
    homes: dict[str, tuple[str, ...]] = {}
    for key in old.security.iam_groups:
        ending = gone.get(("iam_groups", key), Ending(become=key))
        home = ending.become if ending else ""
        homes[old.group_name(key)] = (new.group_name(home),) if home in new.security.iam_groups else ()
    successors = {
        one.name: new.role_name(ending.become)
        for one in lacking
        if one.kind == "role" and (ending := gone[one.section, one.key]) and ending.become
    }
    undecided = tuple(one for one in lacking if not _answered(one, gone[one.section, one.key], new))
    return Parting(homes=homes, successors=successors, undecided=undecided)


def _answered(one: Lacking, ending: Ending | None, new: SecConfig) -> bool:
    if ending is None or bool(ending.become) == bool(ending.end):
        return False
    sections: tuple[Section, ...] = ("iam_groups",) if one.kind == "group" else SECTIONS[1:]
    return bool(ending.end.strip()) or any(ending.become in new.security.section(section) for section in sections)


def _lacking(config: SecConfig, to: Tier, catalogue: Catalogue) -> Iterator[Lacking]:
    order = list(catalogue.tiers)
    known = set(catalogue.group_keys)
    groups = [key for key in config.security.iam_groups if key in known and key not in to.groups]
    for key in groups:
        yield _one(config, "iam_groups", key, f"{to.version} has no such group")
    tiers = {rule.become.target: rule.tier for rule in catalogue.roles.values() if rule.become.target}
    for section in SECTIONS[1:]:
        left = to.counts.of(section)
        for key, entry in config.security.section(section).items():
            if isinstance(entry, AssumableRole) and entry.mirrors_group in groups:
                yield _one(config, section, key, f"it mirrors {entry.mirrors_group}")
            elif key in tiers and order.index(tiers[key]) > order.index(to.name):
                yield _one(config, section, key, f"it comes with {tiers[key]}")
            elif section == "cross_account_roles" and left <= 0:
                yield _one(config, section, key, f"{to.version} has room for {to.counts.of(section)}")
            else:
                left -= 1


def _one(config: SecConfig, section: Section, key: str, why: str) -> Lacking:
    name = config.group_name(key) if section == "iam_groups" else config.role_name(key)
    return Lacking(section=section, key=key, why=why, name=name)
