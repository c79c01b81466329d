"""Sets of actions in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import chain, islice

from secmigrate.access import ActionCatalogue
from secmigrate.access.actions import LEVELS
from secmigrate.mapping.reach import Actions

Bits = int  # a set of actions
Words = Callable[[Bits], str]

_MOST = 3
_SERVICES = 12


class Wording:
    """Says what is in sets of one catalogue's actions."""

    def __init__(self, actions: ActionCatalogue) -> None:
        self._actions = actions
        self._said: dict[tuple[str, Bits], str] = {}
        self._prefixes: dict[int, list[tuple[str, Bits]]] = {}
        self._globs: dict[tuple[int | None, str], Bits] = {}

    def some(self, bits: Bits, written: Actions) -> str:
        """The first of the set, and how many more: by the globs in which policies write them where these say just that,
        else by name.
        """
        services = list(self._actions.by_service(bits))
        service, part = services[0] if len(services) == 1 else (None, bits)  # within one service numbers are small
        stars, others = self._near(services, written)
        most = None if any("?" in one for one in others) else _MOST
        told, left = self._told(service, part, part, stars, None)
        # Behind the stars each glob means one action, as each name does: so what is left is known to be as many.
        more, left = self._told(service, part, left, others, most and max(most - len(told), 0))
        told += more
        number = len(told) + left.bit_count()
        names = self._actions.named(left if service is None else left << self._actions.start(service))
        told += (one.name for one in islice(names, max(_MOST - len(told), 0)))
        return ", ".join(told[:_MOST]) + (f" and {number - _MOST} more" if number > _MOST else "")

    def _told(
        self, service: int | None, bits: Bits, left: Bits, globs: Iterable[str], most: int | None
    ) -> tuple[list[str], Bits]:
        """The first globs, at most that many, that say just a part of what is left; and what then still is."""
        told: list[str] = []
        for glob in globs:
            if len(told) == most:
                break
            meant = self._meant(service, glob)
            if meant & left and not meant & ~bits:
                left &= ~meant
                told.append(glob)
        return told, left

    def _meant(self, service: int | None, glob: str) -> Bits:
        """What the glob means, as a part of the service; all there could be if it means anything else as well."""
        found = self._globs.get((service, glob))
        if found is None:
            found = self._actions.bits(glob)
            if service is not None:
                part = self._actions.of_service(service, found)
                found = part if part << self._actions.start(service) == found else -1
            self._globs[service, glob] = found
        return found

    def _near(self, services: Iterable[tuple[int, Bits]], written: Actions) -> tuple[list[str], list[str]]:
        """The globs that can have to do with these services, in order: with a star, and without."""
        found = [written.by_service.get(self._actions.prefix(service), ()) for service, _ in services]
        found = [one for one in (*found, written.by_service.get("*", ())) if one]
        globs = found[0] if len(found) == 1 else sorted(chain(*found))
        return [one for one in globs if "*" in one], [one for one in globs if "*" not in one]

    def summed(self, bits: Bits) -> str:
        """The set by service: `athena (3 actions), kms (kms:Decrypt)`."""
        return self._once("summed", self._summed, bits)

    def counted(self, bits: Bits) -> str:
        """How many of which access level: `8 read, 4 write`."""
        return self._once("counted", self._counted, bits)

    def _once(self, name: str, words: Words, bits: Bits) -> str:
        """What these words say of the set: many groups and roles lack the same, or gain it."""
        if (name, bits) not in self._said:
            self._said[name, bits] = words(bits)
        return self._said[name, bits]

    def _summed(self, bits: Bits) -> str:
        told = []
        for service, part in self._actions.by_service(bits):
            start = self._actions.start(service)
            rows = [(there & -there, prefix, there) for prefix, own in self._spelt(service) if (there := own & part)]
            for _, prefix, there in sorted(rows):
                only = self._actions.actions[start + there.bit_length() - 1].name
                told.append(f"{prefix} ({only if there.bit_count() == 1 else f'{there.bit_count()} actions'})")
        more = len(told) - _SERVICES
        return ", ".join(told[:_SERVICES]) + (f" and {more} more services" if more > 0 else "")

    def _spelt(self, service: int) -> list[tuple[str, Bits]]:
        """How the prefix of a service's actions is spelt, and in which: what only policies name is kept as written."""
        found = self._prefixes.get(service)
        if found is None:
            rows: dict[str, Bits] = {}
            own = self._actions.of_service(service, self._actions.everything) << self._actions.start(service)
            for place, action in enumerate(self._actions.named(own)):
                prefix = action.name.partition(":")[0]
                rows[prefix] = rows.get(prefix, 0) | 1 << place
            found = self._prefixes[service] = list(rows.items())
        return found

    def _counted(self, bits: Bits) -> str:
        counts = ((level, (bits & those).bit_count()) for level, those in self._by_access_level)
        return ", ".join(f"{number} {level}" for level, number in counts if number)

    @cached_property
    def _by_access_level(self) -> list[tuple[str, Bits]]:
        return [(level.lower(), self._actions.of_level(level)) for level in sorted(LEVELS)]
