"""The whole road and back, as a newcomer sees it first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from secmigrate import documents
from secmigrate.aws import Aws
from secmigrate.cli.demo import MARKER, nobodys_credentials
from secmigrate.twin import Twin
from tests import small
from tests.cli.runs import listing, run, run_alone

# What a person may have in their shell; the demo must not care.
SOMEBODYS_SHELL = {"AWS_PROFILE": "nonexistent", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "cn-north-1"}


def test_the_demo_ends_where_it_began_whatever_an_earlier_one_left(empty: Path) -> None:
    tour, reports = empty / "tour", empty / "tour" / "reports"
    tour.mkdir()
    (tour / MARKER).touch()
    (tour / "journals").mkdir()
    (tour / "journals" / "readd-20240101T000000Z.jsonl").write_text("half a jour")
    ran = run_alone("demo", "-w", tour, env=SOMEBODYS_SHELL, timeout=180)
    assert (ran.code, "Traceback" in ran.err) == (0, False), ran
    assert "equal byte for byte" in ran.out
    assert "\x1b" not in ran.out + ran.err
    assert (reports / "before.json").read_bytes() == (reports / "after.json").read_bytes()
    assert len((reports / "before.json").read_bytes()) > 10_000
    assert not list(tour.glob("journals/*2024*"))
    assert [path.name for path in empty.iterdir()] == ["tour"]
    assert (tour / MARKER).exists()  # so it may be run again


def test_the_shell_is_as_before_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SOMEBODYS_SHELL.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with Twin(small.account(), aws_managed=documents.aws_managed()) as twin, nobodys_credentials(twin):
        assert os.environ["AWS_ENDPOINT_URL"] == twin.url
        assert os.environ.keys().isdisjoint({"AWS_PROFILE", "AWS_REGION"})
        assert Aws().identity()[0] == small.ACCOUNT
    assert dict(os.environ) == before


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
