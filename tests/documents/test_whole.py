"""Files are there whole or not at all, and nobody else can read them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from secmigrate.documents import read_bytes, write_json, write_whole
from secmigrate.documents.whole import files_below
from secmigrate.errors import BadInput, Failed


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    assert write_whole(path, b"text") == path
    assert read_bytes(path) == b"text"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [folder.stat().st_mode & 0o777 for folder in (path.parent, path.parent.parent)] == [0o700, 0o700]
    assert list(path.parent.iterdir()) == [path]


def test_what_comes_in_pieces_is_one_file_or_none(tmp_path: Path) -> None:
    def pieces(*, broken: bool) -> Iterator[bytes]:
        yield b"one, "
        if broken:
            raise ValueError("broken")
        yield b"two"

    path = write_whole(tmp_path / "file", pieces(broken=False))
    with pytest.raises(ValueError, match="broken"):
        write_whole(path, pieces(broken=True))
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("file", "one, two")]


def test_an_older_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_whole(path, b"new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)
    assert write_whole(path, b"#!/bin/sh\n", mode=0o700).stat().st_mode & 0o777 == 0o700


def test_a_umask_does_not_open_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        assert write_whole(tmp_path / "in" / "file", b"x").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("step", ["fsync", "chmod", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, full)
    with pytest.raises(Failed, match="No space left") as caught:
        write_whole(path, b"new")
    assert caught.value.where == str(path)
    assert caught.value.hint
    assert [(found.name, found.read_text()) for found in tmp_path.iterdir()] == [("file", "old")]


def test_a_write_that_is_interrupted_leaves_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "file", b"new")
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_on_the_disk_before_it_is_named_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []

    def noted(name: str, call: Any, *args: Any) -> None:
        steps.append(name)
        call(*args)

    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, partial(noted, name, getattr(os, name)))
    write_whole(tmp_path / "file", b"new")
    assert steps == ["fsync", "replace", "fsync"]


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "blank").write_text(" \n\n")
    (tmp_path / "file").write_text("x")
    for name, why in {"none": "No such file", ".": "directory", "blank": "empty", "file/x": "Not a directory"}.items():
        with pytest.raises(BadInput, match=why) as caught:
            read_bytes(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)
        assert caught.value.hint
    with pytest.raises(Failed, match=r"File exists|Not a directory"):
        write_whole(tmp_path / "file" / "below", b"x")
    with pytest.raises(Failed, match="directory"):
        write_whole(tmp_path, b"x")


def test_the_same_value_gives_the_same_bytes(tmp_path: Path) -> None:
    one = write_json(tmp_path / "1", {"b": 1, "a": [1, {"d": 2, "c": 3}]}).read_bytes()
    two = write_json(tmp_path / "2", {"a": [1, {"c": 3, "d": 2}], "b": 1}).read_bytes()
    assert one == two
    assert one.endswith(b"}\n")
    assert one.splitlines()[1] == b'  "a": ['


def test_files_below_a_folder(tmp_path: Path) -> None:
    for name in ("b.json", "a/c.json", "a/d.txt", "a/e/.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "link.json").symlink_to(tmp_path / "b.json")
    found = [str(path.relative_to(tmp_path)) for path in files_below(tmp_path, ".json")]
    assert found == ["a/c.json", "a/e/.json", "b.json"]
    assert files_below(tmp_path / "none", ".json") == []


def test_a_folder_below_that_cannot_be_read_is_not_empty(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):  # deeper than a path may be long, which stops root as well
        os.mkdir("n" * 250, dir_fd=here)
        deeper = os.open("n" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)
    with pytest.raises(BadInput, match="cannot be read: File name too long") as caught:
        files_below(tmp_path, ".json")
    assert caught.value.where.startswith(str(tmp_path))
