"""Sets of actions in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
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
        self._said: dict[str, dict[Bits, str]] = {"summed": {}, "counted": {}}
        self._prefixes: dict[int, list[tuple[str, Bits]]] = {}
        self._globs: dict[int | None, dict[str, Bits]] = {}
        self._levels: dict[int, list[tuple[str, Bits]]] = {}

    def some(self, bits: Bits, written: Iterable[Actions]) -> str:
        """The first of the set, and how many more: by the globs in which policies write them where these say just that,
        else by name.
        """
        services = list(self._actions.by_service(bits))
        service, part = services[0] if len(services) == 1 else (None, bits)  # within one service numbers are small
        globs = self._near(services, written)
        stars = [one for one in globs if "*" in one]
        others = [one for one in globs if "*" not in one] if stars else globs
        told, left = self._told(service, part, part, stars, None)
        # Behind the stars each glob means one action, as each name does: so what is left is known to be as many.
        most = None if "?" in "".join(others) else max(_MOST - len(told), 0)
        more, left = self._told(service, part, left, others, most)
        told += more
        number = len(told) + left.bit_count()
        if len(told) < _MOST:
            names = self._actions.named(left if service is None else left << self._actions.start(service))
            told += [one.name for one in islice(names, _MOST - len(told))]
        return ", ".join(told[:_MOST]) + (f" and {number - _MOST} more" if number > _MOST else "")

    def _told(
        self, service: int | None, bits: Bits, left: Bits, globs: Iterable[str], most: int | None
    ) -> tuple[list[str], Bits]:
        """The first globs, at most that many, that say just a part of what is left; and what then still is."""
        told: list[str] = []
        known = self._globs.setdefault(service, {})
        for glob in globs:
            if len(told) == most:
                break
            meant = known.get(glob)
            if meant is None:
                meant = known[glob] = self._meant(service, glob)
            if meant & left and not meant & ~bits:
                left &= ~meant
                told.append(glob)
        return told, left

    def _meant(self, service: int | None, glob: str) -> Bits:
        """What the glob means, as a part of the service; all there could be if it means anything else as well."""
        found = self._actions.bits(glob)
        if service is None:
            return found
        part = self._actions.of_service(service, found)
        return part if part << self._actions.start(service) == found else -1

    def _near(self, services: Iterable[tuple[int, Bits]], written: Iterable[Actions]) -> Sequence[str]:
        """The globs that can have to do with these services, in order."""
        prefixes = (*[self._actions.prefix(service) for service, _ in services], "*")
        rows = [row for one in written for prefix in prefixes if (row := one.by_service.get(prefix))]
        return rows[0] if len(rows) == 1 else sorted({*chain(*rows)})

    def summed(self, bits: Bits) -> str:
        """The set by service: `athena (3 actions), kms (kms:Decrypt)`."""
        return self._once("summed", self._summed, bits)

    def counted(self, bits: Bits) -> str:
        """How many of which access level: `8 read, 4 write`."""
        return self._once("counted", self._counted, bits)

    def _once(self, name: str, words: Words, bits: Bits) -> str:
        """What these words say of the set: many groups and roles lack the same, or gain it."""
        said = self._said[name]
        found = said.get(bits)
        if found is None:
            found = said[bits] = words(bits)
        return found

    def _summed(self, bits: Bits) -> str:
        told: list[str] = []
        more = 0
        for service, part in self._actions.by_service(bits):
            spelt = self._spelt(service)
            rows = [(there & -there, prefix, there) for prefix, own in spelt if (there := own & part)]
            if len(rows) > 1:
                rows.sort()
            start = self._actions.start(service)
            for _, prefix, there in rows:
                if len(told) == _SERVICES:
                    more += 1
                elif (number := there.bit_count()) > 1:
                    told.append(f"{prefix} ({number} actions)")
                else:
                    told.append(f"{prefix} ({self._actions.actions[start + there.bit_length() - 1].name})")
        return ", ".join(told) + (f" and {more} more services" if more else "")

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
        counts = {level: 0 for level, _ in self._by_access_level}
        for service, part in self._actions.by_service(bits):
            for level, those in self._of_levels(service):
                counts[level] += (part & those).bit_count()
        return ", ".join([f"{number} {level}" for level, number in counts.items() if number])

    def _of_levels(self, service: int) -> list[tuple[str, Bits]]:
        """A service's actions by access level."""
        found = self._levels.get(service)
        if found is None:
            rows = [(level, self._actions.of_service(service, those)) for level, those in self._by_access_level]
            found = self._levels[service] = [row for row in rows if row[1]]
        return found

    @cached_property
    def _by_access_level(self) -> list[tuple[str, Bits]]:
        return [(level.lower(), self._actions.of_level(level)) for level in sorted(LEVELS)]
