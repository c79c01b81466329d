"""One decision: does what one statement allows stay allowed? Exact in resources; in conditions as far as is plain.

A world says which tests hold. In each world that the known implications permit, what is allowed before and not
afterwards is a union of cubes: resources inside of some patterns and outside of others. A loss is certain if a cube
holds a resource and a context can be named that makes the difference; otherwise it is unsure.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, combinations
from typing import NamedTuple

from msgspec import Struct

from secmigrate.access.conditions import Condition, Test, implies, unmarked
from secmigrate.access.contexts import Context, context
from secmigrate.access.effective import Extent
from secmigrate.access.facts import VARIABLE
from secmigrate.access.patterns import Pattern, TooHard, example, has_variable, includes, matches, widened
from secmigrate.access.reading import Region

Extents = tuple[Extent, ...]


class Case(NamedTuple):
    """What there is to say about one action: what one statement allows before, and all that may matter beside it."""

    allow: Extent
    old_limits: Extents | None  # what the old permissions boundary allows; None: there is no boundary
    old_denies: Extents  # those of the boundary as well
    new_allows: Extents
    new_limits: Extents | None
    new_denies: Extents


class Verdict(Struct, frozen=True):
    """Something that was allowed and is not any more, or may not be."""

    certain: bool
    example: str  # a concrete resource; empty if none could be worked out
    context: Context  # in which it shows; only where it is certain
    because: Extents = ()  # what denies it now, or would allow it under a condition


class _Cube(NamedTuple):
    inside: tuple[Pattern, ...]
    outside: frozenset[Pattern]
    denied_by: Extent | None = None


World = frozenset[Test]  # the tests that hold

_MANY_TESTS = 8  # tests of which it matters both that they hold and that they do not
_MANY_CUBES = 2_000


def decide(case: Case, formats: Sequence[Pattern]) -> Verdict | None:
    """What of `case.allow` is lost, among resources of these formats; None if nothing is."""
    unsure: Verdict | None = None
    try:
        for verdict in _verdicts(case, formats):
            if verdict.certain:
                return verdict
            unsure = unsure or verdict
        return unsure or _loosely(case, formats)
    except TooHard:
        return unsure or Verdict(False, "", {}, case.new_allows)


def decide_at(case: Case, text: str) -> Verdict | None:
    """The same about one resource, without variables, that `case.allow` matches: None if that cannot show a loss for
    certain. What of the case does not match it has no say.
    """
    try:
        for sure, world, cube in _lost(case):
            if all(matches(one, text) for one in cube.inside) and not any(matches(one, text) for one in cube.outside):
                verdict = _judged(case, sure, cube, world, text)
                if verdict.certain:
                    return verdict
    except TooHard:
        pass
    return None


def _verdicts(case: Case, formats: Sequence[Pattern]) -> Iterator[Verdict]:
    for sure, world, cube in _lost(case):
        for form in formats:
            found = example((*cube.inside, form), cube.outside)
            if found is not None:
                yield _judged(case, sure, cube, world, found)


def _loosely(case: Case, formats: Sequence[Pattern]) -> Verdict | None:
    """What may be lost if unknown variables stand for something that makes patterns meet, or not meet."""
    groups = ((case.allow,), case.old_limits, case.old_denies, case.new_allows, case.new_limits, case.new_denies)
    if not any(varies(extent.region) for group in groups for extent in group or ()):
        return None
    for _, _, cube in _lost(case):
        if any(includes(outer, inner) for inner in cube.inside for outer in cube.outside):
            continue  # whatever the variables stand for
        inside = (*map(widened, cube.inside),)
        outside = frozenset(one for one in cube.outside if not has_variable(one))
        for form in formats:
            found = example((*inside, form), outside)
            if found is not None:
                about = (cube.denied_by,) if cube.denied_by else case.new_allows
                return Verdict(False, found, {}, about or case.old_denies)
    return None


def varies(region: Region) -> bool:
    """Whether it depends on a variable of which nobody knows what it stands for."""
    return any(has_variable(one) for one in (region.pattern, *region.without))


def _lost(case: Case) -> Iterator[tuple[Condition, World, _Cube]]:
    """What is allowed before and not afterwards, under which condition and in which world."""
    for limit in (None,) if case.old_limits is None else case.old_limits:
        sure = case.allow.condition | (limit.condition if limit else frozenset())
        for world in _worlds(sure, case):
            for cube in _cubes(case, limit, world):
                yield sure, world, cube


def _worlds(sure: Condition, case: Case) -> Iterator[World]:
    """The worlds that can make a difference: where a test matters in one way only, it is as bad as can be."""
    bad = _tests(case.new_denies)
    good = _tests((*case.old_denies, *case.new_allows, *(case.new_limits or ())))
    tests = bad | good | sure
    given = _closed(sure, tests)
    free = (bad | good) - given
    mixed = {test for test in free if test in bad and test in good}
    mixed |= {
        test
        for one, other in combinations(free, 2)
        if implies(frozenset((one,)), frozenset((other,))) or implies(frozenset((other,)), frozenset((one,)))
        for test in (one, other)
    }
    if len(mixed) > _MANY_TESTS:
        raise TooHard(f"{len(mixed)} conditions that depend on each other")
    always = given | (bad & free - mixed)
    seen: set[World] = set()
    ordered = sorted(mixed)
    for chosen in chain.from_iterable(combinations(ordered, size) for size in range(len(ordered) + 1)):
        world = _closed(always | set(chosen), tests)
        if world not in seen:
            seen.add(world)
            yield world


def _tests(extents: Iterable[Extent]) -> frozenset[Test]:
    return frozenset().union(*(extent.condition for extent in extents))


def _closed(held: Collection[Test], tests: Collection[Test]) -> World:
    """These tests and those that they imply."""
    held = frozenset(held)
    return held | {test for test in tests if test not in held and implies(held, frozenset((test,)))}


def _cubes(case: Case, limit: Extent | None, world: World) -> Iterator[_Cube]:
    """What is allowed before and not afterwards in a world, as cubes."""
    regions = [case.allow.region, *([limit.region] if limit else [])]
    start = _Cube(tuple(one.pattern for one in regions), frozenset().union(*(one.without for one in regions)))
    before = _avoiding([start], case.old_denies, world)
    yield from _avoiding(before, case.new_allows, world)
    if case.new_limits is not None:
        yield from _avoiding(before, case.new_limits, world)
    for deny in case.new_denies:
        if deny.condition <= world:
            for cube in before:
                region = deny.region
                yield _Cube((*cube.inside, region.pattern), cube.outside | region.without, denied_by=deny)


def _avoiding(cubes: list[_Cube], extents: Extents, world: World) -> list[_Cube]:
    """The cubes without what lies in one of the extents that hold in the world."""
    for extent in extents:
        if not extent.condition <= world:
            continue
        region = extent.region
        if not region.without:
            cubes = [cube._replace(outside=cube.outside | {region.pattern}) for cube in cubes]
        else:
            # Outside of a NotResource, which is everything but these, is inside of one of these.
            left_out = sorted(region.without, key=lambda pattern: pattern.text)
            cubes = [cube._replace(inside=(*cube.inside, one)) for cube in cubes for one in left_out]
        cubes = [cube for cube in cubes if not any(one in cube.outside for one in cube.inside)]
        if len(cubes) > _MANY_CUBES:
            raise TooHard(f"more than {_MANY_CUBES} combinations of NotResource")
    return cubes


def _judged(case: Case, sure: Condition, cube: _Cube, world: World, found: str) -> Verdict:
    """Whether the loss is certain: no statement that may hold, in a way that is not plain, would change it."""
    shown, unknown = _filled(found, cube.inside)
    about = [one for one in case.new_allows if may_match(one.region, shown)]
    limits = [one for one in case.new_limits or () if may_match(one.region, shown)]
    if cube.denied_by is not None:
        because: tuple[Extent, ...] = (cube.denied_by,)
        blocking: list[Extent] = []
        plain = not varies(cube.denied_by.region)
        true = sure | cube.denied_by.condition
    else:
        because = tuple(about) + (() if case.new_limits is None else tuple(limits))
        # It is lost for want of an Allow, or for want of one within the boundary: the one that is certain is enough.
        lacking = [about] if case.new_limits is None else [about, limits]
        blocking = min(
            (ones for ones in lacking if not any(one.condition <= world for one in ones)), key=len, default=[]
        )
        plain = not all(any(one.condition <= world for one in ones) for ones in lacking)
        true = sure
    lifted = [one for one in case.old_denies if may_match(one.region, shown)]
    # A NotResource whose variable stands for just this resource.
    plain = plain and not any(has_variable(one) and matches(widened(one), shown) for one in cube.outside)
    narrower = all(implies(one.condition, sure) for one in blocking)
    if not plain or not narrower or (blocking and lifted):
        return Verdict(False, shown, {}, because or tuple(lifted))
    difference = context(true, [one.condition for one in (*blocking, *lifted)])
    if difference is None or any(difference.get(key, value) != value for key, value in unknown.items()):
        return Verdict(False, shown, {}, because or tuple(lifted))
    return Verdict(True, shown, {**difference, **unknown}, because)


def _filled(found: str, inside: Iterable[Pattern]) -> tuple[str, dict[str, str]]:
    """The resource with a value for its variables, and the context keys that have this value."""
    letters = (letter for pattern in inside for letter in pattern.tokens if isinstance(letter, str) and letter[1:])
    keys = {unmarked(name[1].casefold()) for name in map(VARIABLE.fullmatch, letters) if name}
    unknown: dict[str, str] = {}

    def value(name: re.Match[str]) -> str:
        key = unmarked(name[1].casefold())
        if key not in keys:
            return name[0]
        unknown[key] = "example"
        return "example"

    return (VARIABLE.sub(value, found) if keys else found), unknown


def may_match(region: Region, text: str) -> bool:
    """Whether the text lies in the region, whatever the values of variables."""
    return matches(widened(region.pattern), text) and not any(
        matches(one, text) for one in region.without if not has_variable(one)
    )
