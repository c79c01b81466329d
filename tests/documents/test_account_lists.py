"""Lists of accounts as people keep them, and what is wrong with a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from secmigrate.documents import read_accounts
from secmigrate.errors import BadInput

GOOD = {
    "111122223333": {"111122223333": ""},
    "111122223333 Data\n\n444455556666\n": {"111122223333": "Data", "444455556666": ""},
    "# ours\n  111122223333\tData lake  # since May\n": {"111122223333": "Data lake"},
    "111122223333,Data\r\n444455556666;Web\r\n": {"111122223333": "Data", "444455556666": "Web"},
    '"111122223333", "Data lake"\n': {"111122223333": "Data lake"},
    "1111-2222-3333 as the console writes it": {"111122223333": "as the console writes it"},
    "\ufeff000000000001 C#-builds": {"000000000001": "C#-builds"},
}
BAD = {
    "Account,Name\n111122223333,Data\n": ("1", "'Account' is no account id", "twelve digits"),
    "111122223333\n\n12345\n": ("3", "'12345' is no account id", "000000012345"),
    "111122223333\n# x\n111122223333 again\n": ("3", "stands in line 1 already", "keep one"),
    "# nothing\n": ("1", "names no account", "111122223333 Data"),
    "11112222333٣\n": ("1", "is no account id", ""),
    "arn:aws:iam::111122223333:role/x\n": ("1", "is no account id", ""),
}


@pytest.mark.parametrize("text", GOOD)
def test_it_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "accounts.txt").write_text(text, encoding="utf-8", newline="")
    assert read_accounts(tmp_path / "accounts.txt") == GOOD[text]


@pytest.mark.parametrize("text", BAD)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "accounts.txt"
    path.write_text(text, encoding="utf-8")
    line, message, hint = BAD[text]
    with pytest.raises(BadInput) as caught:
        read_accounts(path)
    assert caught.value.where == f"{path}:{line}"
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_all_bad_lines_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "accounts.txt"
    path.write_text("a\n111122223333\nb\n111122223333\n")
    with pytest.raises(BadInput) as caught:
        read_accounts(path)
    assert [f"{path}:{line}: " in str(caught.value) for line in (1, 3, 4)] == [True] * 3


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "accounts.xlsx").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        read_accounts(tmp_path / "accounts.xlsx")
    with pytest.raises(BadInput, match="cannot be read"):
        read_accounts(tmp_path / "nowhere")
