"""What commands look like on a terminal: within its columns, and without moving anything where that is not wanted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from secmigrate.cli.out import fitted, plain
from secmigrate.twin import Twin
from tests.wizard.terminal import Terminal

CURSOR = re.compile(rb"\x1b\[[0-9;?]*[A-HJKSTfhlsu]|\x1b[78M]")  # moves, clears, hides; not: colours
LONG = 45  # characters of a word that may stand out: paths and ARNs stay whole


@pytest.mark.parametrize(
    ("command", "columns"),
    [("map", 60), ("map", 120), ("access", 60), ("diff", 60), ("explain data-science-team", 60), ("validate", 60)],
)
def test_lines_are_broken_between_words_and_fit(ready: Path, command: str, columns: int) -> None:
    terminal = Terminal(*command.split(), columns=columns, rows=50, cwd=ready, env={"NO_COLOR": "1"})
    assert terminal.ended() in (0, 3), terminal.all
    lines = terminal.raw.decode().replace("\r\n", "\n").split("\n")
    assert len(lines) > 3
    for line in lines:
        assert len(line) <= columns or max(map(len, line.split())) > min(LONG, columns - 10), line


def test_help_of_every_command_breaks_no_word(ready: Path) -> None:
    terminal = Terminal("map", "--help", columns=80, cwd=ready)
    assert terminal.ended() == 0
    assert "secmigrate map --company-prefix lumen --tenant-id a001" in terminal.shown


def test_nothing_moves_without_colour_and_progress_is_told_in_lines(ready: Path, unchanged: Twin) -> None:
    for words in (
        ("inventory", "--endpoint-url", unchanged.url),
        ("map",),
        ("verify", "--endpoint-url", unchanged.url),
    ):
        terminal = Terminal(*words, cwd=ready, env={"NO_COLOR": "1"})
        assert terminal.ended() in (0, 3), terminal.all
        assert not CURSOR.search(terminal.raw), words
        assert b"\x1b" not in terminal.raw
        assert " …\r\n" in terminal.raw.decode()


def test_with_colour_there_is_a_bar_that_goes_away(ready: Path, unchanged: Twin) -> None:
    terminal = Terminal("inventory", "--endpoint-url", unchanged.url, cwd=ready)
    assert terminal.ended() == 0
    assert CURSOR.search(terminal.raw)
    assert "reading" not in terminal.all
    assert "account 111122223333" in terminal.all


def cases() -> Iterator[tuple[str, int, list[str]]]:
    yield "short", 80, ["short"]
    yield "  " + "word " * 20, 50, ["  " + "word " * 8 + "word", "      " + "word " * 8 + "word", "      word word"]
    yield "x" * 100, 50, ["x" * 100]
    yield "a b", 0, ["a b"]
    yield (
        "a-long-hyphenated-name of something that runs over the edge",
        40,
        [
            "a-long-hyphenated-name of something that",
            "    runs over the edge",
        ],
    )


@pytest.mark.parametrize(("line", "width", "parts"), list(cases()))
def test_a_line_in_parts(line: str, width: int, parts: list[str]) -> None:
    assert fitted(line, width) == parts


@pytest.mark.parametrize(
    "one",
    [
        "\u202e",
        "\u200b",
        "\u2066",
        "\ufeff",
        "\u200f",
        "\u061c",
        "\u00ad",
        "\u3164",
        "\ufe0f",
        "\u034f",
        "\U000e0041",
        "\x1b",
        "\n",
        "\x9b",
    ],
)
def test_what_turns_text_or_is_not_seen_is_not_plain(one: str) -> None:
    assert plain(f"a{one}b") == "a�b"


@pytest.mark.parametrize("name", ["élan", "日本語", "שלום", "ana.adler", "e\u0301"])
def test_letters_of_all_people_are(name: str) -> None:
    assert plain(name) == name
