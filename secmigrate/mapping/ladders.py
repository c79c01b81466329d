"""The levels of each service, rendered and compared: by what they allow, never by their numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from secmigrate.access import ActionCatalogue, Grants
from secmigrate.iam import Document
from secmigrate.mapping.wording import Wording
from secmigrate.sec import Client, Environment, Levels, Values, fill, placeholders

# Names for where no config is: rules prove their examples by these, and nothing that is written holds them.
_NOBODY = placeholders(
    Client(company_prefix="company", tenant_id="0000", account_id="111122223333"),
    Environment(env="prod", region="eu-central-1"),
)


class Rung(NamedTuple):
    """The actions that a level names, those that it allows on some resource, and on every one. Some it names that take
    none of the resources that it is held to.
    """

    named: int
    allowed: int
    anywhere: int


class _Service(NamedTuple):
    """The actions that a service's levels answer for, and these levels. In sets of one service its first action is the
    first bit: they are small, and what is asked of them takes no time.
    """

    start: int
    actions: int
    rungs: Mapping[str, Rung]


class Ladders:
    """Levels as documents of one account."""

    def __init__(
        self,
        levels: Levels,
        actions: ActionCatalogue,
        values: Values | None = None,
        documents: Iterable[Document] = (),
    ) -> None:
        """`values` are what the levels' placeholders stand for; `documents` are others that will be asked about."""
        self.levels = levels
        values = values or _NOBODY
        self._documents = {
            service.id: {key: fill(level.document, values) for key, level in service.levels.items()}
            for service in levels.values()
        }
        every = [one for found in self._documents.values() for one in found.values()]
        self.grants = Grants(actions, (*documents, *every), values["partition"][0])
        self.actions = self.grants.catalogue
        self._owned = {
            key: self.actions.bits_of(f"{prefix}:*" for prefix in one.prefixes) for key, one in levels.items()
        }
        self._services: dict[str, _Service] = {}
        self._holds: dict[tuple[str, str, str], bool] = {}
        self._narrowest: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self.wording = Wording(self.actions)

    def document(self, service: str, level: str) -> Document:
        """The level's document, rendered."""
        return self._documents[service][level]

    def documents(self, assignments: Mapping[str, str]) -> tuple[Document, ...]:
        """Those of several services."""
        return tuple(self._documents[service][level] for service, level in sorted(assignments.items()))

    def of(self, service: str) -> int:
        """The actions that the service's levels answer for."""
        return self._owned[service]

    def part(self, service: str, bits: int) -> int:
        """Those of the actions that are `of` the service, as a set of that service."""
        one = self._service(service)
        return bits >> one.start & one.actions

    def whole(self, service: str, part: int) -> int:
        """The set of the catalogue's that is this set of the service's."""
        return part << self._service(service).start

    def rung(self, service: str, level: str) -> Rung:
        """What the level allows of its service, in the service's sets."""
        return self._service(service).rungs[level]

    def allowed(self, service: str, level: str) -> int:
        """The actions that the level allows on some resource, those of other services with them."""
        return self.grants.allowed((self._documents[service][level],))

    def covered(self, service: str, needed: int) -> Mapping[str, int]:
        """How many of these actions, a set of the service, each level names, from the lowest up."""
        return {level: (needed & one.named).bit_count() for level, one in self._service(service).rungs.items()}

    def _service(self, service: str) -> _Service:
        found = self._services.get(service)
        if found is None:
            own, grants = self._owned[service], self.grants
            start = max((own & -own).bit_length() - 1, 0)
            rungs = {
                level: Rung(*[(ask((one,)) & own) >> start for ask in (grants.named, grants.allowed, grants.anywhere)])
                for level, one in self._documents[service].items()
            }
            found = self._services[service] = _Service(start, own >> start, rungs)
        return found

    def narrowest(self, service: str, keys: Collection[str]) -> list[str]:
        """Those of the levels that hold no other of them, in the order of the service's own."""
        asked = (service, tuple(keys))
        if asked not in self._narrowest:
            self._narrowest[asked] = self._holding_none(service, keys)
        return self._narrowest[asked]

    def _holding_none(self, service: str, keys: Collection[str]) -> list[str]:
        return [
            key
            for key in self.levels[service].levels
            if key in keys
            and not any(self._within(service, other, key) and not self._within(service, key, other) for other in keys)
        ]

    def join(self, service: str, wanted: Iterable[str]) -> str:
        """The narrowest level that allows all that these levels allow."""
        keys = set(wanted)
        if len(keys) == 1:
            return keys.pop()
        every = self.levels[service].levels
        holding = [key for key in every if all(self._within(service, one, key) for one in keys)]
        return self.narrowest(service, holding)[0] if holding else list(every)[-1]

    def _within(self, service: str, inner: str, outer: str) -> bool:
        """Whether the one level allows nothing that the other does not."""
        key = (service, inner, outer)
        if key not in self._holds:
            one, other = self._documents[service][inner], self._documents[service][outer]
            self._holds[key] = not self.grants.lacks((one,), (other,))
        return self._holds[key]
