"""What can become of a group or role. Nothing vanishes: the sum of all outcomes is everything that was read."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal, TypeAlias

from msgspec import Struct

from secmigrate.errors import BadInput
from secmigrate.sec import Assignments, AssumableRole, Entry, Mark, Section

Kind = Literal["group", "role"]


NOT_CARRIED = "not carried over"  # what a reason begins with that tells of something that there will not be


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one rule speaks for a thing, in text lines."""

    rule: str
    target: str
    section: Section
    name_says: str = ""  # the glob that fits its name
    said_by: str = "name"  # what says it: the name, the path, or its members' tags
    policies_say: tuple[str, ...] = ()  # the lines that its policies meet; all that the rule asks for
    against: tuple[str, ...] = ()  # what forbids the rule
    missing: tuple[str, ...] = ()  # what its policies would have to allow besides

    @property
    def weight(self) -> int:
        """One for the name, one for the policies."""
        return (1 if self.name_says else 0) + (1 if self.policies_say else 0)

    def told(self) -> str:
        """The reading as one line."""
        parts = [
            f"its {self.said_by} says so ({self.name_says})" if self.name_says else "",
            f"its policies say so ({', '.join(self.policies_say)})" if self.policies_say else "",
            f"but {'; '.join(self.against)}" if self.against else "",
            f"it cannot {', '.join(self.missing)}" if self.missing else "",
        ]
        return f"{self.target or self.rule}: {'; '.join(part for part in parts if part)}"


class _Outcome(Struct, frozen=True, kw_only=True, tag_field="outcome"):
    kind: Kind
    name: str
    reasons: tuple[str, ...] = ()


class Mapped(_Outcome, frozen=True, kw_only=True, tag="mapped"):
    """It becomes `target`. Several things may become one target."""

    target: str  # the key in its section
    section: Section
    entry: Entry
    mark: Mark
    rule: str = ""  # empty: a person decided on a key that no rule knows
    not_expressible: tuple[str, ...] = ()  # what SEC v1 has no field for
    nearly: tuple[Reading, ...] = ()
    members: tuple[str, ...] = ()  # globs: of a group that is split, who becomes this; everybody, if there is none

    @property
    def levels(self) -> Assignments:
        """The level of each service."""
        return self.entry.policy_assignments

    @property
    def managed_policies(self) -> tuple[str, ...]:
        """Names of AWS managed policies that go along."""
        return self.entry.managed_policies

    @property
    def left_behind(self) -> tuple[str, ...]:
        """What there will not be as it is today, a line each."""
        reasons = (line for line in self.reasons if line.startswith(NOT_CARRIED))
        return (*reasons, *(f"not expressible: {line}" for line in self.not_expressible))

    @property
    def mirrors_group(self) -> str:
        """The group key that it mirrors; empty for anything but such a role."""
        return self.entry.mirrors_group if isinstance(self.entry, AssumableRole) else ""


class Ambiguous(_Outcome, frozen=True, kw_only=True, tag="ambiguous"):
    """Several rules speak for it with equal weight, or one does and is contradicted. A person decides."""

    readings: tuple[Reading, ...]
    nearly: tuple[Reading, ...] = ()


class Unmapped(_Outcome, frozen=True, kw_only=True, tag="unmapped"):
    """No rule speaks for it. Never decommissioned; a person may decide."""

    nearly: tuple[Reading, ...] = ()


class LeftOut(_Outcome, frozen=True, kw_only=True, tag="left-out"):
    """Not to be mapped: out of scope, kept by somebody else, SEC's own already, or left by a person's decision."""


Decision: TypeAlias = Mapped | Ambiguous | Unmapped | LeftOut


def outcome(decision: Decision) -> str:
    """The outcome's word: `mapped`, `ambiguous`, `unmapped`, `left-out`."""
    return str(decision.__struct_config__.tag)


def mapped(decided: Iterable[Decision]) -> dict[tuple[Section, str], tuple[Mapped, ...]]:
    """Who becomes what, by section and key; the targets in order of their first source."""
    found: dict[tuple[Section, str], list[Mapped]] = {}
    for decision in decided:
        if isinstance(decision, Mapped):
            found.setdefault((decision.section, decision.target), []).append(decision)
    return {at: tuple(sources) for at, sources in found.items()}


def explain(name: str, decided: Iterable[Decision]) -> tuple[Decision, ...]:
    """What became of the group and the role of that name, which ignores case; `nearly` says what almost did.

    Raises BadInput if there is neither.
    """
    by_name: dict[str, list[Decision]] = {}
    for decision in decided:
        by_name.setdefault(decision.name.casefold(), []).append(decision)
    if name.casefold() not in by_name:
        close = get_close_matches(name.casefold(), by_name, n=3)
        names = ", ".join(by_name[one][0].name for one in close)
        raise BadInput(
            f"there is no group or role {name!r} in the inventory",
            hint=f"did you mean {names}?" if names else "see the names in inventory.json",
        )
    return tuple(by_name[name.casefold()])
