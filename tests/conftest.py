"""No test may reach a real account: invented credentials, no configuration of the machine's owner."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.loaders
import botocore.session
import pytest
from hypothesis import settings

from secmigrate.cli import COLLECTOR
from tests.kept import kept

# In the background (`make test &`) Ctrl-C is ignored, and the programs that are tested would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

gc.set_threshold(*COLLECTOR)  # as the program does: what tests share is many objects, and was looked at again and again

# How many examples hypothesis tries: as many as it likes, or (`make stress`) as many as fit in a night.
settings.register_profile("nightly", max_examples=25_000, deadline=None)
settings.register_profile("busy", deadline=None)  # no test is timed; in CI hypothesis has a profile that says so too
if profile := os.environ.get("HYPOTHESIS_PROFILE", "" if "CI" in os.environ else "busy"):
    settings.load_profile(profile)

# botocore reads its models anew for every session, which takes longer than most tests: here it reads them once.
botocore.session.create_loader = cache(botocore.loaders.create_loader)


@pytest.fixture(autouse=True)
def invented_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The environment of somebody who has never used AWS, but for a key that no account knows."""
    nowhere = str(Path(tmp_path_factory.getbasetemp()) / "no-such-file")
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "invented",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def aws_cli() -> Iterator[Path]:
    """A folder with the AWS CLI, as a program that starts at once."""
    with kept("aws") as folder:
        yield folder


@pytest.fixture(scope="session")
def stand_in() -> Iterator[Path]:
    """A folder with the docker of examples/tier-upgrade, as a program that starts at once."""
    with kept("docker") as folder:
        yield folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest tests first: as the last ones they would keep one core busy while the others have nothing to do."""
    items.sort(key=lambda item: not item.nodeid.startswith(("tests/stories/", "tests/wizard/")))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says at how many points runs were killed: a number that nobody should have to take on trust."""
    passed = [report for report in terminalreporter.stats.get("passed", ()) if "test_every_crash" in report.nodeid]
    points = sum(int(str(dict(report.user_properties).get("killed", 1))) for report in passed)
    if points:
        terminalreporter.write_line(f"stopped dead at {points} calls: each time it found its way forth and back")
