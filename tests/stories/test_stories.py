"""The tutorial and the examples say what happens when somebody follows them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kept import kept
from tests.stories.telling import PAGES, ROOT, agrees, needs, steps, told


@pytest.fixture(scope="session")
def programs(aws_cli: Path) -> Iterator[tuple[Path, ...]]:
    """Where the AWS CLI and secmigrate are, as programs that start at once."""
    with kept("secmigrate") as folder:
        yield folder, aws_cli


@pytest.mark.parametrize("page", [page for page in PAGES if (ROOT / page).exists()])
def test_the_story_is_true(page: str, programs: tuple[Path, ...], tmp_path: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = [program for program in needs(text) if shutil.which(program) is None]
    if missing:
        pytest.skip(f"this machine has no {missing[0]}")
    count = 0
    for step, said in told(page, tmp_path / "story", programs):
        assert agrees(said, step.said), f"{page}:{step.line}: $ {step.command}\nsaid:\n{said}\ninstead of:\n{step.said}"
        count += 1
    assert count == len(list(steps(text))) > 5


@pytest.mark.parametrize(
    ("said", "page", "right"),
    [
        ("a\nb\nc", "a\n…\nc", True),
        ("a\nb", "a\nc", False),
        ("wrote 20260101T000000Z.json", "wrote ….json", True),
        ("a\nb", "a…", False),
        ("", "", True),
        ("something", "", False),
        ("a\n\n\nb\n", "a\n…\nb", True),
        ("(x)*", "(x)*", True),
    ],
)
def test_what_agrees(said: str, page: str, right: bool) -> None:
    assert agrees(said, page) is right


def test_commands_over_several_lines() -> None:
    text = "x\n```console\n$ one \\\n  two\nsaid\n$ three\n```\n```\n$ not this\n```\n"
    text += "```console\n$ cat <<'END'\nlong\nEND\nlong\n```\n"
    assert [(step.command, step.said, step.line) for step in steps(text)] == [
        ("one \\\n  two", "said\n", 3),
        ("three", "", 6),
        ("cat <<'END'\nlong\nEND", "long\n", 12),
    ]
