"""Which tier the mapped things need (sec-provisioner 3.2 and 13)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from secmigrate.errors import BadInput
from secmigrate.mapping.outcomes import Decision, Mapped, mapped
from secmigrate.mapping.rules import Catalogue
from secmigrate.sec import Section, Tier

# The guide's own table, step 3, by the number of existing groups. It overlaps at 5 and at 10; the lower tier is taken.
_GUIDE = ((5, "startup"), (10, "medium"))
_GUIDE_ABOVE = "enterprise"


class TierChoice(Struct, frozen=True, kw_only=True):
    """The tier, and why this one."""

    tier: Tier
    reasons: tuple[str, ...]


def choose_tier(decided: Iterable[Decision], catalogue: Catalogue, wanted: str = "auto") -> TierChoice:
    """The lowest tier that holds every mapped group and has room for the cross-account roles; or the `wanted` one.

    Raises BadInput if there is no such tier, or if the wanted one lacks what is mapped.
    """
    decisions = tuple(decided)
    targets = mapped(decisions)
    groups = sorted({key for section, key in targets if section == "iam_groups"})
    cross = sum(section == "cross_account_roles" for section, _ in targets)
    needs = [
        *((key, catalogue.groups[key].tier) for key in groups if key in catalogue.groups),
        *_cross_account(cross, catalogue),
    ]
    order = list(catalogue.tiers)
    lowest = max((tier for _, tier in needs), key=order.index, default=order[0])
    if wanted != "auto":
        return _wanted(wanted, needs, catalogue)
    decisive = [what for what, tier in needs if tier == lowest]
    reasons = [
        f"{catalogue.tiers[lowest].version} is the lowest tier that holds "
        + (", ".join(decisive) if decisive and lowest != order[0] else "all that is mapped"),
        *_lower(lowest, targets, cross, catalogue),
        *_own_keys(groups, catalogue),
        _guide(sum(one.kind == "group" for one in decisions), lowest),
    ]
    return TierChoice(tier=catalogue.tiers[lowest], reasons=tuple(reasons))


def _cross_account(count: int, catalogue: Catalogue) -> list[tuple[str, str]]:
    if not count:
        return []
    roomy = [tier.name for tier in catalogue.tiers.values() if tier.counts.cross_account_roles >= count]
    return [
        (
            f"{count} cross-account roles" if count > 1 else "a cross-account role",
            (roomy or list(catalogue.tiers)[-1:])[0],
        )
    ]


def _lower(
    lowest: str, targets: Mapping[tuple[Section, str], tuple[Mapped, ...]], cross: int, catalogue: Catalogue
) -> list[str]:
    """What would have to change for the next lower tier."""
    order = list(catalogue.tiers)
    if lowest == order[0]:
        return []
    lower = catalogue.tiers[order[order.index(lowest) - 1]]
    keys = sorted(key for section, key in targets if section == "iam_groups" and key in catalogue.groups)
    changes = [
        f"{_and([one.name for one in targets['iam_groups', key]])} became something else than {key}"
        for key in keys
        if order.index(catalogue.groups[key].tier) > order.index(lower.name)
    ]
    room = lower.counts.cross_account_roles
    if cross > room:
        changes.append(f"{cross - room} of {cross} cross-account roles were left out")
    return [f"{lower.version} would do if {_and(changes)}"]


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _wanted(wanted: str, needs: list[tuple[str, str]], catalogue: Catalogue) -> TierChoice:
    if wanted not in catalogue.tiers:
        hint = f"one of auto, {', '.join(catalogue.tiers)}"
        raise BadInput(f"there is no tier {wanted!r}", where="--tier", hint=hint)
    order = list(catalogue.tiers)
    lacking = [f"{what} ({tier})" for what, tier in needs if order.index(tier) > order.index(wanted)]
    if lacking:
        raise BadInput(
            f"the tier {wanted} does not hold {', '.join(lacking)}",
            where="--tier",
            hint="choose a higher tier, or leave these out: decisions.yaml, or --skip group:NAME",
        )
    return TierChoice(tier=catalogue.tiers[wanted], reasons=(f"{catalogue.tiers[wanted].version} was asked for",))


def _own_keys(groups: list[str], catalogue: Catalogue) -> list[str]:
    own = [key for key in groups if key not in catalogue.group_keys]
    return [f"{', '.join(own)} is in no tier; whether SEC takes groups of one's own is unknown (U)"] if own else []


def _guide(count: int, lowest: str) -> str:
    """The guide's table beside our choice."""
    by_count = next((tier for most, tier in _GUIDE if count <= most), _GUIDE_ABOVE)
    groups = "1 existing group makes" if count == 1 else f"{count} existing groups make"
    told = f"by the guide's table, {groups} it {by_count}"
    if by_count == lowest:
        return f"{told} too"
    return f"{told}; what the groups become counts here, not how many there are"
