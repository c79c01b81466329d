"""What a report tells of one migration, as values: HTML, Markdown, JSON and notices are views of them.

What is not known yet (nothing mapped, nothing planned) is None or empty, and stands in `unknown` in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from secmigrate.access import Accepted, Reached
from secmigrate.access.actions import AccessLevel
from secmigrate.dangers import Danger
from secmigrate.mapping import Joined, Unreached
from secmigrate.plan import Kept
from secmigrate.progress import Step
from secmigrate.sec import Mark

Counts = Mapping[str, Mapping[AccessLevel, int]]  # how many actions, by service and access level
Names = tuple[str, ...]


class Flow(Struct, frozen=True):
    """So many people of an old group go to a new one; to none (empty) if the group stays as it is."""

    old: str
    new: str
    people: int


class GroupRow(Struct, frozen=True, kw_only=True):
    """An old group and what becomes of it; one that is split has a row for each part."""

    name: str
    people: int  # its members
    outcome: str = ""  # empty: nothing is mapped yet
    key: str = ""
    new: str = ""  # its name in IAM
    levels: Mapping[str, str] = {}
    managed_policies: Names = ()
    mark: Mark | None = None
    reasons: Names = ()
    owner: str = ""


class RoleRow(Struct, frozen=True, kw_only=True):
    """An old role, who uses it, and what becomes of it."""

    name: str
    outcome: str = ""
    section: str = ""
    new: str = ""
    mark: Mark | None = None
    reasons: Names = ()
    trusts: Names = ()  # who may assume it, by its own policy, in words
    people: int = 0  # users who may assume it, by both their policies and its own
    some: Names = ()  # the first of them
    profiles: Names = ()  # instance profiles that hold it
    last_used: str = ""  # a day; empty is no proof of disuse
    owner: str = ""
    lost: Counts = {}
    gained: Counts = {}
    unsure: Counts = {}
    raises: Names = ()  # gained actions that raise privilege
    trust_lost: Names = ()
    trust_gained: Names = ()


class Part(Struct, frozen=True):
    """Actions that are lost or gained together, where, and why."""

    actions: Names
    resources: Names
    condition: str
    why: str
    example: str
    accepted: int = 0  # the number of the entry under `accept`, from 1; 0: nobody accepted it


class Way(Struct, frozen=True, kw_only=True):
    """One different change of access, and all the people to whom it happens."""

    n: int  # from 1
    people: Names
    lost: Counts  # what nobody accepted
    accepted: Counts
    may_lose: Counts  # not accepted either
    gained: Counts
    may_gain: Counts
    raises: Names  # gained actions that raise privilege
    losses: tuple[Part, ...]  # also what may be lost, and what is accepted
    raising: tuple[Part, ...]
    left_out: int = 0  # parts for which there was no room
    roles: Reached
    roles_accepted: int = 0  # the number of the entry that accepts what becomes of the roles
    unread: Names = ()  # what cannot be read

    @property
    def taken(self) -> bool:
        """Whether something is lost, or may be, that somebody has accepted."""
        return bool(self.accepted or ((self.roles.lost or self.roles.unsure) and self.roles_accepted))

    @property
    def open(self) -> bool:
        """Whether something is lost, or may be, that nobody has accepted."""
        barred = (self.roles.lost or self.roles.unsure) and not self.roles_accepted
        return bool(self.lost or self.may_lose or barred or self.unread)


class Person(Struct, frozen=True, kw_only=True):
    """A user: in which groups before, now (as far as the journals tell) and in the end, and how her access changes."""

    name: str
    before: Names
    now: Names
    after: Names | None = None  # None: nothing is mapped yet
    way: int = 0  # 0: keeps exactly what she has
    own: Names = ()  # policies of her own, which stay as they are, and her permissions boundary

    @property
    def affected(self) -> bool:
        """Whether anything changes for her."""
        return bool(self.way) or (self.after is not None and set(self.before) != set(self.after))


class Caveat(Struct, frozen=True):
    """What undoing a plan would not bring back, and for what."""

    what: str
    subjects: Names


class PlanRow(Struct, frozen=True, kw_only=True):
    """A plan as it was saved last."""

    name: str
    fingerprint: str
    calls: Mapping[str, int]  # by phase
    destructive: int
    dangers: tuple[Danger, ...]
    kept: tuple[Kept, ...]
    caveats: tuple[Caveat, ...]


class Run(Struct, frozen=True, kw_only=True):
    """A plan that was carried out, or begun."""

    name: str
    file: str
    started: str
    last: str
    by: str
    resumed: Names
    ended: str  # empty: it did not come to its end
    calls: int
    changed: int
    found: int  # were done already
    failed: int
    doubtful: int


class Assumption(Struct, frozen=True, order=True):
    """Something about the SEC Provisioner, with its mark, and where the config relies on it."""

    mark: Mark
    what: str
    where: str


class TierRow(Struct, frozen=True):
    """The tier, and why this one."""

    name: str
    version: str
    reasons: Names


class MadeFrom(Struct, frozen=True, kw_only=True):
    """The files that it tells of, so that two people can see whether they read the same."""

    inventory: str  # fingerprint
    config: str = ""
    config_sha256: str = ""
    until: str = ""  # the last moment that a journal tells of
    catalogue: str = ""  # of AWS's actions


class Unknown(Struct, frozen=True):
    """What cannot be told yet, and what to do."""

    what: str
    hint: str


class Report(Struct, frozen=True, kw_only=True):
    """All of it. `kind` and `version` as in every file of ours."""

    kind: Literal["report"] = "report"
    version: Literal[1] = 1
    account: str
    made_from: MadeFrom
    steps: tuple[Step, ...]
    unknown: tuple[Unknown, ...]
    not_read: Names
    tier: TierRow | None
    groups: tuple[GroupRow, ...]
    flows: tuple[Flow, ...]
    people: tuple[Person, ...]
    ways: tuple[Way, ...]
    accept: tuple[Accepted, ...]
    roles: tuple[RoleRow, ...]
    joined: tuple[Joined, ...]
    unreached: tuple[Unreached, ...]
    plans: tuple[PlanRow, ...]
    gone: tuple[Caveat, ...]  # of what was done and not undone
    runs: tuple[Run, ...]
    assumptions: tuple[Assumption, ...]
    owners: Mapping[str, Names]  # what each manages, by ARN
    unowned: Names

    def at(self, step: str) -> str:
        """The state of a step: done, next, blocked, waiting; empty if there is no such step."""
        return next((one.state for one in self.steps if one.step == step), "")

    @property
    def undone(self) -> bool:
        """Whether all of it was rolled back."""
        return self.at("rollback") == "done" and self.at("readd") != "done"

    @property
    def mapped(self) -> bool:
        """Whether it is decided what becomes what."""
        return self.tier is not None
