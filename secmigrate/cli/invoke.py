"""Commands run by words: those that somebody typed, and the wizard's, which so can do nothing that they cannot."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from copy import copy

import typer.main

from secmigrate.cli.app import app
from secmigrate.cli.out import Heard, hearing

_INTERRUPTED = 128 + signal.SIGINT


def with_one_command(words: Sequence[str]) -> typer.Typer:
    """The app, with no command but the one that the first word names; with all of them if it names none.

    typer asks every command for its parameters before one starts, which is a third of the time that a command takes to
    start.
    """
    one, wanted = copy(app), words[0] if words else ""
    one.registered_commands = [command for command in app.registered_commands if _name(command) == wanted]
    one.registered_groups = [group for group in app.registered_groups if group.name == wanted]
    return one if one.registered_commands or one.registered_groups else app


def _name(command: typer.models.CommandInfo) -> str:
    """The word that starts it."""
    assert command.callback
    return command.name or typer.main.get_command_name(command.callback.__name__)


def invoke(words: Sequence[str]) -> Heard:
    """What a command said, its document and its exit code; nothing is printed but its progress. Raises SecmigrateError
    as the command does, and KeyboardInterrupt.
    """
    with hearing() as heard:
        try:
            code = typer.main.get_command(with_one_command(words)).main(
                list(words), prog_name="secmigrate", standalone_mode=False
            )
        except typer.Abort:
            raise KeyboardInterrupt from None
    if code == _INTERRUPTED:  # what typer makes of Ctrl-C: the command has said nothing, or not all
        raise KeyboardInterrupt
    return Heard(heard.lines, heard.document, code if isinstance(code, int) else 0)
