"""Pages whose ```console blocks are run: each `$ command` must say what stands below it.

`…` in a line stands for anything, a line that is only `…` for any lines. `python -m tests.stories.telling PAGE` writes
what the commands said where a page says something else.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.kept import kept

ROOT = Path(__file__).parent.parent.parent
PAGES: Mapping[str, str] = {  # and the folder whose files the story begins with
    "docs/tutorial.md": "examples/manual-account",
    "examples/terraform/README.md": "examples/terraform",
    "examples/cdk/README.md": "examples/cdk",
}
PORT = "5001"  # the twin's, in every story
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CHANGES = re.compile(r"\d{8}T\d{6}Z(\.\d+)?|\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?")  # from run to run
_END = "@@the command has ended@@"
_PATIENCE = 120.0  # seconds for one command


class Step(NamedTuple):
    """A command of a story, and what the page says that it says."""

    command: str
    said: str
    line: int


def steps(text: str) -> Iterator[Step]:
    """All commands of a page, in order."""
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1)) + 1
        for part in re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]:
            command, _, said = part.partition("\n")
            here = re.search(r"<<'(\w+)'$", command)
            while command.endswith("\\") or (here and command.rpartition("\n")[2] != here[1]):
                more, _, said = said.partition("\n")
                command = f"{command}\n{more}"
            yield Step(command, said, line)
            line += part.count("\n")


def needs(text: str) -> list[str]:
    """The programs that a page says it needs (`<!-- needs: terraform -->`)."""
    found = re.search(r"<!-- needs: (.*?) -->", text)
    return found[1].split() if found else []


def agrees(said: str, page: str) -> bool:
    """Whether what a command said is what the page says."""
    lines = [".*(?:\n.*)*" if line.strip() == "…" else re.escape(line).replace("…", ".*") for line in page.splitlines()]
    return re.fullmatch("\n".join(lines), said.rstrip("\n")) is not None


class Shell:
    """A shell in a copy of the story's folder, in which commands see each other's variables and jobs; it looks for
    programs in these folders first.
    """

    def __init__(self, folder: Path, programs: Sequence[Path]) -> None:
        plain = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SECMIGRATE_", "TF_"))}
        plain |= {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100"}
        plain |= {"CHECKPOINT_DISABLE": "1", "TF_CLI_ARGS": "-no-color"}
        plain |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""}
        plain["PATH"] = os.pathsep.join((*map(str, programs), str(Path(sys.executable).parent), plain["PATH"]))
        self._port = _free_port()
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env=plain,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> str:
        """What the command says, to both streams. Raises TimeoutError."""
        assert self._bash.stdin
        assert self._bash.stdout
        here = command.replace(PORT, self._port)
        self._bash.stdin.write(f"{here}\n" if here.endswith("&") else f"{{ {here}\n}} </dev/null\n")
        self._bash.stdin.write(f"echo; echo '{_END}'\n")
        self._bash.stdin.flush()
        lines: list[str] = []
        while (line := self._bash.stdout.readline()) != f"{_END}\n":
            if not line:
                raise EOFError(f"the shell ended: {''.join(lines)}")
            lines.append(line)
        if command.endswith("&"):
            self._wait_for_the_twin()
        return "".join(lines).removesuffix("\n").replace(self._port, PORT)

    def close(self) -> None:
        """Ends the shell and all that it started."""
        os.killpg(self._bash.pid, signal.SIGTERM)
        self._bash.wait()

    def _wait_for_the_twin(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", int(self._port))) == 0:
                    return
            time.sleep(0.05)
        raise TimeoutError("the twin did not start")


def told(page: str, folder: Path, programs: Sequence[Path]) -> Iterator[tuple[Step, str]]:
    """Runs the commands of a page in the folder; each with what it said."""
    shutil.copytree(ROOT / PAGES[page], folder, dirs_exist_ok=True)
    shell = Shell(folder, programs)
    try:
        for step in steps((ROOT / page).read_text(encoding="utf-8")):
            yield step, shell.run(step.command)
    finally:
        shell.close()


def _free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def _write(page: str) -> None:
    """Puts what the commands say into the page, where it says something else."""
    path = ROOT / page
    text = path.read_text(encoding="utf-8")
    at = 0
    with tempfile.TemporaryDirectory() as folder, kept("aws", "secmigrate") as programs:
        for step, said in told(page, Path(folder), [programs]):
            shown = f"$ {step.command}\n"
            at = text.index(shown, at) + len(shown)
            if not agrees(said, step.said):
                new = _CHANGES.sub("…", said.rstrip("\n"))
                text = f"{text[:at]}{new}{chr(10) if new else ''}{text[at + len(step.said) :]}"
                at += len(new)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        _write(name)
