"""What one side can do and another cannot: the same documents cancel out, the rest is decided action by action."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct, structs

from secmigrate.access.actions import Action
from secmigrate.access.deciding import Case, Extents, Verdict, decide
from secmigrate.access.effective import Extent, Masks, Part, Side, Sides
from secmigrate.access.patterns import Pattern, TooHard, arn_format, disjoint, literal, widened
from secmigrate.access.reading import EVERYTHING

Key = tuple[frozenset[Part], Part | None]


class Row(Struct, frozen=True):
    """Actions that a statement allows on one side, and that the other side does not allow as far, or may not."""

    certain: bool
    extent: Extent  # of the statement that allows them
    actions: int  # bits of the catalogue
    example: str  # a concrete resource for which it is so; empty if none could be worked out
    context: tuple[tuple[str, str | None], ...]  # condition keys with which the example shows it
    because: Extents  # what denies it on the other side, or allows it there under a condition


class Comparer:
    """Compares sides; what was worked out once for some documents is not worked out again."""

    def __init__(self, sides: Sides, partition: str = "aws") -> None:
        self.sides = sides
        self._rows: dict[tuple[Key, Key], tuple[Row, ...]] = {}
        self._verdicts: dict[tuple[Case, int], Verdict | None] = {}
        self._near: dict[tuple[Part, str, int, Extent], list[tuple[Extent, int]]] = {}
        self._formats = _Formats(sides.catalogue.actions, partition)

    def lacking(self, old: Side, new: Side) -> tuple[Row, ...]:
        """What the old side allows and the new side does not, or may not."""
        if old.parts <= new.parts and old.boundary is new.boundary and _within(new.denies, old.denies):
            return ()
        key = (old.key, new.key)
        found = self._rows.get(key)
        if found is None:
            found = self._rows[key] = tuple(self._compared(old, new))
        return found

    def _compared(self, old: Side, new: Side) -> list[Row]:
        merged: dict[Row, int] = {}
        for extent, bits in self._candidates(old, new).items():
            for cell, form, case in self._cells(extent, bits, old, new):
                verdict = self._verdict(case, form)
                if verdict is None:
                    continue
                context = tuple(sorted(verdict.context.items()))
                # One row for what a statement allows; actions whose resources look alike share their example.
                row = Row(verdict.certain, extent, 0, verdict.example, context, verdict.because)
                merged[row] = merged.get(row, 0) | cell
        return [structs.replace(row, actions=actions) for row, actions in merged.items()]

    def _verdict(self, case: Case, form: int) -> Verdict | None:
        try:
            return self._verdicts[case, form]
        except KeyError:
            found = self._verdicts[case, form] = decide(case, self._formats.patterns[form])
            return found

    def _candidates(self, old: Side, new: Side) -> dict[Extent, int]:
        """What the old side allows and the new one does not allow by the very same words."""
        trouble = 0  # actions that a Deny or a boundary takes away on the new side only
        for extent, bits in new.denies.items():
            trouble |= bits & ~old.denies.get(extent, 0)
        if new.boundary is not None and new.boundary is not old.boundary:
            trouble = self.sides.catalogue.everything
        star = new.allows.get(self.sides.anywhere, 0)
        found: dict[Extent, int] = {}
        for extent, bits in old.allows.items():
            left = bits & (trouble | ~(star | new.allows.get(extent, 0)))
            if left:
                found[extent] = left
        return found

    def _about(
        self, effect: Literal["allows", "denies"], parts: Iterable[Part], bits: int, extent: Extent
    ) -> list[tuple[Extent, int]]:
        """What the parts have to say of these actions, on resources of the extent, whatever variables stand for."""
        found: list[tuple[Extent, int]] = []
        for part in parts:
            key = (part, effect, bits, extent)
            near = self._near.get(key)
            if near is None:
                masks: Masks = part.allows if effect == "allows" else part.denies
                near = self._near[key] = [
                    (other, mask) for other, mask in masks.items() if mask & bits and _meet(extent, other)
                ]
            found += near
        return found

    def _cells(self, extent: Extent, bits: int, old: Side, new: Side) -> Iterator[tuple[int, int, Case]]:
        """The actions in sets of which everything is the same: the statements about them, and their resources."""
        groups = [
            None if old.boundary is None else self._about("allows", (old.boundary,), bits, extent),
            self._about("denies", old.all_parts, bits, extent),
            self._about("allows", new.parts, bits, extent),
            None if new.boundary is None else self._about("allows", (new.boundary,), bits, extent),
            self._about("denies", new.all_parts, bits, extent),
        ]
        cells = [bits]
        for group in groups:
            for _, mask in group or ():
                cells = [part for cell in cells for part in (cell & mask, cell & ~mask) if part]
        for cell in cells:
            relevant = [None if group is None else _those(group, cell) for group in groups]
            limits, denies, allows, new_limits, new_denies = relevant
            case = Case(extent, limits, denies or (), allows or (), new_limits, new_denies or ())
            for form, part in self._formats.split(cell):
                yield part, form, case


def _within(few: Masks, many: Masks) -> bool:
    return few == many or all(not bits & ~many.get(extent, 0) for extent, bits in few.items())


def _those(group: Iterable[tuple[Extent, int]], cell: int) -> Extents:
    """The extents that are about a cell's actions, each once, in the order in which they were met."""
    found = {one for one, mask in group if mask & cell}
    return tuple(sorted(found, key=lambda one: one.number)) if len(found) > 1 else tuple(found)


def _meet(one: Extent, other: Extent) -> bool:
    if EVERYTHING in (one.region.pattern, other.region.pattern):
        return True
    try:
        return not disjoint(widened(one.region.pattern), widened(other.region.pattern))
    except TooHard:
        return True


class _Formats:
    """Actions by the resources that they take."""

    def __init__(self, actions: Sequence[Action], partition: str) -> None:
        numbers: dict[tuple[tuple[str, ...], bool], int] = {}
        self.patterns: list[tuple[Pattern, ...]] = []
        self._masks: list[int] = []
        self._split: dict[int, list[tuple[int, int]]] = {}
        self._of: list[int] = []
        places: list[list[int]] = []
        for place, one in enumerate(actions):
            look = (one.formats, one.anywhere)
            if look not in numbers:
                numbers[look] = len(numbers)
                self.patterns.append(_patterns(one, partition))
                places.append([])
            self._of.append(numbers[look])
            places[numbers[look]].append(place)
        for each in places:
            mask = bytearray(len(actions) // 8 + 1)
            for place in each:
                mask[place // 8] |= 1 << place % 8
            self._masks.append(int.from_bytes(mask, "little"))

    def split(self, bits: int) -> list[tuple[int, int]]:
        """The actions by the number of their formats."""
        found = self._split.get(bits)
        if found is None:
            found = self._split[bits] = list(self._by_number(bits))
        return found

    def _by_number(self, bits: int) -> Iterator[tuple[int, int]]:
        if bits.bit_count() > 64:
            for number, mask in enumerate(self._masks):
                if part := bits & mask:
                    yield number, part
            return
        found: dict[int, int] = {}
        while bits:
            low = bits & -bits
            number = self._of[low.bit_length() - 1]
            found[number] = found.get(number, 0) | low
            bits ^= low
        yield from found.items()


def _patterns(action: Action, partition: str) -> tuple[Pattern, ...]:
    if action.anywhere:
        return (literal("*"),)
    return tuple(arn_format(one, partition) for one in action.formats) or (EVERYTHING,)
