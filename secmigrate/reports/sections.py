"""The parts of the HTML report, as HTML. All that comes from the account passes `markup`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from secmigrate.access import Accepted
from secmigrate.reports.escaping import markup
from secmigrate.reports.flow import flow_picture
from secmigrate.reports.html import Section, capital, code, codes, items, number, table, td, th
from secmigrate.reports.migration import GroupRow, PlanRow, Report, Run
from secmigrate.reports.words import STATES, STEPS, figures, many, verdict

MARKS = {"C": "certain", "I": "inferred", "U": "unknown"}
STAYS = {
    "": "not decided",
    "unmapped": "stays: no rule fits",
    "ambiguous": "stays: undecided",
    "left-out": "stays: left out",
}
_WEIGHT = {"plan": "blocks the plan", "subjects": "left out of the plan", "nothing": "to know"}
_ENDED = {
    "done": "done",
    "waiting": "waits for the provisioner",
    "stopped": "stopped before a phase",
    "failed": "failed",
    "": "did not come to its end",
}
_OUTSIDE = (
    "Compared is what identity policies allow: those of groups, of users themselves, permissions boundaries, and roles "
    "one step away. Resource policies, service control policies and session policies are outside of it."
)
_FIGURES = (
    "Each different change once, with the people to whom it happens; what nobody has accepted comes first. Figures are "
    "actions; one counts also if only some of its resources are concerned."
)
_MARKS_SAID = (
    "C: the vendor’s documentation says so. I: inferred from it. U: nobody outside of the vendor knows, it is our "
    "assumption. Look at U and I before you deploy."
)
_SAVED = "<p>Each plan as it was saved last. What it takes away, it takes away when it is carried out.</p>"
_BANDS = "Bands are as thick as the users are many. Who is in several groups is in several bands."


def sections(told: Report) -> list[Section]:
    """Those that have something to say, in order."""
    every = (
        Section("summary", "Where it stands", "".join(_summary(told))),
        Section("groups", "Groups", "".join(_groups(told))),
        Section("people", "People", _listing("people", "People", "a name or a group")),
        Section("changes", "What changes", "".join(_changes(told)) if told.ways else ""),
        Section("roles", "Roles and who uses them", _listing("roles", "Roles", "a role or who uses it")),
        Section("tier", "The tier", "".join(_tier(told))),
        Section("plans", "What is planned, what stays", _SAVED + "".join(map(_plan, told.plans)) if told.plans else ""),
        Section("back", "What will not come back", "".join(_back(told))),
        Section("assumed", "What is assumed about SEC", "".join(_assumed(told))),
        Section("journal", "What was done", _journal(told.runs)),
        Section("owners", "Who manages what", "".join(_owners(told))),
        Section("signature", "Signature", _signature(told)),
    )
    return [one for one in every if one.content]


def made_from(told: Report) -> str:
    """What identifies the files that it tells of."""
    one = told.made_from
    parts = [f"inventory {code(one.inventory)}"]
    parts += [f"config {code(one.config)} (SHA-256 {code(one.config_sha256)})"] * bool(one.config)
    parts += [f"journals until {_time(one.until)}"] * bool(one.until)
    return f"Made from {', '.join(parts)}. The same files give the same report."


def _listing(name: str, what: str, hint: str) -> str:
    """A place that the script fills."""
    return f'<div class="list" id="{name}-list" data-what="{what}" data-hint="{hint}"></div>'


def _summary(told: Report) -> Iterator[str]:
    rows = [
        (th(STEPS.get(one.step, markup(one.step))), td(STATES[one.state]), td(_note(one.state, one.why)))
        for one in told.steps
    ]
    kinds = [one.state for one in told.steps]
    yield table("The steps, by the files of this workspace", ("Step", "State", "Note"), rows, "steps", kinds)
    if told.not_read:
        yield f'<div class="warn"><h3>Not read</h3>{items(told.not_read)}'
        yield "<p>No plan is made from an incomplete inventory.</p></div>"
    if told.unknown:
        lines = (f"<li>{capital(markup(one.what))}: {code(one.hint)}</li>" for one in told.unknown)
        yield f"<h3>Not known yet</h3><ul>{''.join(lines)}</ul>"
    if told.mapped:
        yield from _figures(told)


def _note(state: str, why: str) -> str:
    """What a step waits for; what it does is said already."""
    return markup(why) if state in ("next", "blocked") or "secmigrate" in why else ""


def _figures(told: Report) -> Iterator[str]:
    found = figures(told)
    counted = (
        ("users", found.users, "all"),
        ("keep exactly what they can do", found.same, "same"),
        ("of these, only the groups change", found.only_groups, "groups"),
        ("lose, or may lose, what nobody has accepted", found.open, "open"),
        ("lose, or may lose, what is accepted", found.accepted, "accepted"),
        ("gain something", found.gain, "gain"),
        ("gain something that raises privilege", found.raised, "raises"),
        ("may lose or gain, unsure", found.unsure, "unsure"),
    )
    rows = [
        (
            number(people),
            th(f'<a href="#people/{kind}">{words}</a>' if people else words),
        )
        for words, people, kind in counted
    ]
    caption = "Users, by what becomes of their access; one may be in several rows"
    yield table(caption, ("=Users", "who"), rows, "figures")
    yield f'<p class="note">{_OUTSIDE} Actions are AWS’s own: {markup(told.made_from.catalogue)}.</p>'


def _groups(told: Report) -> Iterator[str]:
    if told.flows:
        yield '<figure><div class="wide" tabindex="0" role="region" aria-label="Flow picture">'
        yield f"{flow_picture(told.flows)}</div><figcaption>{_BANDS}</figcaption></figure>"
    head = ("Group today", "=Users", "Becomes", "With")
    yield table("Groups, largest first", head, map(_group, told.groups))
    if told.joined:
        lines = (f"<li>{code(one.name)} as {code(one.target)}: {markup(one.told())}</li>" for one in told.joined)
        yield f"<h3>What becomes one with others, and gets more than it had</h3><ul>{''.join(lines)}</ul>"
    if told.unreached:
        names = many(len(told.unreached), "name")
        lines = (f"<li>{markup(one.service)} {code(one.name)}: {codes(one.by)}</li>" for one in told.unreached)
        yield "<h3>Names that the new levels do not reach</h3><details><summary>"
        yield f"{names} in today’s policies, not named for the project</summary><ul>{''.join(lines)}</ul></details>"


def _group(one: GroupRow) -> Sequence[str]:
    becomes = f"{code(one.new)} <small>({one.mark}, {MARKS[one.mark]})</small>" if one.mark else STAYS[one.outcome]
    gets = [f"<li>{markup(service)} {markup(level)}</li>" for service, level in one.levels.items()]
    gets += [f"<li>{code(name)}</li>" for name in one.managed_policies]
    why = f"<details><summary>Why</summary>{items(one.reasons)}</details>" if one.reasons else ""
    owner = f"<br><small>managed by {markup(one.owner)}</small>" if one.owner else ""
    with_what = f'<td class="plain"><ul>{"".join(gets)}</ul></td>' if gets else td("")
    return th(code(one.name) + owner), number(one.people), td(becomes + why), with_what


def _changes(told: Report) -> Iterator[str]:
    yield f"<p>{_FIGURES}</p>"
    if told.accept:
        lines = (f"<li>{codes(one.actions)} for {codes(one.users)}: {markup(_why(one))}</li>" for one in told.accept)
        yield f"<h3>Accepted in decisions.yaml</h3><ol>{''.join(lines)}</ol>"
    yield _listing("changes", "Changes", "a name, a service or an action")


def _why(one: Accepted) -> str:
    return f"{one.why} ({one.by})" if one.by else one.why


def _tier(told: Report) -> Iterator[str]:
    if told.tier:
        yield f"<p><strong>{markup(told.tier.version)}</strong></p>{items(told.tier.reasons)}"


def _plan(one: PlanRow) -> str:
    calls = ", ".join(f"{number} {phase}" for phase, number in one.calls.items()) or "nothing to do"
    parts = [f"<h3>{markup(one.name)}</h3><p>Calls: {calls}; {one.destructive} of them take something away."]
    parts += [f" Fingerprint {code(one.fingerprint[:12])}.</p>"]
    if one.dangers:
        lines = (
            f"<dt>{code(danger.code)} <small>{_WEIGHT[danger.blocks]}</small></dt>"
            f"<dd>{markup(danger.message)}<br><small>{markup(danger.hint)}</small></dd>"
            for danger in one.dangers
        )
        parts.append(f"<dl>{''.join(lines)}</dl>")
    if one.kept:
        lines = (f"<li>{markup(thing.kind)} {code(thing.name)}: {markup(thing.why)}</li>" for thing in one.kept)
        parts.append(f"<details><summary>{many(len(one.kept), 'thing')} that stay, and why</summary>")
        parts.append(f"<ul>{''.join(lines)}</ul></details>")
    return "".join(parts)


def _back(told: Report) -> Iterator[str]:
    found = [(f"Plan {plan.name}", plan.caveats) for plan in told.plans if plan.caveats]
    if told.gone:
        found.insert(0, ("Already done", told.gone))
    if not found:
        yield "<p>Nothing is done or planned yet of which undoing would not bring all back.</p>"
    for title, caveats in found:
        lines = (f"<li>{capital(markup(one.what))}: {codes(one.subjects)}</li>" for one in caveats)
        yield f"<h3>{markup(title)}</h3><ul>{''.join(lines)}</ul>"


def _assumed(told: Report) -> Iterator[str]:
    if told.assumptions:
        ordered = sorted(told.assumptions, key=lambda one: ("UIC".index(one.mark), one.what))
        rows = ((td(f"{one.mark}, {MARKS[one.mark]}"), td(markup(one.what)), td(markup(one.where))) for one in ordered)
        yield f"<p>{_MARKS_SAID}</p>"
        yield table("What the config relies on", ("Mark", "What", "Where"), rows)


def _journal(runs: Sequence[Run]) -> str:
    return f'<ol class="time">{"".join(map(_event, runs))}</ol>' if runs else "<p>Nothing was changed yet.</p>"


def _event(one: Run) -> str:
    counts = [f"{one.changed} of {many(one.calls, 'call')} made"]
    counts += [f"{one.found} found done already"] * bool(one.found)
    counts += [f"{one.failed} failed"] * bool(one.failed) + [f"{one.doubtful} in doubt"] * bool(one.doubtful)
    lines = [f"<strong>{markup(one.name)}</strong>: {markup(_ENDED.get(one.ended, one.ended))}"]
    lines += [f"{'; '.join(counts)}; until {_time(one.last)}"]
    lines += [f"by {code(one.by)}"] * bool(one.by) + [f"carried on {markup(line)}" for line in one.resumed]
    lines += [f"<small>{markup(one.file)}</small>"]
    return f'<li><time datetime="{markup(one.started)}">{_time(one.started)}</time><br>{"<br>".join(lines)}</li>'


def _time(at: str) -> str:
    return markup(at.replace("T", " ").replace("Z", " UTC"))


def _owners(told: Report) -> Iterator[str]:
    nobody = {"nobody that is known": told.unowned} if told.unowned else {}
    for owner, arns in {**told.owners, **nobody}.items():
        yield f"<details><summary>{markup(owner)}: {many(len(arns), 'thing')}</summary>{items(arns)}</details>"


def _signature(told: Report) -> str:
    return (
        f"<p>I have read this report, made from inventory {code(told.made_from.inventory[:12])}. "
        f'{markup(verdict(told))}</p><dl class="sign"><dt>Name</dt><dd></dd><dt>Date</dt><dd></dd>'
        "<dt>Signature</dt><dd></dd></dl>"
    )
