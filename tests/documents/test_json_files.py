"""JSON of ours that cannot be read: one message, with the file and the line where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secmigrate import documents, iam
from secmigrate.documents import json_syntax, read_snapshot, write_snapshot
from secmigrate.documents.json_files import line_of
from secmigrate.errors import BadInput
from secmigrate.workspace import Members
from tests.small import account

HEAD = '{\n"account": "111122223333",\n'

# What is in the file; the line to look at (None: the file as a whole); what is said.
WRONG: dict[str, tuple[str | bytes, int | None, str]] = {
    "empty": ("", None, "the file is empty"),
    "blank": ("\n \n", None, "the file is empty"),
    "half": ('{\n"account": "111122223333",\n"users": [{"name"', 3, "truncated"),
    "half of a text": ('{\n"account": "1111', 2, "truncated"),
    "a comma too many": (HEAD + '"users": [\n{"name": "a"},\n]}', 5, "trailing comma"),
    "two documents": (HEAD + '"users": []}\n{}', 4, "trailing characters"),
    "a list": ("[]", 1, "Expected `object`, got `array`"),
    "another version": (HEAD + '"kind": "snapshot",\n"version": 2}', 4, "version: Invalid enum value 2"),
    "another kind": (HEAD + '"kind": "plan"}', 3, "kind: Invalid enum value 'plan'"),
    "no account": ('{"users": []}', 1, "missing required field `account`"),
    "an account of 11 digits": ('{\n"account":\n  "11112222333"}', 3, "account: Expected `str` matching"),
    "a name that is a number": (
        HEAD + '"users": [\n{"name": "a"},\n{"name": "b"},\n{"name": "c"},\n{"path": "/",\n"name": 3}]}',
        8,
        "users[3].name: Expected `str`, got `int`",
    ),
    "a name that ends in a newline": (HEAD + '"groups": [\n{"name": "a\\n"}]}', 4, "groups[0].name: Expected"),
    "a tag that is a number": (HEAD + '"users": [\n{"name": "a",\n"tags": {\n"k": 1}}]}', 5, "users[0].tags[...]"),
    "an unknown key": (HEAD + '"users": [\n{"name": "a",\n"colour": 1}]}', 5, "unknown field `colour`"),
    "an unknown key at the top": (HEAD + '"colour": 1}', 3, "unknown field `colour`"),
    "a document that is text": (
        HEAD + '"roles": [\n{"name": "r",\n"trust": "text"}]}',
        5,
        "roles[0].trust: a policy document must be a JSON object",
    ),
    "one name twice": (HEAD + '"users": [\n{"name": "a"},\n{"name": "A"}]}', 5, "users: there is another 'A'"),
    "one policy twice": (
        HEAD
        + '"policies": [\n{"arn": "arn:aws:iam::111122223333:policy/x", "document": {}},\n'
        + '{"arn": "arn:aws:iam::111122223333:policy/X", "document": {}}]}',
        5,
        "policies: there is another",
    ),
    "Latin-1": ((HEAD + '"users": [\n{"name": "a",\n"tags": {"k": "é"}}]}').encode("latin-1"), 5, "not UTF-8"),
    "NUL bytes": (HEAD.encode() + b"\0\0\0}", 3, "malformed"),
    "nothing but NUL bytes": (b"\0" * 64, 1, "malformed"),
    "a UTF-8 mark": (b"\xef\xbb\xbf" + HEAD.encode(), 1, "byte order mark"),
    "UTF-16, as PowerShell writes": ('{"account": "111122223333"}'.encode("utf-16"), 1, "byte order mark"),
    "an endless list": (HEAD + '"users": ' + "[" * 100_000, 1, "users[0]: Expected `object`"),
    "an endless document": (
        HEAD + '"roles": [{"name": "r", "trust": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}]}",
        1,
        "nested too deeply",
    ),
    "a number that is none": (HEAD + '"roles": [{"name": "r", "trust": {},\n"max_session": 1e999}]}', 4, "range"),
}


@pytest.mark.parametrize("case", WRONG)
def test_file_and_line_of_what_is_wrong(tmp_path: Path, case: str) -> None:
    content, line, said = WRONG[case]
    path = tmp_path / "inventory.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadInput) as caught:
        read_snapshot(path)
    assert caught.value.where == (f"{path}:{line}" if line else str(path))
    assert said in caught.value.message
    assert caught.value.hint


def test_files_of_other_kinds_are_as_strict(tmp_path: Path) -> None:
    path = tmp_path / "user-group-mappings.json"
    path.write_text('{\n"account": "111122223333",\n"groups": {\n"a": ["b"],\n"c": ["d", 1]\n}}')
    with pytest.raises(BadInput, match=r"groups\[...\]\[1\]: Expected `str`, got `int`") as caught:
        documents.read_json(path, Members, hint="run it again")
    assert (caught.value.where, caught.value.hint) == (f"{path}:3", "run it again")


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path / "inventory.json", account())
    assert read_snapshot(path) == account()
    assert iam.encode(read_snapshot(path)) == iam.encode(account())
    assert write_snapshot(tmp_path / "again.json", read_snapshot(path)).read_bytes() == path.read_bytes()


_texts = st.text(alphabet='ab"\\{}[]:,\n\té1 ', max_size=4)
_keys = st.text(alphabet="ab_-1", min_size=1, max_size=3)
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | _texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)
_blanks = st.text(alphabet=" \n\t\r", max_size=3)


@st.composite
def _laid_out(draw: st.DrawFn, value: Any) -> tuple[str, list[tuple[str, int]]]:
    """JSON with white space anywhere, and for every value its path and where its text starts: the slow oracle."""
    places: list[tuple[str, int]] = []
    text = ""

    def blank() -> None:
        nonlocal text
        text += draw(_blanks)

    def put(value: Any, steps: str) -> None:
        nonlocal text
        blank()
        places.append((steps, len(text.encode())))
        if isinstance(value, dict | list):
            brackets = "{}" if isinstance(value, dict) else "[]"
            text += brackets[0]
            rows = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
            for number, (key, inner) in enumerate(rows):
                text += "," if number else ""
                blank()
                if isinstance(value, dict):
                    text += json.dumps(key)
                    blank()
                    text += ":"
                put(inner, f"{steps}.{key}" if isinstance(value, dict) else f"{steps}[{key}]")
            blank()
            text += brackets[1]
        else:
            text += json.dumps(value, ensure_ascii=draw(st.booleans()))
        blank()

    put(value, "")
    return text, places


@given(_values.flatmap(_laid_out))
def test_the_line_of_every_value_is_found(laid_out: tuple[str, list[tuple[str, int]]]) -> None:
    text, places = laid_out
    data = text.encode()
    for steps, at in places:
        assert line_of(data, steps) == data.count(b"\n", 0, at) + 1, steps


def test_the_line_of_what_is_not_there_is_that_of_what_would_hold_it() -> None:
    data = b'{\n"a": [\n1,\n{"b": 2}]}'
    assert [line_of(data, steps) for steps in ("", ".a", ".a[1]", ".a[1].b", ".a[7]", ".a[1].x", ".x")] == [
        *(1, 2, 4, 4),
        *(2, 4, 1),
    ]


DOUBLED = {
    "at the top": ('{"a": 1,\n "b": 2,\n "a": 3}', 3, "a"),
    "further in": ('[{"x": {"a": {}}},\n{"x": {"a": {}, "b": [],\n"a": 7}}]', 3, "a"),
    "escaped": ('{"a": "\\"a\\": 1, {",\n"\\u0061": 1}', 2, "a"),
    "beside brackets in texts": ('{"}": "{",\n"b": "}}",\n"}": 1}', 3, "}"),
}


@pytest.mark.parametrize(("text", "line", "key"), DOUBLED.values(), ids=DOUBLED)
def test_a_key_that_stands_twice_is_an_error_and_not_a_silent_loss(
    tmp_path: Path, text: str, line: int, key: str
) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(BadInput) as caught:
        json_syntax(path, text.encode())
    assert (caught.value.message, caught.value.where) == (f"the key {key!r} stands twice", f"{path}:{line}")


def test_so_it_is_in_a_snapshot_that_somebody_edited(tmp_path: Path) -> None:
    path = write_snapshot(tmp_path / "inventory.json", account())
    text = path.read_text().replace(
        '"account": "111122223333",', '"account": "111122223333",\n"account": "111122223333",'
    )
    path.write_text(text)
    with pytest.raises(BadInput, match="the key 'account' stands twice"):
        read_snapshot(path)


def test_the_same_key_in_two_objects_is_none(tmp_path: Path) -> None:
    assert json_syntax(tmp_path / "x.json", b'[{"a": {"a": 1}}, {"a": "a"}]') == [{"a": {"a": 1}}, {"a": "a"}]
