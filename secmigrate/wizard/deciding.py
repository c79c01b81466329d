"""Part 2: what becomes what. The names, the open questions one by one, the tier."""

from __future__ import annotations

import os
import re
from typing import Any

from secmigrate import documents
from secmigrate.cli import account
from secmigrate.mapping import LOST
from secmigrate.wizard.answering import open_questions, project_names
from secmigrate.wizard.desk import Desk, some

_SHOWN = 15
_WORDS = {
    "mapped": "with a place (mapped)",
    "ambiguous": "in doubt (ambiguous)",
    "unmapped": "without a place (unmapped)",
    "left-out": "left as they are (left-out)",
}
_ENVS = ("prod", "dev", "test", "staging")


def decide(desk: Desk) -> None:
    """Maps, asks what the rules cannot decide, and maps again."""
    names = _names(desk)
    told = _mapped(desk, *names)
    _summary(desk, told)
    _look(desk)
    if open_questions(desk) | project_names(desk, told["unreached"]):
        told = _mapped(desk, *names)
        desk.say(
            "",
            "Decided again, with your answers.",
            f"  groups: {_counts(told['groups'])}",
            f"  roles: {_counts(told['roles'])}",
        )
    _tier(desk, told, names)
    desk.say(
        "", f"The config: {told['config']}", "Each line of it says where it comes from; what you edit in it stays."
    )


def _names(desk: Desk) -> tuple[str, ...]:
    """The words that tell `map` SEC's names; none if the config has them already."""
    if account.config_before(desk.space):
        return ()
    desk.say(
        "SEC calls what it makes PREFIX-ENV-TENANT-group-…, such as acme-prod-a001-group-data-scientists. These parts "
        "are yours to say, as they stand in your contract with the vendor:",
        "",
    )
    prefix = desk.ask.text("Company prefix:", check=_fits("client", "company_prefix"))
    tenant = desk.ask.text("Tenant id:", check=_fits("client", "tenant_id"))
    env = desk.ask.choose("Environment:", [(one, one) for one in _ENVS])
    here = desk.region or os.environ.get("AWS_REGION", "")
    region = desk.ask.text("Region of the stack:", default=here, check=_fits("environment", "region"))
    return ("--company-prefix", prefix, "--tenant-id", tenant, "--env", env, "--region", region)


def _fits(part: str, name: str) -> Any:
    """A check by the config's own schema."""
    rule = documents.schema("sec-config")["properties"][part]["properties"][name]
    return lambda text: "" if re.search(rule["pattern"], text) else f"It has to be {rule['description']}."


def _mapped(desk: Desk, *words: str) -> dict[str, Any]:
    """What `map` decides, in the scope of the last time."""
    last = desk.space.outcome() if desk.space.mapping.exists() else None
    scope = [word for glob in (last.only if last else ()) for word in ("--only", glob)]
    scope += [word for glob in (last.skip if last else ()) for word in ("--skip", glob)]
    fit = ("--fit", last.fit) if last and last.fit != "cover" else ()
    return desk.run("map", *words, *scope, *fit).document


def _summary(desk: Desk, told: dict[str, Any]) -> None:
    """What the rules found: for each group what it becomes and why, for the roles the numbers."""
    groups, roles = told["groups"], told["roles"]
    desk.say("", f"Groups, by name and by what their policies allow: {_counts(groups)}.")
    for row in [one for one in groups if one["target"]][:_SHOWN]:
        desk.say(f"  {row['name']} becomes {row['target']}")
        desk.say(*(f"    because {reason.removeprefix(row['target'] + ': ')}" for reason in row["reasons"][:1]))
        desk.say(*(f"    {reason}" for reason in row["reasons"] if reason.endswith(LOST)))
    if len([one for one in groups if one["target"]]) > _SHOWN:
        desk.say("  and more: `everything that was decided` shows all")
    desk.say("", f"Roles, by who may assume them: {_counts(roles)}.")
    for section in ("service_roles", "assumable_roles", "cross_account_roles"):
        found = [one["name"] for one in roles if one["section"] == section]
        if found:
            desk.say(f"  {section.replace('_', ' ')}: {some(found, 4)}")
    if told["joined"]:
        names = some(one["name"] for one in told["joined"])
        desk.say("", f"Some become one with others and get more than they had: {names}.")


def _look(desk: Desk) -> None:
    """Lets the person see more, for as long as she wants to."""
    while True:
        what = desk.ask.choose(
            "What became of them: see more?",
            [
                ("on", "Go on"),
                ("all", "Show everything that was decided"),
                ("why", "Why did one become what it became?"),
            ],
        )
        if what == "on":
            return
        if what == "all":
            desk.show(_mapped_lines(desk))
        else:
            name = desk.ask.text("Which group or role?", check=lambda text: "" if text else "Type a name.")
            _explain(desk, name)


def _explain(desk: Desk, name: str) -> None:
    from secmigrate.errors import BadInput

    try:
        desk.show(desk.run("explain", "--", name).lines)
    except BadInput as error:
        desk.say(*str(error).split("\n"))


def _mapped_lines(desk: Desk) -> list[str]:
    """All that `map` says; it decides again, which changes nothing."""
    from secmigrate.cli.invoke import invoke

    return invoke(desk.words("map")).lines


def _tier(desk: Desk, told: dict[str, Any], names: tuple[str, ...]) -> None:
    """The tier: the lowest one that holds everything, or a higher one."""
    tiers = account.catalogue(desk.space).tiers
    order = list(tiers)
    lowest = told["tier"]
    desk.say("", f"The tier: {tiers[lowest].version} is proposed.", *(f"  {reason}" for reason in told["reasons"]))
    higher = order[order.index(lowest) + 1 :]
    if not higher:
        return
    choices = [(lowest, f"{tiers[lowest].version}, as proposed"), *((one, tiers[one].version) for one in higher)]
    chosen = desk.ask.choose("Which tier?", choices)
    if chosen != lowest:
        _mapped(desk, "--tier", chosen)


def _counts(rows: list[dict[str, Any]]) -> str:
    """How many there are, and what became of them."""
    numbers = {word: len({one["name"] for one in rows if one["outcome"] == word}) for word in _WORDS}
    total = len({one["name"] for one in rows})
    return f"{total}; " + ", ".join(f"{number} {_WORDS[word]}" for word, number in numbers.items() if number)
