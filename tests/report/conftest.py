"""The example account as it is mapped, with some of the losses accepted, and what a report tells of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from secmigrate import iam
from secmigrate.cli.report import facts
from secmigrate.reports.forms import FORMS
from secmigrate.reports.gathering import report
from secmigrate.reports.migration import Report
from secmigrate.workspace import Workspace
from tests.report import stages

if TYPE_CHECKING:
    from tests.report.browsing import Watched


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workspace and its report, made by whichever of pytest's processes comes first."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "report"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "report.json").exists():
            space = stages.read(folder / "migration")
            stages.decide(space)
            (folder / "report.json").write_bytes(FORMS["json"].render(report(facts(space))))
    return folder


@pytest.fixture(scope="session")
def mapped(kept: Path) -> Path:
    """A workspace after `map`; nobody may change it."""
    assert Workspace(kept / "migration").outcome().moves
    return kept / "migration"


@pytest.fixture(scope="session")
def told(kept: Path) -> Report:
    """What a report tells of it."""
    return msgspec.json.decode((kept / "report.json").read_bytes(), type=Report, dec_hook=iam.from_jsonable)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for the tests of a file."""
    from tests.report.browsing import started

    with started() as one:
        yield one


@pytest.fixture
def watched(browser: Any, file: Path) -> Iterator[Watched]:
    """The page that the test's own `file` is."""
    from tests.report.browsing import Watched

    found = Watched(browser, file)
    yield found
    found.page.close()
