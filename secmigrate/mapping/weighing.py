"""How far a rule speaks for a thing. Two kinds of evidence, its name and its policies; each weighs one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from secmigrate.mapping.outcomes import Reading
from secmigrate.mapping.patterns import Span, matches, overlap, spans
from secmigrate.mapping.reach import Actions, Reach, service_of
from secmigrate.mapping.rules import Conditions, Rule

Lines = tuple[str, ...]


class Verdict(Struct, frozen=True):
    """Readings, sorted out: one winner, or several that contend, or neither. `nearly` are the others worth telling."""

    winner: Reading | None
    contenders: tuple[Reading, ...]
    nearly: tuple[Reading, ...]


def weigh(rules: Iterable[Rule], name: Sequence[str], who: Reach, said_by: str = "name") -> list[Reading]:
    """One reading for each rule that has something to say; `name` is the words of what `said_by` tells."""
    rules = tuple(rules)
    claims = [(rule, _claim(rule, name)) for rule in rules]
    claimed = [found[0] for _, found in claims if found]
    met = _met(rules, who)
    readings = []
    for rule, claim in claims:
        # `ops` in `ml-ops` is no claim beside the `mlops` that holds it.
        fits = claim if claim and not any(_holds(other, claim[0]) for other in claimed) else None
        said, missing = _policies(rule.match, who, met)
        name_says = fits[1] if fits else ""
        against = tuple(_against(rule.match.forbid, name, who, met)) if name_says or said else ()
        # Of what policies alone say, a rule that needs a name hears nothing.
        heard = said if not against and (name_says or not rule.match.name_needed) else ()
        near = missing if len(missing) < len(rule.match.can) else ()
        if name_says or heard or against or near:
            readings.append(
                Reading(
                    rule=rule.id,
                    target=rule.become.target,
                    section=rule.section,
                    name_says=name_says,
                    said_by=said_by,
                    policies_say=heard,
                    against=against,
                    missing=near,
                )
            )
    return readings


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


def _claim(rule: Rule, name: Sequence[str]) -> tuple[Span, str] | None:
    return max(spans(name, rule.match.names), key=lambda one: one[0][1] - one[0][0], default=None)


def _holds(outer: Span, inner: Span) -> bool:
    return outer != inner and outer[0] <= inner[0] and inner[1] <= outer[1]


def _policies(wanted: Conditions, who: Reach, met: Collection[str]) -> tuple[Lines, Lines]:
    """The lines that the policies meet if they meet enough of them, and those that they do not."""
    if attached := _attached(wanted, who):
        return tuple([f"has {name}" for name in attached]), ()
    missing = tuple([line for line in wanted.can if line not in met])
    return ((), missing) if missing else (tuple([f"can {line}" for line in wanted.can]), ())


def _against(forbid: Conditions, name: Sequence[str], who: Reach, met: Collection[str]) -> Iterable[str]:
    yield from (f"its name says {glob}" for _, glob in spans(name, forbid.names))
    yield from (f"it has {one}" for one in _attached(forbid, who))
    yield from (f"it can {line}" for line in forbid.can if line in met)


def _attached(wanted: Conditions, who: Reach) -> list[str]:
    return [name for glob in wanted.attached for name in who.aws if matches(name, glob)]


def _met(rules: Iterable[Rule], who: Reach) -> Collection[str]:
    """The lines of the rules that somebody's policies meet."""
    lines = tuple([line for rule in rules for line in (*rule.match.can, *rule.match.forbid.can)])
    return {line for one in who.everything for line in _met_by(one, lines)} if lines else ()


@lru_cache(maxsize=16_384)
def _met_by(actions: Actions, lines: Lines) -> Lines:
    """The lines that one document meets: most documents are those of many."""
    if actions.all_but or "*" in actions.by_service:
        return tuple([line for pairs in _asked(lines).values() for line, glob in pairs if actions.touches(glob)])
    met: list[str] = []
    for service, pairs in _asked(lines).items():
        row = actions.allowed if service == "*" else actions.by_service.get(service)
        if row:
            met += [line for line, glob in pairs if any(overlap(action, glob) for action in row)]
    return tuple(met)


@lru_cache(maxsize=1024)
def _asked(lines: Lines) -> Mapping[str, list[tuple[str, str]]]:
    """The lines, each with its alternatives, by the service that these name; under `*` those of any service."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        for glob in line.split("|"):
            found.setdefault(service_of(glob.strip()), []).append((line, glob.strip()))
    return found
