"""What the page's script reads: people, changes and roles, each text once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from secmigrate.reports.escaping import all_visible, data
from secmigrate.reports.migration import Counts, Part, Person, Report, RoleRow, Way
from secmigrate.reports.words import briefly, counted

Packed = dict[str, Any]


class _Texts:
    """Texts by number, in the order in which they were met."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))

    def met(self) -> Iterator[str]:
        """All that were met, once somebody asks."""
        yield from self.numbers

    def all(self, texts: tuple[str, ...]) -> list[int]:
        return [self(text) for text in texts]


def packed(told: Report) -> Iterator[str]:
    """A JSON map of plain lists, all texts visible, in pieces: of a large account it is many times as large as what it
    is made of.
    """
    texts = _Texts()
    places = {one.name: place for place, one in enumerate(told.people)}
    lists: dict[str, Iterable[object]] = {
        "people": (_person(one, texts) for one in told.people),
        "ways": (_way(one, texts, [places[name] for name in one.people]) for one in told.ways),
        "roles": map(_role, told.roles),
        "accept": (f"{one.why} ({one.by})" if one.by else one.why for one in told.accept),
        "texts": texts.met(),
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


def _person(one: Person, texts: _Texts) -> list[Any]:
    """In the order that page.js has under `PERSON`."""
    after = None if one.after is None else texts.all(one.after)
    return [one.name, texts.all(one.before), texts.all(one.now), after, one.way, texts.all(one.own), one.affected]


def _way(one: Way, texts: _Texts, people: list[int]) -> Packed:
    return {
        "n": one.n,
        "people": people,
        "open": one.open,
        "taken": one.taken,
        "lost": _figures(one.lost),
        "accepted": _figures(one.accepted),
        "mayLose": _figures(one.may_lose),
        "gained": _figures(one.gained),
        "mayGain": _figures(one.may_gain),
        "raises": texts.all(one.raises),
        "losses": [_part(part, texts) for part in one.losses],
        "raising": [_part(part, texts) for part in one.raising],
        "leftOut": one.left_out,
        "rolesLost": one.roles.lost,
        "rolesGained": one.roles.gained,
        "rolesUnsure": one.roles.unsure,
        "rolesAccepted": one.roles_accepted,
        "unread": one.unread,
    }


def _figures(counts: Counts) -> dict[str, str]:
    return {"brief": briefly(counts), "full": counted(counts)}


def _part(one: Part, texts: _Texts) -> list[Any]:
    """In the order that page.js has under `PART`."""
    return [
        texts.all(one.actions),
        texts.all(one.resources),
        texts(one.condition),
        texts(one.why),
        texts(one.example),
        one.accepted,
    ]


def _role(one: RoleRow) -> Packed:
    row = {
        "name": one.name,
        "outcome": one.outcome,
        "new": one.new,
        "mark": one.mark,
        "section": one.section.replace("_", " "),
        "reasons": one.reasons,
        "trusts": one.trusts,
        "people": one.people,
        "some": one.some,
        "profiles": one.profiles,
        "lastUsed": one.last_used,
        "owner": one.owner,
        "lost": briefly(one.lost),
        "gained": briefly(one.gained),
        "unsure": briefly(one.unsure),
        "raises": one.raises,
        "trustLost": one.trust_lost,
        "trustGained": one.trust_gained,
    }
    return {key: value for key, value in row.items() if value}
