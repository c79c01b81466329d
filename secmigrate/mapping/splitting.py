"""Groups that several rules claim, told apart by what each member used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from msgspec import Struct

from secmigrate.iam import Snapshot, Usage
from secmigrate.mapping.outcomes import Ambiguous, Decision
from secmigrate.mapping.rules import Catalogue


class Split(Struct, frozen=True, kw_only=True):
    """A proposal: which members of a group would become which key; of the rest, use tells nothing."""

    name: str
    parts: Mapping[str, tuple[str, ...]]
    rest: tuple[str, ...]

    def answer(self) -> str:
        """How a person says so in decisions.yaml, under `groups`."""
        if len(self.parts) == 1:
            return f"{self.name}: {{become: {next(iter(self.parts))}}}"
        parts = ", ".join(f"{key}: [{', '.join(members)}]" for key, members in self.parts.items())
        return f"{self.name}: {{split: {{{parts}}}}}"


def splits(decided: Iterable[Decision], snapshot: Snapshot, usage: Usage, catalogue: Catalogue) -> tuple[Split, ...]:
    """What use proposes for each group that several rules claim, if it proposes anything."""
    claimed = [one for one in decided if one.kind == "group" and isinstance(one, Ambiguous)]
    return tuple(found for one in claimed if (found := _split(one, snapshot, usage, catalogue)))


def _split(group: Ambiguous, snapshot: Snapshot, usage: Usage, catalogue: Catalogue) -> Split | None:
    services = {
        one.target: set(_prefixes(one.rule, catalogue)) for one in group.readings if one.rule in catalogue.groups
    }
    shared = {prefix for prefix in chain(*services.values()) if all(prefix in mine for mine in services.values())}
    telling = {key: mine - shared for key, mine in services.items()}
    parts: dict[str, list[str]] = {key: [] for key in telling}
    rest = []
    for name in snapshot.members[group.name]:
        used = usage.used(snapshot.arn(snapshot.users[name]))
        # Most of what she used, and of two that have it the one that brings less besides.
        scores = {key: (len(used & mine), -len(mine - used)) for key, mine in telling.items() if used & mine}
        best = [key for key, score in scores.items() if score == max(scores.values())]
        if len(best) == 1:
            parts[best[0]].append(name)
        else:
            rest.append(name)
    found = {key: tuple(members) for key, members in parts.items() if members}
    return Split(name=group.name, parts=found, rest=tuple(rest)) if found else None


def _prefixes(rule: str, catalogue: Catalogue) -> Iterator[str]:
    """The services that a rule has levels for, by action prefix."""
    for service in catalogue.groups[rule].levels:
        yield from catalogue.levels[service].prefixes
