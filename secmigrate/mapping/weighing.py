"""How far a rule speaks for a thing. Two kinds of evidence, its name and its policies; each weighs one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from secmigrate.mapping.outcomes import Reading
from secmigrate.mapping.patterns import Span, matches, span
from secmigrate.mapping.reach import Reach
from secmigrate.mapping.rules import Conditions, Rule


class Verdict(Struct, frozen=True):
    """Readings, sorted out: one winner, or several that contend, or neither. `nearly` are the others worth telling."""

    winner: Reading | None
    contenders: tuple[Reading, ...]
    nearly: tuple[Reading, ...]


def weigh(rules: Iterable[Rule], name: Sequence[str], who: Reach, said_by: str = "name") -> list[Reading]:
    """One reading for each rule that has something to say; `name` is the words of what `said_by` tells."""
    claims = {rule.id: (rule, _claim(rule, name)) for rule in rules}
    spans = [found[0] for _, found in claims.values() if found]
    readings = []
    for rule, claim in claims.values():
        # `ops` in `ml-ops` is no claim beside the `mlops` that holds it.
        fits = claim if claim and not any(_holds(other, claim[0]) for other in spans) else None
        readings.append(structs.replace(_reading(rule, fits[1] if fits else "", name, who), said_by=said_by))
    return [one for one in readings if one.name_says or one.policies_say or one.against or one.missing]


def judge(readings: Sequence[Reading]) -> Verdict:
    """The heaviest reading wins. Equal weights contend, and so does a name that something forbids.

    So a name that says one thing and policies that say another are both told, and a person decides.
    """
    speaking = [one for one in readings if one.weight]
    most = max((one.weight for one in speaking), default=0)
    heaviest = [one for one in speaking if one.weight == most]
    # Where something speaks, only what speaks too is worth telling; otherwise also what lacks one line.
    others = [one for one in readings if one not in heaviest and (one.weight or (not speaking and _is_near(one)))]
    nearly = tuple(sorted(others, key=lambda one: (-one.weight, one.rule)))
    if len(heaviest) == 1 and not heaviest[0].against:
        return Verdict(heaviest[0], (), nearly)
    return Verdict(None, tuple(sorted(heaviest, key=lambda one: one.rule)), nearly)


def contended(contenders: Sequence[Reading]) -> tuple[str, ...]:
    """Why nobody won, in text lines."""
    readings = tuple(one.told() for one in contenders)
    if len(readings) == 1:
        return (*readings, "that is a contradiction, so a person decides")
    return (*readings, "these speak for it with equal weight, so a person decides")


def _is_near(reading: Reading) -> bool:
    """All lines but one are met, and nothing is against it."""
    return len(reading.missing) == 1 and not reading.against


def _reading(rule: Rule, name_says: str, name: Sequence[str], who: Reach) -> Reading:
    against = tuple(_against(rule.match.forbid, name, who))
    said, missing = _policies(rule.match, who)
    # Of what policies alone say, a rule that needs a name hears nothing.
    heard = said if not against and (name_says or not rule.match.name_needed) else ()
    return Reading(
        rule=rule.id,
        target=rule.become.target,
        section=rule.section,
        name_says=name_says,
        policies_say=heard,
        against=against if name_says or said else (),
        missing=missing if missing and len(missing) < len(rule.match.can) else (),
    )


def _claim(rule: Rule, name: Sequence[str]) -> tuple[Span, str] | None:
    found = [(at, glob) for glob in rule.match.names if (at := span(name, glob))]
    return max(found, key=lambda one: one[0][1] - one[0][0], default=None)


def _holds(outer: Span, inner: Span) -> bool:
    return outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1]


def _policies(wanted: Conditions, who: Reach) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The lines that the policies meet if they meet enough of them, and those that they do not."""
    attached = tuple(f"has {name}" for glob in wanted.attached for name in who.aws if matches(name, glob))
    met = tuple(line for line in wanted.can if _can(line, who))
    missing = tuple(line for line in wanted.can if line not in met)
    if attached:
        return attached, ()
    return (tuple(f"can {line}" for line in met), ()) if met and not missing else ((), missing)


def _against(forbid: Conditions, name: Sequence[str], who: Reach) -> Iterable[str]:
    yield from (f"its name says {glob}" for glob in forbid.names if span(name, glob))
    yield from (f"it has {one}" for glob in forbid.attached for one in who.aws if matches(one, glob))
    yield from (f"it can {line}" for line in forbid.can if _can(line, who))


def _can(line: str, who: Reach) -> bool:
    return any(who.everything.touches(glob.strip()) for glob in line.split("|"))
