"""Help comes at once: nothing slow is imported before a command runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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
