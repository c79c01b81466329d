"""A workspace with everything in it up to the first plan, and the twin that it was made from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from secmigrate import documents
from secmigrate.iam import Snapshot
from secmigrate.twin import Twin, used_lately
from tests.cli.runs import run

NAMES = ("--company-prefix", "lumen", "--tenant-id", "a001", "--region", "eu-central-1")
CONFIG = "sec/configs/lumen-prod-a001-eu-central-1-sec.yaml"


@pytest.fixture(scope="session")
def example() -> Snapshot:
    """The example account, as if it were read now."""
    account = documents.read_snapshot(Path(str(documents.example("manual-account/inventory.json"))))
    return used_lately(account, datetime.now(UTC))


@pytest.fixture(scope="session")
def unchanged(example: Snapshot) -> Iterator[Twin]:
    """A twin of the example account, for commands that only read."""
    with Twin(example, aws_managed=documents.aws_managed()) as twin:
        yield twin
        assert twin.snapshot() == example


@pytest.fixture(scope="session")
def prepared(unchanged: Twin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace after `inventory`, `map` and `readd`."""
    folder = tmp_path_factory.mktemp("prepared") / "migration"
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "invented")
        for command, code in (
            (("inventory", "--endpoint-url", unchanged.url), 0),
            (("map", *NAMES), 0),
            (("readd", "--endpoint-url", unchanged.url), 4),  # the new groups are not there yet
        ):
            ran = run(*command, "-w", folder)
            assert ran.code == code, ran
    return folder


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ready(prepared: Path, empty: Path) -> Path:
    """A working folder with a copy of the prepared workspace in `migration`."""
    shutil.copytree(prepared, empty / "migration")
    return empty
