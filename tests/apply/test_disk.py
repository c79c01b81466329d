"""A disk that fills up while calls are made: a clean end, and `resume` once there is room."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from secmigrate.cli import change
from secmigrate.twin import Twin
from secmigrate.workspace import Workspace
from tests.apply.stage import BEFORE, END, PLAN
from tests.small import ACCOUNT


@pytest.mark.parametrize("room", [20, 700, 1500])
def test_a_full_disk_stops_it_before_a_call_that_could_not_be_recorded(room: int, tmp_path: Path) -> None:
    space = Workspace(tmp_path / "migration")
    path, _ = space.save_plan(PLAN, "")
    with Twin(BEFORE) as twin:
        command = [sys.executable, "-m", "secmigrate", "decommission", "--execute", "-w", str(space.folder)]
        command += ["--confirm-account", ACCOUNT, "--endpoint-url", twin.url]
        most = len(_first_line(tmp_path)) + room
        ran = subprocess.run(
            command,
            cwd=Path(__file__).parent.parent.parent,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        )
        assert (ran.returncode, "Traceback" in ran.stderr) == (1, False), ran.stderr
        assert "cannot be written: File too large" in ran.stderr
        assert "make room on the disk, then resume" in ran.stderr
        assert twin.snapshot() != END
        (journal,) = space.journals()
        assert len(journal.results) + len(journal.doubtful) <= len(PLAN.operations)
        change.resume(space.folder, endpoint=twin.url, confirm=ACCOUNT)
        assert twin.snapshot() == END
        assert path.exists()


def _first_line(folder: Path) -> bytes:
    """A journal's first line: the plan."""
    with Twin(BEFORE) as twin:
        space = Workspace(folder / "elsewhere")
        space.save_plan(PLAN, "")
        change.decommission(space.folder, endpoint=twin.url, execute=True, confirm=ACCOUNT, stop_before=None)
        (path,) = space.journals_folder.glob("*.jsonl")
        return path.read_bytes().splitlines(keepends=True)[0]
