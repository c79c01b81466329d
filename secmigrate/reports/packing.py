"""What the page's script reads: people, changes and roles, and once what several of them have in common, by number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

import msgspec

from secmigrate.reports.escaping import all_visible, data
from secmigrate.reports.migration import Counts, Part, Person, Report, RoleRow, Way
from secmigrate.reports.words import briefly, by_services

Packed = dict[str, Any]
Names = tuple[str, ...]
Thing = TypeVar("Thing")


class _Numbers(Generic[Thing]):
    """Things by number, in the order in which they were met."""

    def __init__(self, *first: Thing) -> None:
        self._numbers = {thing: number for number, thing in enumerate(first)}

    def __call__(self, thing: Thing) -> int:
        return self._numbers.setdefault(thing, len(self._numbers))

    def met(self) -> Iterator[Thing]:
        """All that were met, once somebody asks."""
        yield from self._numbers


class _Once:
    """What many people, changes and roles have in common. Number 0 of the lists and of the sets is empty."""

    def __init__(self) -> None:
        self.texts = _Numbers[str]()
        self.lists = _Numbers[tuple[int, ...]](())
        self.parts = _Numbers[tuple[int, ...]]()
        self.sets = _Numbers[Names](())

    def numbers(self, texts: Iterable[str]) -> list[int]:
        """The numbers of the texts."""
        return [self.texts(text) for text in texts]

    def listed(self, texts: Iterable[str]) -> int:
        """The number of the list of these texts."""
        return self.lists(tuple(self.numbers(texts)))


def packed(told: Report) -> Iterator[str]:
    """A JSON map of plain lists, all texts visible, in pieces: of a large account it is many times as large as what it
    is made of.
    """
    once = _Once()
    places = {one.name: place for place, one in enumerate(told.people)}
    names = sorted({name for way in told.ways for reached in _reached(way) for name in reached})
    lists: dict[str, Iterable[object]] = {
        "people": (_person(one, once) for one in told.people),
        "ways": (_way(one, once, [places[name] for name in one.people]) for one in told.ways),
        "roles": (_role(one, once) for one in told.roles),
        "accept": (f"{one.why} ({one.by})" if one.by else one.why for one in told.accept),
        "names": names,
        "sets": _runs(once.sets.met(), names),
        "parts": once.parts.met(),
        "lists": once.lists.met(),
        "texts": once.texts.met(),
    }
    yield f'{{"mapped":{_json(told.mapped)}'
    for name, items in lists.items():
        between = f',"{name}":['
        for item in items:
            yield between + _json(item)
            between = ","
        yield "]" if between == "," else f"{between}]"
    yield "}"


def _json(value: object) -> str:
    return data(all_visible(msgspec.to_builtins(value)))


def _person(one: Person, once: _Once) -> list[Any]:
    """In the order that page.js has under `PERSON`."""
    texts = once.numbers
    after = None if one.after is None else texts(one.after)
    return [one.name, texts(one.before), texts(one.now), after, one.way, texts(one.own), one.affected]


def _way(one: Way, once: _Once, people: list[int]) -> Packed:
    lost, gained, unsure, wider = map(once.sets, _reached(one))
    return {
        "n": one.n,
        "people": people,
        "open": one.open,
        "taken": one.taken,
        "lost": _figures(one.lost, once),
        "accepted": _figures(one.accepted, once),
        "mayLose": _figures(one.may_lose, once),
        "gained": _figures(one.gained, once),
        "mayGain": _figures(one.may_gain, once),
        "raises": once.listed(one.raises),
        "losses": [_part(part, once) for part in one.losses],
        "raising": [_part(part, once) for part in one.raising],
        "leftOut": one.left_out,
        "rolesLost": lost,
        "rolesGained": gained,
        "rolesUnsure": unsure,
        "rolesWider": wider,
        "rolesAccepted": one.roles_accepted,
        "unread": once.listed(one.unread),
    }


def _reached(way: Way) -> tuple[Names, Names, Names, Names]:
    return way.roles.lost, way.roles.gained, way.roles.unsure, way.roles.wider


def _runs(sets: Iterable[Names], names: list[str]) -> Iterator[list[list[int]]]:
    """Each set as the runs that it has in the sorted names, as first place and length: who may assume roles may assume
    all of a beginning, so that there are few, while all names of all sets are as many as users times roles.
    """
    places = {name: place for place, name in enumerate(names)}
    for one in sets:
        runs: list[list[int]] = []
        for place in sorted(places[name] for name in one):
            if runs and sum(runs[-1]) == place:
                runs[-1][1] += 1
            else:
                runs.append([place, 1])
        yield runs


def _figures(counts: Counts, once: _Once) -> Packed:
    return {"brief": briefly(counts), "full": once.listed(by_services(counts))}


def _part(one: Part, once: _Once) -> int:
    """The number of the part, which is in the order that page.js has under `PART`."""
    return once.parts(
        (
            once.listed(one.actions),
            once.listed(one.resources),
            once.texts(one.condition),
            once.texts(one.why),
            once.texts(one.example),
            one.accepted,
        )
    )


def _role(one: RoleRow, once: _Once) -> Packed:
    row = {
        "name": one.name,
        "outcome": one.outcome,
        "new": one.new,
        "mark": one.mark,
        "section": one.section.replace("_", " "),
        "reasons": once.listed(one.reasons),
        "trusts": one.trusts,
        "people": one.people,
        "some": one.some,
        "profiles": one.profiles,
        "lastUsed": one.last_used,
        "owner": one.owner,
        "lost": briefly(one.lost),
        "gained": briefly(one.gained),
        "unsure": briefly(one.unsure),
        "raises": once.listed(one.raises),
        "trustLost": one.trust_lost,
        "trustGained": one.trust_gained,
    }
    return {key: value for key, value in row.items() if value}
