"""Part 2: what becomes what. The names, the open questions one by one, the tier."""

from __future__ import annotations

import os
import re
from typing import Any

from secmigrate import documents
from secmigrate.cli import account, edits
from secmigrate.mapping import NOT_CARRIED
from secmigrate.wizard.answering import open_questions, project_names
from secmigrate.wizard.desk import Desk, some
from secmigrate.wizard.looking import again, counts, look, mapped

_SHOWN = 15
_ENVS = ("prod", "dev", "test", "staging")


def decide(desk: Desk) -> None:
    """Maps, asks what the rules cannot decide, and maps again."""
    before = edits.config_before(desk.space)
    names = () if before else _names(desk)
    told = mapped(desk, *names)
    _summary(desk, told)
    told = look(desk, told)
    if open_questions(desk) | project_names(desk, told["unreached"]):
        told = again(desk, mapped(desk, *names))
    _tier(desk, told, before.config.tier.name if before else "")
    desk.say(
        "", f"The config: {told['config']}", "Each line of it says where it comes from; what you edit in it stays."
    )


def _names(desk: Desk) -> tuple[str, ...]:
    """The words that tell `map` SEC's names."""
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


def _summary(desk: Desk, told: dict[str, Any]) -> None:
    """What the rules found: for each group what it becomes and why, for the roles the numbers."""
    groups, roles = told["groups"], told["roles"]
    desk.say("", f"Groups, by name and by what their policies allow: {counts(groups)}.")
    for row in [one for one in groups if one["target"]][:_SHOWN]:
        desk.say(f"  {row['name']} becomes {row['target']}")
        desk.say(*(f"    because {reason.removeprefix(row['target'] + ': ')}" for reason in row["reasons"][:1]))
        desk.say(*(f"    {reason}" for reason in row["reasons"] if reason.startswith(NOT_CARRIED)))
    if len([one for one in groups if one["target"]]) > _SHOWN:
        desk.say("  and more: `everything that was decided` shows all")
    desk.say("", f"Roles, by who may assume them: {counts(roles)}.")
    for section in ("service_roles", "assumable_roles", "cross_account_roles"):
        found = [one["name"] for one in roles if one["section"] == section]
        if found:
            desk.say(f"  {section.replace('_', ' ')}: {some(found, 4)}")
    if told["joined"]:
        names = some(one["name"] for one in told["joined"])
        desk.say("", f"Some become one with others and get more than they had: {names}.")


def _tier(desk: Desk, told: dict[str, Any], before: str) -> None:
    """The tier: the lowest one that holds everything, or a higher one, such as that of `before`."""
    tiers = account.catalogue(desk.space).tiers
    order = list(tiers)
    lowest = told["tier"]
    desk.say("", f"The tier: {tiers[lowest].version} is proposed.", *(f"  {reason}" for reason in told["reasons"]))
    higher = order[order.index(lowest) + 1 :]
    if not higher:
        return
    said = {lowest: ", as proposed", before: ", as before"}
    choices = [(one, f"{tiers[one].version}{said.get(one, '')}") for one in (lowest, *higher)]
    choices.sort(key=lambda one: one[0] != before)
    chosen = desk.ask.choose("Which tier?", choices)
    if chosen != lowest:
        mapped(desk, "--tier", chosen)
