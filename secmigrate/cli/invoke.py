"""Commands run by words, as if somebody had typed them: for the wizard, which so can do nothing that they cannot."""

from __future__ import annotations

from collections.abc import Sequence

import typer.main

from secmigrate.cli.app import app
from secmigrate.cli.out import Heard, hearing


def invoke(words: Sequence[str]) -> Heard:
    """What a command said, its document and its exit code; nothing is printed but its progress. Raises SecmigrateError
    as the command does, and KeyboardInterrupt.
    """
    with hearing() as heard:
        try:
            code = typer.main.get_command(app).main(list(words), prog_name="secmigrate", standalone_mode=False)
        except typer.Abort:
            raise KeyboardInterrupt from None
    return Heard(heard.lines, heard.document, code if isinstance(code, int) else 0)
