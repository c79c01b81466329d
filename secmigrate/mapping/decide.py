"""Decides on every group and role of a snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, count

from msgspec import Struct, structs

from secmigrate.iam import Document, Group, Role, Snapshot, Usage
from secmigrate.mapping.answers import Decisions, Scope
from secmigrate.mapping.groups import decide_group, split_group
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.outcomes import Decision, Kind, LeftOut, Mapped
from secmigrate.mapping.patterns import key_of
from secmigrate.mapping.roles import decide_role
from secmigrate.mapping.rules import Catalogue
from secmigrate.mapping.waived import unused
from secmigrate.sec import NAME_LENGTH, Client, CrossAccountRole, Environment, ServiceRole, owner, placeholders

Names = tuple[Client, Environment]


def decide(
    snapshot: Snapshot,
    catalogue: Catalogue,
    decisions: Decisions | None = None,
    scope: Scope | None = None,
    names: Names | None = None,
    usage: Usage | None = None,
    ladders: Ladders | None = None,
) -> tuple[Decision, ...]:
    """What becomes of each group and each role, groups first, each kind by name. A group that a person split is
    there once for each part.

    `names` is what SEC's own names are made of: groups and roles of such names are left out, because they are the
    target and not the source, and levels are held to resources of such names. With `usage`, levels cover what was
    used in the last year, and without it, all that is allowed. `ladders` are what `ladders_of` gives for
    the same, for those who go on asking. Raises BadInput for an answer that cannot be used.
    """
    answers, wanted = decisions or Decisions(), scope or Scope()
    answers.check(catalogue)

    def outside(kind: Kind, name: str) -> LeftOut | None:
        why = wanted.excludes(kind, name) or _already(kind, name, sec_names)
        return LeftOut(kind=kind, name=name, reasons=(why,)) if why else None

    sec_names = owner(*names) if names else ""
    rungs = ladders or ladders_of(snapshot, catalogue, answers, names)

    def group(one: Group) -> tuple[Decision, ...]:
        left = outside("group", one.name)
        if left:
            return (left,)
        answer, waived = answers.groups.get(one.name), unused(one, snapshot, usage, rungs.actions)
        if answer and answer.split:
            return split_group(one, snapshot, catalogue, rungs, answer, waived)
        return (decide_group(one, snapshot, catalogue, rungs, answer, waived),)

    found = [decision for name in sorted(snapshot.groups) for decision in group(snapshot.groups[name])]
    groups = list(_with_twins(found, snapshot))
    targets = {one.target: one.levels for one in groups if isinstance(one, Mapped)}

    def role(one: Role) -> Decision:
        return outside("role", one.name) or decide_role(
            one,
            snapshot,
            catalogue,
            rungs,
            targets,
            answers.roles.get(one.name),
            unused(one, snapshot, usage, rungs.actions),
        )

    roles = [role(snapshot.roles[name]) for name in sorted(snapshot.roles)]
    room = NAME_LENGTH["role"] - len(f"{sec_names}-role-") if sec_names else NAME_LENGTH["role"]
    return (*groups, *_distinct(roles, catalogue, answers, room))


def _with_twins(decided: Iterable[Decision], snapshot: Snapshot) -> Iterator[Decision]:
    """With which other groups have the very same policies: one answer may serve them all."""
    same: dict[object, list[str]] = {}
    for group in snapshot.groups.values():
        if group.attached or group.inline:
            same.setdefault(_policies(group), []).append(group.name)
    for one in decided:
        twins = [name for name in same.get(_policies(snapshot.groups[one.name]), ()) if name != one.name]
        because = (f"has the very same policies as {', '.join(sorted(twins))}",) if twins else ()
        yield structs.replace(one, reasons=(*one.reasons, *because))


def _policies(group: Group) -> tuple[frozenset[str], frozenset[Document]]:
    return frozenset(group.attached), frozenset(group.inline.values())


def ladders_of(
    snapshot: Snapshot, catalogue: Catalogue, decisions: Decisions | None = None, names: Names | None = None
) -> Ladders:
    """The levels as they will be rendered for these names, to compare them with policies of the snapshot."""
    values = placeholders(*names, decisions.patterns if decisions else ()) if names else None
    return Ladders(catalogue.levels, catalogue.actions, values, _documents(snapshot))


def _documents(snapshot: Snapshot) -> Iterator[Document]:
    yield from (policy.document for policy in snapshot.policies.values())
    for one in (*snapshot.groups.values(), *snapshot.roles.values()):
        yield from one.inline.values()


def _already(kind: Kind, name: str, sec_names: str) -> str:
    managed = sec_names and name.casefold().startswith(f"{sec_names}-{kind}-".casefold())
    return "already managed by SEC: it has the name that SEC gives" if managed else ""


class _Taken(Struct, frozen=True):
    """Who has a role key: things that differ in this cannot become one role."""

    section: str
    rule: str
    identity: tuple[str, ...]


def _distinct(decided: Iterable[Decision], catalogue: Catalogue, answers: Decisions, room: int) -> list[Decision]:
    """Roles that cannot be one keep apart: the first keeps the key, the others get a key of their own name, marked U.

    All roles share one room of names, whatever their section. What a person decided comes first and stays as it is.
    """
    decisions = list(decided)
    mapped = {one.name: one for one in decisions if isinstance(one, Mapped)}
    taken: dict[str, _Taken] = {}
    for one in sorted(mapped.values(), key=lambda one: (one.name not in answers.roles, one.name)):
        mine = _taken(one, catalogue)
        short = _cut(one.target, room)
        if one.name in answers.roles:
            taken.setdefault(one.target, mine)
        elif taken.setdefault(short, mine) != mine:
            mapped[one.name] = _renamed(one, taken, mine, room)
        elif short != one.target:
            because = f"its key is cut short: IAM takes role names of {NAME_LENGTH['role']} characters"
            mapped[one.name] = structs.replace(one, target=short, reasons=(*one.reasons, because))
    return [mapped.get(one.name, one) for one in decisions]


def _taken(decision: Mapped, catalogue: Catalogue) -> _Taken:
    entry, rule = decision.entry, catalogue.roles.get(decision.rule)
    identity: tuple[str, ...] = (decision.mirrors_group,)
    if isinstance(entry, ServiceRole):
        identity = (entry.service_principal,)
    elif isinstance(entry, CrossAccountRole):
        identity = (entry.trusted_account_id, entry.external_id)
    # Under a key of its own name a role is alone; under a rule's key it may stand with others.
    alone = rule is not None and not rule.become.target and not decision.mirrors_group
    return _Taken(decision.section, decision.name if alone else decision.rule, identity)


def _renamed(decision: Mapped, taken: dict[str, _Taken], mine: _Taken, room: int) -> Mapped:
    base = key_of(decision.name)
    endings = chain(("",), (f"_{number}" for number in count(2)))
    key = next(key for ending in endings if (key := _cut(base, room - len(ending)) + ending) not in taken)
    taken[key] = mine
    because = f"the key {decision.target} is taken by a role that it cannot be one with, so it has a key of its own"
    return structs.replace(decision, target=key, mark="U", reasons=(*decision.reasons, because))


def _cut(key: str, room: int) -> str:
    return key[: max(room, 1)].rstrip("_")
