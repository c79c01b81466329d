"""Parts 5 to 7: deploy, people into their new groups, the old ones away; and the way back."""

from __future__ import annotations

import time

from secmigrate.cli.out import Heard
from secmigrate.errors import BadInput, Refused, SecmigrateError
from secmigrate.progress import steps
from secmigrate.wizard.desk import Desk, Leave, many, some

EVERY = 20.0  # seconds between two looks at the account
_SAYS = {
    "readd": "adds people to their new groups",
    "decommission": "takes old groups, roles and policies away",
    "rollback": "takes back what was done",
}


def deploy(desk: Desk) -> None:
    """Offers what is worth doing beforehand, tells what to run, and waits until the new groups and roles are there."""
    missing = _missing(desk)
    if missing:
        _beforehand(desk)
    desk.say(
        "The SEC Provisioner makes the new groups and roles, beside the old ones; nobody's access changes by it. Its "
        "container is run with your config, first to test (step 7), then to deploy (step 8). These commands print how; "
        "with --run they do it:",
    )
    desk.command("provisioner", "test-deploy")
    desk.command("provisioner", "deploy")
    while missing:
        desk.command("readd")
        desk.say("", f"Not in the account yet: {many(len(missing), 'group or role', 'groups and roles')}:")
        desk.say(f"  {some(missing, 3)}")
        what = desk.ask.choose(
            "Once it is deployed:",
            [
                ("look", "Look at the account again"),
                ("wait", "Wait, and look every 20 seconds until they are there"),
                ("run", "Run it here, with Docker; I will type the account's id"),
                ("leave", "Leave, and come back when it is deployed"),
            ],
        )
        if what == "leave":
            raise Leave
        if what == "wait":
            _wait(desk)
        if what == "run":
            _run_it(desk)
        missing = _missing(desk)
    desk.say("", "The new groups and roles are in the account.")


def _beforehand(desk: Desk) -> None:
    """Report and rehearsal, as often as the person wants; neither changes anything."""
    desk.say("Nothing in the account is changed yet.", "")
    while what := desk.ask.choose(
        "Before it is deployed:",
        [
            ("", "Go on to the deployment"),
            ("report", "Write the report for the person who must sign"),
            ("rehearse", "Rehearse all that follows on a twin: who is without access, for how long"),
        ],
    ):
        desk.show(desk.run(what).lines)
    desk.say("")


def _run_it(desk: Desk) -> None:
    account = desk.space.outcome().account
    for action in ("test-deploy", "deploy"):
        if not _confirmed(desk, account, "provisioner", action, "--run"):
            return


def _missing(desk: Desk) -> list[str]:
    """What the plan of `readd` says is not there yet."""
    heard = desk.run("readd", told=False)
    return [
        one for danger in heard.document["dangers"] if danger["code"] == "target-missing" for one in danger["subjects"]
    ]


def _wait(desk: Desk) -> None:
    desk.say("Waiting; Ctrl-C stops waiting.")
    try:
        while _missing(desk):
            time.sleep(EVERY)
    except KeyboardInterrupt:
        desk.say("", "Stopped waiting.")


def move(desk: Desk) -> None:
    """`readd`, and a look at what came of it."""
    desk.say("Everybody is added to the new groups and stays in the old ones for now, so that nobody has less.")
    _plan(desk, "readd")
    _verify(desk)


def retire(desk: Desk) -> None:
    """`decommission`, with roles in quarantine first, and a look at what came of it."""
    desk.say(
        "What was replaced goes, if nobody needs it any more. A role that is deleted never comes back as the same "
        "one, so roles rest first: denied everything for a week, while one call brings them back.",
        "",
    )
    rest = desk.ask.choose(
        "What rests in quarantine before it is deleted?",
        [("roles", "Roles (proposed)"), ("all", "Roles and groups"), ("none", "Nothing: delete at once")],
    )
    _plan(desk, "decommission", *(() if rest == "roles" else ("--quarantine", rest)))
    _verify(desk)
    waiting = next((step.why for step in steps(desk.space) if step.state == "waiting"), "")
    if waiting:
        desk.say("", f"Not over yet: {waiting}. Come back then; the wizard goes on with this part.")


