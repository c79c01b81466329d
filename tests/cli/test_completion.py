"""Tab in real shells: the completion that `--install-completion` installs, of commands, options and names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from secmigrate import documents
from secmigrate.documents import write_snapshot
from tests.hostile import hostile
from tests.wizard.terminal import Terminal

SHELLS = {"bash": ("--rcfile", ".bashrc"), "zsh": (), "fish": ()}
BIN = str(Path(sys.executable).parent)

# What is typed before Tab, and what stands in the line afterwards.
TYPED = (
    ("secmigrate deco", "secmigrate decommission"),
    ("secmigrate explain data-sc", "secmigrate explain data-science-team"),
    ("secmigrate access --user amara.o", "secmigrate access --user amara.okonkwo"),
    ("secmigrate map --only group:data-sc", "data-science-team"),
    ("secmigrate rollback --only role:legacy-jen", "legacy-jenkins"),
    ("secmigrate rollback --only user:amara", "amara.okonkwo"),
)


@pytest.fixture
def home(empty: Path) -> Path:
    """A home without anything, beside a workspace."""
    example = documents.read_snapshot(Path(str(documents.example("manual-account/inventory.json"))))
    write_snapshot(empty / "migration/inventory.json", example)
    return empty


def shell(name: str, home: Path) -> Terminal:
    path = shutil.which(name)
    if not path:
        pytest.skip(f"there is no {name} here")
    env = {"HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}", "PS1": "> ", "ZDOTDIR": str(home), "SHELL": path}
    return Terminal(*SHELLS[name], columns=110, cwd=home, env=env, program=(path, "-i") if name != "bash" else (path,))


@pytest.mark.parametrize("name", SHELLS)
def test_names_are_completed_by_tab(name: str, home: Path) -> None:
    (home / ".bashrc").touch()
    (home / ".zshrc").touch()
    first = shell(name, home)
    first.send("secmigrate --install-completion; exit\n")
    first.ended()
    assert f"{name} completion installed in" in first.all
    terminal = shell(name, home)
    for typed, line in TYPED:
        terminal.send("clear; echo ready\n")
        terminal.until("ready")
        terminal.send(typed)
        completes(terminal, line)
        assert "Traceback" not in terminal.all
        terminal.send("\x15")  # Ctrl-U: the line is thrown away
        terminal.read(0.2)
    terminal.send("exit\n")
    terminal.ended()


def completes(terminal: Terminal, line: str) -> None:
    """Presses Tab until the line stands there: zsh only reads the completion at the first one."""
    for _ in range(12):
        terminal.send("\t")
        end = time.monotonic() + 10
        while line not in terminal.shown and time.monotonic() < end:
            assert terminal.read()
        if line in terminal.shown:
            return
    raise AssertionError(terminal.all)


def completed(*words: str, workspace: Path, shell: str = "bash") -> str:
    """What a shell is told."""
    asked = {
        "bash": {"COMP_WORDS": "\n".join(words), "COMP_CWORD": str(len(words) - 1)},
        "zsh": {"_TYPER_COMPLETE_ARGS": " ".join(words)},
        "fish": {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }
    env = {"_SECMIGRATE_COMPLETE": f"complete_{shell}", "SECMIGRATE_WORKSPACE": str(workspace), **asked[shell]}
    program = Path(BIN) / "secmigrate"
    ran = subprocess.run([program], env={**os.environ, **env}, capture_output=True, text=True, check=False, timeout=60)
    assert ran.stderr == ""
    return ran.stdout


BAD = (None, b"", b"{", b"[]", b'{"groups": 7}', b"\xff\xfe", b'{"groups":[{"name":"x$(x)"}]}')


@pytest.mark.parametrize(("shell", "content"), [*(("bash", one) for one in BAD), ("zsh", BAD[-1]), ("fish", BAD[-1])])
def test_nothing_is_said_of_what_cannot_be_read(tmp_path: Path, shell: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "inventory.json").write_bytes(content)
    said = completed("secmigrate", "explain", "x", workspace=tmp_path, shell=shell)
    assert "$" not in said
    assert "Traceback" not in said


def test_the_workspace_on_the_line_counts(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "here/inventory.json", hostile())
    words = ("secmigrate", "explain", "-w", str(tmp_path / "here"), "t")
    assert completed(*words, workspace=tmp_path / "elsewhere") == "team\n"


def test_bash_breaks_at_colons_and_gets_what_is_missing(home: Path) -> None:
    def only(*words: str) -> list[str]:
        return completed("secmigrate", "map", "--only", *words, workspace=home / "migration").split()

    assert only("gr") == ["group:"]
    assert only("group", ":", "ml") == ["ml-engineers", "mlops"]
    assert "all-staff" in only("group", ":")
    assert only("user", ":", "a") == []
