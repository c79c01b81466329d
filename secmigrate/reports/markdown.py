"""The report for a pull request: short, in tables; whoever reviews it reads this and opens the HTML for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from secmigrate.access import Accepted
from secmigrate.reports.escaping import code, prose
from secmigrate.reports.migration import Counts, Report, Way
from secmigrate.reports.words import STATES, STEPS, counted, figures, many, verdict

MOST = 12  # rows of a table; the HTML has them all
SHOWN = 3  # people of a change that are named


def markdown(told: Report) -> Iterator[bytes]:
    """All lines, as GitHub and others show them."""
    yield ("\n".join(_lines(told)).rstrip() + "\n").encode()


def _lines(told: Report) -> Iterator[str]:
    yield f"# Migration of account {code(told.account)} to SEC"
    yield from ("", f"**{prose(verdict(told))}**", "")
    yield from table(
        ("step", "state"), ((prose(STEPS.get(one.step, one.step)), prose(STATES[one.state])) for one in told.steps)
    )
    for gap in told.not_read:
        yield f"- **not read**: {prose(gap)}"
    yield from section("Not known yet", (f"- {prose(one.what)}: {code(one.hint)}" for one in told.unknown))
    if told.tier:
        yield from section(f"Tier {prose(told.tier.version)}", (f"- {prose(reason)}" for reason in told.tier.reasons))
    yield from _groups(told)
    if told.mapped:
        yield from _people(told)
    yield from _roles(told)
    yield from _plans(told)
    gone = (f"- {prose(one.what)} ({_some(one.subjects)})" for one in told.gone)
    yield from section("Done, and will not come back", gone)
    yield from _assumptions(told)
    yield from _runs(told)
    yield from ("", f"Made from inventory {code(told.made_from.inventory[:12])}{_config(told)}.")


def _config(told: Report) -> str:
    one = told.made_from
    return f" and config {code(one.config)} ({code(one.config_sha256[:12])})" if one.config else ""


def _groups(told: Report) -> Iterator[str]:
    def row(number: int) -> Sequence[str]:
        one = told.groups[number]
        first = prose(one.reasons[0]) if one.reasons else ""
        becomes = code(one.new) if one.new else f"stays: {prose(one.outcome)}" if one.outcome else "not decided"
        levels = ", ".join(f"{service} {level}" for service, level in one.levels.items())
        gets = "; ".join(part for part in (levels, ", ".join(one.managed_policies)) if part)
        return code(one.name), str(one.people), becomes, prose(gets) if one.new else first

    yield from heading(many(len({one.name for one in told.groups}), "group"))
    yield from table(("group", "people", "becomes", "with, or why not"), map(row, range(len(told.groups))), MOST)


def _people(told: Report) -> Iterator[str]:
    found = figures(told)
    yield from heading(many(found.users, "user"))
    rows = (
        ("keep exactly what they have", found.same),
        ("lose, or may lose, what nobody has accepted", found.open),
        ("lose, or may lose, what is accepted", found.accepted),
        ("gain something", found.gain),
        ("gain what raises privilege", found.raised),
        ("may lose or gain, unsure", found.unsure),
    )
    yield from table(("", "users"), ((what, str(number)) for what, number in rows))
    open_ways = [way for way in told.ways if way.open]
    if open_ways:
        yield from ("", "Nobody has accepted yet:", "")
        yield from table(("users", "lose", "may lose", "roles"), map(_open, open_ways), MOST)
    for n, one in enumerate(told.accept, 1):
        what, whose = (", ".join(map(code, names)) for names in (one.actions, one.users))
        yield from ("", f"Accepted ({n}): {what} for {whose}: {prose(one.why)}{_by(one)}")


def _open(way: Way) -> Sequence[str]:
    roles = [] if way.roles_accepted else [*way.roles.lost, *(f"{name}?" for name in way.roles.unsure)]
    return _whom(way.people), _counts(way.lost), _counts(way.may_lose), ", ".join(map(code, roles[:6]))


def _roles(told: Report) -> Iterator[str]:
    by_outcome = {
        word: sum(one.outcome == word for one in told.roles) for word in ("mapped", "ambiguous", "unmapped", "left-out")
    }
    said = ", ".join(f"{number} {word}" for word, number in by_outcome.items() if number)
    yield from section(many(len(told.roles), "role"), [said or "Nothing is decided yet."])
    asked = [one for one in told.roles if one.outcome in ("ambiguous", "unmapped")]
    if asked:
        yield ""
        yield from table(
            ("role", "outcome", "why"), ((code(one.name), one.outcome, prose(one.reasons[0])) for one in asked), MOST
        )
    losing = [one for one in told.roles if one.lost or one.trust_lost]
    if losing:
        yield ""
        rows = (
            (code(one.name), code(one.new) or "nothing", _counts(one.lost), prose("; ".join(one.trust_lost[:4])))
            for one in losing
        )
        yield from table(("role", "becomes", "loses", "may not assume it any more"), rows, MOST)


def _plans(told: Report) -> Iterator[str]:
    for one in told.plans:
        calls = ", ".join(f"{number} {phase}" for phase, number in one.calls.items()) or "nothing to do"
        yield from section(f"Plan {one.name}", [f"{prose(calls)}; {one.destructive} take something away."])
        yield from (f"- {code(danger.code)}: {prose(danger.message)}" for danger in one.dangers)
        yield from (f"- will not come back: {prose(caveat.what)} ({_some(caveat.subjects)})" for caveat in one.caveats)


def _assumptions(told: Report) -> Iterator[str]:
    asked = [one for one in told.assumptions if one.mark != "C"]
    if asked:
        yield from section(
            "Assumed about the SEC Provisioner", ["I: inferred. U: nobody outside of the vendor knows.", ""]
        )
        yield from table(
            ("mark", "what", "where"), ((one.mark, prose(one.what), prose(one.where)) for one in asked), MOST
        )


def _runs(told: Report) -> Iterator[str]:
    if told.runs:
        yield from heading("What was done")
        yield from table(
            ("from", "to", "what", "by", "calls", "ended"),
            (
                (
                    code(one.started),
                    code(one.last),
                    one.name,
                    code(one.by),
                    f"{one.changed + one.found} of {one.calls}",
                    one.ended or "not",
                )
                for one in told.runs
            ),
            MOST,
        )


def heading(title: str) -> Iterator[str]:
    """A part begins."""
    yield from ("", f"## {title}", "")


def section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """Nothing if there are no lines."""
    if found := list(lines):
        yield from (*heading(title), *found)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], most: int = 0) -> Iterator[str]:
    """A table of at most so many rows; 0: all."""
    every = list(rows)
    shown = every if not most or len(every) <= most + 1 else every[:most]
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in shown)
    if len(shown) < len(every):
        yield from ("", f"and {len(every) - len(shown)} more, in report.html")


def _whom(names: Sequence[str]) -> str:
    return _some(names) + (f" ({len(names)})" if len(names) > 1 else "")


def _some(names: Sequence[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(map(code, names if rest <= 1 else names[:SHOWN])) + (f" and {rest} more" if rest > 1 else "")


def _counts(counts: Counts) -> str:
    return prose(counted(counts, 6))


def _by(one: Accepted) -> str:
    return f" ({prose(one.by)})" if one.by else ""
