"""Questions on a terminal: menus to move in, or numbered lines to type a number for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import questionary

from secmigrate.cli.out import Out, plain

T = TypeVar("T")
Choices = Sequence[tuple[T, str]]
Check = Callable[[str], str]  # what is wrong with an answer; empty: nothing

# Bold alone: what colour would say is said in words.
_STYLE = questionary.Style(
    [(part, "noinherit bold") for part in ("qmark", "question", "answer", "highlighted", "pointer")]
)
_KEYS = 9  # choices that have a key of one digit


class Asker:
    """Asks one thing at a time. Every question may end in KeyboardInterrupt or EOFError: the person wants to leave."""

    def __init__(self, *, numbered: bool = False) -> None:
        """`numbered`: choices as lines, which nothing redraws; a terminal that cannot redraw gets them anyway."""
        self._numbered = numbered or os.environ.get("TERM", "dumb") == "dumb"
        self._out = Out(json=False)

    def choose(self, question: str, choices: Choices[T]) -> T:
        """One of the choices; the first is proposed."""
        titles = [f"{_cut(title)}" for _, title in choices]
        if self._numbered:
            self._out.say(question, *(f"  {n}) {title}" for n, title in enumerate(titles, 1)))
            said = self._line(f"Number, 1 to {len(choices)}", "1", lambda text: _no_number(text, len(choices)))
            return choices[int(said) - 1][0]
        keys = len(choices) <= _KEYS
        asked = questionary.select(
            plain(question),
            [questionary.Choice(title, value=n) for n, title in enumerate(titles)],
            qmark="?",
            pointer=">",
            style=_STYLE,
            use_shortcuts=keys,
            use_jk_keys=False,
            instruction="(arrows or number, then Enter)" if keys else "(arrows, then Enter)",
        )
        return choices[cast(int, asked.unsafe_ask())][0]

    def text(self, question: str, default: str = "", check: Check = lambda text: "") -> str:
        """A line of text; again until nothing is wrong with it."""
        if self._numbered:
            return self._line(question, default, check)
        asked = questionary.text(
            plain(question),
            default=plain(default),
            validate=lambda text: check(text.strip()) or True,
            qmark="?",
            style=_STYLE,
        )
        return cast(str, asked.unsafe_ask()).strip()

    def path(self, question: str) -> str:
        """The path of a file, which Tab completes; empty if the person has no more."""
        if self._numbered:
            return self._line(question, "", lambda text: "")
        return cast(str, questionary.path(plain(question), qmark="?", style=_STYLE).unsafe_ask()).strip()

    def _line(self, question: str, default: str, check: Check) -> str:
        proposed = f" [{default}]" if default else ""
        while True:
            said = input(plain(f"{question}{proposed}: ")).strip() or default
            wrong = check(said)
            if not wrong:
                return said
            self._out.say(wrong)


def _no_number(text: str, most: int) -> str:
    return "" if text.isascii() and text.isdigit() and 1 <= int(text) <= most else f"type a number from 1 to {most}"


def _cut(title: str) -> str:
    """A title in one line, beside pointer and number."""
    most = max(shutil.get_terminal_size().columns, 40) - 8
    told = plain(title)
    return told if len(told) <= most else f"{told[: most - 1]}…"
