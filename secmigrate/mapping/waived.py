"""What levels need not cover of what somebody may do, and why: nobody did it for a year, or a split leaves it out."""

from __future__ import annotations

from msgspec import Struct

from secmigrate.access import ActionCatalogue
from secmigrate.iam import UNTRACKED, Principal, Snapshot, Usage


class Waived(Struct, frozen=True, kw_only=True):
    """Actions that levels need not cover, and why; `told` is what else there is to say."""

    actions: int = 0
    why: str = ""
    told: str = ""

    def __or__(self, other: Waived) -> Waived:
        return Waived(
            actions=self.actions | other.actions,
            why=", or ".join(one for one in (self.why, other.why) if one),
            told="; ".join(one for one in (self.told, other.told) if one),
        )


NOTHING_WAIVED = Waived()


def unused(who: Principal, snapshot: Snapshot, usage: Usage | None, actions: ActionCatalogue) -> Waived:
    """What one group or role did not use for a year, by AWS's report. It says nothing of what is younger."""
    if usage is None:
        return NOTHING_WAIVED
    arn, without = snapshot.arn(who), "its levels cover all that it can do"
    if arn in usage.unknown:
        return Waived(told=f"{without}: AWS has no report on its use ({usage.unknown[arn]})")
    if arn not in usage.services:
        return Waived(told=f"{without}: usage.json has no report on its use")
    if who.seen.created[:10] > usage.since:
        return Waived(told=f"{without}: it was made on {who.seen.created[:10]}, so there is no year of use")
    bits = actions.bits_of(usage.unused(arn)) & ~actions.bits_of(UNTRACKED)
    return Waived(actions=bits, why=f"nobody tried it since {usage.since}")
