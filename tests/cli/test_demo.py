"""The whole road and back, as a newcomer sees it first."""

from __future__ import annotations

import os
from pathlib import Path

from tests.cli.runs import listing, run, run_alone

# What a person may have in their shell; the demo must not care.
SOMEBODYS_SHELL = {"AWS_PROFILE": "nonexistent", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "cn-north-1"}


def test_the_demo_ends_where_it_began_and_can_be_run_again(empty: Path) -> None:
    ran = run_alone("demo", "-w", empty / "tour", env=SOMEBODYS_SHELL)
    assert (ran.code, "Traceback" in ran.err) == (0, False), ran
    assert "equal byte for byte" in ran.out
    assert "\x1b" not in ran.out + ran.err
    reports = empty / "tour" / "reports"
    assert (reports / "before.json").read_bytes() == (reports / "after.json").read_bytes()
    assert len((reports / "before.json").read_bytes()) > 10_000
    assert sorted(path.name for path in empty.iterdir()) == ["tour"]

    (empty / "tour" / "old").touch()
    again = run("demo", "-w", empty / "tour")
    assert again.code == 0, again
    assert not (empty / "tour" / "old").exists()
    assert "AWS_ENDPOINT_URL" not in os.environ
    assert os.environ["AWS_ACCESS_KEY_ID"] == "invented"


def test_a_folder_that_no_demo_made_is_left_alone(empty: Path) -> None:
    (empty / "thesis").mkdir()
    (empty / "thesis" / "chapter").write_text("1")
    before = listing(empty)
    ran = run("demo", "-w", empty / "thesis")
    assert ran.code == 2
    assert f"error: {empty / 'thesis'}: is not empty, and no demo made it\nhint: " in ran.err
    assert listing(empty) == before


def test_so_is_a_workspace_of_a_real_migration(ready: Path) -> None:
    before = listing(ready)
    assert run("demo", "-w", ready / "migration").code == 2
    assert listing(ready) == before


def test_and_a_file(empty: Path) -> None:
    (empty / "file").write_text("x")
    ran = run("demo", "-w", empty / "file")
    assert (ran.code, "Traceback" in ran.err, "hint: " in ran.err) == (2, False, True), ran
    assert listing(empty) == {"file": b"x"}
