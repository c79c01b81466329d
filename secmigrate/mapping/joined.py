"""Things that become one: who gets more than it had, because another one had it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from secmigrate.mapping.outcomes import Decision, Mapped, mapped
from secmigrate.sec import SecConfig


class Joined(Struct, frozen=True, kw_only=True):
    """One thing, and what its target brings that it would not have alone."""

    name: str
    target: str
    levels: Mapping[str, str]  # by service, where they are others than its own
    instead: Mapping[str, str]  # its own, by service; a service that it has none of is not there
    managed_policies: tuple[str, ...]

    def told(self) -> str:
        """In words."""
        parts = [
            f"{service}: {level} instead of {self.instead[service]}"
            if service in self.instead
            else f"{service}: {level}"
            for service, level in self.levels.items()
        ]
        return ", ".join((*parts, *self.managed_policies))


def joined(decided: Iterable[Decision], config: SecConfig) -> tuple[Joined, ...]:
    """Everything that gets more because it becomes one with others, as the config has it."""
    found: list[Joined] = []
    for (section, key), sources in mapped(decided).items():
        entry = config.security.section(section).get(key)
        if entry is not None and len(sources) > 1:
            found += (
                one
                for one in (_joined(source, entry.policy_assignments, entry.managed_policies) for source in sources)
                if one
            )
    return tuple(found)


def _joined(source: Mapped, levels: Mapping[str, str], managed: tuple[str, ...]) -> Joined | None:
    more = {service: level for service, level in levels.items() if source.levels.get(service) != level}
    policies = tuple(name for name in managed if name not in source.managed_policies)
    if not more and not policies:
        return None
    instead = {service: source.levels[service] for service in more if service in source.levels}
    return Joined(name=source.name, target=source.target, levels=more, instead=instead, managed_policies=policies)
