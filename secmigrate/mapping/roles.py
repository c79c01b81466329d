"""What becomes of a role. Its trust policy says in which section, the rules of that section say as what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from msgspec import structs

from secmigrate.iam import Role, Snapshot
from secmigrate.mapping.answers import RoleAnswer
from secmigrate.mapping.entries import Case, check_trusted, entry_of, not_expressible
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.levels import Fit, fit, needed_levels
from secmigrate.mapping.outcomes import Ambiguous, Decision, LeftOut, Mapped, Reading, Unmapped
from secmigrate.mapping.patterns import key_of, matches, span, words
from secmigrate.mapping.reach import reach
from secmigrate.mapping.rules import Catalogue, RoleSection, Rule
from secmigrate.mapping.trust import trust_of
from secmigrate.mapping.waived import NOTHING_WAIVED, Waived
from secmigrate.mapping.weighing import Verdict, contended, judge, weigh
from secmigrate.sec import Assignments, Mark

_KEEPERS = {
    "service-linked": "service-linked: AWS itself makes and keeps it",
    "identity-center": "Identity Center makes and keeps it",
}


def decide_role(
    role: Role,
    snapshot: Snapshot,
    catalogue: Catalogue,
    ladders: Ladders,
    targets: Mapping[str, Assignments],
    answer: RoleAnswer | None,
    waived: Waived = NOTHING_WAIVED,
) -> Decision:
    """What one role becomes; `targets` are the group keys that there will be, with their levels. An answer comes before
    every rule.
    """
    if role.keeper and not _is_let_go(role, snapshot, answer):
        because = _KEEPERS.get(
            role.keeper, f"the {role.keeper} owns it; to move it, read its template too, or answer for it"
        )
        return LeftOut(kind="role", name=role.name, reasons=(because,))
    if answer and answer.leave:
        return LeftOut(kind="role", name=role.name, reasons=(f"left by decision: {answer.leave}",))
    case = Case(
        role=role,
        who=reach(role, snapshot, catalogue.aws_policies),
        trust=trust_of(role.trust, snapshot.account),
        catalogue=catalogue,
        ladders=ladders,
        targets=targets,
        profiles=snapshot.profiles.get(role.name, ()),
        waived=waived,
    )
    section = (answer.section if answer else "") or _section(case)
    if not section:
        return _unmapped(case)
    rules = _gated(case, section)
    verdict = _verdict(case, rules)
    if answer:
        return _answered(case, section, answer, verdict)
    if verdict.winner:
        rule = catalogue.roles[verdict.winner.rule]
        return _mapped(case, section, rule, (verdict.winner.told(), *_trusted(case)), nearly=verdict.nearly)
    if verdict.contenders:
        contenders, nearly = verdict.contenders, verdict.nearly
        return Ambiguous(kind="role", name=role.name, reasons=contended(contenders), readings=contenders, nearly=nearly)
    fallback = next((one for one, _ in rules if not one.become.target and not one.become.mirrors), None)
    unknown = (*_trusted(case), "no rule knows it, so it keeps its own name as key")
    return _mapped(case, section, fallback, unknown, nearly=verdict.nearly)


def _is_let_go(role: Role, snapshot: Snapshot, answer: RoleAnswer | None) -> bool:
    """Whether a person means a role that its stack manages to move: she gave its template, or says what it becomes."""
    told = snapshot.owner(role).startswith(f"{role.keeper} ") or bool(answer and answer.become)
    return role.keeper.startswith("stack ") and told


def _section(case: Case) -> RoleSection | None:
    """By who is trusted: services before accounts, other accounts before one's own; nobody else has a section."""
    if case.trust.services:
        return "service_roles"
    if case.trust.federated and any(_federates(rule, case) for rule in case.catalogue.roles.values()):
        return "service_roles"
    if case.trust.others:
        return "cross_account_roles"
    return "assumable_roles" if case.trust.own else None


def _federates(rule: Rule, case: Case) -> bool:
    return bool(_fitting(rule.match.federated, case.trust.federated))


@lru_cache(maxsize=4096)
def _fitting(globs: tuple[str, ...], names: tuple[str, ...]) -> tuple[str, ...]:
    """The names that fit, glob by glob: most roles trust what others trust too."""
    return tuple([name for glob in globs for name in names if matches(name, glob)])


def _gated(case: Case, section: RoleSection) -> list[tuple[Rule, str]]:
    """The rules of the section whose demands on trust are met, and by what of the trust policy."""
    gates = ((rule, _gate(rule, case)) for rule in case.catalogue.roles.values() if rule.section == section)
    return [(rule, gate) for rule, gate in gates if gate is not None]


def _gate(rule: Rule, case: Case) -> str | None:
    """What of the trust policy fits the rule; empty if the rule asks for nothing, None if it asks in vain."""
    if not rule.match.trusts and not rule.match.federated:
        return ""
    trusted = (
        *_fitting(rule.match.trusts, case.trust.services),
        *(case.trust.federated if _federates(rule, case) else ()),
    )
    return f"trusts {', '.join(trusted)}" if trusted else None


