"""Part 2, once it is decided: everything to be seen, and what else to go by than what is allowed to everybody."""

from __future__ import annotations

from typing import Any

from secmigrate.errors import BadInput
from secmigrate.mapping import Scope
from secmigrate.reports.decisions import used_lines
from secmigrate.wizard.desk import Desk, some

_WORDS = {
    "mapped": "with a place (mapped)",
    "ambiguous": "in doubt (ambiguous)",
    "unmapped": "without a place (unmapped)",
    "left-out": "left as they are (left-out)",
}


def mapped(desk: Desk, *words: str, fit: str = "", scope: Scope | None = None) -> dict[str, Any]:
    """What `map` decides; by the fit and in the scope of the last time, unless told otherwise."""
    return desk.run("map", *words, *_narrowed(desk, fit, scope)).document


def _narrowed(desk: Desk, fit: str = "", scope: Scope | None = None) -> list[str]:
    last = desk.space.outcome() if desk.space.mapping.exists() else None
    within = scope or Scope(last.only if last else (), last.skip if last else ())
    fit = fit or (last.fit if last else "cover")
    globs = (("--only", within.only), ("--skip", within.skip))
    found = [word for option, ones in globs for glob in ones for word in (option, glob)]
    return [*found, *(("--fit", fit) if fit != "cover" else ())]


def look(desk: Desk, told: dict[str, Any]) -> dict[str, Any]:
    """Lets the person see more, or decide by something else, as long as she wants to; gives what `map` said last."""
    while True:
        used = desk.space.outcome().fit == "used"
        by_use = "Levels by what was used in the last year, not by what is allowed"
        what = desk.ask.choose(
            "What became of them: see more?",
            [
                ("on", "Go on"),
                ("all", "Show everything that was decided"),
                ("why", "Why did one become what it became?"),
                ("fit", "Levels by what is allowed, used or not" if used else by_use),
                ("scope", "Leave some of them out, or take only some"),
            ],
        )
        match what:
            case "on":
                return told
            case "all":
                desk.show(desk.run("map", *_narrowed(desk), told=False).lines)  # it decides the same again
            case "why":
                name = desk.ask.text("Which group or role?", check=lambda text: "" if text else "Type a name.")
                _explain(desk, name)
            case "fit":
                told = again(desk, mapped(desk, fit="cover") if used else _by_use(desk))
            case _:
                told = again(desk, _within(desk))


def again(desk: Desk, told: dict[str, Any]) -> dict[str, Any]:
    """Says what became of them now."""
    groups, roles = counts(told["groups"]), counts(told["roles"])
    desk.say("", "Decided again, with your answers.", f"  groups: {groups}", f"  roles: {roles}")
    return told


def counts(rows: list[dict[str, Any]]) -> str:
    """How many there are, and what became of them."""
    numbers = {word: len({one["name"] for one in rows if one["outcome"] == word}) for word in _WORDS}
    total = len({one["name"] for one in rows})
    return f"{total}; " + ", ".join(f"{number} {_WORDS[word]}" for word, number in numbers.items() if number)


def _by_use(desk: Desk) -> dict[str, Any]:
    """Maps by AWS's reports on last use, which are asked for unless they are there."""
    at = desk.space.last_use().at[:10] if desk.space.usage.exists() else ""
    desk.say(
        "",
        "AWS tells for each group, role and user which services were used in the last year. A report of each is asked "
        "for; that takes minutes in a large account, and changes nothing.",
    )
    there = [(False, f"Go by the reports of {at}")] if at else []
    if desk.ask.choose("Ask AWS for the reports?", [*there, (True, "Ask AWS")]):
        desk.show(line for line in desk.run("usage").lines if not line.startswith("next:"))
    told = mapped(desk, fit="used")
    desk.show(used_lines(desk.space.last_use()))
    if told["splits"]:
        desk.say("Several rules claim some groups; what their members used tells them apart:")
        for one in told["splits"]:
            parts = [f"{key}: {some(members)}" for key, members in one["parts"].items()]
            rest = [f"nothing tells of {some(one['rest'])}"] if one["rest"] else []
            desk.say(f"  {one['name']}: {'; '.join([*parts, *rest])}")
        desk.say("How to write that down: `Show everything that was decided`.")
    return told


def _within(desk: Desk) -> dict[str, Any]:
    """Maps in a scope that the person says."""
    last = desk.space.outcome()
    now = [f"{word} {' '.join(globs)}" for word, globs in (("only", last.only), ("without", last.skip)) if globs]
    desk.say(
        "",
        "What is left out keeps its policies and its members, and nothing will touch it; everybody's access still "
        "counts it. A kind and a name, with * for anything: group:legacy-* role:*-old. Several with spaces between.",
        f"Now: {'; '.join(now) or 'everything'}. What you say takes its place.",
    )
    skip = desk.ask.text("Leave out (Enter: nothing):", check=_scope)
    only = desk.ask.text("Of the others take only (Enter: all):", check=_scope)
    return mapped(desk, scope=Scope(only=tuple(only.split()), skip=tuple(skip.split())))


def _scope(text: str) -> str:
    try:
        Scope(skip=tuple(text.split()))
    except BadInput as error:
        return f"{error.message}: it has to be {error.hint}"
    return ""


def _explain(desk: Desk, name: str) -> None:
    try:
        desk.show(desk.run("explain", "--", name).lines)
    except BadInput as error:
        desk.say(*str(error).split("\n"))
