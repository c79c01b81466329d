"""Help comes at once: nothing slow is imported before a command runs, and only that command is made ready."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from secmigrate.__main__ import app
from secmigrate.cli.invoke import with_one_command
from tests.cli.runs import run

SLOW = set("boto3 botocore deepdiff jsonschema moto msgspec questionary rich ruamel werkzeug yaml".split())
DUMP = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(" ".join(sys.modules)))
from secmigrate.__main__ import main
main()
"""


def imported(*words: str | Path) -> set[str]:
    """The libraries that a command has imported when it ends."""
    ran = subprocess.run([sys.executable, "-c", DUMP, *words], capture_output=True, text=True, timeout=60, check=False)
    found = {name.partition(".")[0] for name in ran.stderr.split()}
    assert "typer" in found
    return found


@pytest.mark.parametrize("words", [["--help"], ["inventory", "--help"], ["rules", "--help"], ["nonsense"], []])
def test_help_imports_nothing_slow(words: list[str]) -> None:
    assert imported(*words) & SLOW == set()


@pytest.mark.parametrize("command", ["status", "validate", "diff"])
def test_what_asks_nobody_does_not_import_boto3(command: str, prepared: Path) -> None:
    found = imported(command, "-w", prepared)
    assert "msgspec" in found  # it did read files
    assert found & {"boto3", "botocore", "moto"} == set()


def commands(one: typer.Typer) -> set[str]:
    """Those that an app has."""
    made = typer.main.get_command(one)
    assert isinstance(made, TyperGroup)
    return set(made.commands)


EVERY = sorted(commands(app))


@pytest.mark.parametrize("name", EVERY)
def test_only_the_command_that_is_asked_for_is_made_ready(name: str) -> None:
    assert commands(with_one_command([name, "--help"])) == {name}


@pytest.mark.parametrize("words", [[], ["--help"], ["--version", "map"], ["nonsense"], ["Map"]], ids=" ".join)
def test_where_no_command_is_asked_for_there_are_all(words: list[str]) -> None:
    assert commands(with_one_command(words)) == set(EVERY)


def test_a_command_that_there_is_not_is_still_told_from_those_that_are() -> None:
    ran = run("invntory")
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean 'inventory'?" in ran.err
