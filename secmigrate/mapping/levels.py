"""Which levels answer for what somebody can do, and what is left over.

Actions are compared, resources are not yet: where several levels allow the same actions, the lower one is taken and
the reason says so (sec-provisioner 4: "when unsure choose the lower level and flag it").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from secmigrate.iam import Document
from secmigrate.mapping.patterns import covered, inside, matches
from secmigrate.mapping.reach import Actions, Reach, listed
from secmigrate.mapping.rules import ManagedPolicy, Rule
from secmigrate.sec import Levels, Service


class Fit(Struct, frozen=True, kw_only=True):
    """What somebody's policies come to in SEC's terms, and the reasons for it."""

    assignments: Mapping[str, str]
    managed_policies: tuple[str, ...]
    reasons: tuple[str, ...]


def fit(who: Reach, rule: Rule | None, levels: Levels, fixed: Mapping[str, str] | None = None) -> Fit:
    """The levels and AWS managed policies for what somebody can do.

    `rule` decides where several levels fit, and brings managed policies; `fixed` are levels that a person chose.
    """
    own_levels = rule is None or rule.become.services == "own"
    replaced = {name for name in who.aws if own_levels and _replacing(name, levels)}
    reasons: list[str] = []
    assignments: dict[str, str] = {}
    for service in levels.values() if own_levels else ():
        chosen = _level(service, who, rule, reasons)
        if chosen:
            assignments[service.id] = chosen
    for service_id, level in sorted((fixed or {}).items()):
        assignments[service_id] = level
        reasons.append(f"{service_id}: {level} because a person decided so")
    carried = [name for name in who.aws if name not in replaced]
    remaining = _remaining(who, carried, replaced, assignments, levels)
    added = _added(remaining, rule, who)
    reasons += [_carried_reason(name, who) for name in carried]
    reasons += [
        f"{policy.name} is added: it answers for {', '.join(actions)}, and allows more" for policy, actions in added
    ]
    lost = [action for action in remaining if not any(action in actions for _, actions in added)]
    if lost:
        reasons.append(f"not carried over: {_by_service(lost)}; neither a level nor an AWS managed policy covers it")
    return Fit(
        assignments=dict(sorted(assignments.items())),
        managed_policies=tuple(sorted({*carried, *(policy.name for policy, _ in added)})),
        reasons=tuple(reasons),
    )


def join(service: Service, wanted: Iterable[str]) -> str:
    """The lowest level that allows all that these levels allow."""
    keys = set(wanted)
    if len(keys) == 1:
        return keys.pop()
    documents = {key: level.document for key, level in service.levels.items()}
    holding = [key for key in documents if all(_within(documents[one], documents[key]) for one in keys)]
    return _narrowest(service, holding)[0] if holding else list(service.levels)[-1]


def actions_of(document: Document) -> tuple[str, ...]:
    """All action globs that a document allows."""
    return tuple(
        action
        for statement in document.statements
        if statement.get("Effect") == "Allow"
        for action in listed(statement.get("Action"))
    )


def _level(service: Service, who: Reach, rule: Rule | None, reasons: list[str]) -> str:
    """The level for one service, if it is used at all; what led to it is added to `reasons`."""
    expected = rule.levels.get(service.id, "") if rule else ""
    used = who.own
    for name, actions in who.aws.items():
        if any(matches(name, glob) for glob in service.replaces):
            used += actions
    needed = tuple(sorted({action for prefix in service.prefixes for action in used.of(prefix)}))
    if not needed:
        return _unread_level(service, who, expected, reasons)
    fitting = [key for key, level in service.levels.items() if _answers(level.document, needed, service.probes)]
    if not fitting:
        fitting = list(service.levels)[:1]
        reasons.append(f"{service.id}: no level covers {_some(needed)}; chosen lower")
    narrowest = _narrowest(service, fitting)
    chosen = expected if expected in narrowest else narrowest[0]
    reasons.append(
        f"{service.id}: {chosen} ({service.levels[chosen].name}) covers {_some(needed)}"
        + (f"; {' and '.join(one for one in narrowest if one != chosen)} would too" if len(narrowest) > 1 else "")
    )
    wider = [key for key in fitting if key not in narrowest]
    anywhere = sorted({action for prefix in service.prefixes for action in used.unlimited().of(prefix)})
    limited = [action for action in anywhere if not _everywhere(service, chosen, action)]
    if wider and limited:
        reasons.append(
            f"chosen lower: {service.id} {chosen}, not {wider[-1]}: today {_some(limited)} hold on every resource, in "
            f"{chosen} only on those named for the project or for its development"
        )
    return chosen


def _unread_level(service: Service, who: Reach, expected: str, reasons: list[str]) -> str:
    """The level where a policy document could not be read: the rule's, or the lowest."""
    unread = [arn.rsplit("/", 1)[1] for arn in who.unread]
    names = [name for name in unread if any(matches(name, glob) for glob in service.replaces)]
    if names:
        chosen = expected or next(iter(service.levels))
        how = "the rule's level" if expected else "chosen lower"
        reasons.append(f"{service.id}: {chosen}, {how}: the document of {', '.join(names)} is not in the inventory")
        return chosen
    customer = [arn for arn in who.unread if arn.rsplit("/", 1)[1] not in who.aws]
    if expected and customer:
        reasons.append(f"{service.id}: {expected}, the rule's level: {', '.join(customer)} could not be read")
        return expected
    return ""


