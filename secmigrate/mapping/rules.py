"""The rules as they lie in `mappings/`, and the catalogue of them all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Struct

from secmigrate.access import ActionCatalogue
from secmigrate.errors import BadInput
from secmigrate.iam import Document, from_jsonable
from secmigrate.mapping.ladders import Ladders
from secmigrate.sec import Assignments, Levels, Mark, Section, Service, Tier

RoleSection = Literal["service_roles", "assumable_roles", "cross_account_roles"]


class Conditions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What speaks for a rule. The name is one kind of evidence, the policies are the other; each counts one.

    `names`: one of the globs fits words of the name. The policies speak for it if one of `attached` (AWS managed
    policies) is attached, or if every line of `can` is allowed; in a line, `|` stands between alternatives.
    """

    names: tuple[str, ...] = ()
    attached: tuple[str, ...] = ()
    can: tuple[str, ...] = ()


class Match(Conditions, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"forbid": "not"}):
    """Conditions of a rule, and those that forbid it: one of them that holds is enough."""

    forbid: Conditions = Conditions()
    name_needed: bool = False  # the policies alone say too little
    trusts: tuple[str, ...] = ()  # roles: service principals (globs), one of which must be trusted
    federated: tuple[str, ...] = ()  # roles: identity providers (globs), one of which must be trusted


class ManagedPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"actions": "for"}):
    """An AWS managed policy that a rule gives to those who can do what it is for and have it from no other."""

    name: str
    actions: tuple[str, ...]  # action globs that it answers for
    mark: Mark


class Assignment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The level that a rule expects for a service. It decides where what a group can do fits several levels."""

    level: str
    mark: Mark


class Become(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a thing becomes. Without `target` it keeps its own name as key."""

    target: str = ""
    description: str
    managed_policies: tuple[ManagedPolicy, ...] = ()  # from narrow to wide
    policy_assignments: Mapping[str, Assignment] = {}
    services: Literal["own", "none"] = "own"  # none: the target has managed policies only
    mirrors: bool = False  # an assumable role that has what the group has whose name its own name holds


class Example(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A small group or role. `principal` is a role's `Principal`, as IAM writes it."""

    name: str
    attached: tuple[str, ...] = ()  # names of AWS managed policies
    actions: tuple[str, ...] = ()
    principal: Mapping[str, Any] = {}
    beside: tuple[str, ...] = ()  # group keys that exist by then, for roles that mirror one

    @property
    def document(self) -> Document:
        """A policy that allows its actions on everything."""
        statement = {"Effect": "Allow", "Action": list(self.actions), "Resource": "*"}
        return Document({"Version": "2012-10-17", "Statement": [statement]})


class Examples(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What proves a rule: what must become its target, and what must not."""

    yes: tuple[Example, ...]
    no: tuple[Example, ...]


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file of `mappings/groups/` or `mappings/roles/`; `section` tells what the thing becomes."""

    id: str
    why: str
    mark: Mark
    tier: str  # the lowest that ships the target
    section: Section = "iam_groups"
    match: Match = Match()
    become: Become
    examples: Examples

    @property
    def kind(self) -> Literal["group", "role"]:
        """What the rule is for."""
        return "group" if self.section == "iam_groups" else "role"

    @property
    def levels(self) -> Assignments:
        """The levels that the rule expects."""
        return {service: one.level for service, one in self.become.policy_assignments.items()}


class Catalogue(Struct, frozen=True, kw_only=True, dict=True):
    """All of `mappings/`: rules by id, services with their levels, tiers from low to high."""

    groups: Mapping[str, Rule]
    roles: Mapping[str, Rule]
    levels: Levels
    tiers: Mapping[str, Tier]
    actions: ActionCatalogue
    aws_policies: frozenset[str]  # names of AWS managed policies that can be given to somebody

    def rules(self) -> tuple[Rule, ...]:
        """All rules, groups first, each kind by id."""
        return (*self.groups.values(), *self.roles.values())

    @cached_property
    def ladders(self) -> Ladders:
        """The levels for nobody in particular, to prove rules by their examples."""
        examples = (one for rule in self.rules() for one in (*rule.examples.yes, *rule.examples.no))
        return Ladders(self.levels, self.actions, None, [one.document for one in examples])

    @property
    def group_keys(self) -> tuple[str, ...]:
        """The keys of SEC's own groups, from the lowest tier up."""
        return tuple(dict.fromkeys(key for tier in self.tiers.values() for key in tier.groups))


def catalogue(
    *,
    groups: Mapping[str, object],
    roles: Mapping[str, object],
    levels: Mapping[str, object],
    tiers: Mapping[str, object],
    actions: ActionCatalogue,
    aws_policies: Iterable[str],
) -> Catalogue:
    """The catalogue from parsed files, each under its file name without ending; `aws_policies` are the names of AWS
    managed policies that can be given to somebody.

    Raises BadInput, with the file as `where`, for a file whose content is not of its shape or whose id is not its name,
    and for a rule that names a tier, service or level that does not exist.
    """
    found = Catalogue(
        groups={name: _converted("groups", name, groups[name], Rule, "id") for name in sorted(groups)},
        roles={name: _converted("roles", name, roles[name], Rule, "id") for name in sorted(roles)},
        levels={name: _converted("levels", name, levels[name], Service, "id") for name in sorted(levels)},
        tiers={
            tier.name: tier
            for tier in sorted(
                (_converted("tiers", name, tiers[name], Tier, "name") for name in tiers),
                key=lambda one: len(one.groups),
            )
        },
        actions=actions,
        aws_policies=frozenset(aws_policies),
    )
    for rule in found.rules():
        _check(rule, found)
    return found


T = TypeVar("T", Rule, Service, Tier)


def _converted(folder: str, name: str, value: object, kind: type[T], id_field: str) -> T:
    where = f"mappings/{folder}/{name}.yaml"
    try:
        found = msgspec.convert(value, kind, dec_hook=from_jsonable)
    except msgspec.ValidationError as error:
        raise BadInput(str(error), where=where, hint="see the schemas in schemas/") from None
    if getattr(found, id_field) != name:
        raise BadInput(
            f"its {id_field} is {getattr(found, id_field)!r}",
            where=where,
            hint=f"write {id_field}: {name}, as the file",
        )
    return found


def _check(rule: Rule, found: Catalogue) -> None:
    where = f"mappings/{'groups' if rule.kind == 'group' else 'roles'}/{rule.id}.yaml"
    if rule.tier not in found.tiers:
        raise BadInput(f"there is no tier {rule.tier!r}", where=where, hint=f"one of {', '.join(found.tiers)}")
    for service, level in rule.levels.items():
        if service not in found.levels or level not in found.levels[service].levels:
            raise BadInput(f"there is no level {service}: {level}", where=where, hint="see mappings/levels/")
    if rule.kind == "group" and (rule.id not in found.group_keys or rule.become.target != rule.id):
        raise BadInput(
            "a group rule's id is the key that its groups become, and a tier must ship it",
            where=where,
            hint=f"one of {', '.join(found.group_keys)}",
        )
