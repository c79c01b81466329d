"""What AWS saw of the use that somebody makes of what they may do.

AWS, *Refine permissions in AWS using last accessed information*: attempts of the last 400 days, also those that were
denied, shown after four hours at the latest; of actions only those that change things, in services that report them;
`iam:PassRole` never.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from secmigrate.iam.entities import AccountId

UNTRACKED = ("iam:PassRole",)


class ServiceUse(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The last attempt in one service, and of each action of it that AWS lists: days as YYYY-MM-DD, empty for none."""

    last: str = ""
    actions: Mapping[str, str] = {}  # by name without the prefix; what is not listed is not tracked


class Usage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`usage.json`: of each entity, by ARN, the services that it may use, by prefix. Of a group, what members do."""

    account: AccountId
    at: str  # ISO 8601, UTC: when it was read
    services: Mapping[str, Mapping[str, ServiceUse]] = {}
    unknown: Mapping[str, str] = {}  # by ARN: why AWS gave no report
    kind: Literal["usage"] = "usage"
    version: Literal[1] = 1

    @property
    def since(self) -> str:
        """The day a year before: what was last done earlier counts as not used."""
        return f"{int(self.at[:4]) - 1}{self.at[4:10]}"

    def used(self, arn: str) -> frozenset[str]:
        """Prefixes of the services that it tried to use within the year."""
        return frozenset(prefix for prefix, use in self.services.get(arn, {}).items() if use.last >= self.since)

    def unused(self, arn: str) -> tuple[str, ...]:
        """Action globs of which AWS says that nobody tried them within the year."""
        return tuple(self._unused(arn))

    def _unused(self, arn: str) -> Iterator[str]:
        for prefix, use in self.services.get(arn, {}).items():
            if use.last < self.since:
                yield f"{prefix}:*"
            else:
                yield from (f"{prefix}:{name}" for name, day in use.actions.items() if day < self.since)