def _verdict(case: Case, gated: Iterable[tuple[Rule, str]]) -> Verdict:
    """As for groups, but a trusted principal that a rule asks for is evidence of its own, and enough."""
    rules = [(rule, gate) for rule, gate in gated if rule.become.target or rule.become.mirrors]
    readings = {one.rule: one for one in weigh((rule for rule, _ in rules), words(case.role.name), case.who)}
    found = []
    for rule, gate in rules:
        said = readings.get(rule.id)
        reading = said or Reading(rule=rule.id, target=rule.become.target, section=rule.section)
        if gate and not reading.against:
            reading = structs.replace(reading, policies_say=(gate, *reading.policies_say))
        if gate and not case.trust.services:
            untrusted = f"SEC's service roles trust a service, so {', '.join(case.trust.federated)} could not assume it"
            reading = structs.replace(reading, against=(*reading.against, untrusted))
        # Where nothing speaks for the rule there is nothing to take back.
        if rule.become.mirrors and (said or gate) and (why := _no_mirror(case)):
            missing = (why,) if reading.name_says else ()
            reading = structs.replace(reading, name_says="", policies_say=(), missing=missing)
        found.append(reading)
    return judge(found)


def _mirrored(case: Case) -> str:
    """The group key that the role's name holds, if that group will be there."""
    name = words(case.role.name)
    found = [
        (at[1] - at[0], key)
        for key in sorted(case.targets)
        if key in case.catalogue.groups
        for glob in _names(case.catalogue.groups[key], key)
        if (at := span(name, glob))
    ]
    return max(found, default=(0, ""))[1]


def _no_mirror(case: Case) -> str:
    """Why the role cannot mirror a group; empty if it can: it needs no level that the group's does not hold."""
    key = _mirrored(case)
    if not key:
        return "mirror a group: its name holds none that is mapped"
    theirs, ladders = case.targets[key], case.ladders
    for service, level in needed_levels(case.who, ladders, case.waived).items():
        if service not in theirs:
            return f"mirror {key}: it needs {service}: {level}, and that group has no {service}"
        if ladders.join(service, (level, theirs[service])) != theirs[service]:
            return f"mirror {key}: it needs {service}: {level}, and that group has {theirs[service]}"
    return ""


def _names(group: Rule, key: str) -> Iterator[str]:
    """What names of roles hold that mirror this group."""
    yield from group.match.names
    yield (spaced := key.replace("_", " "))
    yield _singular(spaced)


def _singular(words_: str) -> str:
    return words_.removesuffix("s")


def _mapped(
    case: Case,
    section: RoleSection,
    rule: Rule | None,
    because: tuple[str, ...],
    *,
    nearly: tuple[Reading, ...],
    answer: RoleAnswer | None = None,
) -> Mapped:
    mirrors = _mirrored(case) if rule and rule.become.mirrors else ""
    found = fit(case.who, rule, case.ladders, answer.levels if answer else None, case.waived)
    target = answer.become if answer else (rule.become.target if rule else "") or key_of(case.role.name)
    if mirrors:
        # The example's own form: `aml_engineer` mirrors `ml_engineers` (ASSUMABLE_ROLES_DESIGN).
        target = answer.become if answer else f"a{_singular(mirrors)}"
        because = (*because, f"mirrors {mirrors}: it will have that group's levels, and none of its own")
        beside = tuple(line for line in found.reasons if line.partition(":")[0] not in case.catalogue.levels)
        found = Fit(assignments={}, managed_policies=found.managed_policies, reasons=beside)
    mark: Mark = rule.mark if rule and (rule.become.target or mirrors) else "U"
    return Mapped(
        kind="role",
        name=case.role.name,
        target=target,
        section=section,
        entry=entry_of(case, section, rule, found, mirrors),
        mark=mark,
        rule=rule.id if rule else "",
        reasons=(*because, *found.reasons, *case.who.notes),
        not_expressible=tuple(dict.fromkeys(not_expressible(case, section, rule))),
        nearly=nearly,
    )


def _answered(case: Case, section: RoleSection, answer: RoleAnswer, verdict: Verdict) -> Mapped:
    key = answer.become
    rule = next(
        (one for one in case.catalogue.roles.values() if one.become.target == key and one.section == section), None
    )
    because: tuple[str, ...] = (f"{key}: a person decided so (decisions.yaml)", *_trusted(case))
    if rule is None:
        because = (*because, f"no rule knows the key {key}, so it carries the mark U")
    check_trusted(case, section, rule)
    return _mapped(case, section, rule, because, nearly=verdict.nearly, answer=answer)


def _trusted(case: Case) -> tuple[str, ...]:
    trust = case.trust
    who = [*trust.services, *trust.federated, *(f"account {one}" for one in trust.others), *trust.own, *trust.unknown]
    return (f"trusted are {', '.join(who)}",) if who else ()


def _unmapped(case: Case) -> Unmapped:
    if case.trust.federated:
        why = f"only the identity provider {', '.join(case.trust.federated)} may assume it, and SEC has no such roles"
    elif case.trust.unknown:
        why = f"it trusts {', '.join(case.trust.unknown)}, which no section of SEC can hold"
    else:
        why = "it trusts nobody"
    return Unmapped(kind="role", name=case.role.name, reasons=(why, *case.who.notes))
