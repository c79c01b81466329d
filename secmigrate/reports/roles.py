"""Each old role: who uses it, what becomes of it, and what that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from secmigrate.access import Comparison
from secmigrate.access.assuming import trusted
from secmigrate.access.telling import trustees
from secmigrate.mapping import Decision, Mapped, outcome
from secmigrate.reports.access import Access
from secmigrate.reports.migration import RoleRow

SOME = 12  # people who may assume a role that are named; how many there are is told in any case


def role_rows(
    comparison: Comparison, found: Access, decisions: Sequence[Decision], new: Mapping[str, str]
) -> tuple[RoleRow, ...]:
    """By name; `new` are the names that roles have afterwards."""
    start, teller = comparison.before, found.teller
    decided = {one.name: one for one in decisions if one.kind == "role"}
    changes = {one.name: one for one in found.roles}
    people: dict[str, list[str]] = {}
    for user in sorted(start.users):
        for assumed in comparison.assumed(user):
            people.setdefault(assumed, []).append(user)
    profiles: dict[str, list[str]] = {}
    for profile in sorted(start.instance_profiles.values(), key=lambda one: one.name):
        for held in profile.roles:
            profiles.setdefault(held, []).append(profile.name)
    rows = []
    for name, role in sorted(start.roles.items()):
        one, change = decided.get(name), changes.get(name)
        rows.append(
            RoleRow(
                name=name,
                outcome=outcome(one) if one else "",
                section=one.section if isinstance(one, Mapped) else "",
                new=new.get(name, ""),
                mark=one.mark if isinstance(one, Mapped) else None,
                reasons=one.reasons if one else (),
                trusts=tuple(
                    trustees(
                        (each for each in trusted(role.trust) if each.allows and each.assumes), start, gained=False
                    )
                ),
                people=len(people.get(name, ())),
                some=tuple(people.get(name, ())[:SOME]),
                profiles=tuple(profiles.get(name, ())),
                last_used=role.seen.last_used[:10],
                owner=start.owner(role),
                lost=teller.counted(change.lost) if change else {},
                gained=teller.counted(change.gained) if change else {},
                unsure=teller.counted((*change.may_lose, *change.may_gain)) if change else {},
                raises=tuple(teller.raising(change.gained)) if change else (),
                trust_lost=tuple(trustees(change.trust_lost, start, gained=False)) if change else (),
                trust_gained=tuple(trustees(change.trust_gained, comparison.after, gained=True)) if change else (),
            )
        )
    return tuple(rows)
