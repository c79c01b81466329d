"""Help comes at once: nothing slow is imported before a command runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

SLOW = set("boto3 botocore deepdiff jsonschema moto msgspec questionary rich ruamel werkzeug yaml".split())
DUMP = """
import atexit, sys
atexit.register(lambda: sys.stderr.write(" ".join(sys.modules)))
from secmigrate.__main__ import main
main()
"""


@pytest.mark.parametrize("words", [["--help"], ["inventory", "--help"], ["rules", "--help"], ["nonsense"], []])
def test_help_imports_nothing_slow(words: list[str]) -> None:
    ran = subprocess.run([sys.executable, "-c", DUMP, *words], capture_output=True, text=True, timeout=60, check=False)
    imported = {name.partition(".")[0] for name in ran.stderr.split()}
    assert "typer" in imported
    assert imported & SLOW == set()
