"""What a change is made of, statement by statement: actions, resources, an example and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, structs

from secmigrate.access import Change, Row
from secmigrate.access.telling import POWER, Teller, Told
from secmigrate.reports.wrapping import listed, wrapped

BLOCKS = 5  # of one change, if it is not asked for by name
ACTIONS = 9
RESOURCES = 3

Whose = tuple[tuple[Change, ...], tuple[Row, ...]]


class Block(Struct, frozen=True):
    """Actions of one statement for which all is the same but the example."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: str
    why: str
    power: int  # the place of the most powerful level in POWER
    example: Told
    others: int  # how many of the people have it from elsewhere

    @property
    def said(self) -> tuple[object, ...]:
        """What it says, whoever it is about."""
        return self.actions, self.resources, self.condition, self.why


class Above(NamedTuple):
    """What stands in the details already."""

    numbers: dict[tuple[object, ...], int]  # of the changes, by what a block says
    number: int  # of the change that is told now
    whole: bool  # whether nothing is left out


def blocks(teller: Teller, heading: str, whose: Whose, above: Above, *, gained: bool) -> Generator[str, None, int]:
    """The lines of one part of a change; gives back how many blocks are left out. What stands above under another
    number is only counted.
    """
    found = list(grouped(teller, whose, gained=gained, raising="RAISES" in heading))
    yield from wrapped(f"    {heading}")
    where_told = [above.numbers.setdefault((heading, *one.said), above.number) for one in found]
    known = Counter(number for number in where_told if number != above.number)
    new = [one for one, number in zip(found, where_told, strict=True) if number == above.number]
    whole = above.whole
    shown = new if whole or len(new) <= BLOCKS + 1 else new[:BLOCKS]
    for one in shown:
        yield from wrapped(f"      {listed(one.actions, 0 if whole else ACTIONS)}", rest=" " * 6)
        where = f"on {listed(one.resources, 0 if whole else RESOURCES)}"
        yield from wrapped(f"        {where}{f' if {one.condition}' if one.condition else ''}", rest=" " * 10)
        yield from _example(one)
        others = f" (this is {whose[0][0].name}'s; {one.others} more by other policies)" if one.others else ""
        yield from wrapped(f"        {one.why}{others}", rest=" " * 10)
    if known:
        places = [f"{count} of number {number}" for number, count in sorted(known.items())]
        yield from wrapped(f"      {'and ' * bool(shown)}told above: {listed(places)}", rest=" " * 6)
    return len(new) - len(shown)


def _example(one: Block) -> Iterator[str]:
    told = one.example
    if not told.example or (told.example == told.resource and len(one.resources) == 1 and not told.context):
        return
    where = f"{told.action} on {told.example}" if len(one.actions) > 1 else told.example
    tests = [f"{key} is {'absent' if value is None else value}" for key, value in sorted(told.context.items())]
    yield from wrapped(f"        such as {where}{' when ' * bool(tests)}{' and '.join(tests)}", rest=" " * 10)


def grouped(teller: Teller, whose: Whose, *, gained: bool, raising: bool) -> list[Block]:
    """What raises privilege first, then what can do most, then by the names of the actions."""
    ones, rows = whose
    parts = [[teller.parts(one, row, gained=gained) for row in rows] for one in ones]
    elsewhere: dict[str, int] = {}
    entries: list[Told] = []
    for mine, *others in zip(*parts, strict=True):
        different = sum(theirs != mine for theirs in others)
        for part, why in mine:
            elsewhere[why] = max(different, elsewhere.get(why, 0))
            bits = teller.raised(part.actions) if raising else part.actions
            entries += teller.told(structs.replace(part, actions=bits), why, gained=gained)
    entries.sort(key=lambda one: one.order)
    by_resource: dict[tuple[str, ...], list[Told]] = {}
    for told in entries:
        by_resource.setdefault((told.resource, told.condition, told.why), []).append(told)
    alike: dict[tuple[object, ...], list[list[Told]]] = {}
    for group in by_resource.values():
        names = tuple(dict.fromkeys(told.action for told in group))
        alike.setdefault((names, group[0].condition, group[0].why), []).append(group)
    found = [_block(groups, elsewhere) for groups in alike.values()]
    return sorted(found, key=lambda one: (one.example.raises is not True, one.power, one.said))


def _block(groups: Sequence[Sequence[Told]], elsewhere: Mapping[str, int]) -> Block:
    """Of resources about which the same is told, one block."""
    first = groups[0][0]
    return Block(
        actions=tuple(dict.fromkeys(told.action for told in groups[0])),
        resources=tuple(group[0].resource for group in groups),
        condition=first.condition,
        why=first.why,
        power=min(POWER.index(told.level) for told in groups[0]),
        example=next((told for group in groups for told in group if told.example not in ("", "*")), first),
        others=elsewhere[first.why],
    )
