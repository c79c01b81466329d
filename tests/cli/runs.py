"""Commands as a person runs them: in this process where it is the same, in one of their own where it matters."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec
from jsonschema import Draft202012Validator

from secmigrate import documents
from secmigrate.__main__ import main
from tests.schemas import MADE

PROGRAM = (sys.executable, "-m", "secmigrate")


class Ran(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout. If its kind is that of a schema, it fits that schema."""
        found = msgspec.json.decode(self.out)
        assert isinstance(found, dict)
        if found["kind"] in MADE:
            assert list(Draft202012Validator(documents.schema(found["kind"])).iter_errors(found)) == []
        return found


def run(*words: str | Path) -> Ran:
    """Runs a command in this process, without a terminal."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["secmigrate", *map(str, words)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        else:
            code = 0
    return Ran(code, out.getvalue(), err.getvalue())


def run_alone(*words: str | Path, env: Mapping[str, str] = {}, timeout: float = 60) -> Ran:
    """Runs a command in a process of its own, without a terminal."""
    ended = subprocess.run(
        [*PROGRAM, *map(str, words)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **env},
        timeout=timeout,
        check=False,
    )
    return Ran(ended.returncode, ended.stdout, ended.stderr)


def listing(folder: Path) -> dict[str, bytes | None]:
    """Everything in a folder: files with their content, folders."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