def take_back(desk: Desk) -> None:
    """`rollback`: all of it, or everybody into the old groups alone, which are made anew where they are gone."""
    desk.say("", "Back to the start, from what the journals say was done.")
    how = desk.ask.choose(
        "What should be taken back?", [("all", "Everything"), ("users", "Only the people: into their old groups")]
    )
    _plan(desk, "rollback", *(("--only", "user:*") if how == "users" else ()))


def after_a_stop(desk: Desk) -> None:
    """A run that did not come to its end goes on, if the person says so."""
    what = desk.ask.choose(
        "What now?", [(True, "Go on with it: what is in doubt is looked up first (resume)"), (False, "Not now")]
    )
    if what:
        stopped = desk.space.unfinished()
        assert stopped
        _confirmed(desk, stopped.plan.account, "resume")


def _plan(desk: Desk, name: str, *words: str) -> None:
    """Shows a plan, and carries it out once the account's id is typed; with nothing to do it says so. Raises Leave,
    Refused if it is dangerous.
    """
    heard = _planned(desk, name, *words)
    while heard.document["operations"]:
        what = desk.ask.choose(
            "Carry it out?",
            [
                ("show", "Show the whole plan first"),
                ("yes", "Yes; I will type the account's id"),
                ("leave", "Not now: leave, and come back"),
            ],
        )
        if what == "leave":
            raise Leave
        if what == "show":
            desk.show(heard.lines)
            desk.say(f"Every command stands in {desk.space.plan_path(name).with_suffix('.sh')}.")
        elif (carried_out := _confirmed(desk, heard.document["account"], name, "--execute")) is None:
            heard = _planned(desk, name, *words)
        elif carried_out:
            return


def _planned(desk: Desk, name: str, *words: str) -> Heard:
    """Makes a plan and sums it up. Raises Refused if it is dangerous."""
    heard = desk.run(name, *words)
    _summary(desk, name, heard)
    if heard.code == 4:
        blocking = [one for one in heard.document["dangers"] if one["blocks"] == "plan"]
        raise Refused(blocking[0]["message"], hint=blocking[0]["hint"])
    return heard


def _confirmed(desk: Desk, account: str, *words: str) -> bool | None:
    """Runs a command that changes the account, with the id that the person typed; whether it was carried out. None: the
    plan is stale.
    """
    typed = desk.ask.text(f"Type the account's id, {account}, to change it (Enter: not now):")
    if not typed:
        return False
    try:
        heard = desk.run(*words, "--confirm-account", typed)
    except (Refused, BadInput) as error:
        desk.say("Refused, nothing was changed:", *str(error).split("\n"))
        return None if error.message.startswith("stale-plan") else False
    except SecmigrateError as error:
        desk.say("It did not come to its end:", *str(error).split("\n"))
        if words[0] == "provisioner":
            return False
        raise Leave from None
    desk.say("", *(line for line in heard.lines if line))
    if heard.code == 3:
        raise Leave
    return True


def _summary(desk: Desk, name: str, heard: Heard) -> None:
    plan = heard.document
    number, taking = len(plan["operations"]), sum(one["destructive"] for one in plan["operations"])
    if not number:
        desk.say("", "There is nothing to do.")
    else:
        desk.say("", f"The plan {_SAYS[name]}: {many(number, 'call')}, {taking} of which take something away.")
    kept = [line.strip() for line in heard.lines if line.startswith("  stays: ")]
    desk.say(*(f"  {line}" for line in kept[:4]), *([f"  and {len(kept) - 4} more stay"] if len(kept) > 4 else []))
    desk.say(*(line for line in heard.lines if line.startswith(("  note", "  will not come back"))))
    for danger in plan["dangers"]:
        weight = {"plan": "blocks the plan", "subjects": "left out of the plan", "nothing": "to know"}[danger["blocks"]]
        desk.say(f"  {danger['code']} ({weight}): {danger['message']}", f"    hint: {danger['hint']}")


def _verify(desk: Desk) -> None:
    heard = desk.run("verify")
    desk.say("", *heard.lines[:20])
    if heard.code and not desk.ask.choose(
        "Not everything is as it should be. Go on?", [(False, "Leave, and look into it"), (True, "Go on all the same")]
    ):
        raise Leave
