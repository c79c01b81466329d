"""Part 1: the account is read."""

from __future__ import annotations

import os
from typing import Any

from secmigrate.cli.out import plain
from secmigrate.wizard.desk import Desk, some


def read(desk: Desk) -> None:
    """Asks where IAM is read from, and reads it."""
    desk.say(
        "All that follows is decided from a copy of the account's IAM: users, groups, roles, policies, and who is in "
        "which group. Reading changes nothing.",
        "A saved file is a snapshot, or what `aws iam get-account-authorization-details` prints. Files of who manages "
        "the account are Terraform's states and templates of stacks: what they manage is left to them.",
        "",
    )
    who = f"profile {desk.profile}" if desk.profile else _from_the_environment()
    source = desk.ask.choose(
        "Where should IAM be read from?",
        [
            ("live", f"The account, with {who}"),
            ("saved", "A file that was saved before"),
            ("both", "The account, and files of who manages it"),
            ("files", "Files of who manages it alone"),
        ],
    )
    places = ["live"] if source in ("live", "both") else []
    if source != "live":
        places += _files(desk, several=source != "saved")
    heard = desk.run("inventory", *(word for place in places if places != ["live"] for word in ("--from", place)))
    _tell(desk, heard.document)


def _files(desk: Desk, *, several: bool) -> list[str]:
    """The paths that the person names, at least one."""
    found: list[str] = []
    while True:
        what = "Which file?" if not found else "One more? (Enter: no more)"
        said = os.path.expanduser(desk.ask.path(what))  # noqa: PTH111 -- a path as a shell would take it
        if said and not os.path.exists(said):  # noqa: PTH110
            desk.say(f"There is no file {said}.")
        elif said:
            found.append(said)
        if found and (not said or not several):
            return found


def _tell(desk: Desk, told: dict[str, Any]) -> None:
    counts = ", ".join(f"{number} {what}" for what, number in told["counts"].items())
    desk.say("", f"Found in account {told['account']}: {counts}.")
    if told["owners"]:
        desk.say(f"{len(told['owners'])} of them are managed by Terraform or a stack; these are left to it.")
    if told["drift"]:
        desk.say("The account is not as the files say:", *(f"  {line}" for line in told["drift"][:10]))
    if told["incomplete"]:
        desk.say(
            f"Not everything could be read: {some(map(plain, told['incomplete']), 3)}. "
            "That is enough to decide by; plans read the account themselves."
        )
    desk.say(f"The copy: {desk.space.inventory}", f"Who is in which group: {desk.space.members_text}")


def _from_the_environment() -> str:
    profile = os.environ.get("AWS_PROFILE")
    return f"profile {profile}" if profile else "this shell's credentials"
