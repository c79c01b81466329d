"""decisions.yaml, written by the wizard around what a person wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from secmigrate.access import Accepted
from secmigrate.documents import read_decisions, write_decisions
from secmigrate.errors import BadInput
from secmigrate.mapping import Decisions, GroupAnswer, RoleAnswer

WRITTEN = """\
# ours, since March
groups:
  # asked Ana about this one
  1: {leave: "it is quoted"}   # why not
  dev: {become: ml_engineers}

# what we lose
accept:
  - actions: ["*"]    # all of it
    why: 'no: really'
patterns: [lumen-*]   # buckets
# the end
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "decisions.yaml").write_text(WRITTEN)
    return tmp_path / "decisions.yaml"


def test_what_a_person_wrote_stays_with_its_comments(path: Path) -> None:
    before = read_decisions(path)
    wanted = structs.replace(
        before,
        groups={**before.groups, "qa": GroupAnswer(become="qa_testing"), "on": GroupAnswer(leave="yes")},
        roles={"ci": RoleAnswer(become="ci", section="service_roles")},
        accept=(*before.accept, Accepted(actions=("s3:GetObject", "kms:*"), users=("ana", "bo"), why="seen")),
        patterns=(*before.patterns, "acme-*"),
    )
    write_decisions(path, wanted)
    assert read_decisions(path) == wanted
    text = path.read_text()
    left = iter(text.splitlines())
    for line in WRITTEN.splitlines():
        assert any(line == one or line.replace("]   #", ", acme-*] #") == one for one in left), line
    assert "  - actions: [s3:GetObject, kms:*]\n    users: [ana, bo]\n    why: seen\n" in text


def test_nothing_to_say_changes_nothing(path: Path) -> None:
    write_decisions(path, read_decisions(path))
    assert path.read_text() == WRITTEN


def test_an_answer_is_taken_back(path: Path) -> None:
    before = read_decisions(path)
    write_decisions(path, structs.replace(before, groups={**before.groups, "x": GroupAnswer(leave="no")}))
    write_decisions(path, before)
    assert path.read_text() == WRITTEN


def test_a_file_that_cannot_be_read_is_left_alone(path: Path) -> None:
    path.write_text("groups: {a: [")
    with pytest.raises(BadInput):
        write_decisions(path, Decisions(patterns=("a-*",)))
    assert path.read_text() == "groups: {a: ["


@pytest.mark.parametrize("before", [None, "", "# only a remark\n", "{}\n", "kind: decisions\nversion: 1\n"])
def test_it_begins_where_there_is_nothing(tmp_path: Path, before: str | None) -> None:
    path = tmp_path / "decisions.yaml"
    if before is not None:
        path.write_text(before)
    if before in ("", "# only a remark\n"):  # no YAML at all, which reading refuses
        with pytest.raises(BadInput):
            write_decisions(path, Decisions(patterns=("a-*",)))
        return
    wanted = Decisions(groups={"a": GroupAnswer(leave="x")}, accept=(Accepted(actions=("a:b",), why="y"),))
    write_decisions(path, wanted)
    assert read_decisions(path) == wanted


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=30)


@given(TEXTS, TEXTS, TEXTS)
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, name: str, why: str, glob: str) -> None:
    path = tmp_path_factory.mktemp("any") / "decisions.yaml"
    path.write_text(WRITTEN)
    before = read_decisions(path)
    wanted = structs.replace(
        before,
        groups={**before.groups, name: GroupAnswer(leave=why)},
        accept=(*before.accept, Accepted(actions=("a:b",), users=(glob,), why=why)),
    )
    write_decisions(path, wanted)
    assert read_decisions(path) == wanted
    assert "# asked Ana about this one" in path.read_text()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_answers_as_editors_on_windows_save_them_are_written_on(path: Path, encoding: str) -> None:
    path.write_bytes(WRITTEN.encode(encoding))
    before = read_decisions(path)
    write_decisions(path, structs.replace(before, patterns=("lumen-*", "edge-*")))
    text = path.read_text()
    assert text.startswith("# ours, since March\n")
    assert "edge-*" in text
