"""Where a program is started by others: streams that are closed or full, other encodings, paths of all kinds."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import IO, Any

import pytest

from secmigrate import documents, plan
from secmigrate.documents import read_snapshot
from secmigrate.twin import Twin
from tests.cli.conftest import NAMES
from tests.cli.runs import PROGRAM, run, run_alone

ODD = "it's päth & folder"


def ended(shell: str, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A command with the redirections that a shell gives it."""
    line = f"{shlex.join([*PROGRAM, *words])} {shell}"
    everything = {**os.environ, **env}
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=everything, timeout=60, check=False)


@pytest.mark.parametrize("shell", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_fault(ready: Path, shell: str) -> None:
    ran = ended(shell, "status")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ("inventory" in ran.stdout) == (">&-" not in shell.replace("2>&-", ""))


def test_nobody_confirms_where_stdin_is_closed(ready: Path, unchanged: Twin) -> None:
    with Twin(unchanged.snapshot()) as twin:
        ran = ended("<&-", "readd", "--execute", "--endpoint-url", twin.url)
    assert (ran.returncode, "Traceback" in ran.stderr) == (4, False), ran
    assert "give --confirm-account" in ran.stderr


@pytest.mark.parametrize("shell", ["2>/dev/full", "2>&-"])
def test_the_exit_code_is_the_same_where_nobody_can_be_told(ready: Path, shell: str) -> None:
    assert ended(shell, "explain", "nobody").returncode == 2


@pytest.mark.parametrize(
    ("encoding", "words", "code"),
    [
        ("latin-1", ("access",), 3),
        ("ascii", ("access",), 3),
        ("cp1252", ("status", "-w", ODD), 0),
        ("ascii", ("report", "-w", ODD), 0),
    ],
)
def test_a_terminal_of_another_encoding_shows_what_it_can(
    ready: Path, encoding: str, words: tuple[str, ...], code: int
) -> None:
    shutil.copytree("migration", ODD)
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    ran = subprocess.run([*PROGRAM, *words], capture_output=True, env=env, timeout=60, check=False)
    assert (ran.returncode, b"Traceback" in ran.stderr) == (code, False), ran.stderr


def test_json_is_utf8_whatever_the_terminal(ready: Path) -> None:
    shutil.copytree("migration", ODD)
    ran = subprocess.run(
        [*PROGRAM, "map", "-w", ODD, "--json"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=60,
        check=False,
    )
    assert json.loads(ran.stdout.decode("utf-8"))["config"].startswith(ODD)


def test_an_argument_that_is_no_text_is_bad_input(ready: Path) -> None:
    before = sorted(Path().rglob("*"))
    for words in (("map", "--json", "--only", "role:\udcff"), ("map", *NAMES, "-w", "by\udcffte", "--json")):
        ran = run_alone(*words)
        assert (ran.code, "Traceback" in ran.err) == (2, False), ran
        assert "is not text" in ran.err
    ran = run_alone("provisioner", "deploy", env={"SECMIGRATE_WORKSPACE": "by\udcffte"})
    assert (ran.code, "is not text" in ran.err) == (2, True), ran
    assert sorted(Path().rglob("*")) == before


def test_what_is_told_to_go_on_with_can_be_typed_for_any_folder(ready: Path) -> None:
    shutil.copytree("migration", ODD)
    for file in ("inventory.json", "planned.json"):
        assert (Path(ODD) / file).exists()
    both = read_snapshot(Path(ODD, "inventory.json"))
    for operation in plan.creation(both, read_snapshot(Path(ODD, "planned.json"))).operations:
        both = operation.applied(both)
    with Twin(both, aws_managed=documents.aws_managed()) as twin:
        at = ("-w", ODD, "--endpoint-url", twin.url)
        planned = run("readd", *at)
        assert planned.code == 3, planned
        assert _command(planned.out) == ["secmigrate", "readd", "-w", ODD, "--execute"]
        stopped = run("readd", *at, "--execute", "--stop-before", "grant", "--confirm-account", both.account)
        assert stopped.code == 3, stopped
        assert _command(stopped.out) == ["secmigrate", "resume", "-w", ODD]


def _command(told: str) -> list[str]:
    """The command that the last line ends with."""
    return shlex.split("secmigrate " + told.splitlines()[-1].partition("secmigrate ")[2])


def test_what_is_asked_is_no_part_of_the_json(ready: Path, unchanged: Twin) -> None:
    """The account id is asked for on a terminal; stdout goes to a file."""
    outer, inner = pty.openpty()
    words = (*PROGRAM, "readd", "--execute", "--json", "--endpoint-url", unchanged.url)
    kinds: dict[str, Any] = {"stdin": inner, "stdout": subprocess.PIPE, "stderr": inner}
    with subprocess.Popen(words, **kinds) as process:
        os.close(inner)
        os.write(outer, b"999999999999\n")
        told = _read(process.stdout)
        terminal = b""
        try:
            while part := os.read(outer, 4096):
                terminal += part
        except OSError:  # the other end is closed
            pass
    os.close(outer)
    assert process.returncode == 4
    assert "Type the account id to go on: " in terminal.decode()
    assert re.search(r"\d+ calls change account", terminal.decode())
    assert "Type" not in told


def _read(stream: IO[bytes] | None) -> str:
    assert stream
    return stream.read().decode()
