"""The example account on a twin, a person at a terminal, and the provisioner's stack made in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from secmigrate import documents, plan
from secmigrate.aws import Aws
from secmigrate.iam import Snapshot, Usage
from secmigrate.twin import Twin, used_lately
from tests.wizard.terminal import ENTER, Terminal


class Said(NamedTuple):
    """A question's beginning and the keys that answer it; what `first` names has to happen before."""

    question: str
    keys: str
    menu: bool = True
    first: str = ""


def pick(question: str, number: int = 1, first: str = "") -> Said:
    """The nth choice of a menu."""
    return Said(question, ENTER if number == 1 else f"{number}{ENTER}", first=first)


def write(question: str, text: str) -> Said:
    """A text."""
    return Said(question, f"{text}{ENTER}", menu=False)


class Stage:
    """A folder and an account."""

    def __init__(self, folder: Path, twin: Twin) -> None:
        self.folder = folder
        self.twin = twin

    def wizard(self, *words: str, columns: int = 80, rows: int = 45, **env: str) -> Terminal:
        return Terminal(
            "wizard", "--endpoint-url", self.twin.url, *words, columns=columns, rows=rows, cwd=self.folder, env=env
        )

    def answer(self, terminal: Terminal, said: Said) -> None:
        terminal.asked(said.question, menu=said.menu)
        if said.first == "deploy":
            self.deploy()
        terminal.answer(said.keys)

    def deploy(self) -> None:
        """What the provisioner's stack would create, made through the API."""
        aws = Aws(None, None, self.twin.url)
        planned = documents.read_snapshot(self.folder / "migration/planned.json")
        for operation in plan.creation(self.twin.snapshot(), planned).operations:
            aws.send(operation.call())

    def told(self, terminal: Terminal) -> str:
        """All that stood on the terminal, without what differs from run to run."""
        text = terminal.all.replace(self.twin.url, "http://127.0.0.1:PORT0")
        return re.sub(r"last used: \d{4}-\d\d-\d\d", "last used: DAY", re.sub(r"\d{8}T\d{6}Z", "TIME", text))


@pytest.fixture(scope="session")
def example() -> Snapshot:
    """The example account, as if it were read now."""
    account = documents.read_snapshot(Path(str(documents.example("manual-account/inventory.json"))))
    return used_lately(account, datetime.now(UTC))


@pytest.fixture
def usage() -> Usage | None:
    """What the twin tells of last use."""
    return None


@pytest.fixture
def stage(example: Snapshot, usage: Usage | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """An empty folder, and a twin of the example account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "invented")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "SECMIGRATE_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    with Twin(example, aws_managed=documents.aws_managed(), usage=usage) as twin:
        yield Stage(tmp_path, twin)
