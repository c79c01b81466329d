"""What a person says: answers to what the rules cannot decide, and what is in scope at all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Literal

from msgspec import Struct

from secmigrate.access import Accepted, idle
from secmigrate.access.actions import ActionCatalogue
from secmigrate.errors import BadInput
from secmigrate.iam import Snapshot
from secmigrate.mapping.outcomes import Kind
from secmigrate.mapping.patterns import matches
from secmigrate.mapping.rules import Catalogue, RoleSection
from secmigrate.sec import Assignments

SCOPES = ("group", "role", "policy")
_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*\*?")
_NAMES = "the beginning of names and a star, such as lumen-data-*"


class GroupAnswer(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one group becomes, or why it is left as it is."""

    become: str = ""  # a group key
    leave: str = ""  # the reason
    levels: Assignments = {}  # in place of those that the rules choose
    split: Mapping[str, tuple[str, ...]] = {}  # groups only: which members (globs) go to which key


class RoleAnswer(GroupAnswer, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What one role becomes, or why it is left as it is."""

    section: RoleSection | Literal[""] = ""  # where its trust policy says if it is empty


class Ending(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What becomes of an entry of the config that a lower tier does not have: another entry, or nothing."""

    become: str = ""  # a key of the new config
    end: str = ""  # the reason why nothing takes its place


class Endings(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The same for all, by their keys in the config."""

    groups: Mapping[str, Ending] = {}
    roles: Mapping[str, Ending] = {}


class Decisions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`decisions.yaml`: answers for what is ambiguous or unmapped, accepted losses of access, names of the project."""

    kind: Literal["decisions"] = "decisions"
    version: Literal[1] = 1
    groups: Mapping[str, GroupAnswer] = {}
    roles: Mapping[str, RoleAnswer] = {}
    accept: tuple[Accepted, ...] = ()
    patterns: tuple[str, ...] = ()  # names that count as the project's, besides those that start with its own
    downgrade: Endings = Endings()

    def answer(self, kind: Kind, name: str) -> GroupAnswer | RoleAnswer | None:
        """The answer for one thing, if there is one."""
        return self.groups.get(name) if kind == "group" else self.roles.get(name)

    def check(self, catalogue: Catalogue) -> None:
        """Raises BadInput for an answer that says both or neither, or names a level that does not exist."""
        for pattern in self.patterns:
            if not _PATTERN.fullmatch(pattern):
                raise BadInput(f"{pattern!r} is no pattern of names", where="decisions.yaml: patterns", hint=_NAMES)
        for where, answer in self._all():
            if sum(map(bool, (answer.become, answer.leave, answer.split))) != 1:
                one_of = "become: KEY, or leave: WHY, or for a group split: {KEY: [MEMBER, …], …}"
                raise BadInput("an answer says one thing", where=where, hint=one_of)
            if answer.split and answer.levels:
                raise BadInput("levels go with become", where=where, hint="edit the levels of a split in the config")
            for service, level in answer.levels.items():
                known = catalogue.levels.get(service)
                if known is None or level not in known.levels:
                    hint = f"one of {', '.join(known.levels if known else catalogue.levels)}"
                    raise BadInput(f"there is no level {service}: {level}", where=where, hint=hint)

    def strangers(self, snapshot: Snapshot, actions: ActionCatalogue) -> tuple[str, ...]:
        """Answers for groups, roles and members that the inventory does not hold, and accepted losses of no action or
        no user: misspelt, or gone since.
        """
        return tuple(
            [f"groups.{name}" for name in self.groups if name not in snapshot.groups]
            + [f"roles.{name}" for name in self.roles if name not in snapshot.roles]
            + [
                f"groups.{name}.split: {glob}"
                for name, answer in self.groups.items()
                for globs in answer.split.values()
                for glob in globs
                if name in snapshot.groups and not any(fnmatchcase(one, glob) for one in snapshot.members[name])
            ]
            + idle(self.accept, actions, snapshot.users)
        )

    def _all(self) -> Iterator[tuple[str, GroupAnswer]]:
        yield from ((f"decisions.yaml: groups.{name}", answer) for name, answer in self.groups.items())
        yield from ((f"decisions.yaml: roles.{name}", answer) for name, answer in self.roles.items())


class Scope(Struct, frozen=True):
    """What is mapped and later decommissioned, as globs `KIND:GLOB`; or what is undone. Raises BadInput for anything
    else, and for a kind that is none of `kinds`.
    """

    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    kinds: tuple[str, ...] = SCOPES

    def __post_init__(self) -> None:
        for pattern in (*self.only, *self.skip):
            kind, colon, glob = pattern.partition(":")
            if kind not in self.kinds or not colon or not glob:
                raise BadInput(f"{pattern!r} is not a scope", hint="KIND:GLOB, such as group:ml-* or role:*-legacy")

    def excludes(self, kind: str, name: str) -> str:
        """Why a thing is out of scope; empty if it is in."""
        skipped = next((pattern for pattern in self.skip if _fits(pattern, kind, name)), "")
        if skipped:
            return f"out of scope: --skip {skipped}"
        if self.only and not any(_fits(pattern, kind, name) for pattern in self.only):
            return f"out of scope: not in {' '.join(f'--only {pattern}' for pattern in self.only)}"
        return ""


def _fits(pattern: str, kind: str, name: str) -> bool:
    wanted, _, glob = pattern.partition(":")
    return wanted == kind and matches(name, glob)
