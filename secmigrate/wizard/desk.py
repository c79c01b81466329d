"""Where the wizard sits: the workspace, the person to ask, and the commands to run."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable
from pathlib import Path

from secmigrate.cli import account, options
from secmigrate.cli.invoke import invoke
from secmigrate.cli.out import Heard, Out, fitted
from secmigrate.wizard.asking import Asker

_CONNECTED = frozenset({"inventory", "usage", "readd", "verify", "decommission", "rollback", "resume", "provisioner"})


class Leave(Exception):
    """The person wants to leave."""


class Desk:
    """What each part of the wizard works with."""

    def __init__(
        self, workspace: Path, profile: str | None, region: str | None, endpoint: str | None, *, numbered: bool
    ) -> None:
        self.space = account.open_workspace(workspace)
        self.ask = Asker(numbered=numbered)
        self.out = Out(json=False)
        self.profile = profile
        self.region = region
        self._place = () if workspace == options.FOLDER else ("-w", str(workspace))
        flags = {"--profile": profile, "--region": region, "--endpoint-url": endpoint}
        self._aws = tuple(word for flag, value in flags.items() if value for word in (flag, value))
        self._numbered = ("--plain",) if numbered else ()

    def say(self, *paragraphs: str) -> None:
        """Paragraphs in lines that fit the terminal, but never longer than one reads well."""
        width = min(shutil.get_terminal_size().columns, 100)
        self.out.lines(
            line for paragraph in paragraphs for line in fitted(paragraph, width, prose=not paragraph[:1].isspace())
        )

    def title(self, number: int, of: int, what: str, guide: str) -> None:
        """The head of a part."""
        self.say("", f"PART {number} OF {of}: {what.upper()} (guide, {guide})", "")

    def words(self, *words: str) -> tuple[str, ...]:
        """A command's words with what leads to this workspace and this account."""
        options = words.index("--") if "--" in words else len(words)  # behind it there are none
        where = (*self._place, *(self._aws if words[0] in _CONNECTED else ()))
        return (*words[:options], *where, *words[options:])

    def command(self, *words: str) -> None:
        """Tells the command that does the same; a long one in lines that a shell reads as one."""
        lines, width = ["  secmigrate"], min(shutil.get_terminal_size().columns, 100) - 2
        for word in map(shlex.quote, self.words(*words)):
            if len(lines[-1]) + 1 + len(word) > width:
                lines[-1] += " \\"
                lines.append("     ")
            lines[-1] += f" {word}"
        self.out.say("The command for this:", *lines)

    def run(self, *words: str, told: bool = True) -> Heard:
        """Runs a command and gives what it said. Raises SecmigrateError as it does."""
        if told:
            self.command(*words)
        return invoke(self.words(*words))

    def show(self, lines: Iterable[str]) -> None:
        """What a command said, as it said it."""
        self.out.say("", *lines, "")

    @property
    def again(self) -> str:
        """How to come back."""
        aws = self._aws
        return f"secmigrate {shlex.join(('wizard', *self._place, *aws, *self._numbered))}"


def many(number: int, what: str, plural: str = "") -> str:
    """`1 group`, `2 groups`."""
    return f"{number} {what if number == 1 else plural or f'{what}s'}"


def some(names: Iterable[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    names = list(names)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