def _remaining(
    who: Reach, carried: Iterable[str], replaced: Iterable[str], assignments: Mapping[str, str], levels: Levels
) -> list[str]:
    """What is allowed today and by nothing that goes along."""
    today = who.own
    for name in replaced:
        today += who.aws[name]
    granted = Actions()
    for name in carried:
        granted += who.aws[name]
    given = [
        (action, levels[service].probes)
        for service, level in assignments.items()
        for action in actions_of(levels[service].levels[level].document)
    ]
    globs = [action for action, _ in given]
    probes = [probe for service in assignments for probe in levels[service].probes]
    everything_but = [f"everything but {', '.join(excluded)}" for excluded in today.all_but]
    return [
        action for action in today.allowed if not granted.holds(action) and not covered(action, globs, probes)
    ] + everything_but


def _added(remaining: Sequence[str], rule: Rule | None, who: Reach) -> list[tuple[ManagedPolicy, list[str]]]:
    """The rule's managed policies that answer for what remains: for each action the first, and none twice."""
    found: dict[str, tuple[ManagedPolicy, list[str]]] = {}
    offered = [policy for policy in rule.become.managed_policies if policy.name not in who.aws] if rule else []
    for action in remaining:
        policy = next((one for one in offered if any(inside(action, glob) for glob in one.actions)), None)
        if policy:
            found.setdefault(policy.name, (policy, []))[1].append(action)
    return list(found.values())


def _carried_reason(name: str, who: Reach) -> str:
    path = who.paths.get(name, "")
    note = f" (U: its path {path} is left out, and how SEC finds such a name is unknown)" if path else ""
    return f"{name} goes along as it is{note}"


def _replacing(name: str, levels: Levels) -> bool:
    return any(matches(name, glob) for service in levels.values() for glob in service.replaces)


@lru_cache(maxsize=4096)
def _answers(document: Document, needed: tuple[str, ...], probes: tuple[str, ...]) -> bool:
    globs = actions_of(document)
    return all(covered(action, globs, probes) for action in needed)


def _everywhere(service: Service, level: str, action: str) -> bool:
    """Whether the level allows the action on resources of any name."""
    globs = [
        glob
        for statement in service.levels[level].document.statements
        if any("project}" not in resource for resource in listed(statement["Resource"]))
        for glob in listed(statement["Action"])
    ]
    return covered(action, globs, service.probes)


def _narrowest(service: Service, keys: Sequence[str]) -> list[str]:
    """Those that hold no other of them. Levels are compared by what they allow, never by their numbers."""
    documents = {key: service.levels[key].document for key in keys}
    return [
        key
        for key in keys
        if not any(
            _within(documents[other], documents[key]) and not _within(documents[key], documents[other])
            for other in keys
        )
    ]


@lru_cache(maxsize=4096)
def _within(inner: Document, outer: Document) -> bool:
    """Whether the one document allows nothing that the other does not; conditions count as equal.

    Resources are still templates: `${dev_project}` lies in `*` and in itself, which is all that is needed here.
    """
    wide = [
        (action, resource)
        for statement in outer.statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    ]
    return all(
        any(inside(action, act) and inside(resource, res) for act, res in wide)
        for statement in inner.statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    )


def _some(actions: Sequence[str], most: int = 3) -> str:
    rest = len(actions) - most
    return ", ".join(actions[:most]) + (f" and {rest} more" if rest > 0 else "")


def _by_service(actions: Iterable[str]) -> str:
    """Actions by their service's prefix: `athena (3 actions), kms (kms:Decrypt)`."""
    rows: dict[str, list[str]] = {}
    for action in actions:
        rows.setdefault(action.partition(":")[0] if ":" in action else action, []).append(action)
    return ", ".join(
        f"{prefix} ({found[0] if len(found) == 1 else f'{len(found)} actions'})" if ":" in found[0] else prefix
        for prefix, found in sorted(rows.items())
    )
