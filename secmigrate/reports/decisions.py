"""What becomes what, and why: for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from secmigrate.iam import Usage
from secmigrate.mapping import (
    Ambiguous,
    Decision,
    Joined,
    Mapped,
    Split,
    TierChoice,
    Unmapped,
    Unreached,
    outcome,
)


def decision_lines(
    decided: Sequence[Decision], choice: TierChoice, joined: Sequence[Joined] = (), unreached: Sequence[Unreached] = ()
) -> Iterator[str]:
    """The tier, what is mapped as a table, everything else with its reasons, what gets more than it had because it
    becomes one with others, and names that the levels do not reach.
    """
    yield f"tier {choice.tier.version}"
    yield from (f"  {reason}" for reason in choice.reasons)
    for kind in ("group", "role"):
        mine = [one for one in decided if one.kind == kind]
        counts = {
            word: len({one.name for one in mine if outcome(one) == word})
            for word in ("mapped", "ambiguous", "unmapped", "left-out")
        }
        told = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
        number = len({one.name for one in mine})
        yield f"{number} {kind}{'' if number == 1 else 's'}" + (f": {told}" if told else "")
        yield from _table([one for one in mine if isinstance(one, Mapped)])
        for one in mine:
            if not isinstance(one, Mapped):
                first, *others = one.reasons
                yield f"  {outcome(one):9} {one.name}: {first}"
                yield from (f"{'':12}{reason}" for reason in others)
    if joined:
        yield "they become one with others, and get more than they had:"
        yield from (f"  {one.name} -> {one.target}: {one.told()}" for one in joined)
        yield "  if that is too much, give it a key of its own in decisions.yaml, or leave it out"
    if unreached:
        yield "named in today's policies, and not for the project, so that the levels do not reach it:"
        yield from (f"  {thing.service:9} {thing.name}: {_whose(thing.by)}" for thing in unreached)
        yield "  rename it, or say in decisions.yaml that such names are the project's: patterns: [NAME-*]"


def used_lines(usage: Usage) -> Iterator[str]:
    """What levels by use are worth, and not."""
    yield f"levels follow what was used since {usage.since}, as AWS saw it until {usage.at[:10]}:"
    yield "  what is done less than once a year, or only by who came later, will be missing"
    yield "  reading and data calls count by service, not one by one; a denied attempt counts as use"
    yield "  what a level no longer covers is lost to its members: `access` and the plans name it as such"


def split_lines(splits: Sequence[Split]) -> Iterator[str]:
    """What use proposes for groups that several rules claim, and how to say so."""
    if splits:
        yield "several rules claim these groups; by what their members used in the last year:"
    for one in splits:
        yield from (f"  {one.name}: {key}: {_whose(members, 8)}" for key, members in one.parts.items())
        if one.rest:
            yield f"  {one.name}: nothing tells of {_whose(one.rest, 8)}"
        yield f"    in decisions.yaml, under groups: {one.answer()}"


def explained_lines(found: Iterable[Decision]) -> Iterator[str]:
    """One thing: what became of it, every reason, and what nearly matched."""
    for one in found:
        target = f" -> {one.section}.{one.target} ({one.mark})" if isinstance(one, Mapped) else ""
        yield f"{one.kind} {one.name}: {outcome(one)}{target}"
        yield from (f"  {reason}" for reason in one.reasons)
        if isinstance(one, Mapped):
            yield from (f"  {service}: {level}" for service, level in one.levels.items())
            yield from (f"  managed policy {name}" for name in one.managed_policies)
            yield from (f"  not expressible: {line}" for line in one.not_expressible)
        if isinstance(one, Mapped | Ambiguous | Unmapped):
            yield from (f"  nearly {reading.told()}" for reading in one.nearly)


def decisions_document(
    decided: Iterable[Decision],
    choice: TierChoice,
    config: str,
    joined: Sequence[Joined] = (),
    unreached: Sequence[Unreached] = (),
    splits: Sequence[Split] = (),
) -> dict[str, Any]:
    """The contract's `map --json`."""
    rows: dict[str, list[dict[str, Any]]] = {"group": [], "role": []}
    for one in decided:
        rows[one.kind].append(_row(one))
    return {
        "tier": choice.tier.name,
        "reasons": choice.reasons,
        "groups": rows["group"],
        "roles": rows["role"],
        "config": config,
        "joined": joined,
        "unreached": unreached,
        "splits": [{"name": one.name, "parts": one.parts, "rest": one.rest} for one in splits],
    }


def _row(one: Decision) -> dict[str, Any]:
    row: dict[str, Any] = {"name": one.name, "outcome": outcome(one), "target": None, "reasons": one.reasons}
    row |= {"levels": {}, "managed_policies": ()}
    if one.kind == "role":
        row["section"] = None
    if isinstance(one, Mapped):
        row |= {"target": one.target, "levels": one.levels, "managed_policies": one.managed_policies, "mark": one.mark}
        row |= {"not_expressible": one.not_expressible, "section": one.section}
    if isinstance(one, Ambiguous):
        row["readings"] = [reading.told() for reading in one.readings]
    return row


def _whose(names: Sequence[str], most: int = 3) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def _table(mapped: Sequence[Mapped]) -> Iterator[str]:
    width = max((len(one.name) for one in mapped), default=0)
    for one in mapped:
        levels = ", ".join(f"{service}: {level}" for service, level in one.levels.items())
        policies = ", ".join(one.managed_policies)
        rest = "; ".join(
            part for part in (levels, policies, one.mirrors_group and f"mirrors {one.mirrors_group}") if part
        )
        yield f"  {one.name:{width}} -> {one.target}" + (f"  [{rest}]" if rest else "")
        yield from (f"  {'':{width}}    {line}" for line in one.left_behind)
