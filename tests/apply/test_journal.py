"""The journal: whole lines on the disk, readable after any crash, and never half believed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from secmigrate.errors import BadInput, Failed
from secmigrate.journal import Writer, has_begun, read_journal
from secmigrate.plan import Tried
from tests.apply.stage import PLAN, now, writing


@pytest.fixture
def begun(path: Path) -> Path:
    with writing(path) as journal:
        journal.plan(PLAN)
    return path


def test_what_is_written_is_read(begun: Path) -> None:
    with writing(begun) as journal:
        journal.intent(1)
        journal.answer(1, "changed", request="r-1")
        journal.intent(2)
        journal.answer(2, "failed", error="Throttling: slowly")
        journal.intent(2)
        journal.answer(2, "found")
        journal.intent(3)
        journal.answer(3, "failed", error="AccessDenied: no")
        journal.end("failed")
    read = read_journal(begun)
    assert read.plan == PLAN
    assert read.results == {1: "changed", 2: "found", 3: "failed"}
    assert (read.doubtful, read.ended, read.started, read.unfinished) == ((), "failed", now(), True)
    assert read.tried == (Tried(PLAN.operations[0]), Tried(PLAN.operations[1]))


@pytest.mark.parametrize(("ended", "unfinished"), [("done", False), ("stopped", True), ("failed", True)])
def test_how_a_run_ended_says_whether_there_is_more_to_do(begun: Path, ended: str, unfinished: bool) -> None:
    with writing(begun) as journal:
        journal.end(ended)  # type: ignore[arg-type]
    assert read_journal(begun).unfinished is unfinished


def test_a_run_that_goes_on_has_not_ended(begun: Path) -> None:
    with writing(begun) as journal:
        journal.end("failed")
        journal.intent(1)
    assert (read_journal(begun).ended, read_journal(begun).unfinished) == (None, True)


def test_an_intent_without_an_answer_is_in_doubt(begun: Path) -> None:
    with writing(begun) as journal:
        journal.intent(1)
        journal.answer(1, "failed", error="once")
        journal.intent(1)
    read = read_journal(begun)
    assert read.doubtful == (1,)
    assert read.tried == (Tried(PLAN.operations[0], doubtful=True),)


def test_only_its_owner_may_read_it(begun: Path) -> None:
    assert stat.S_IMODE(begun.stat().st_mode) == 0o600
    assert stat.S_IMODE(begun.parent.stat().st_mode) == 0o700


def test_a_last_line_that_was_torn_off_is_ignored_and_mended(begun: Path) -> None:
    with writing(begun) as journal:
        journal.intent(1)
    whole = begun.read_bytes()
    for torn in (b"{", b'{"at": "2026', b'{"at":"x","event":"answer","n":1,"result":"changed"}', b"\0\0\0"):
        begun.write_bytes(whole + torn)
        assert read_journal(begun).doubtful == (1,)
        with writing(begun) as journal:
            journal.answer(1, "found")
        assert begun.read_bytes().startswith(whole)
        assert read_journal(begun).results == {1: "found"}


@pytest.mark.parametrize(
    "line", [b"\xff\xfe", b"{}", b"", b'{"event":"sulk","at":"x"}', b'{"event":"answer","at":"x","n":1,"result":"no"}']
)
def test_damage_in_the_middle_is_told_with_its_line(begun: Path, line: bytes) -> None:
    with writing(begun) as journal:
        journal.intent(1)
    lines = begun.read_bytes().split(b"\n")
    begun.write_bytes(b"\n".join([lines[0], line, *lines[1:]]))
    with pytest.raises(BadInput, match="damaged") as caught:
        read_journal(begun)
    assert caught.value.where == f"{begun}:2"
    assert "backup" in caught.value.hint


@pytest.mark.parametrize("n", [0, -1, len(PLAN.operations) + 1])
def test_an_operation_that_the_plan_does_not_have_is_damage(begun: Path, n: int) -> None:
    with writing(begun) as journal:
        journal.intent(n)
    with pytest.raises(BadInput, match="names an operation"):
        read_journal(begun)


def test_it_starts_with_its_plan(begun: Path, tmp_path: Path) -> None:
    whole = begun.read_bytes()
    for content in (b'{"event":"intent","at":"x","n":1}\n', b"\n", whole[:-1]):
        other = tmp_path / "other.jsonl"
        other.write_bytes(content)
        with pytest.raises(BadInput):
            read_journal(other)


def test_one_that_was_cut_off_before_its_plan_was_whole_has_not_begun(begun: Path) -> None:
    assert has_begun(begun)
    whole = begun.read_bytes()
    for length in (0, 1, len(whole) - 1):
        begun.write_bytes(whole[:length])
        assert not has_begun(begun)


def test_a_full_disk_leaves_no_half_line(begun: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write, left = begun.read_bytes(), os.write, [10]

    def full(handle: int, data: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        many, left[0] = left[0], 0
        return write(handle, data[:many])

    with writing(begun) as journal:
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(Failed, match="No space left") as caught:
                journal.intent(1)
        assert "make room" in caught.value.hint
        assert begun.read_bytes() == before
        journal.end("failed")
    assert read_journal(begun).ended == "failed"


def test_where_none_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failed, match="cannot be written"):
        Writer(tmp_path / "file" / "one.jsonl", now)
