"""What becomes of a group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from msgspec import Struct, structs

from secmigrate.iam import Group, Snapshot
from secmigrate.mapping.answers import GroupAnswer
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.levels import fit
from secmigrate.mapping.outcomes import Ambiguous, Decision, LeftOut, Mapped, Reading, Unmapped
from secmigrate.mapping.patterns import words
from secmigrate.mapping.reach import Reach, reach
from secmigrate.mapping.rules import Catalogue, Rule
from secmigrate.mapping.waived import NOTHING_WAIVED, Waived
from secmigrate.mapping.weighing import Verdict, contended, judge, weigh
from secmigrate.sec import GroupEntry


class _Case(Struct, frozen=True, kw_only=True):
    """One group and all that is needed to decide on it."""

    group: Group
    who: Reach
    catalogue: Catalogue
    ladders: Ladders
    verdict: Verdict
    waived: Waived


def decide_group(
    group: Group,
    snapshot: Snapshot,
    catalogue: Catalogue,
    ladders: Ladders,
    answer: GroupAnswer | None,
    waived: Waived = NOTHING_WAIVED,
) -> Decision:
    """What one group becomes. An answer comes before every rule."""
    if answer and answer.leave:
        return LeftOut(kind="group", name=group.name, reasons=(f"left by decision: {answer.leave}",))
    who = reach(group, snapshot, catalogue.aws_policies)
    verdict = judge(_readings(group, snapshot, catalogue, who))
    case = _Case(group=group, who=who, catalogue=catalogue, ladders=ladders, verdict=verdict, waived=waived)
    nearly = verdict.nearly
    if answer:
        return _answered(case, answer)
    if who.only_denies:
        why = ("it only denies, and a group that only denies has no counterpart in SEC", *who.notes)
        return Unmapped(kind="group", name=group.name, reasons=why, nearly=nearly)
    if verdict.winner:
        return _mapped(
            case, catalogue.groups[verdict.winner.rule], (verdict.winner.told(), *_alone(who, verdict.winner))
        )
    if verdict.contenders:
        contenders = verdict.contenders
        return Ambiguous(
            kind="group", name=group.name, reasons=contended(contenders), readings=contenders, nearly=nearly
        )
    why = ("no rule knows its name, and none its policies", *_uses(who), *who.notes)
    return Unmapped(kind="group", name=group.name, reasons=why, nearly=nearly)


def _readings(group: Group, snapshot: Snapshot, catalogue: Catalogue, who: Reach) -> list[Reading]:
    """What the rules say: by its name; if that says nothing, by its path, or by a tag that its members share."""
    rules = catalogue.groups.values()
    found = weigh(rules, words(group.name), who)
    for said_by, text in _other_names(group, snapshot) if not any(one.name_says for one in found) else ():
        others = weigh(rules, words(text), who, said_by)
        if any(one.name_says for one in others):
            return others
    return found


def _other_names(group: Group, snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    if group.path != "/":
        yield f"path {group.path}", group.path
    members = [snapshot.users[name] for name in snapshot.members.get(group.name, ())]
    shared = Counter((key, value) for user in members for key, value in user.tags.items())
    for (key, value), count in sorted(shared.items()):
        if count > 1 and count == len(members):
            yield f"members' tag {key}", value


def split_group(
    group: Group,
    snapshot: Snapshot,
    catalogue: Catalogue,
    ladders: Ladders,
    answer: GroupAnswer,
    waived: Waived = NOTHING_WAIVED,
) -> tuple[Mapped, ...]:
    """What a group becomes that a person has split: of each new group, what the rule for it has levels for."""
    who, found = reach(group, snapshot, catalogue.aws_policies), []
    verdict = judge(_readings(group, snapshot, catalogue, who))
    for key, members in answer.split.items():
        own = waived | _others_business(key, catalogue, ladders)
        case = _Case(group=group, who=who, catalogue=catalogue, ladders=ladders, verdict=verdict, waived=own)
        part = _answered(case, GroupAnswer(become=key))
        told = f"of its members, {', '.join(members)} (decisions.yaml)"
        found.append(structs.replace(part, members=members, reasons=(*part.reasons, told)))
    return tuple(found)


def _others_business(key: str, catalogue: Catalogue, ladders: Ladders) -> Waived:
    """What the rule of a part has no level for, which the group's other parts are there for."""
    rule = catalogue.groups.get(key)
    if rule is None:
        return NOTHING_WAIVED
    own = 0
    for service in rule.levels:
        own |= ladders.of(service)
    return Waived(actions=ladders.actions.everything & ~own, why=f"{key} is not there for it")


def _mapped(case: _Case, rule: Rule | None, because: tuple[str, ...], answer: GroupAnswer | None = None) -> Mapped:
    found = fit(case.who, rule, case.ladders, answer.levels if answer else None, case.waived)
    return Mapped(
        kind="group",
        name=case.group.name,
        target=rule.id if rule else answer.become if answer else "",
        section="iam_groups",
        entry=GroupEntry(
            description=rule.become.description if rule else f"Takes the place of the group {case.group.name}",
            managed_policies=found.managed_policies,
            policy_assignments=found.assignments,
        ),
        mark=rule.mark if rule else "U",
        rule=rule.id if rule else "",
        reasons=(*because, *found.reasons, *case.who.notes),
        nearly=case.verdict.nearly,
    )


def _answered(case: _Case, answer: GroupAnswer) -> Mapped:
    rule = case.catalogue.groups.get(answer.become)
    because: tuple[str, ...] = (f"{answer.become}: a person decided so (decisions.yaml)",)
    if rule is None:
        because = (*because, f"{answer.become} is none of SEC's groups; whether SEC takes others is unknown (U)")
    return _mapped(case, rule, because, answer)


def _alone(who: Reach, winner: Reading) -> tuple[str, ...]:
    """What to say where only one kind of evidence speaks."""
    if winner.weight == 2:
        return ()
    if not winner.name_says:
        return ("its name says nothing that a rule knows",)
    if not who.everything and not who.aws and not who.unread:
        return ("it allows nothing today, so it is given nothing",)
    return (f"its policies are those of no rule in particular, so its {winner.said_by.split()[0]} alone decides",)


def _uses(who: Reach) -> tuple[str, ...]:
    prefixes = sorted({action.partition(":")[0] for one in who.everything for action in one.allowed})
    if not prefixes:
        return ("it allows nothing",) if not who.unread else (f"not in the inventory: {', '.join(who.unread)}",)
    return (f"it can do something in {', '.join(prefixes[:8])}" + (", …" if len(prefixes) > 8 else ""),)
